//! Runners on EC2: one instance each, launched from a template, or taken from
//! an Auto Scaling group.
//!
//! - [`settings`]: what it is configured with
//! - [`cloud`]: the calls it makes, as one narrow trait, and what their errors mean
//! - `names`: tags, and what is written in them
//! - `launch`: which launches to try, their idempotency tokens, user data
//! - `groups`: what an Auto Scaling group is to be told next
//! - `seen`: from listed instances to a snapshot, as one pure function
//! - `watch`: lists again and again, never in a hurry
//! - `provider`: the few calls that change something
//! - `orphans`: instances of ours that no job knows of
//! - `doctor`: what is missing, and how to mend it
//! - `sdk`: the trait over the AWS SDK; only with the feature `sdk`
//!
//! Nothing here is remembered but in tags: the next life of this process lists
//! the instances, and knows everything again. What must never happen: an answer
//! that did not come makes a runner look worse, or an instance without the
//! fleet's tag is touched.

pub mod cloud;
mod doctor;
mod groups;
mod launch;
mod names;
mod orphans;
mod provider;
#[cfg(feature = "sdk")]
mod sdk;
mod seen;
pub mod settings;
mod start;
mod watch;
mod world;

pub use names::{Claim, Tags, tag};
pub use provider::Aws;
#[cfg(feature = "sdk")]
pub use sdk::connect;
pub use settings::Settings;
pub use start::{Parts, start};
