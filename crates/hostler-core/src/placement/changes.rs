//! Which nodes have changed lately, so that what is derived from nodes can
//! catch up when it is next asked, and costs nothing while it is not.

/// Notes of changed nodes, oldest first. Old ones are forgotten; who has not
/// seen a forgotten note must look at every node again.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    forgotten: u64,
    notes: Vec<usize>,
}

impl Changes {
    /// Notes that this node has changed, keeping at least `keep` older notes.
    pub(super) fn note(&mut self, host: usize, keep: usize) {
        let keep = keep.max(64);
        if self.notes.len() >= keep * 2 {
            self.notes.drain(..keep);
            self.forgotten += keep as u64;
        }
        self.notes.push(host);
    }

    /// The number of notes ever made.
    pub(super) fn end(&self) -> u64 {
        self.forgotten + self.notes.len() as u64
    }

    /// The notes made after the first `seen`, if all of them are still kept.
    pub(super) fn since(&self, seen: u64) -> Option<&[usize]> {
        let skip = usize::try_from(seen.checked_sub(self.forgotten)?).ok()?;
        self.notes.get(skip..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_either_told_or_known_to_be_forgotten() {
        let mut changes = Changes::default();
        for host in 0..1_000 {
            changes.note(host, 100);
            let end = changes.end();
            assert_eq!(changes.since(end - 1), Some([host].as_slice()));
            assert_eq!(changes.since(end), Some([].as_slice()));
        }
        assert!(changes.since(900).is_some_and(|notes| notes.len() == 100));
        assert_eq!(changes.since(0), None);
    }
}
