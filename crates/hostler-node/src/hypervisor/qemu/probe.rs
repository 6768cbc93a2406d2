//! What this machine shows of its virtualisation.

use std::fs::OpenOptions;
use std::path::Path;

use hostler_core::microvm::{Accelerator, KvmFacts};

/// How guests' processors are had here.
pub fn accelerator() -> Accelerator {
    let mut kvm = OpenOptions::new();
    let opens = kvm.read(true).write(true).open("/dev/kvm").is_ok();
    let modules = ["kvm_intel", "kvm_amd"].map(|name| Path::new("/sys/module").join(name));
    let drives = modules.iter().any(|module| module.is_dir());
    Accelerator::of(KvmFacts { opens, drives })
}
