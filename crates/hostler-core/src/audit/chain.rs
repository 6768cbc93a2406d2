//! Reading a chain from its beginning, entry by entry, up to the first that
//! does not follow.

use super::{AuditEntry, AuditHash};

/// What was read so far; all of it followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    /// How many entries.
    pub number: u64,
    /// The hash of the last of them.
    pub hash: AuditHash,
}

/// The first entry that does not follow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokenAt {
    /// One or more are missing, or stand twice.
    #[error("entry {expected} is not there: entry {found} follows instead")]
    Missing {
        /// The number that should have come.
        expected: u64,
        /// The number that came.
        found: u64,
    },
    /// It was changed, or one before it was.
    #[error("entry {0} was changed: its hash is not that of what it says")]
    Changed(u64),
    /// The last ones are missing.
    #[error("entry {expected} is not there: the log ends before it")]
    Short {
        /// The number that should have come.
        expected: u64,
    },
    /// The log ends elsewhere than it was known to.
    #[error("the log ends at entry {0} with another hash than it should")]
    OtherEnd(u64),
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            number: 0,
            hash: AuditHash::START,
        }
    }
}

impl Verifier {
    /// Reads the next entry, which claims this hash.
    pub fn read(&mut self, entry: &AuditEntry, hash: AuditHash) -> Result<(), BrokenAt> {
        let expected = self.number + 1;
        if entry.number != expected {
            let found = entry.number;
            return Err(BrokenAt::Missing { expected, found });
        }
        if self.hash.then(entry) != hash {
            return Err(BrokenAt::Changed(expected));
        }
        (self.number, self.hash) = (expected, hash);
        Ok(())
    }

    /// Whether the log ends where it was known to.
    pub fn end(&self, number: u64, hash: AuditHash) -> Result<(), BrokenAt> {
        if self.number < number {
            let expected = self.number + 1;
            return Err(BrokenAt::Short { expected });
        }
        if (self.number, self.hash) == (number, hash) {
            Ok(())
        } else {
            Err(BrokenAt::OtherEnd(self.number))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    fn entry(number: u64) -> AuditEntry {
        AuditEntry {
            number,
            at: Timestamp::from_ms(1_000),
            actor: "ada".to_owned(),
            origin: "10.0.0.1".to_owned(),
            action: "user.created".to_owned(),
            subject: Some("bob".to_owned()),
            project: None,
            outcome: "done".to_owned(),
            detail: "{}".to_owned(),
        }
    }

    fn chain(length: u64) -> Vec<(AuditEntry, AuditHash)> {
        let mut hash = AuditHash::START;
        let numbers = 1..=length;
        let linked = numbers.map(|number| {
            let entry = entry(number);
            hash = hash.then(&entry);
            (entry, hash)
        });
        linked.collect()
    }

    /// Five entries, after `spoil`; the end is known.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "tables read better")]
    fn check(spoil: impl Fn(&mut Vec<(AuditEntry, AuditHash)>), expected: Result<(), BrokenAt>) {
        let mut entries = chain(5);
        let (_, last) = entries[4];
        spoil(&mut entries);
        let mut verifier = Verifier::default();
        let read = entries
            .iter()
            .try_for_each(|(entry, hash)| verifier.read(entry, *hash));
        assert_eq!(read.and_then(|()| verifier.end(5, last)), expected);
    }

    #[test]
    fn a_whole_chain_is_whole() {
        check(|_| {}, Ok(()));
    }

    #[test]
    fn the_first_entry_that_does_not_follow_is_named() {
        let changed = |number| Err(BrokenAt::Changed(number));
        check(|entries| entries[2].0.actor.push('x'), changed(3));
        check(
            |entries| entries[2].0.project = Some(String::new()),
            changed(3),
        );
        check(
            |entries| entries[0].0.at = Timestamp::from_ms(1_001),
            changed(1),
        );
        check(
            |entries| entries[4].0.outcome = "refused".into(),
            changed(5),
        );
        let (expected, found) = (3, 4);
        let missing = || Err(BrokenAt::Missing { expected, found });
        check(|entries| drop(entries.remove(2)), missing());
        check(|entries| entries.swap(2, 3), missing());
        check(
            |entries| entries.truncate(4),
            Err(BrokenAt::Short { expected: 5 }),
        );
    }

    #[test]
    fn a_chain_that_was_rewritten_to_its_end_ends_with_another_hash() {
        let rewrite = |entries: &mut Vec<(AuditEntry, AuditHash)>| {
            entries[1].0.actor = "mallory".to_owned();
            let mut hash = AuditHash::START;
            for (entry, place) in entries {
                hash = hash.then(entry);
                *place = hash;
            }
        };
        check(rewrite, Err(BrokenAt::OtherEnd(5)));
    }

    #[test]
    fn what_moves_from_one_field_to_the_next_changes_the_hash() {
        let mut moved = entry(1);
        moved.actor = "ada1".to_owned();
        moved.origin = "0.0.0.1".to_owned();
        let start = AuditHash::START;
        assert_ne!(start.then(&moved), start.then(&entry(1)));
    }
}
