//! Frames: the length in four bytes, then as many bytes of JSON. Whoever sends a
//! longer one than is allowed, or other JSON than is expected, is not listened to
//! any more: nothing can be known of what would follow.

use std::io;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::codec::LengthDelimitedCodec;

/// Bytes of a frame at most: a screen as a picture, in base 64, or what is known
/// of ten thousand machines.
pub(super) const LONGEST: usize = 32 << 20;

/// Cuts bytes into frames.
pub(super) fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder()
        .max_frame_length(LONGEST)
        .new_codec()
}

/// What a frame cannot be.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// More than [`LONGEST`].
    #[error("it would take {0} bytes")]
    Long(usize),
    /// A path that is no text, or JSON of something else.
    #[error("it cannot be understood: {0}")]
    Json(#[from] serde_json::Error),
}

/// A word as the content of a frame.
pub(super) fn pack(word: &impl Serialize) -> Result<Bytes, FrameError> {
    let bytes = serde_json::to_vec(word)?;
    if bytes.len() > LONGEST {
        return Err(FrameError::Long(bytes.len()));
    }
    Ok(bytes.into())
}

/// The word in a frame.
pub(super) fn unpack<T: DeserializeOwned>(frame: &[u8]) -> Result<T, FrameError> {
    Ok(serde_json::from_slice(frame)?)
}

/// The word in what came, if anything came; an error if it is none.
pub(super) fn heard<T: DeserializeOwned>(
    frame: Option<io::Result<impl AsRef<[u8]>>>,
) -> Result<Option<T>, String> {
    match frame {
        None => Ok(None),
        Some(Err(error)) => Err(format!("it cannot be heard: {error}")),
        Some(Ok(frame)) => unpack(frame.as_ref())
            .map(Some)
            .map_err(|error| error.to_string()),
    }
}
