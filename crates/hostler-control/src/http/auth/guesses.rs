//! Who sent wrong tokens lately. What follows from it is decided in
//! [`hostler_core::access::guess`]; here is only the memory, by the address of
//! the connection: what a header claims about others is anybody's to write.
//! A network of IPv6 is one source, because its owner has all its addresses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use hostler_core::Timestamp;
use hostler_core::access::{GuessVerdict, Guesser, guess};

/// So many sources are remembered.
const KEPT: usize = 10_000;

/// Sources that are not forgiven yet.
#[derive(Debug, Default)]
pub(crate) struct Guesses(Mutex<HashMap<IpAddr, Guesser>>);

impl Guesses {
    /// A wrong token came from this address.
    pub(super) fn wrong(&self, address: IpAddr, now: Timestamp) -> GuessVerdict {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let source = source(address);
        if known.len() >= KEPT && !known.contains_key(&source) {
            make_room(&mut known, now);
        }
        let (guesser, verdict) = guess(known.get(&source).copied(), now);
        known.insert(source, guesser);
        verdict
    }
}

/// Forgets the forgiven; if that is not enough, everybody, which only makes
/// guessing a little cheaper.
fn make_room(known: &mut HashMap<IpAddr, Guesser>, now: Timestamp) {
    known.retain(|_, guesser| !guesser.is_forgiven(now));
    if known.len() >= KEPT {
        known.clear();
    }
}

/// Of what one owner has many, all are one.
pub(super) fn source(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hostler_core::access::GUESSES_AT_ONCE;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    #[test]
    fn addresses_are_apart_and_a_network_is_one_source() {
        let check = |first: &str, second: &str, together: bool| {
            let guesses = Guesses::default();
            for _ in 0..GUESSES_AT_ONCE {
                let verdict = guesses.wrong(first.parse().unwrap(), NOW);
                assert_eq!(verdict, GuessVerdict::Wrong);
            }
            let verdict = guesses.wrong(second.parse().unwrap(), NOW);
            assert_eq!(verdict != GuessVerdict::Wrong, together, "{first} {second}");
        };
        check("127.0.0.1", "127.0.0.1", true);
        check("10.0.0.1", "10.0.0.2", false);
        check("10.0.0.1", "::ffff:10.0.0.1", true);
        check("2001:db8::1", "2001:db8::ffff:2", true);
        check("2001:db8::1", "2001:db8:0:1::1", false);
    }

    #[test]
    fn memory_has_an_end() {
        let guesses = Guesses::default();
        for number in 0..3 * u32::try_from(KEPT).unwrap() {
            guesses.wrong(IpAddr::V4(number.into()), NOW);
        }
        assert!(guesses.0.lock().unwrap().len() <= KEPT);
    }
}
