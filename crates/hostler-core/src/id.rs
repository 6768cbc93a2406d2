//! Typed ids: a UUID of version 7 each, told apart by the compiler, plain UUID text on
//! the wire. Slots carry a 20 character xid instead, the form that agents of
//! the original use as a NATS subject token.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an id of the asked kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a {kind} id")]
pub struct IdError {
    /// The kind of id that was expected.
    pub kind: &'static str,
    /// The text that was given.
    pub text: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with this UUID.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A UUID of version 7 (RFC 9562, 5.7) of `unix_ms` and ten random bytes.
            pub fn from_parts(unix_ms: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, &random).into_uuid())
            }

            /// The id as a UUID.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($kind, ":{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = || IdError { kind: $kind, text: text.to_owned() };
                Uuid::parse_str(text).map(Self).map_err(|_| error())
            }
        }
    };
}

id!(
    /// A machine running `hostler node`; `slave_id` on the wire.
    NodeId,
    "node"
);
id!(
    /// One start of a node's daemon.
    BootId,
    "boot"
);
id!(
    /// Something deployed: a service or a function.
    WorkloadId,
    "workload"
);
id!(
    /// A long-lived machine that a user owns.
    VmId,
    "vm"
);
id!(
    /// One version of a disk image in the catalogue.
    ImageId,
    "image"
);
id!(
    /// A moment of a VM that it can go back to.
    SnapshotId,
    "snapshot"
);
id!(
    /// An API token.
    TokenId,
    "token"
);
id!(
    /// A person, or a program that signs in as one.
    UserId,
    "user"
);
id!(
    /// One time that a user signed in.
    SessionId,
    "session"
);
id!(
    /// A durable, cancellable change.
    OperationId,
    "operation"
);
id!(
    /// One request to add or remove runners.
    JobId,
    "job"
);
id!(
    /// One entry of the activity history.
    EventId,
    "event"
);

/// One place in a node's warm pool, and the agent in it: 12 bytes as 20
/// characters of base32-hex (xid; protocol appendix A.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId([u8; 12]);

const XID_ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

impl SlotId {
    /// An xid of a time in Unix seconds and eight random bytes.
    pub fn from_parts(unix_s: u32, random: [u8; 8]) -> Self {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&unix_s.to_be_bytes());
        bytes[4..].copy_from_slice(&random);
        Self(bytes)
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self
            .0
            .iter()
            .fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte))
            << 4;
        for place in (0..20).rev() {
            let digit = usize::try_from((bits >> (5 * place)) & 31).unwrap_or_default();
            write!(f, "{}", char::from(XID_ALPHABET[digit]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot:{self}")
    }
}

impl FromStr for SlotId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError {
            kind: "slot",
            text: text.to_owned(),
        };
        if text.len() != 20 {
            return Err(error());
        }
        let mut bits = 0_u128;
        for byte in text.bytes() {
            let digit = XID_ALPHABET
                .iter()
                .position(|letter| *letter == byte)
                .ok_or_else(error)?;
            bits = (bits << 5) | digit as u128;
        }
        let mut bytes = [0; 12];
        bytes.copy_from_slice(&(bits >> 4).to_be_bytes()[4..]);
        Ok(Self(bytes))
    }
}

impl Serialize for SlotId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SlotId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_7_uuid_that_sorts_by_time() {
        let early = WorkloadId::from_parts(1_000, [255; 10]);
        let late = WorkloadId::from_parts(1_001, [0; 10]);
        assert_eq!(early.uuid().get_version_num(), 7);
        assert!(early < late);
        assert_eq!(early.to_string().parse(), Ok(early));
    }

    #[test]
    fn a_slot_id_reads_back_what_it_writes() {
        let slot = SlotId::from_parts(1_714_164_361, [1, 2, 3, 4, 250, 251, 252, 253]);
        assert_eq!(slot.to_string().len(), 20);
        assert_eq!(slot.to_string().parse(), Ok(slot));
        assert!("coj2v3d2omt3lq0a1b2z".parse::<SlotId>().is_err());
        assert!("short".parse::<SlotId>().is_err());
    }
}
