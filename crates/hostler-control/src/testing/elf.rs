//! The smallest files that are, or pretend to be, Linux executables.

/// A 64-bit little-endian header, one program header, 16 bytes of segment.
fn elf(segment_kind: u32) -> Vec<u8> {
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0];
    bytes.extend([0; 8]);
    bytes.extend(2_u16.to_le_bytes()); // executable
    bytes.extend(62_u16.to_le_bytes()); // x86-64
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(0x40_0000_u64.to_le_bytes()); // entry
    bytes.extend(64_u64.to_le_bytes()); // program headers follow
    bytes.extend(0_u64.to_le_bytes()); // no sections
    bytes.extend(0_u32.to_le_bytes());
    for field in [64_u16, 56, 2, 64, 0, 0] {
        bytes.extend(field.to_le_bytes());
    }
    for kind in [1, segment_kind] {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(5_u32.to_le_bytes());
        for field in [176_u64, 0x40_0000, 0x40_0000, 16, 16, 4096] {
            bytes.extend(field.to_le_bytes());
        }
    }
    bytes.extend([0x90; 16]);
    bytes
}

/// Loads 16 bytes and has no interpreter.
pub(crate) fn static_elf() -> Vec<u8> {
    elf(1)
}

/// Names an interpreter.
pub(crate) fn dynamic_elf() -> Vec<u8> {
    elf(3)
}
