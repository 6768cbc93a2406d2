//! A table of small copies, and how far one can trust it.

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_core::Timestamp;

/// Namespace and name.
pub(crate) type Key = (String, String);

/// How long it is remembered that something is gone.
const REMEMBER: Duration = Duration::from_mins(10);

/// How it is kept up at present.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing is known yet.
    #[default]
    Starting,
    /// Every change is told, since then.
    Following(Timestamp),
    /// We may not look.
    Denied(String),
    /// Not since then: what is in it may be old.
    Failing(Timestamp, String),
}

/// What a table holds.
pub(crate) trait Row: PartialEq {
    /// Which object it is a copy of: another one may come by the same name.
    fn uid(&self) -> &str;

    /// Takes over what only we know, from the copy before it.
    fn carry(&mut self, _before: Option<&Self>, _now: Timestamp) {}
}

/// Copies of all objects of a kind.
#[derive(Debug)]
pub(crate) struct Table<T> {
    pub(crate) rows: BTreeMap<Key, T>,
    pub(crate) state: State,
    /// Whether all were listed at least once.
    pub(crate) is_listed: bool,
    /// Those that are gone, by uid, and since when.
    gone: BTreeMap<Key, (String, Timestamp)>,
    /// Those that we made ourselves and no watch has told of yet.
    born: BTreeMap<Key, Timestamp>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
            state: State::default(),
            is_listed: false,
            gone: BTreeMap::new(),
            born: BTreeMap::new(),
        }
    }
}

impl<T: Row> Table<T> {
    /// A watch told of this object.
    pub(crate) fn put(&mut self, key: Key, mut row: T, now: Timestamp) {
        let before = self.rows.get(&key).filter(|one| one.uid() == row.uid());
        row.carry(before, now);
        self.gone.remove(&key);
        self.born.remove(&key);
        self.rows.insert(key, row);
    }

    /// A watch told that it is gone.
    pub(crate) fn take(&mut self, key: &Key, now: Timestamp) {
        self.born.remove(key);
        if let Some(row) = self.rows.remove(key) {
            self.gone.insert(key.clone(), (row.uid().to_owned(), now));
        }
        self.gone.retain(|_, (_, at)| now < *at + REMEMBER);
    }

    /// We made this ourselves just now; the watch may have told of it before
    /// us, even that it is gone again, and knows better.
    pub(crate) fn bear(&mut self, key: Key, mut row: T, now: Timestamp) {
        let is_gone = self.gone.get(&key).is_some_and(|(uid, _)| uid == row.uid());
        if is_gone || self.rows.contains_key(&key) {
            return;
        }
        row.carry(None, now);
        self.born.insert(key.clone(), now);
        self.rows.insert(key, row);
    }

    /// All of them, as listed from `began` on. What we made since then may be
    /// missing there.
    pub(crate) fn relist(&mut self, listed: Vec<(Key, T)>, began: Timestamp, now: Timestamp) {
        let mut before = std::mem::take(&mut self.rows);
        let young = std::mem::take(&mut self.born);
        for (key, row) in listed {
            if let Some(old) = before.remove(&key) {
                self.rows.insert(key.clone(), old);
            }
            self.put(key, row, now);
        }
        for (key, row) in before {
            if young.get(&key).is_some_and(|at| *at >= began) {
                self.born.insert(key.clone(), now);
                self.rows.insert(key, row);
            } else {
                self.gone.insert(key, (row.uid().to_owned(), now));
            }
        }
        self.is_listed = true;
    }

    /// Whether it was there and is gone.
    pub(crate) fn is_gone(&self, key: &Key) -> bool {
        self.gone.contains_key(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    struct One(&'static str, Option<Timestamp>);

    impl Row for One {
        fn uid(&self) -> &str {
            self.0
        }

        fn carry(&mut self, before: Option<&Self>, now: Timestamp) {
            self.1 = before.map_or(Some(now), |before| before.1);
        }
    }

    fn key(name: &str) -> Key {
        (String::new(), name.to_owned())
    }

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    fn names(table: &Table<One>) -> Vec<&str> {
        table.rows.keys().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn a_list_that_began_before_we_made_something_does_not_take_it_away() {
        let mut table = Table::default();
        table.bear(key("old"), One("1", None), at(1));
        table.bear(key("new"), One("2", None), at(5));
        table.relist(vec![(key("other"), One("3", None))], at(5), at(6));
        assert_eq!(names(&table), ["new", "other"]);
        assert!(table.is_gone(&key("old")));
        table.relist(vec![(key("other"), One("3", None))], at(7), at(8));
        assert_eq!(names(&table), ["other"]);
    }

    #[test]
    fn what_the_watch_told_is_newer_than_the_answer_to_our_own_call() {
        let mut table = Table::default();
        table.put(key("a"), One("1", None), at(1));
        table.bear(key("a"), One("1", None), at(2));
        assert_eq!(table.rows[&key("a")].1, Some(at(1)));
        table.take(&key("a"), at(3));
        table.bear(key("a"), One("1", None), at(4));
        assert!(table.rows.is_empty(), "it is gone already");
        table.bear(key("a"), One("2", None), at(4));
        assert_eq!(names(&table), ["a"], "this is another one of that name");
    }

    #[test]
    fn what_only_we_know_is_carried_over_to_the_same_object_alone() {
        let mut table = Table::default();
        table.put(key("a"), One("1", None), at(1));
        table.relist(vec![(key("a"), One("1", None))], at(2), at(2));
        assert_eq!(table.rows[&key("a")].1, Some(at(1)));
        table.put(key("a"), One("2", None), at(3));
        assert_eq!(table.rows[&key("a")].1, Some(at(3)));
    }
}
