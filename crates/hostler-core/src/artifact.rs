//! What uploaded files are.

use serde::{Deserialize, Serialize};

use crate::workload::Kind;

/// What a file was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ArtifactKind {
    /// A static Linux executable: services are made of it.
    Elf,
    /// A WebAssembly module: functions are made of it.
    Wasm,
    /// A script in JavaScript: functions are made of it.
    V8,
    /// A disk image with a header: VMs are made of it.
    Qcow2,
    /// A disk, byte for byte: VMs are made of it.
    Raw,
}

impl ArtifactKind {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::Wasm => "wasm",
            Self::V8 => "v8",
            Self::Qcow2 => "qcow2",
            Self::Raw => "raw",
        }
    }

    /// The workload that can be made of it.
    pub const fn workload(self) -> Option<Kind> {
        match self {
            Self::Elf => Some(Kind::Elf),
            Self::Wasm => Some(Kind::Wasm),
            Self::V8 => Some(Kind::V8),
            Self::Qcow2 | Self::Raw => None,
        }
    }

    /// Whether it is a disk.
    pub const fn is_disk(self) -> bool {
        matches!(self, Self::Qcow2 | Self::Raw)
    }
}

impl From<Kind> for ArtifactKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Elf => Self::Elf,
            Kind::Wasm => Self::Wasm,
            Kind::V8 => Self::V8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_back_and_is_either_work_or_a_disk() {
        use ArtifactKind::{Elf, Qcow2, Raw, V8, Wasm};
        for kind in [Elf, Wasm, V8, Qcow2, Raw] {
            let word = serde_json::to_value(kind).unwrap();
            assert_eq!(word, kind.as_str());
            assert_eq!(kind.is_disk(), kind.workload().is_none());
        }
        assert_eq!(ArtifactKind::from(Kind::Wasm).workload(), Some(Kind::Wasm));
    }
}
