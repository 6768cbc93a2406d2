//! Who tried which passwords lately ([`hostler_core::access::attempt`]). Kept in
//! memory: another process, or this one started again, begins anew.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hostler_core::Timestamp;
use hostler_core::access::{Attempts, PER_ADDRESS, PER_NAME, Patience, attempt};

use super::guesses::source;

/// So many are remembered of each kind.
const KEPT: usize = 10_000;

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct LoginAttempts(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    addresses: HashMap<IpAddr, Attempts>,
    names: HashMap<String, Attempts>,
    /// Names from where they signed in lately, counted apart.
    at_home: HashMap<(IpAddr, String), Attempts>,
}

impl LoginAttempts {
    /// Counts an attempt, or says how long to wait. A name that is refused
    /// costs its address an attempt all the same.
    pub(crate) fn begin(&self, from: IpAddr, name: &str, now: Timestamp) -> Result<(), Duration> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, name) = (source(from), name.to_ascii_lowercase());
        count(&mut counts.addresses, from, now, &PER_ADDRESS)?;
        let home = (from, name);
        if counts.at_home.contains_key(&home) {
            return count(&mut counts.at_home, home, now, &PER_NAME);
        }
        count(&mut counts.names, home.1, now, &PER_NAME)
    }

    /// It was right: the attempt is given back, and this is a home of theirs.
    pub(crate) fn right(&self, from: IpAddr, name: &str, now: Timestamp) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (from, name) = (source(from), name.to_ascii_lowercase());
        give_back(&mut counts.addresses, &from, &PER_ADDRESS);
        let home = (from, name);
        if counts.at_home.contains_key(&home) {
            return give_back(&mut counts.at_home, &home, &PER_NAME);
        }
        give_back(&mut counts.names, &home.1, &PER_NAME);
        if let Ok(one) = attempt(None, now, &PER_NAME) {
            make_room(&mut counts.at_home, now, false);
            counts.at_home.insert(home, one.given_back(&PER_NAME));
        }
    }
}

fn count<K: Eq + Hash>(
    known: &mut HashMap<K, Attempts>,
    key: K,
    now: Timestamp,
    patience: &Patience,
) -> Result<(), Duration> {
    let next = attempt(known.get(&key).copied(), now, patience)?;
    if !known.contains_key(&key) {
        make_room(known, now, true);
    }
    known.insert(key, next);
    Ok(())
}

fn give_back<K: Eq + Hash>(known: &mut HashMap<K, Attempts>, key: &K, patience: &Patience) {
    if let Some(attempts) = known.get_mut(key) {
        *attempts = attempts.given_back(patience);
    }
}

/// Forgets what is over, if there is too much; if that is not enough, all,
/// which only makes trying a little cheaper. Homes are all over most of the
/// time, and are worth keeping.
fn make_room<K: Eq + Hash>(known: &mut HashMap<K, Attempts>, now: Timestamp, over: bool) {
    if known.len() < KEPT {
        return;
    }
    if over {
        known.retain(|_, attempts| !attempts.is_forgotten(now));
    }
    if known.len() >= KEPT {
        known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_is_put_off_from_everywhere_but_home() {
        let attempts = LoginAttempts::default();
        attempts.begin(at("10.0.0.1"), "ada", NOW).unwrap();
        attempts.right(at("10.0.0.1"), "Ada", NOW);
        for number in 0..PER_NAME.at_once {
            let from = at(&format!("10.0.1.{number}"));
            assert_eq!(attempts.begin(from, "ada", NOW), Ok(()));
        }
        assert!(attempts.begin(at("10.0.2.1"), "ADA", NOW).is_err());
        assert_eq!(attempts.begin(at("10.0.2.1"), "bob", NOW), Ok(()));
        assert_eq!(attempts.begin(at("10.0.0.1"), "ada", NOW), Ok(()));
    }

    #[test]
    fn home_is_no_place_to_guess_from_either() {
        let attempts = LoginAttempts::default();
        attempts.begin(at("10.0.0.1"), "ada", NOW).unwrap();
        attempts.right(at("10.0.0.1"), "ada", NOW);
        let tries = || attempts.begin(at("10.0.0.1"), "ada", NOW);
        let counted = (0..100).filter(|_| tries().is_ok()).count();
        assert_eq!(counted, PER_NAME.at_once as usize);
    }

    #[test]
    fn an_address_is_put_off_whatever_names_it_tries() {
        let attempts = LoginAttempts::default();
        let tries = |number| attempts.begin(at("10.0.0.1"), &format!("u{number}"), NOW);
        let counted = (0..100).filter(|number| tries(*number).is_ok()).count();
        assert_eq!(counted, PER_ADDRESS.at_once as usize);
    }

    #[test]
    fn memory_has_an_end() {
        let attempts = LoginAttempts::default();
        for number in 0..3 * u32::try_from(KEPT).unwrap() {
            let from = IpAddr::V4(number.into());
            let _ = attempts.begin(from, &format!("u{number}"), NOW);
            attempts.right(from, &format!("u{number}"), NOW);
        }
        let counts = attempts.0.lock().unwrap();
        let sizes = [
            counts.addresses.len(),
            counts.names.len(),
            counts.at_home.len(),
        ];
        assert!(sizes.iter().all(|size| *size <= KEPT), "{sizes:?}");
    }
}
