//! Tags: all that is remembered of a runner, kept on its instance.
//!
//! An instance is ours if its tag `hostler:fleet` is exactly this fleet's name,
//! and a runner if the tags of a whole claim are on it, too.

use std::collections::BTreeMap;

use hostler_core::Timestamp;
use hostler_core::id::JobId;
use hostler_core::runner::{Mark, PoolName, RunnerId};
use hostler_runners::provider::Order;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Keys of tags. They are also read on the machine, where keys with a `/` are not shown.
pub mod tag {
    /// Whose the instance is.
    pub const FLEET: &str = "hostler:fleet";
    /// Which runner it is.
    pub const RUNNER: &str = "hostler:runner";
    /// The job that asked for it.
    pub const JOB: &str = "hostler:job";
    /// Which of that job's runners.
    pub const INDEX: &str = "hostler:index";
    /// The pool it was asked from.
    pub const POOL: &str = "hostler:pool";
    /// When it was asked for, in milliseconds.
    pub const REQUESTED: &str = "hostler:requested-at";
    /// When the request is given up, in milliseconds.
    pub const DEADLINE: &str = "hostler:deadline";
    /// How many instances the runner had before this one.
    pub const GENERATION: &str = "hostler:generation";
    /// It takes no further work.
    pub const CLOSED: &str = "hostler:closed";
    /// It was given back; it is shown no longer.
    pub const RELEASED: &str = "hostler:released";
    /// On a group, followed by a runner's id: it waits for an instance.
    pub const WANT: &str = "hostler:want:";
    /// What consoles show; for people alone.
    pub const NAME: &str = "Name";
}

/// Which runner an instance is, or is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The runner.
    pub runner: RunnerId,
    /// The pool.
    pub pool: PoolName,
    /// Whose it is.
    pub mark: Mark,
    /// How many instances it had before.
    pub generation: u32,
}

impl Claim {
    /// The claim of this order, on the so-many-th instance.
    pub fn of_order(order: &Order, generation: u32) -> Self {
        Self {
            runner: order.id.clone(),
            pool: order.pool.name.clone(),
            mark: order.mark,
            generation,
        }
    }

    /// The claim that these tags hold, if they are all there.
    pub fn of_tags(tags: &Tags) -> Option<Self> {
        let runner = tags.get(tag::RUNNER)?.parse().ok()?;
        let words = FIELDS.map(|key| tags.get(key).map(String::as_str));
        parse(runner, words)
    }

    /// All tags of an instance of this claim.
    pub fn tags(&self, fleet: &str) -> Tags {
        let mut tags: Tags = FIELDS
            .iter()
            .zip(self.words())
            .map(|(key, word)| ((*key).to_owned(), word))
            .collect();
        tags.insert(tag::FLEET.to_owned(), fleet.to_owned());
        tags.insert(tag::RUNNER.to_owned(), self.runner.to_string());
        tags.insert(tag::NAME.to_owned(), self.runner.to_string());
        tags
    }

    /// The tag of a group by which the claim waits there.
    pub fn want(&self) -> (String, String) {
        (
            format!("{}{}", tag::WANT, self.runner),
            self.words().join(" "),
        )
    }

    /// The claim that such a tag holds, if it is one.
    pub fn of_want(key: &str, value: &str) -> Option<Self> {
        let runner = key.strip_prefix(tag::WANT)?.parse().ok()?;
        let mut words = value.split(' ');
        parse(runner, [(); FIELDS.len()].map(|()| words.next()))
    }

    fn words(&self) -> [String; FIELDS.len()] {
        [
            self.pool.to_string(),
            self.mark.job.to_string(),
            self.mark.index.to_string(),
            self.mark.requested_at.ms().to_string(),
            self.mark.deadline.ms().to_string(),
            self.generation.to_string(),
        ]
    }
}

const FIELDS: [&str; 6] = [
    tag::POOL,
    tag::JOB,
    tag::INDEX,
    tag::REQUESTED,
    tag::DEADLINE,
    tag::GENERATION,
];

fn parse(runner: RunnerId, words: [Option<&str>; FIELDS.len()]) -> Option<Claim> {
    let [pool, job, index, requested_at, deadline, generation] = words;
    let time = |word: Option<&str>| Some(Timestamp::from_ms(word?.parse().ok()?));
    let mark = Mark {
        job: job?.parse::<JobId>().ok()?,
        index: index?.parse().ok()?,
        requested_at: time(requested_at)?,
        deadline: time(deadline)?,
    };
    Some(Claim {
        runner,
        pool: pool?.parse().ok()?,
        mark,
        generation: generation?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::fixtures::claim;

    #[test]
    fn a_claim_is_read_back_from_the_tags_of_its_instance() {
        let claim = claim("a", 2);
        let mut tags = claim.tags("fleet-1");
        assert_eq!(Claim::of_tags(&tags), Some(claim));
        assert_eq!(tags[tag::FLEET], "fleet-1");
        tags.remove(tag::JOB);
        assert_eq!(Claim::of_tags(&tags), None);
    }

    #[test]
    fn a_want_is_read_back_from_one_tag_that_fits_its_bounds() {
        let mut claim = claim("a", 2);
        claim.runner = hostler_core::runner::job::Job::runner_id(claim.mark.job, 0);
        let (key, value) = claim.want();
        assert!(key.len() <= 127 && value.len() <= 255, "{key}: {value}");
        assert_eq!(Claim::of_want(&key, &value), Some(claim));
        assert_eq!(Claim::of_want("Name", &value), None);
        assert_eq!(Claim::of_want(&key, "default x"), None);
    }
}
