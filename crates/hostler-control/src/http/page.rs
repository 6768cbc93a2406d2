//! Pages of long lists.

use hostler_wire::rest::Page;

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
