//! What a workload may ask for, and what it gets when it does not ask.

use std::ops::RangeInclusive;

use hostler_core::Resources;

/// The project of who names none.
pub const DEFAULT_PROJECT: &str = "default";
/// A tenth of a core and 64 MiB.
pub const DEFAULT_RESOURCES: Resources = Resources::of(100, 64);
/// Processes of who asks for no number.
pub const DEFAULT_PIDS: u32 = 64;

/// Thousandths of a core.
pub const CPU_MILLIS: RangeInclusive<u64> = 1..=1_024_000;
/// Bytes of memory: one MiB to 16 TiB.
pub const MEMORY_BYTES: RangeInclusive<u64> = 1 << 20..=16 << 40;
/// Processes.
pub const PIDS: RangeInclusive<u32> = 1..=32_768;
/// Arguments.
pub const ARGUMENTS: usize = 256;
/// Bytes of all arguments together.
pub const ARGUMENT_BYTES: usize = 64 << 10;
/// Variables.
pub const VARIABLES: usize = 256;
/// Bytes of all names and values of variables together.
pub const VARIABLE_BYTES: usize = 64 << 10;
/// Trigger subjects.
pub const TRIGGERS: usize = 64;
/// Labels in one place.
pub const LABELS: usize = 64;
/// Characters of a label's key, and of its value.
pub const LABEL_LENGTH: usize = 63;
/// Wishes of one sort.
pub const AFFINITIES: usize = 16;
/// Bytes of the text for people.
pub const DESCRIPTION_BYTES: usize = 4 << 10;
