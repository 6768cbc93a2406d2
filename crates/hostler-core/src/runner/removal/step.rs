//! The next step for one runner that is being removed. Facts first: whatever
//! was done already, by whomever, is not done again.

use crate::Timestamp;
use crate::runner::job::JobItem;

/// How far its work is with leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Drain {
    /// There is no fleet to ask, or it is no node of it.
    NoNode,
    /// It still takes new work.
    Open,
    /// It takes none, and so many workloads are still on it.
    Leaving(u32),
    /// It takes none and has none.
    Empty,
}

/// A runner that is being removed, as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovalSight {
    /// Whether it is there.
    pub is_there: bool,
    /// Whether its request is being ended.
    pub is_terminating: bool,
    /// Whether its machine is closed to further runners; `None`: no machine.
    pub is_cordoned: Option<bool>,
    /// How far its work is with leaving.
    pub drain: Drain,
}

/// What to do next for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RemovalStep {
    /// Tell the fleet that it takes no new work, and to move what is there.
    Mark,
    /// Wait for its work to leave.
    Drain,
    /// Close its machine to further runners.
    Cordon,
    /// Give it back.
    Release,
    /// Wait until it is gone.
    Confirm,
    /// Tell the fleet that it is gone, and write down that it is.
    Forget,
    /// Its work did not leave in time: it stays, open again.
    GiveUp,
}

/// The next step for the runner of `item`; with `force`, its work is not waited
/// for, and past the deadline it is not waited for any longer.
pub fn removal_step(
    item: &JobItem,
    sight: &RemovalSight,
    force: bool,
    deadline: Timestamp,
    now: Timestamp,
) -> RemovalStep {
    if !sight.is_there {
        return RemovalStep::Forget;
    }
    if sight.is_terminating {
        return RemovalStep::Confirm;
    }
    match sight.drain {
        Drain::Open => return RemovalStep::Mark,
        Drain::Leaving(_) if !force && now >= deadline && item.drained_at.is_none() => {
            return RemovalStep::GiveUp;
        }
        Drain::Leaving(_) if !force => return RemovalStep::Drain,
        Drain::Leaving(_) | Drain::Empty | Drain::NoNode => {}
    }
    let is_closed = sight.is_cordoned.unwrap_or(true) || item.cordoned_at.is_some();
    if is_closed {
        RemovalStep::Release
    } else {
        RemovalStep::Cordon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Timestamp = Timestamp::from_ms(1_000);

    fn sight(drain: Drain, is_cordoned: Option<bool>) -> RemovalSight {
        RemovalSight {
            is_there: true,
            is_terminating: false,
            is_cordoned,
            drain,
        }
    }

    #[track_caller]
    fn check(sight: &RemovalSight, expected: [RemovalStep; 3]) {
        let item = JobItem::new("a".parse().unwrap(), "default".parse().unwrap());
        let step = |force, ms| removal_step(&item, sight, force, DEADLINE, Timestamp::from_ms(ms));
        assert_eq!(
            [step(false, 0), step(false, 1_000), step(true, 0)],
            expected
        );
    }

    #[test]
    fn the_machine_is_closed_before_its_runner_is_released() {
        use RemovalStep::{Cordon, Drain as Leave, GiveUp, Mark, Release};
        check(&sight(Drain::Open, Some(false)), [Mark; 3]);
        let leaving = sight(Drain::Leaving(1), Some(false));
        check(&leaving, [Leave, GiveUp, Cordon]);
        check(&sight(Drain::Empty, Some(false)), [Cordon; 3]);
        check(&sight(Drain::Empty, Some(true)), [Release; 3]);
        check(&sight(Drain::NoNode, Some(false)), [Cordon; 3]);
        check(&sight(Drain::NoNode, None), [Release; 3]);
    }

    #[test]
    fn what_is_final_is_not_given_up() {
        let mut item = JobItem::new("a".parse().unwrap(), "default".parse().unwrap());
        item.drained_at = Some(DEADLINE);
        let leaving = sight(Drain::Leaving(1), Some(true));
        let step = removal_step(&item, &leaving, false, DEADLINE, DEADLINE);
        assert_eq!(step, RemovalStep::Drain);
    }

    #[test]
    fn one_that_is_ending_or_gone_is_left_to_it() {
        let ending = RemovalSight {
            is_terminating: true,
            ..sight(Drain::Open, Some(false))
        };
        check(&ending, [RemovalStep::Confirm; 3]);
        let gone = RemovalSight {
            is_there: false,
            ..ending
        };
        check(&gone, [RemovalStep::Forget; 3]);
    }

    #[test]
    fn a_machine_that_cannot_be_closed_is_released_all_the_same() {
        let mut item = JobItem::new("a".parse().unwrap(), "default".parse().unwrap());
        item.cordoned_at = Some(DEADLINE);
        let open = sight(Drain::NoNode, Some(false));
        let step = removal_step(&item, &open, false, DEADLINE, DEADLINE);
        assert_eq!(step, RemovalStep::Release);
    }
}
