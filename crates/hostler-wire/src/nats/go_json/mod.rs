//! JSON as the original's library writes and reads it (protocol 1.2).
//!
//! Written: members in the order of the struct, keys of maps sorted, and `<`,
//! `>`, `&`, U+2028 and U+2029 as `\u` escapes. Read: the case of a struct's
//! keys does not matter, of several keys for one member the last counts,
//! unknown keys are ignored, `null` is the zero value, and bytes that are not
//! UTF-8 become U+FFFD. Keys of maps keep their case.

mod json;
mod read;
pub mod time;
mod write;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use json::Json;

/// Why a payload could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It is not JSON.
    #[error("{0}")]
    Syntax(serde_json::Error),
    /// It is JSON of another shape; the text begins with the path to the
    /// member that is wrong.
    #[error("{0}")]
    Shape(serde::de::value::Error),
}

/// A body that travels as JSON. Only implemented for structs of texts,
/// numbers, lists and maps with text keys, which always can be written.
pub trait Message: Serialize + DeserializeOwned {
    /// The body as bytes.
    fn encode(&self) -> Vec<u8> {
        // Writing fails only for maps whose keys are not texts; none of the
        // implementing types has one.
        to_vec(self).unwrap_or_default()
    }

    /// The body that these bytes hold.
    fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        from_slice(payload)
    }
}

/// Writes a value as the original would.
pub fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, write::GoFormatter);
    value.serialize(&mut serializer)?;
    Ok(out)
}

/// Reads a value as the original would.
pub fn from_slice<T: DeserializeOwned>(payload: &[u8]) -> Result<T, DecodeError> {
    T::deserialize(Json::parse(payload)?).map_err(DecodeError::Shape)
}
