//! Small copies of what the cluster holds: only what a decision reads of each
//! object, kept up by one list and then a watch per kind.
//!
//! ```text
//!  starting ──listed──▶ following ◀──▶ failing      what was seen stands
//!      │ 403                             │ 410: listed again, swapped whole
//!      ▼                                 ▼
//!   denied (asked again now and then)  following
//! ```
//!
//! A list replaces a table in one act when its last page is there, so that no
//! reader ever sees half of it.

mod feed;
mod hub;
mod rows;
mod slim;
mod table;

pub(crate) use feed::{Feed, Scope};
pub(crate) use hub::{Hub, World};
pub(crate) use rows::{Event, Node, Phase, Placeholder, Program};
pub(crate) use slim::{event, node, placeholder, program};
pub(crate) use table::{Key, State};
