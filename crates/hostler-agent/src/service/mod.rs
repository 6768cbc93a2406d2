//! Services: static Linux programs, run as a child in a process group of its
//! own (protocol 6.3).
//!
//! ```text
//!  agent ──spawn──▶ agent, again (exec-child) ──confined, told, exec──▶ program
//!        ◀── nothing, or why not ──┘                │ ended
//!        ◀──────────────── reaper ──────────────────┘
//! ```
//!
//! The agent is the reaper of all orphans below it (`PR_SET_CHILD_SUBREAPER`),
//! so whatever a service starts, in whatever session, remains a descendant of
//! the agent and is found when the service ends. The program itself is killed
//! by the kernel when the agent dies (`PR_SET_PDEATHSIG`), which is tied to the
//! *thread* that spawned it: services are spawned on the main thread only.

mod confine;
mod elf;
mod exec;
mod family;
mod launch;
mod output;
mod reaper;
mod stop;
mod watch;

pub(crate) use confine::isolation;
pub(crate) use elf::check_file as elf_check;
pub(crate) use exec::{EXEC_CHILD, exec_child};
pub(crate) use launch::{Blank, Launch};
pub(crate) use reaper::Reaper;
pub(crate) use stop::{Leftover, family_end};
pub(crate) use watch::{Service, Surroundings};
