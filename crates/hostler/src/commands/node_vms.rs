//! How a node holds VMs: from flags to a driver.

use std::path::Path;

use anyhow::{Context as _, Result};
use hostler_core::Bytes;
use hostler_daemon::config::Mistakes;
use hostler_node::VmsOptions;
use hostler_node::hypervisor::machines::{FakeMachines, Machinery};

/// The settings for this driver; nothing for none.
pub(super) async fn options(
    driver: &str,
    disk: Option<Bytes>,
    data: &Path,
) -> Result<Option<VmsOptions>> {
    if driver == "none" {
        return Ok(None);
    }
    std::fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    let data = data.canonicalize()?;
    let machinery = match driver {
        "fake" => Machinery::fake(FakeMachines::in_folder(&data.join("fake-machines"))?),
        "libvirt" => libvirt(&data).await?,
        other => return Err(unknown(other)),
    };
    let bytes = match disk {
        Some(disk) => disk.get(),
        None => most_of(&data)?,
    };
    let mut options = VmsOptions::new(machinery, bytes);
    let me = std::env::current_exe().context("this program's own file")?;
    let words = [me.display().to_string(), "node".into(), "guard".into()];
    options.guard = Some(words.to_vec());
    Ok(Some(options))
}

fn unknown(word: &str) -> anyhow::Error {
    let mut mistakes = Mistakes::default();
    let text = format!("'{word}' is none of none, libvirt, fake");
    mistakes.take::<(), _>("--vms", Err(text));
    mistakes
        .check()
        .err()
        .map_or_else(|| anyhow::anyhow!("--vms"), Into::into)
}

/// Four fifths of the disk that the data are on.
fn most_of(data: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(data).context("the disk of the data folder")?;
    Ok(stat.f_blocks.saturating_mul(stat.f_frsize) / 5 * 4)
}

#[cfg(feature = "libvirt")]
async fn libvirt(data: &Path) -> Result<Machinery> {
    use hostler_daemon::secret;
    // By this libvirt's domains are told from those of other nodes on it.
    let path = data.join("vm-owner");
    let (owner, _) = secret::load_or_make(&path, || uuid::Uuid::new_v4().to_string())?;
    let options = hostler_libvirt::LibvirtOptions::new(data.join("vms"), owner);
    Ok(hostler_libvirt::open(options).await?.machinery())
}

#[cfg(not(feature = "libvirt"))]
#[allow(clippy::unused_async, reason = "with libvirt it waits for an answer")]
async fn libvirt(_data: &Path) -> Result<Machinery> {
    anyhow::bail!("this program was built without libvirt: build it with --features libvirt")
}
