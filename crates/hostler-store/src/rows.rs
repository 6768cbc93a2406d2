//! Statements of many rows in few shapes. Each number of rows is a statement
//! of its own, to be parsed, planned and remembered by every connection; so
//! numbers are rounded to powers of two: lists to look up are filled with
//! repetitions, which change nothing, and lists to insert are cut.

/// `items`, the last one repeated until their number is a power of two.
pub(crate) fn filled<T: Clone>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    if let Some(last) = items.last().cloned() {
        items.resize(items.len().next_power_of_two(), last);
    }
    items
}

/// `items` in pieces, of which each is as long as a power of two.
pub(crate) fn cut<T>(mut items: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let longest = items.len().checked_ilog2()?;
        let rest = items.split_off(1 << longest);
        Some(std::mem::replace(&mut items, rest))
    })
}

/// The places of a `VALUES` list: `($1, $2), ($3, $4)` for two rows of two.
pub(crate) fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let place = |column: usize| format!("${}", row * columns + column);
        format!(
            "({})",
            (1..=columns).map(place).collect::<Vec<_>>().join(", ")
        )
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_filled_to_a_power_of_two() {
        let check = |number: usize, expected| {
            let list = filled(0..number);
            assert_eq!(list.len(), expected);
            assert!(list.iter().all(|item| *item < number));
        };
        check(0, 0);
        check(1, 1);
        check(5, 8);
        check(64, 64);
    }

    #[test]
    fn a_list_is_cut_without_losing_its_order() {
        let pieces: Vec<_> = cut((0..53).collect()).collect();
        let lengths: Vec<_> = pieces.iter().map(Vec::len).collect();
        assert_eq!(lengths, [32, 16, 4, 1]);
        assert_eq!(pieces.concat(), (0..53).collect::<Vec<_>>());
        assert_eq!(cut(Vec::<u8>::new()).count(), 0);
    }

    #[test]
    fn places_are_counted_through_the_rows() {
        assert_eq!(places(2, 2), "($1, $2), ($3, $4)");
        assert_eq!(places(1, 3), "($1, $2, $3)");
    }
}
