//! Whole stories, with real processes over real HTTP and real NATS.

mod lost_replies;
mod newcomer;
mod node_gone;
mod restart;
