//! Bearer tokens of a standalone manager. Several may hold at once, so that one
//! can be replaced without a gap; each is compared in constant time, and all of
//! them at every request, so that an answer's time tells nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::answer::Problem;
use super::{Access, Caller};

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// To look.
    Read,
    /// To add runners.
    Add,
    /// To remove runners.
    Remove,
}

impl Scope {
    const ALL: [Self; 3] = [Self::Read, Self::Add, Self::Remove];

    /// The word in a file of tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Add => "add",
            Self::Remove => "remove",
        }
    }
}

/// A token, as its digest.
#[derive(Clone)]
pub struct Token {
    name: String,
    digest: [u8; 32],
    scopes: BTreeSet<Scope>,
}

/// A line that is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// A word after the token is neither a name nor scopes.
    #[error("after the token may follow name=… and scopes=read,add,remove, and not '{0}'")]
    Word(String),
}

impl Token {
    /// A token that is good for everything.
    pub fn new(name: &str, secret: &str) -> Result<Self, TokenError> {
        if secret.trim().is_empty() {
            return Err(TokenError::Empty);
        }
        Ok(Self {
            name: name.to_owned(),
            digest: Sha256::digest(secret.trim()).into(),
            scopes: Scope::ALL.into(),
        })
    }

    /// A line of a file: the token, then `name=…` and `scopes=…` if wanted.
    pub fn parse(line: &str, usual_name: &str) -> Result<Self, TokenError> {
        let mut words = line.split_whitespace();
        let mut token = Self::new(usual_name, words.next().unwrap_or_default())?;
        for word in words {
            match word.split_once('=') {
                Some(("name", name)) => name.clone_into(&mut token.name),
                Some(("scopes", list)) => token.scopes = scopes(list)?,
                _ => return Err(TokenError::Word(word.to_owned())),
            }
        }
        Ok(token)
    }
}

fn scopes(list: &str) -> Result<BTreeSet<Scope>, TokenError> {
    let scope = |word: &str| {
        let found = Scope::ALL.into_iter().find(|scope| scope.as_str() == word);
        found.ok_or_else(|| TokenError::Word(word.to_owned()))
    };
    list.split(',').map(scope).collect()
}

/// Who may call.
#[derive(Clone)]
pub enum Tokens {
    /// Everybody: for trying it out on one machine.
    Everybody,
    /// Those with one of these.
    These(Vec<Token>),
}

impl Tokens {
    /// The token of this text.
    fn find(&self, secret: &str) -> Option<&Token> {
        let Self::These(tokens) = self else {
            return None;
        };
        let digest: [u8; 32] = Sha256::digest(secret).into();
        let mut found = None;
        for token in tokens {
            if bool::from(token.digest.ct_eq(&digest)) {
                found = Some(token);
            }
        }
        found
    }

    fn judge(&self, access: Access, request: &Request) -> Result<Option<Caller>, Problem> {
        let Access::Needs(scope) = access else {
            return Ok(None);
        };
        if matches!(self, Self::Everybody) {
            return Ok(None);
        }
        let missing = || unauthorized("this path needs a bearer token");
        let secret = bearer(request).ok_or_else(missing)?;
        let token = self
            .find(secret)
            .ok_or_else(|| unauthorized("the bearer token is not known"))?;
        if !token.scopes.contains(&scope) {
            let text = format!(
                "token '{}' is not good for '{}'",
                token.name,
                scope.as_str()
            );
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", text));
        }
        Ok(Some(Caller(token.name.clone())))
    }
}

fn unauthorized(text: &str) -> Problem {
    let hint = "send the header Authorization: Bearer TOKEN, with the token of API_TOKEN";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", text).hint(hint)
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// Lets a request through, or answers it.
pub(super) async fn admit(
    State((tokens, access)): State<(Arc<Tokens>, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    match tokens.judge(access, &request) {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(header: Option<&str>) -> Request {
        let builder = axum::http::Request::builder();
        let builder = match header {
            Some(value) => builder.header("authorization", value),
            None => builder,
        };
        builder.body(axum::body::Body::empty()).unwrap()
    }

    #[track_caller]
    fn check(header: Option<&str>, scope: Scope, expected: Result<&str, u16>) {
        let lines = ["full name=ops", "reader scopes=read", "plain"];
        let tokens = lines.map(|line| Token::parse(line, "token").unwrap());
        let tokens = Tokens::These(tokens.into());
        let judged = tokens.judge(Access::Needs(scope), &request(header));
        let judged = judged.map(|caller| caller.unwrap().0);
        let judged = judged.map_err(|problem| problem.into_response().status().as_u16());
        assert_eq!(judged, expected.map(str::to_owned), "{header:?}");
    }

    #[test]
    fn any_of_the_tokens_is_good_for_what_it_says() {
        check(Some("Bearer full"), Scope::Remove, Ok("ops"));
        check(Some("bearer  plain"), Scope::Add, Ok("token"));
        check(Some("Bearer reader"), Scope::Read, Ok("token"));
        check(Some("Bearer reader"), Scope::Add, Err(403));
        check(Some("Bearer ful"), Scope::Read, Err(401));
        check(Some("Bearer fulll"), Scope::Read, Err(401));
        check(Some("Basic full"), Scope::Read, Err(401));
        check(Some("full"), Scope::Read, Err(401));
        check(None, Scope::Read, Err(401));
    }

    #[test]
    fn an_open_path_asks_nobody() {
        let tokens = Tokens::These(Vec::new());
        assert!(tokens.judge(Access::Open, &request(None)).is_ok());
        assert!(
            tokens
                .judge(Access::Needs(Scope::Read), &request(None))
                .is_err()
        );
    }

    #[test]
    fn a_line_is_a_token_or_a_mistake() {
        assert_eq!(Token::parse("  ", "a").err(), Some(TokenError::Empty));
        for bad in ["t scope=read", "t scopes=write", "t x"] {
            assert!(
                matches!(Token::parse(bad, "a"), Err(TokenError::Word(_))),
                "{bad}"
            );
        }
    }
}
