//! Pages of long lists, and what their queries say.

use std::str::FromStr;

use hostler_core::Name;
use hostler_core::id::IdError;
use hostler_store::StoreError;
use hostler_wire::rest::Page;

use super::error::{ApiError, ApiResult, Code};

const USUAL: u32 = 100;
const MOST: u32 = 1000;

/// How many items a page holds: what was asked for, within bounds.
pub(crate) fn page_size(asked: Option<u32>) -> usize {
    asked.unwrap_or(USUAL).clamp(1, MOST) as usize
}

/// A page of at most `size` of these items, which are one more than fit when
/// there is a further page; `key` is what that one continues after.
pub(crate) fn page<T>(mut items: Vec<T>, size: usize, key: impl Fn(&T) -> String) -> Page<T> {
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(key);
    Page { items, next }
}

/// The first `count` rows after `after` that are wanted. A status is computed,
/// so it cannot be a condition of the query: pages are read until enough fit.
pub(crate) async fn select<R, K, F>(
    (mut after, count): (Option<K>, usize),
    read: impl Fn(Option<K>) -> F,
    key: impl Fn(&R) -> K,
    wanted: impl Fn(&R) -> bool,
) -> Result<Vec<R>, StoreError>
where
    K: Copy,
    F: Future<Output = Result<Vec<R>, StoreError>>,
{
    let mut found = Vec::new();
    loop {
        let rows = read(after).await?;
        let last = rows.len() < count;
        after = rows.last().map(&key).or(after);
        found.extend(rows.into_iter().filter(&wanted));
        if last || found.len() >= count {
            found.truncate(count);
            return Ok(found);
        }
    }
}

/// A name in a query.
pub(crate) fn name(field: &str, text: Option<&str>) -> ApiResult<Option<Name>> {
    let parsed = text.map(str::parse::<Name>).transpose();
    parsed.map_err(|error| ApiError::new(Code::BadRequest, format!("{field}: {error}")))
}

/// An id in a query.
pub(crate) fn id<T: FromStr<Err = IdError>>(text: &str) -> ApiResult<T> {
    text.parse()
        .map_err(|error: IdError| ApiError::new(Code::BadRequest, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_names_the_next_only_when_there_is_one() {
        let key = |number: &u32| number.to_string();
        assert_eq!(page(vec![1, 2, 3], 2, key).next.as_deref(), Some("2"));
        assert_eq!(page(vec![1, 2], 2, key).next, None);
        assert_eq!(page(Vec::<u32>::new(), 2, key).next, None);
        assert_eq!(
            (page_size(None), page_size(Some(0)), page_size(Some(9999))),
            (100, 1, 1000)
        );
    }
}
