//! Runners on EC2 against moto's server: real HTTP on loopback, with a layer in
//! between that breaks what can break.
//!
//! `make test-aws` installs moto, names its program in `HOSTLER_MOTO`, and sets
//! credentials that nobody checks.

// What tests share fails like a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod adding;
mod book;
mod deaths;
mod doctor;
mod faults;
mod grouped;
mod house;
mod layer;
mod moto;
mod removing;
mod sweeping;
