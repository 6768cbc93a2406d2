//! `hostler node preflight`: whether this machine can be a node, by the
//! original's configuration if there is one, and mending what can be mended.

use std::io::{BufRead, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use hostler_node::{MachineConfig, NatsOptions};
use serde_json::json;

use super::Ground;
use super::finding::{Finding, missing, table};
use super::list::{Purpose, findings};
use crate::commands::node_up::machine_config;
use crate::context::data_folder;
use crate::nex::PreflightArgs;
use crate::output::Output;

/// Looks, mends what may be mended, and fails if anything is missing then.
pub(crate) async fn preflight(
    args: PreflightArgs,
    nats: Option<NatsOptions>,
    output: Output,
) -> Result<()> {
    let config = configuration(&args, output)?;
    // Without a configuration this is a node of a fleet, whose slots are processes.
    let purpose = match &config {
        Some(config) if config.sandboxed() => Purpose::Machines,
        _ => Purpose::Processes,
    };
    let force = args.force && !args.no_force;
    let ground = ground(args, config, nats)?;
    let mut found = findings(purpose, &ground).await;
    if force || !output.json {
        show_and_mend(&found, force, output)?;
        found = findings(purpose, &ground).await;
    }
    if output.json {
        output.show(&found, |found| table(found))?;
    }
    match missing(&found) {
        0 => Ok(()),
        count => bail!("preflight checks failed: {count} missing"),
    }
}

fn ground(
    args: PreflightArgs,
    config: Option<MachineConfig>,
    nats: Option<NatsOptions>,
) -> Result<Ground> {
    let data = args.data;
    Ok(Ground {
        data: data.map_or_else(|| Ok(data_folder()?.join("node")), anyhow::Ok)?,
        config: config.unwrap_or_default(),
        nats,
        programs: args.programs,
        from: args.from,
    })
}

/// What the node is told, written first if that is wanted.
fn configuration(args: &PreflightArgs, output: Output) -> Result<Option<MachineConfig>> {
    let usual = Path::new("./config.json");
    let path = match (&args.config, &args.init) {
        (Some(path), _) => path.as_path(),
        (None, Some(_)) => usual,
        (None, None) => return Ok(None),
    };
    if let Some(kind) = &args.init {
        init(path, kind == "nosandbox", output)?;
    }
    machine_config(path).map(Some)
}

/// Writes a configuration to begin with; one that is there stays as it is.
fn init(path: &Path, is_bare: bool, output: Output) -> Result<()> {
    let mut file = match std::fs::File::create_new(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            output.remark(format!("{} is there, and stays as it is.", path.display()));
            return Ok(());
        }
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let text = format!("{:#}\n", starter(is_bare));
    file.write_all(text.as_bytes())?;
    output.remark(format!("Wrote {}.", path.display()));
    Ok(())
}

fn starter(is_bare: bool) -> serde_json::Value {
    let mut config = json!({
        "default_resource_dir": "/tmp/nex",
        "machine_pool_size": 1,
        "cni": { "network_name": "fcnet", "interface_name": "veth0", "subnet": "10.10.10.0/24" },
        "internal_node_host": "10.10.10.1",
        "machine_template": { "vcpu_count": 1, "memsize_mib": 256 },
        "tags": { "simple": "true" },
    });
    if is_bare {
        config["no_sandbox"] = true.into();
    }
    config
}

fn show_and_mend(found: &[Finding], force: bool, output: Output) -> Result<()> {
    if !output.json {
        output.show(&found, |found| table(found))?;
    }
    let mut answers = std::io::stdin().lock();
    let mut done = Vec::new();
    for finding in found.iter().filter(|finding| finding.stops()) {
        let Some(mending) = &finding.mending else {
            if !force {
                // As the original: whoever is asked of must be there.
                let ask = format!(
                    "{} is missing. {}. Go on? [y/N] ",
                    finding.what,
                    fix(finding)
                );
                agreed(&ask, &mut answers)?;
            }
            continue;
        };
        if done.contains(mending) {
            continue;
        }
        let ask = format!("{} is missing. Shall I {mending}? [y/N] ", finding.what);
        if force || agreed(&ask, &mut answers)? {
            mending.perform()?;
            output.remark(format!("Done: {mending}."));
        }
        done.push(mending.clone());
    }
    Ok(())
}

fn fix(finding: &Finding) -> &str {
    finding.fix.as_deref().unwrap_or_default()
}

/// Asks; an answer must come.
fn agreed(question: &str, answers: &mut impl BufRead) -> Result<bool> {
    eprint!("{question}");
    let mut answer = String::new();
    if answers.read_line(&mut answer)? == 0 {
        bail!("preflight checks failed: EOF");
    }
    Ok(matches!(answer.trim(), "y" | "Y"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one_and_no_answer_is_an_error() {
        let check = |text: &str, expected| {
            let answer = agreed("?", &mut text.as_bytes()).expect(text);
            assert_eq!(answer, expected, "{text}");
        };
        check("y\n", true);
        check("Y\n", true);
        check("\n", false);
        check("yes\n", false);
        let error = agreed("?", &mut &b""[..]).expect_err("nobody is there");
        assert_eq!(error.to_string(), "preflight checks failed: EOF");
    }

    #[test]
    fn a_configuration_to_begin_with_is_understood_and_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("c.json");
        let output = Output {
            json: false,
            quiet: true,
        };
        init(&path, true, output).expect("written");
        let (config, _) = MachineConfig::load(&path).expect("read");
        assert!(!config.sandboxed());
        assert_eq!(config.kernel(), Some("/tmp/nex/vmlinux".into()));
        init(&path, false, output).expect("left");
        assert!(!MachineConfig::load(&path).expect("read").0.sandboxed());
        let (config, _) = MachineConfig::read(starter(false).to_string().as_bytes()).expect("read");
        assert!(config.sandboxed());
    }
}
