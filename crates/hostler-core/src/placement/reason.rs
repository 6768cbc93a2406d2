//! Why a node was chosen, could have been, or was refused.

use std::fmt;

use crate::id::NodeId;
use crate::{Bytes, Cpu, Labels};

/// Units that a rule means, and where it looks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// The labels they carry; with none, all of the project.
    pub labels: Labels,
    /// The node label that names the place; none: the node itself.
    pub topology: Option<String>,
}

/// One thing that speaks about a node. The first group refuses it, the second
/// says where a possible node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It takes no new units now.
    Closed,
    /// It does not carry a label that the unit needs.
    Label {
        /// The label's key.
        key: String,
        /// The value that is needed.
        wanted: String,
        /// The value it has, if it has one.
        has: Option<String>,
    },
    /// A required affinity finds none of these in its place.
    NoneNear(Meant),
    /// A required anti-affinity finds some of these in its place.
    SomeNear(Meant, u32),
    /// All of its slots are taken, so many.
    Slots(u32),
    /// Not enough processor is free.
    Cpu {
        /// What the unit needs.
        needs: Cpu,
        /// What is free.
        free: Cpu,
    },
    /// Not enough memory is free.
    Memory {
        /// What the unit needs.
        needs: Bytes,
        /// What is free.
        free: Bytes,
    },
    /// Not enough disk for VMs is free.
    Disk {
        /// What the unit needs.
        needs: Bytes,
        /// What is free.
        free: Bytes,
    },

    /// So many preferences would not be fulfilled.
    Unmet(u32),
    /// So many of the units to be spread are in its place already.
    Crowd(u32),
    /// It lacks the label over which units are spread.
    NoDomain(String),
    /// It holds no unit of the project (under the sticky policy).
    Stranger,
    /// The scarcest of its processor, memory, slots and disk is promised to so many
    /// hundredths.
    Load(u32),
}

/// What becomes of a node when a unit is placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It would be chosen.
    Chosen,
    /// It could take the unit, but another is better.
    Possible,
    /// It cannot take the unit.
    Refused,
}

/// What becomes of one node, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The node.
    pub node: NodeId,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Why: everything that refuses it, or where it stands.
    pub reasons: Vec<Reason>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed to new work"),
            Self::Label { key, wanted, has } => match has {
                Some(has) => write!(f, "label {key} is {has}, needs {wanted}"),
                None => write!(f, "has no label {key}, needs {wanted}"),
            },
            Self::NoneNear(meant) => write!(f, "none {meant}"),
            Self::SomeNear(meant, number) => write!(f, "{number} {meant}"),
            Self::Slots(slots) => write!(f, "all {slots} slots taken"),
            Self::Cpu { needs, free } => {
                write!(f, "needs {}, {} free", cores(*needs), cores(*free))
            }
            Self::Memory { needs, free } => write!(f, "needs {needs} of memory, {free} free"),
            Self::Disk { needs, free } => write!(f, "needs {needs} of disk for VMs, {free} free"),
            Self::Unmet(1) => f.write_str("1 preference not met"),
            Self::Unmet(number) => write!(f, "{number} preferences not met"),
            Self::Crowd(number) => write!(f, "{number} alike already there"),
            Self::NoDomain(label) => write!(f, "has no label {label} to spread over"),
            Self::Stranger => f.write_str("holds nothing of the project"),
            Self::Load(percent) => write!(f, "{percent} % loaded"),
        }
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("with ")?;
        for (at, (key, value)) in self.labels.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{key}={value}")?;
        }
        if self.labels.is_empty() {
            f.write_str("any labels")?;
        }
        match &self.topology {
            Some(label) => write!(f, " in its {label}"),
            None => f.write_str(" on it"),
        }
    }
}

/// An amount of processor in words.
pub(super) fn cores(cpu: Cpu) -> String {
    match cpu.as_millis() {
        1_000 => "1 core".to_owned(),
        millis if millis.is_multiple_of(1_000) => format!("{cpu} cores"),
        _ => cpu.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_plain_words() {
        let check = |reason: Reason, words: &str| assert_eq!(reason.to_string(), words);
        let meant = |topology: Option<&str>| Meant {
            labels: Labels::from([("app".into(), "web".into())]),
            topology: topology.map(str::to_owned),
        };
        let label = |has: Option<&str>| Reason::Label {
            key: "gpu".into(),
            wanted: "yes".into(),
            has: has.map(str::to_owned),
        };
        check(label(None), "has no label gpu, needs yes");
        check(label(Some("no")), "label gpu is no, needs yes");
        let (needs, free) = (Cpu::cores(2), Cpu::millis(1_500));
        check(Reason::Cpu { needs, free }, "needs 2 cores, 1500m free");
        check(
            Reason::SomeNear(meant(Some("zone")), 2),
            "2 with app=web in its zone",
        );
        check(Reason::NoneNear(meant(None)), "none with app=web on it");
        check(Reason::Unmet(1), "1 preference not met");
        check(Reason::Load(37), "37 % loaded");
    }
}
