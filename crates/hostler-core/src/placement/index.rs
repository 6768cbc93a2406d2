//! Maps by keys that the fleet itself hands out: indices, and ids that are
//! random already. Their hash is quick and has no random seed, so that equal
//! histories give equal fleets. Keys that people choose do not belong here:
//! nothing keeps them from colliding.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map from an id or an index.
pub(super) type Index<K, V> = HashMap<K, V, BuildHasherDefault<Mixer>>;

/// Mixes a few words well enough for keys that nobody chose.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mixer(u64);

/// The golden ratio, an odd number without a pattern in its bits.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(ODD);
    }

    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// How many of something there are at each index; none is not kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts(Index<usize, u32>);

impl Counts {
    pub(super) fn get(&self, at: usize) -> u32 {
        self.0.get(&at).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, at: usize, number: u32) {
        *self.0.entry(at).or_default() += number;
    }

    pub(super) fn one_less(&mut self, at: usize) {
        if let Some(count) = self.0.get_mut(&at) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(&at);
            }
        }
    }

    /// At how many indices there are some.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where there are some, and how many, in no order that means anything.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u32)> {
        self.0.iter().map(|(at, number)| (*at, *number))
    }
}
