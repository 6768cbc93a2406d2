//! How large a VM may be, and what may be told to its guest.

use std::ops::RangeInclusive;

use super::VmSize;
use crate::Bytes;

/// Virtual processors of one VM.
pub const CPUS: RangeInclusive<u32> = 1..=256;
/// Bytes of memory of one VM.
pub const MEMORY: RangeInclusive<u64> = (16 << 20)..=(4 << 40);
/// Bytes of one disk.
pub const DISK: RangeInclusive<u64> = (1 << 20)..=(64 << 40);
/// Further disks.
pub const DISKS: usize = 16;
/// Network cards.
pub const NICS: usize = 8;
/// Rules about what may come in, of one network card.
pub const FIREWALL_RULES: usize = 64;
/// Public keys.
pub const SSH_KEYS: usize = 64;
/// Bytes of one public key, with its comment.
pub const SSH_KEY_BYTES: usize = 16 << 10;
/// Bytes of user data, and of a network configuration.
pub const USER_DATA_BYTES: usize = 64 << 10;
/// Bytes of a password in clear.
pub const PASSWORD_BYTES: usize = 256;
/// Snapshots of one VM.
pub const SNAPSHOTS: usize = 64;
/// The longest time a guest has to shut down, in milliseconds.
pub const LONGEST_STOP_MS: u64 = 60 * 60 * 1_000;

/// An amount out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {value} is not between {least} and {most}")]
pub struct OutOfBounds {
    /// Which amount.
    pub what: &'static str,
    value: String,
    least: String,
    most: String,
}

fn within<T: PartialOrd + Copy>(
    what: &'static str,
    value: T,
    bounds: &RangeInclusive<T>,
    words: impl Fn(T) -> String,
) -> Option<OutOfBounds> {
    (!bounds.contains(&value)).then(|| OutOfBounds {
        what,
        value: words(value),
        least: words(*bounds.start()),
        most: words(*bounds.end()),
    })
}

/// Everything about a size that is out of bounds.
pub fn size_mistakes(size: &VmSize) -> Vec<OutOfBounds> {
    let bytes = |bytes: u64| Bytes::new(bytes).to_string();
    let mistakes = [
        within("cpus", size.cpus, &CPUS, |cpus| cpus.to_string()),
        within("memory", size.memory.get(), &MEMORY, bytes),
        within("disk", size.disk.get(), &DISK, bytes),
    ];
    mistakes.into_iter().flatten().collect()
}

/// Why a VM cannot be made to have `wanted` instead of what it has.
pub fn resize_mistake(has: &VmSize, wanted: &VmSize) -> Option<String> {
    (wanted.disk < has.disk).then(|| {
        let (is, asked) = (has.disk, wanted.disk);
        format!("disk: a disk of {is} cannot shrink to {asked}")
    })
}

/// Whether a text is a host name: letters, digits and `-`, in parts between
/// dots.
pub fn is_hostname(text: &str) -> bool {
    let part = |part: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&part.len())
            && part.bytes().all(plain)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(part)
}

/// Whether a text is a name for a user of a Linux system.
pub fn is_user(text: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let plain = |byte: u8| first(byte) || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len())
        && text.bytes().next().is_some_and(first)
        && text.bytes().all(plain)
}

/// A hardware address of ours, of three bytes of somebody's choice.
pub fn mac([a, b, c]: [u8; 3]) -> String {
    format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_out_of_bounds_is_told_with_every_amount() {
        let check = |cpus, memory, disk, expected: &[&str]| {
            let size = VmSize {
                cpus,
                memory: Bytes::new(memory),
                disk: Bytes::new(disk),
            };
            let whats: Vec<_> = size_mistakes(&size).iter().map(|m| m.what).collect();
            assert_eq!(whats, expected);
        };
        check(1, 16 << 20, 1 << 20, &[]);
        check(256, 4 << 40, 64 << 40, &[]);
        check(0, 0, 0, &["cpus", "memory", "disk"]);
        check(257, u64::MAX, u64::MAX, &["cpus", "memory", "disk"]);
    }

    #[test]
    fn a_disk_grows_and_never_shrinks() {
        let size = |disk| VmSize {
            cpus: 1,
            memory: Bytes::mib(64),
            disk: Bytes::mib(disk),
        };
        assert_eq!(resize_mistake(&size(10), &size(10)), None);
        assert_eq!(resize_mistake(&size(10), &size(11)), None);
        assert!(resize_mistake(&size(10), &size(9)).is_some());
    }

    #[test]
    fn host_names_and_users_hold_nothing_that_a_shell_or_a_markup_reads() {
        for good in ["web", "web-1", "a.example.org", "9"] {
            assert!(is_hostname(good), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "-a", "a-", "a..b", "<b>", "a b", "a_b", "a;b", &long] {
            assert!(!is_hostname(bad), "{bad}");
        }
        for good in ["debian", "_x", "a-1"] {
            assert!(is_user(good), "{good}");
        }
        for bad in ["", "1a", "Root", "a b", "a:b", "a\nb", "-a"] {
            assert!(!is_user(bad), "{bad}");
        }
    }

    #[test]
    fn a_hardware_address_is_of_the_range_for_virtual_machines() {
        assert_eq!(mac([0, 10, 255]), "52:54:00:00:0a:ff");
    }
}
