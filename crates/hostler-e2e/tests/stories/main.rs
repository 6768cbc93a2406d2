//! Whole stories, with real processes over real HTTP and real NATS.

// A story that cannot go on ends there.
#![allow(clippy::expect_used, clippy::panic)]
// A story is told in one go.
#![allow(clippy::too_many_lines)]

mod grows;
mod grows_again;
mod grows_in_a_cluster;
mod joining;
mod lost_replies;
mod newcomer;
mod node_dead;
mod node_gone;
mod restart;
mod second;
