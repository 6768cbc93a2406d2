//! Who may call: whoever has the node's key, compared in constant time.

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hostler_wire::node_api::TOKEN_HEADER;
use subtle::ConstantTimeEq;

use super::{Api, ApiError};
use crate::identity::ApiKey;

/// Lets a request through that carries the key.
pub(super) async fn demand(State(api): State<Api>, request: Request, next: Next) -> Response {
    let given = request.headers().get(TOKEN_HEADER);
    let may = {
        let key = api.key.borrow();
        let given = given.map(HeaderValue::as_bytes);
        may_enter(key.as_ref(), given)
    };
    if may {
        next.run(request).await
    } else {
        ApiError::NoKey.into_response()
    }
}

fn may_enter(key: Option<&ApiKey>, given: Option<&[u8]>) -> bool {
    match (key, given) {
        (Some(key), Some(given)) => key.expose().as_bytes().ct_eq(given).into(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_key_opens_and_no_key_opens_nothing() {
        let key = ApiKey::new("sesame");
        assert!(may_enter(Some(&key), Some(b"sesame")));
        for wrong in [&b""[..], b"sesam", b"sesame ", b"SESAME"] {
            assert!(!may_enter(Some(&key), Some(wrong)));
        }
        assert!(!may_enter(Some(&key), None));
        assert!(!may_enter(None, Some(b"")));
    }
}
