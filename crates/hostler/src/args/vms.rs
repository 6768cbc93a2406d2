//! Flags of the commands about VMs and images.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hostler_core::Bytes;
use hostler_core::workload::OnNodeLoss;

use super::work::pair;

fn on_node_loss(word: &str) -> Result<OnNodeLoss, String> {
    let known = serde_json::from_value(word.into());
    known.map_err(|_| "there are wait and restart".to_owned())
}

/// `hostler vm`.
#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // There is one of it in the life of the program.
pub(crate) enum VmCommand {
    /// Make a VM
    Create(VmCreateArgs),
    /// List VMs
    Ls {
        /// Only this project's
        #[arg(long)]
        project: Option<String>,
        /// Only those with this status, such as running
        #[arg(long)]
        status: Option<String>,
        /// Only those in the trash
        #[arg(long)]
        trash: bool,
    },
    /// Show one VM
    Get(WhichVm),
    /// Start a VM, or try again to
    Start(WhichVm),
    /// Shut a VM down
    Stop {
        #[command(flatten)]
        which: WhichVm,
        /// Switch it off at once, without asking the guest
        #[arg(long)]
        force: bool,
    },
    /// Reboot a VM
    Restart(WhichVm),
    /// Let a VM stand still, in memory
    Pause(WhichVm),
    /// Let a VM go on that stands still
    Resume(WhichVm),
    /// Rename a VM
    Rename {
        #[command(flatten)]
        which: WhichVm,
        /// Its new name
        name: String,
    },
    /// Give a VM more or less; its disk only grows
    Resize(ResizeArgs),
    /// Make a VM whose disk is a copy of another's
    Clone {
        #[command(flatten)]
        which: WhichVm,
        /// The clone's name
        name: Option<String>,
    },
    /// Put a VM into the trash, which empties by time
    Rm {
        #[command(flatten)]
        which: WhichVm,
        /// Skip the trash: its disks cannot be had back
        #[arg(long)]
        now: bool,
        /// It is a machine that nobody here ordered; there is no trash for it
        #[arg(long)]
        unclaimed: bool,
        /// The node that machine is on, by name or id
        #[arg(long, requires = "unclaimed")]
        node: Option<String>,
    },
    /// Take a VM out of the trash
    Restore(WhichVm),
    /// Use a VM's serial line in this terminal; Ctrl-] ends it
    Console(WhichVm),
    /// Save what a VM shows on its screen, as PNG
    Screenshot {
        #[command(flatten)]
        which: WhichVm,
        /// The file to write; else NAME.png
        #[arg(long, short)]
        out: Option<PathBuf>,
    },
    /// Log in to a VM over SSH
    Ssh {
        #[command(flatten)]
        which: WhichVm,
        /// The user; else the one of its image
        #[arg(long, short)]
        user: Option<String>,
        /// What ssh is told besides, such as a command
        #[arg(last = true)]
        more: Vec<String>,
    },
    /// Snapshots of a VM
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Links to a console, for people without an account
    #[command(subcommand)]
    Share(ShareCommand),
    /// Say for each node why a VM is there or not
    Explain(WhichVm),
    /// List machines on nodes that nobody here ordered
    Unclaimed,
    /// Make a VM of a machine that nobody here ordered, as it is
    Adopt(AdoptArgs),
}

/// One VM.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhichVm {
    /// Its name or id
    pub vm: String,
    /// The project a name is looked for in
    #[arg(long, default_value = "default")]
    pub project: String,
}

/// `hostler vm adopt`.
#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// Its name or id, as `hostler vm unclaimed` lists it
    pub machine: String,
    /// The node it is on, by name or id
    #[arg(long)]
    pub node: Option<String>,
    /// The project it is to belong to; else the one it was made for
    #[arg(long)]
    pub project: Option<String>,
    /// What to call it; else as it was made
    #[arg(long)]
    pub name: Option<String>,
}

/// `hostler vm create`.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools)] // They are flags of a command line.
pub(crate) struct VmCreateArgs {
    /// What to call it
    pub name: String,
    /// The image of its disk, as NAME or NAME:VERSION
    #[arg(long, value_name = "NAME[:VERSION]")]
    pub image: Option<String>,
    /// The project it belongs to
    #[arg(long, default_value = "default")]
    pub project: String,
    /// Virtual processors
    #[arg(long, default_value_t = 1)]
    pub cpus: u32,
    /// Memory, such as 2GiB
    #[arg(long, default_value = "1GiB")]
    pub memory: Bytes,
    /// Its disk, such as 20GiB; else as large as its image
    #[arg(long)]
    pub disk: Option<Bytes>,
    /// A further disk, such as data=10GiB; may be repeated
    #[arg(long = "extra-disk", value_name = "NAME=SIZE", value_parser = pair)]
    pub extra_disks: Vec<(String, String)>,
    /// A file of public keys that may log in; may be repeated
    #[arg(long = "ssh-key", value_name = "FILE")]
    pub ssh_keys: Vec<PathBuf>,
    /// A file of user data: a #cloud-config or a script
    #[arg(long, value_name = "FILE")]
    pub user_data: Option<PathBuf>,
    /// The guest's user; else the one of its image
    #[arg(long)]
    pub user: Option<String>,
    /// Read a password for the user from standard input
    #[arg(long)]
    pub password_stdin: bool,
    /// The guest's host name; else its name
    #[arg(long)]
    pub hostname: Option<String>,
    /// The guest's keyboard, such as de
    #[arg(long)]
    pub keyboard: Option<String>,
    /// Start its system by UEFI instead of the BIOS
    #[arg(long)]
    pub uefi: bool,
    /// A bridge of its node to connect it to; may be repeated
    #[arg(long = "bridge", value_name = "BRIDGE")]
    pub bridges: Vec<String>,
    /// A label of its own; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = pair)]
    pub labels: Vec<(String, String)>,
    /// A label that its node must have; may be repeated
    #[arg(long = "on", value_name = "KEY=VALUE", value_parser = pair)]
    pub node_labels: Vec<(String, String)>,
    /// The only node it may run on, by name or id
    #[arg(long)]
    pub node: Option<String>,
    /// What to do when its node is lost: wait for the node, or restart, which
    /// has it switched off there as soon as the node is alone
    #[arg(long, value_name = "wait|restart", value_parser = on_node_loss)]
    pub on_node_loss: Option<OnNodeLoss>,
    /// When its node is lost, begin anew elsewhere from the image; what it
    /// wrote is gone then. Goes with --on-node-loss restart, which it implies
    #[arg(long)]
    pub begin_anew: bool,
    /// Refuse to delete it
    #[arg(long)]
    pub protected: bool,
    /// Make it and leave it off
    #[arg(long)]
    pub stopped: bool,
    /// Make nothing, and say where it would go
    #[arg(long)]
    pub dry_run: bool,
    /// Return when it runs, instead of at once
    #[arg(long)]
    pub wait: bool,
    /// Seconds to wait until it runs
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    pub timeout: u64,
}

/// `hostler vm resize`.
#[derive(Debug, Args)]
pub(crate) struct ResizeArgs {
    #[command(flatten)]
    pub which: WhichVm,
    /// Virtual processors
    #[arg(long)]
    pub cpus: Option<u32>,
    /// Memory, such as 2GiB
    #[arg(long)]
    pub memory: Option<Bytes>,
    /// Its disk, such as 40GiB
    #[arg(long)]
    pub disk: Option<Bytes>,
}

/// `hostler vm snapshot`.
#[derive(Debug, Subcommand)]
pub(crate) enum SnapshotCommand {
    /// Take a snapshot
    Create {
        #[command(flatten)]
        which: WhichVm,
        /// What to call it
        name: String,
        /// With the guest's memory, if it runs
        #[arg(long)]
        memory: bool,
        /// Return when it is taken, instead of at once
        #[arg(long)]
        wait: bool,
    },
    /// List snapshots
    Ls(WhichVm),
    /// Remove a snapshot
    Rm {
        #[command(flatten)]
        which: WhichVm,
        /// Its name or id
        name: String,
    },
    /// Go back to a snapshot; what was written since is gone
    Rollback {
        #[command(flatten)]
        which: WhichVm,
        /// Its name or id
        name: String,
    },
}

/// `hostler vm share`.
#[derive(Debug, Subcommand)]
pub(crate) enum ShareCommand {
    /// Make a link; its secret is shown once
    Create {
        #[command(flatten)]
        which: WhichVm,
        /// What it is for
        #[arg(long, default_value = "")]
        name: String,
        /// How long it is good, such as 30m or 2h
        #[arg(long, default_value = "1h", value_name = "TIME")]
        ttl: humantime::Duration,
    },
    /// List links
    Ls(WhichVm),
    /// Revoke a link and cut who uses it
    Rm {
        #[command(flatten)]
        which: WhichVm,
        /// Its id
        id: uuid::Uuid,
    },
}

/// `hostler image`.
#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Upload a disk and make it an image
    Add {
        /// The disk: qcow2 or raw; others are converted by qemu-img
        file: PathBuf,
        /// What to call it; else the file's name
        #[arg(long, value_name = "NAME[:VERSION]")]
        name: Option<String>,
        /// The project it belongs to
        #[arg(long, default_value = "default")]
        project: String,
        /// The user that can log in
        #[arg(long)]
        user: Option<String>,
        /// The machines it runs on
        #[arg(long, default_value = "x86_64")]
        arch: String,
        /// It is a raw disk, whatever it is called
        #[arg(long)]
        raw: bool,
    },
    /// Upload a disk and its metadata file of Distribox
    Import {
        /// The .metadata.yaml
        metadata: PathBuf,
        /// The disk; else the one that the metadata names, beside it
        #[arg(long)]
        file: Option<PathBuf>,
        /// The project it belongs to
        #[arg(long, default_value = "default")]
        project: String,
    },
    /// List images
    Ls {
        /// Only this project's
        #[arg(long)]
        project: Option<String>,
    },
    /// Take an image out of the catalogue
    Rm {
        /// As NAME:VERSION, or its id
        image: String,
        /// The project a name is looked for in
        #[arg(long, default_value = "default")]
        project: String,
    },
}
