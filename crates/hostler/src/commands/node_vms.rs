//! How a node holds VMs: from flags to a driver.
//!
//! libvirt is driven by a program of its own beside this one, which the node
//! starts: this one runs where there is no libvirt. With `best` a node holds VMs
//! if libvirt answers when it starts, or if it holds some already: those must not
//! be forgotten because libvirt starts later than the node.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hostler_daemon::config::Mistakes;
use hostler_daemon::secret;
use hostler_node::VmsOptions;
use hostler_node::hypervisor::disks::QemuDisks;
use hostler_node::hypervisor::machines::{
    About, FakeMachines, Helper, HelperOptions, Machinery, Machines as _,
};

use crate::args::VmArgs;

/// The program beside this one.
const PROGRAM: &str = "hostler-machines";
/// How long one who did not ask for VMs waits to hear whether there can be some.
const BRIEFLY: Duration = Duration::from_secs(3);
/// How long one who asked does.
const PATIENTLY: Duration = Duration::from_secs(30);
/// How long the program may take to say its first word.
const HELLO: Duration = Duration::from_secs(20);

/// What came of the flags.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// How the node holds VMs, if it does.
    pub(super) options: Option<VmsOptions>,
    /// What the node says about it.
    pub(super) tags: BTreeMap<String, String>,
    helper: Option<Helper>,
}

impl Held {
    /// The node has ended. Machines run on.
    pub(super) async fn end(self) {
        if let Some(helper) = self.helper {
            helper.stop().await;
        }
    }

    fn none(why: &str) -> Self {
        let tags = [("hostler.vms", "none"), ("hostler.vms.why", why)];
        Self {
            tags: owned(&tags),
            ..Self::default()
        }
    }

    fn by(about: &About, options: VmsOptions, helper: Option<Helper>) -> Self {
        let tags = [
            ("hostler.vms", about.driver.as_str()),
            ("hostler.vms.accelerator", &about.accelerator),
            ("hostler.vms.version", &about.version),
        ];
        Self {
            options: Some(options),
            tags: owned(&tags),
            helper,
        }
    }
}

fn owned(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
    let tags = tags.iter().filter(|(_, value)| !value.is_empty());
    tags.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// What these flags make of a node with these data.
pub(super) async fn held(args: &VmArgs, data: &Path) -> Result<Held> {
    let driver = args.vms.as_str();
    if driver == "none" {
        return Ok(Held::none("--vms none"));
    }
    if !["best", "libvirt", "fake"].contains(&driver) {
        return Err(unknown(driver));
    }
    std::fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    let data = data.canonicalize()?;
    if driver == "fake" {
        let fake = FakeMachines::in_folder(&data.join("fake-machines"))?;
        let (about, machinery) = (fake.about(), Machinery::fake(fake));
        return Ok(Held::by(&about, with(machinery, args, &data)?, None));
    }
    libvirt(args, &data, driver == "best").await
}

fn unknown(word: &str) -> anyhow::Error {
    let mut mistakes = Mistakes::default();
    let text = format!("'{word}' is none of best, libvirt, none, fake");
    mistakes.take::<(), _>("--vms", Err(text));
    mistakes
        .check()
        .err()
        .map_or_else(|| anyhow::anyhow!("--vms"), Into::into)
}

async fn libvirt(args: &VmArgs, data: &Path, is_wish: bool) -> Result<Held> {
    let holds = hostler_node::holds_vms(data);
    let must = holds || !is_wish;
    let program = match (program(), holds) {
        (Ok(program), _) | (Err(NotHere(program)), true) => program,
        (Err(missing), false) if must => return Err(missing.into()),
        (Err(missing), false) => return Ok(Held::none(&missing.to_string())),
    };
    // By this libvirt's domains are told from those of other nodes on it.
    let path = data.join("vm-owner");
    let (owner, _) = secret::load_or_make(&path, || uuid::Uuid::new_v4().to_string())?;
    let folder = data.join("vms");
    let helper = begin(program, &folder, &owner, args.vms_file.as_deref());
    let wait = if must { PATIENTLY } else { BRIEFLY };
    let about = match helper.begun(wait).await {
        Ok(about) => about,
        Err(why) if holds => {
            tracing::error!(%why, "this node's VMs cannot be seen yet");
            let driver = "libvirt".to_owned();
            About {
                driver,
                ..helper.about()
            }
        }
        Err(why) => {
            helper.stop().await;
            if must {
                bail!("{why}; `hostler node doctor` says more");
            }
            return Ok(Held::none(&why));
        }
    };
    let disks = QemuDisks::open(&folder)?;
    let options = with(machinery(&helper, disks), args, data)?;
    Ok(Held::by(&about, options, Some(helper)))
}

fn machinery(helper: &Helper, disks: QemuDisks) -> Machinery {
    Machinery {
        machines: Arc::new(helper.clone()),
        disks: Arc::new(disks),
        screens: Arc::new(helper.clone()),
        wants_images: true,
    }
}

/// The driver's program is not where it should be.
#[derive(Debug, thiserror::Error)]
#[error("{} is missing", .0.display())]
pub(super) struct NotHere(PathBuf);

/// Where the program is.
pub(super) fn program() -> Result<PathBuf, NotHere> {
    let me = std::env::current_exe().unwrap_or_default();
    let program = me.with_file_name(PROGRAM);
    if program.is_file() {
        Ok(program)
    } else {
        Err(NotHere(program))
    }
}

/// Starts it for machines with their files in this folder.
pub(super) fn begin(program: PathBuf, folder: &Path, owner: &str, file: Option<&Path>) -> Helper {
    let mut arguments: Vec<OsString> = vec![
        "--folder".into(),
        folder.into(),
        "--owner".into(),
        owner.into(),
    ];
    arguments.extend(
        file.map(|file| [OsString::from("--settings"), file.into()])
            .into_iter()
            .flatten(),
    );
    Helper::start(HelperOptions {
        program,
        arguments,
        hello_within: HELLO,
    })
}

fn with(machinery: Machinery, args: &VmArgs, data: &Path) -> Result<VmsOptions> {
    let bytes = match args.vm_disk {
        Some(disk) => disk.get(),
        None => most_of(data)?,
    };
    let mut options = VmsOptions::new(machinery, bytes);
    let me = std::env::current_exe().context("this program's own file")?;
    let words = [me.display().to_string(), "node".into(), "guard".into()];
    options.guard = Some(words.to_vec());
    Ok(options)
}

/// Four fifths of the disk that the data are on.
fn most_of(data: &Path) -> Result<u64> {
    let stat = rustix::fs::statvfs(data).context("the disk of the data folder")?;
    Ok(stat.f_blocks.saturating_mul(stat.f_frsize) / 5 * 4)
}
