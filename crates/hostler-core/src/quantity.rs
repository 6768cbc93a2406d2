//! Amounts of processor and memory, with the units people write.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not an amount of the asked kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not {expected}")]
pub struct QuantityError {
    text: String,
    expected: &'static str,
}

/// Processor time, in thousandths of a core. Written `500m`, `2` or `0.5`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cpu(u64);

impl Cpu {
    /// So many thousandths of a core.
    pub const fn millis(millis: u64) -> Self {
        Self(millis)
    }

    /// So many whole cores.
    pub const fn cores(cores: u64) -> Self {
        Self(cores * 1_000)
    }

    /// Thousandths of a core.
    pub const fn as_millis(self) -> u64 {
        self.0
    }
}

impl FromStr for Cpu {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let expected = "an amount of processor, such as 500m, 2 or 0.5";
        let error = || QuantityError {
            text: text.to_owned(),
            expected,
        };
        if let Some(millis) = text.strip_suffix('m') {
            return millis.parse().map(Self).map_err(|_| error());
        }
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        let cores: u64 = whole.parse().map_err(|_| error())?;
        let millis: u64 = format!("{part:0<3}").parse().map_err(|_| error())?;
        cores
            .checked_mul(1_000)
            .and_then(|c| c.checked_add(millis))
            .map(Self)
            .ok_or_else(error)
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1_000) {
            write!(f, "{}", self.0 / 1_000)
        } else {
            write!(f, "{}m", self.0)
        }
    }
}

/// An amount of memory or disk, in bytes. Written `256MiB`, `2GiB`, `1GB`, `4096`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Bytes(u64);

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl Bytes {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many mebibytes.
    pub const fn mib(mib: u64) -> Self {
        Self(mib << 20)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        let expected = "an amount of bytes, such as 256MiB, 2GiB or 1GB";
        let error = || QuantityError {
            text: text.to_owned(),
            expected,
        };
        let in_unit = |(unit, factor): &(&str, u64)| Some((text.strip_suffix(unit)?, *factor));
        let (number, factor) = UNITS.iter().find_map(in_unit).unwrap_or((text, 1));
        let number: u64 = number.trim().parse().map_err(|_| error())?;
        number.checked_mul(factor).map(Self).ok_or_else(error)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |factor: u64| self.0 != 0 && self.0.is_multiple_of(factor);
        match UNITS[..4].iter().rev().find(|(_, factor)| whole(*factor)) {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// What work needs and what a node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resources {
    /// Processor, in thousandths of a core.
    pub cpu: Cpu,
    /// Memory, in bytes.
    pub memory: Bytes,
}

impl Resources {
    /// So many thousandths of a core and so many mebibytes.
    pub const fn of(cpu_millis: u64, memory_mib: u64) -> Self {
        Self {
            cpu: Cpu::millis(cpu_millis),
            memory: Bytes::mib(memory_mib),
        }
    }

    /// Both amounts added; what would overflow stays at the largest number.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            cpu: Cpu(self.cpu.0.saturating_add(other.cpu.0)),
            memory: Bytes(self.memory.0.saturating_add(other.memory.0)),
        }
    }

    /// What is left after `other` is taken; never below zero.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            cpu: Cpu(self.cpu.0.saturating_sub(other.cpu.0)),
            memory: Bytes(self.memory.0.saturating_sub(other.memory.0)),
        }
    }

    /// Whether all of this fits into `room`.
    pub const fn fits(self, room: Self) -> bool {
        self.cpu.0 <= room.cpu.0 && self.memory.0 <= room.memory.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_is_read_in_cores_and_millis() {
        let check =
            |text: &str, millis| assert_eq!(text.parse(), Ok(Cpu::millis(millis)), "{text}");
        check("500m", 500);
        check("2", 2_000);
        check("0.5", 500);
        check("1.25", 1_250);
        for bad in ["", "m", "-1", "1.", "1.2345", "99999999999999999999", "two"] {
            assert!(bad.parse::<Cpu>().is_err(), "{bad}");
        }
        assert_eq!(Cpu::millis(1_500).to_string(), "1500m");
        assert_eq!(Cpu::cores(2).to_string(), "2");
    }

    #[test]
    fn memory_is_read_with_binary_and_decimal_units() {
        let check = |text: &str, bytes| assert_eq!(text.parse(), Ok(Bytes::new(bytes)), "{text}");
        check("4096", 4_096);
        check("256MiB", 256 << 20);
        check("1GB", 1_000_000_000);
        check("3B", 3);
        for bad in ["", "MiB", "-1", "1.5GiB", "20000000TiB", "big"] {
            assert!(bad.parse::<Bytes>().is_err(), "{bad}");
        }
        assert_eq!(Bytes::mib(2_048).to_string(), "2GiB");
        assert_eq!(Bytes::new(1_500).to_string(), "1500B");
    }

    #[test]
    fn resources_fit_only_when_both_amounts_do() {
        let room = Resources::of(1_000, 512);
        assert!(Resources::of(1_000, 512).fits(room));
        assert!(!Resources::of(1_001, 1).fits(room));
        assert!(!Resources::of(1, 513).fits(room));
        assert_eq!(Resources::of(1, 1).minus(room), Resources::default());
    }
}
