//! Bytes of a script's buffers, copied out: nothing of ours may look into them
//! while the script runs, because it could free them.

#![allow(unsafe_code)] // Copied before anything else happens.

use bytes::Bytes;
use rquickjs::{ArrayBuffer, TypedArray};

/// What a `Uint8Array` holds; of a detached one, nothing.
pub(crate) fn array_bytes(array: &TypedArray<'_, u8>) -> Bytes {
    // SAFETY: no script runs between here and the end of the copy, and only
    // scripts can detach or change a buffer.
    let bytes = unsafe { array.as_bytes() };
    Bytes::copy_from_slice(bytes.unwrap_or_default())
}

/// What an `ArrayBuffer` holds; of a detached one, nothing.
pub(crate) fn buffer_bytes(buffer: &ArrayBuffer<'_>) -> Bytes {
    // SAFETY: as above.
    let bytes = unsafe { buffer.as_bytes() };
    Bytes::copy_from_slice(bytes.unwrap_or_default())
}
