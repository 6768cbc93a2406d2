//! Kubernetes' own words: names, the placeholder, what its answers mean.

mod failure;
pub mod names;
pub(crate) mod placeholder;

pub(crate) use failure::{Failure, within};
