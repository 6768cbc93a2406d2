//! `hostler vm ssh`: the system's own ssh, told where to go.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use hostler_wire::rest::Vm;

/// Becomes ssh.
pub(super) fn ssh(vm: &Vm, user: Option<&str>, more: &[String]) -> Result<()> {
    let address = vm.ipv4.as_ref().with_context(|| {
        format!(
            "{} has told no address yet; `hostler vm console {}` needs none",
            vm.name, vm.name
        )
    })?;
    let place = match user {
        Some(user) => format!("{user}@{address}"),
        None => address.clone(),
    };
    let error = Command::new("ssh").arg(place).args(more).exec();
    Err(error).context("could not start ssh")
}
