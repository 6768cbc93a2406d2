//! `hostler node doctor`: whether this machine can hold VMs, and if not, what to
//! do about it. Looks and asks; changes nothing.

use std::path::PathBuf;

use anyhow::{Result, bail};
use hostler_node::MachineConfig;

use super::Ground;
use super::finding::{missing, table};
use super::list::{Purpose, findings};
use crate::args::Programs;
use crate::context::data_folder;
use crate::output::Output;

/// Looks at this machine; fails if VMs cannot be held.
pub(crate) async fn doctor(data: Option<PathBuf>, output: Output) -> Result<()> {
    let data = data.map_or_else(|| Ok(data_folder()?.join("node")), anyhow::Ok)?;
    let ground = Ground {
        data,
        config: MachineConfig::default(),
        nats: None,
        programs: Programs::default(),
        from: None,
    };
    let findings = findings(Purpose::Vms, &ground).await;
    output.show(&findings, |findings| table(findings))?;
    match missing(&findings) {
        0 => Ok(()),
        count => bail!("this machine cannot hold VMs: {count} missing"),
    }
}
