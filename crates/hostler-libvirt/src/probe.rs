//! Whether this machine's KVM really runs guests.
//!
//! That `/dev/kvm` opens says little: some machines offer a KVM that emulates a
//! guest's kernel instruction by instruction, and gives up within its start. Such
//! a one has neither of the two modules that drive a processor's own
//! virtualisation.

use std::path::Path;

/// How guests' processors are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor's own.
    Kvm,
    /// Emulated, some ten times slower.
    Emulation,
}

impl Accelerator {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Emulation => "tcg",
        }
    }
}

/// What this machine has.
pub fn accelerator() -> Accelerator {
    let opens = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .is_ok();
    judge(opens, Path::new("/sys/module"))
}

fn judge(opens: bool, modules: &Path) -> Accelerator {
    let drives = ["kvm_intel", "kvm_amd"];
    let drives = drives.iter().any(|module| modules.join(module).is_dir());
    if opens && drives {
        Accelerator::Kvm
    } else {
        Accelerator::Emulation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kvm_without_a_processor_s_own_virtualisation_counts_as_none() {
        let check = |opens, modules: &[&str], expected| {
            let folder = tempfile::tempdir().unwrap();
            for module in modules {
                std::fs::create_dir(folder.path().join(module)).unwrap();
            }
            assert_eq!(judge(opens, folder.path()), expected, "{modules:?}");
        };
        check(true, &["kvm", "kvm_intel"], Accelerator::Kvm);
        check(true, &["kvm", "kvm_amd"], Accelerator::Kvm);
        check(true, &["kvm", "kvm_pvm"], Accelerator::Emulation);
        check(false, &["kvm", "kvm_intel"], Accelerator::Emulation);
        check(true, &[], Accelerator::Emulation);
    }
}
