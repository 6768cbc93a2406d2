//! Idempotency tokens. Everything that makes a launch another one is in them,
//! and nothing that may change between two tries of the same.

use uuid::Uuid;

use super::Candidate;
use crate::names::Claim;

/// Of our own making: under it these tokens are unique.
const SPACE: Uuid = Uuid::from_bytes(*b"hostler aws runs");

/// The token of a launch: always the same for the same runner of the same
/// fleet, on its so-many-th instance, from the same pool, tried as the same
/// candidate. EC2 refuses a token that comes back with other parameters, so
/// each of those has one of its own.
pub(crate) fn token(fleet: &str, claim: &Claim, candidate: &Candidate) -> String {
    let Candidate {
        instance_type,
        place,
    } = candidate;
    let Claim {
        runner,
        pool,
        generation,
        ..
    } = claim;
    let all = format!("{fleet}\n{runner}\n{pool}\n{generation}\n{instance_type:?}\n{place:?}");
    Uuid::new_v5(&SPACE, all.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launch::Place;
    use crate::seen::fixtures::claim;

    #[test]
    fn a_token_is_the_same_for_the_same_launch_and_for_no_other() {
        let usual = Candidate::default();
        let first = token("f", &claim("a", 0), &usual);
        assert_eq!(first, token("f", &claim("a", 0), &usual));
        let place = Candidate {
            place: Place::Zone("x".to_owned()),
            ..usual.clone()
        };
        let mut moved = claim("a", 0);
        moved.pool = "other".parse().unwrap();
        let others = [
            token("g", &claim("a", 0), &usual),
            token("f", &claim("b", 0), &usual),
            token("f", &claim("a", 1), &usual),
            token("f", &claim("a", 0), &place),
            token("f", &moved, &usual),
        ];
        for other in &others {
            assert_ne!(*other, first);
        }
        assert!(first.len() <= 64, "EC2 takes 64 characters");
    }
}
