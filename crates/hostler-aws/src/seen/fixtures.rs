//! Instances for tests.

use hostler_core::Timestamp;
use hostler_core::id::JobId;
use hostler_core::runner::Mark;

use crate::cloud::{Instance, State};
use crate::names::{Claim, Tags};

/// The claim of this runner, on its so-many-th instance.
pub(crate) fn claim(runner: &str, generation: u32) -> Claim {
    Claim {
        runner: runner.parse().unwrap(),
        pool: "default".parse().unwrap(),
        mark: Mark {
            job: JobId::from_parts(1, [0; 10]),
            index: 3,
            requested_at: Timestamp::from_ms(1_000),
            deadline: Timestamp::from_ms(601_000),
        },
        generation,
    }
}

/// An instance that runs, of this runner.
pub(crate) fn instance(id: &str, runner: &str, generation: u32) -> Instance {
    Instance {
        id: id.to_owned(),
        state: State::Running,
        why: String::new(),
        launched: Timestamp::from_ms(2_000),
        ips: vec!["10.0.0.1".to_owned()],
        extra: Tags::new(),
        tags: claim(runner, generation).tags("f"),
        group: None,
    }
}
