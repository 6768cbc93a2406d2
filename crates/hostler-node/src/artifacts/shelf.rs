//! Which artifacts lie in the cache, and which may go. Plain data: no file is
//! touched here.
//!
//! What must never happen: one that is in use named as one that may go.

use std::collections::BTreeMap;

/// One artifact on the shelf.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    size: u64,
    /// Counts up with each use; the lowest was not used for the longest time.
    used: u64,
    /// How many hold it now.
    holders: u32,
    /// Whether its bytes were checked since this daemon started.
    checked: bool,
}

/// The shelf.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    places: BTreeMap<String, Place>,
    clock: u64,
    /// Bytes of downloads that have begun and are not on the shelf yet.
    expected: u64,
}

/// There is no room, whatever goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

impl Shelf {
    /// Puts an artifact there; the last one put was used last.
    pub(super) fn put(&mut self, digest: &str, size: u64, checked: bool) {
        self.clock += 1;
        let place = self.places.entry(digest.to_owned()).or_default();
        place.size = size;
        place.used = self.clock;
        place.checked |= checked;
    }

    /// Takes hold of an artifact: its size, and whether it was checked.
    pub(super) fn hold(&mut self, digest: &str) -> Option<(u64, bool)> {
        self.clock += 1;
        let clock = self.clock;
        let place = self.places.get_mut(digest)?;
        place.used = clock;
        place.holders += 1;
        Some((place.size, place.checked))
    }

    /// Lets go of an artifact.
    pub(super) fn release(&mut self, digest: &str) {
        if let Some(place) = self.places.get_mut(digest) {
            place.holders = place.holders.saturating_sub(1);
        }
    }

    /// That its bytes were found to be good.
    pub(super) fn check(&mut self, digest: &str) {
        if let Some(place) = self.places.get_mut(digest) {
            place.checked = true;
        }
    }

    /// Takes an artifact off the shelf.
    pub(super) fn remove(&mut self, digest: &str) {
        self.places.remove(digest);
    }

    /// Sets `size` bytes aside for a download, and names the artifacts that
    /// must go for it; they are off the shelf when this returns.
    pub(super) fn reserve(&mut self, size: u64, max: u64) -> Result<Vec<String>, NoRoom> {
        let room = max.checked_sub(size).ok_or(NoRoom)?;
        let mut held = self.bytes();
        let mut go = Vec::new();
        let mut oldest = self.unused().into_iter();
        while held > room {
            let (digest, bytes) = oldest.next().ok_or(NoRoom)?;
            held -= bytes;
            go.push(digest);
        }
        for digest in &go {
            self.places.remove(digest);
        }
        self.expected += size;
        Ok(go)
    }

    /// Gives back what [`Shelf::reserve`] set aside.
    pub(super) fn unreserve(&mut self, size: u64) {
        self.expected = self.expected.saturating_sub(size);
    }

    /// What nobody holds, the longest unused first.
    fn unused(&self) -> Vec<(String, u64)> {
        let mut unused: Vec<_> = self
            .places
            .iter()
            .filter(|(_, place)| place.holders == 0)
            .collect();
        unused.sort_by_key(|(_, place)| place.used);
        let owned = |(digest, place): (&String, &Place)| (digest.clone(), place.size);
        unused.into_iter().map(owned).collect()
    }

    fn bytes(&self) -> u64 {
        self.places.values().map(|place| place.size).sum::<u64>() + self.expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf() -> Shelf {
        let mut shelf = Shelf::default();
        for digest in ["a", "b", "c"] {
            shelf.put(digest, 10, true);
        }
        shelf
    }

    #[test]
    fn the_longest_unused_goes_first() {
        let mut shelf = shelf();
        shelf.hold("a");
        shelf.release("a");
        assert_eq!(shelf.reserve(10, 30), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn what_is_in_use_never_goes() {
        let mut shelf = shelf();
        for digest in ["a", "b", "c"] {
            shelf.hold(digest);
        }
        assert_eq!(shelf.reserve(10, 30), Err(NoRoom));
        shelf.release("b");
        assert_eq!(shelf.reserve(10, 30), Ok(vec!["b".to_owned()]));
        assert_eq!(shelf.hold("b"), None);
    }

    #[test]
    fn downloads_under_way_count() {
        let mut shelf = Shelf::default();
        assert_eq!(shelf.reserve(20, 30), Ok(vec![]));
        assert_eq!(shelf.reserve(20, 30), Err(NoRoom));
        shelf.unreserve(20);
        assert_eq!(shelf.reserve(20, 30), Ok(vec![]));
        assert_eq!(shelf.reserve(31, 30), Err(NoRoom));
    }
}
