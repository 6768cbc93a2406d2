//! `hostler rootfs`: what microVMs boot.

use anyhow::{Context as _, Result};
use hostler_node::rootfs::{BuildOptions, KernelFiles, Record, Step, build};
use serde::Serialize;

use crate::args::{RootfsBuildArgs, RootfsCommand};
use crate::output::{self, Output};
use crate::up;

/// What was made, and where.
#[derive(Serialize)]
struct Made {
    folder: std::path::PathBuf,
    #[serde(flatten)]
    record: Record,
}

/// Performs one of them.
pub(crate) async fn perform(command: RootfsCommand, output: Output) -> Result<()> {
    match command {
        RootfsCommand::Build(args) => make(args, output).await,
    }
}

async fn make(args: RootfsBuildArgs, output: Output) -> Result<()> {
    let kernel = args.kernel.zip(args.modules);
    let options = BuildOptions {
        out: args.out,
        agent: up::agent(args.agent.as_deref())?,
        kernel: kernel.map(|(kernel, modules)| KernelFiles { kernel, modules }),
    };
    let folder = options.out.clone();
    let progress = output.progress("Making what microVMs boot".to_owned());
    let built = tokio::task::spawn_blocking(move || {
        let built = build(&options, |step| progress.say(word(step).to_owned()));
        drop(progress);
        built
    });
    let record = built.await.context("the build")??;
    let made = Made { folder, record };
    output.show(&made, |made| {
        output::facts(&[
            ("folder", made.folder.display().to_string()),
            ("kernel", made.record.kernel.clone()),
            ("size", format!("{} MiB", made.record.size >> 20)),
            ("modules", made.record.modules.join(", ")),
            ("sha256", made.record.sha256.clone()),
        ])
    })
}

fn word(step: Step) -> &'static str {
    match step {
        Step::Kernel => "Fetching and unpacking the kernel",
        Step::Agent => "Making the agent smaller",
        Step::Pack => "Packing the first file system",
    }
}
