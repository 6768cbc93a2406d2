//! The API over HTTP. One request goes: connection, who asks, faults, may
//! they, one change of the world, answer. Only watches stay longer.

mod answer;
mod body;
mod call;
mod delete;
mod discovery;
mod events;
mod info;
mod list;
mod patch;
mod review;
mod route;
mod serve;
mod shape;
mod subresource;
mod watch;
mod write;

pub(crate) use serve::{Serving, Shared, serve};
