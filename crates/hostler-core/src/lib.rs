//! What things are, and every decision taken about them.
//!
//! Nothing in this crate reads a clock, a file, a socket or a random number:
//! time, ids and randomness come in as arguments, so each decision is a total
//! function over facts and is tested as a table. `sim` runs whole fleets of
//! these decisions in memory.

pub mod access;
pub mod artifact;
pub mod audit;
pub mod generation;
pub mod id;
pub mod microvm;
pub mod name;
pub mod node;
pub mod operation;
pub mod placement;
pub mod pool;
pub mod quantity;
pub mod runner;
pub mod services;
pub mod sim;
pub mod time;
pub mod vm;
pub mod workload;

pub use generation::Generation;
pub use name::{Labels, Name};
pub use quantity::{Bytes, Cpu, Resources};
pub use time::Timestamp;
