//! The process of one machine: started once, found again, ended with all that
//! it has started.
//!
//! It notes its own pid and start time under a lock, before it becomes the
//! program: whenever the manager dies, the next one either finds the note or
//! starts a second process, which finds the lock taken or the note, and ends.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use hostler_daemon::process::{ProcessId, Signal};
use rustix::process::{Pid, kill_process_group};
use tokio::process::Command;

use super::folder::{Folder, Known};
use super::options::{Clear, LocalOptions};

/// Arguments: the folder, then the program and its arguments. The name of a
/// shell holds no space, so the start time is the 22nd word.
const START: &str = r#"cd "$0" && exec 9>lock && flock -n 9 || exit 0
[ -e process ] && exit 0
read -r stat < /proc/$$/stat
started=$(echo "$stat" | cut -d' ' -f22)
echo "$$ $started" > process.draft && mv process.draft process
exec "$@" 9>&-"#;

/// Starts the machine's process; it notes itself a moment later.
pub(super) fn start(options: &LocalOptions, folder: &Folder, known: &Known) -> io::Result<()> {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.path("log"))?;
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(START)
        .arg(&folder.0)
        .args(&options.command);
    command.arg("--data").arg(folder.path("data"));
    command.arg("--name").arg(name(known));
    command.arg("--label").arg(format!("runner={}", known.id));
    for (key, value) in &known.labels {
        command.arg("--label").arg(format!("{key}={value}"));
    }
    command.args(size(known));
    // A machine of its own knows nothing of our settings, and no secret of ours.
    command.env_clear();
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let mut child = command.process_group(0).spawn()?;
    tokio::spawn(async move { child.wait().await });
    Ok(())
}

/// What it says that it has, where its pool says it.
fn size(known: &Known) -> Vec<String> {
    let mut words = vec!["--slots".to_owned(), known.slots.to_string()];
    let (cpu, memory) = (known.shape.cpu, known.shape.memory);
    if cpu.as_millis() > 0 {
        words.extend(["--cpus".to_owned(), format!("{}m", cpu.as_millis())]);
    }
    if memory.get() > 0 {
        words.extend(["--memory".to_owned(), memory.get().to_string()]);
    }
    words
}

/// People read node names: 12 digits of the id's UUID tell as many machines
/// apart as there ever are at a time, and one that is refused is replaced.
fn name(known: &Known) -> String {
    let id = known.id.as_str();
    let uuid = id.strip_prefix(hostler_core::runner::RunnerId::PREFIX);
    let short: String = uuid.unwrap_or(id).chars().take(13).collect();
    format!("runner-{}", short.trim_end_matches('-'))
}

/// Tells it to end, and after its grace ends it with its whole group. Returns
/// at once: it is asked again at every look.
pub(super) fn end(folder: &Folder, process: Option<ProcessId>, grace: Duration) {
    let Some(process) = process.filter(|process| process.lives()) else {
        return;
    };
    let asked = fs::metadata(folder.path("released")).and_then(|file| file.modified());
    let waited = asked
        .ok()
        .and_then(|asked| SystemTime::now().duration_since(asked).ok());
    if waited.unwrap_or_default() < grace {
        let told = folder.path("told");
        if !told.exists() {
            process.signal(Signal::TERM);
            let _ = fs::write(told, "");
        }
        return;
    }
    if let Some(group) = Pid::from_raw(process.pid) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Kills everything that works in or with a dead machine's folder, and then
/// removes what it has left elsewhere; whether nothing is left.
pub(super) fn sweep(clear: &Clear, folder: &Folder) -> bool {
    let leavings = leavings(folder);
    for process in &leavings {
        process.signal(Signal::KILL);
    }
    let cleared = clear(&folder.path("data"));
    if let Err(error) = &cleared {
        tracing::warn!(path = %folder.0.display(), %error, "a dead machine is not cleared yet");
    }
    leavings.is_empty() && cleared.is_ok()
}

fn leavings(folder: &Folder) -> Vec<ProcessId> {
    let mut path = folder.0.as_os_str().as_bytes().to_vec();
    path.push(b'/');
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let mine = std::process::id().cast_signed();
    let is_its = |pid: &i32| *pid != mine && works_in(*pid, &path);
    pids.filter(is_its).filter_map(ProcessId::of).collect()
}

/// Whether an argument or the working folder is below the path.
fn works_in(pid: i32, path: &[u8]) -> bool {
    let folder = fs::read_link(format!("/proc/{pid}/cwd"));
    let folder = folder.is_ok_and(|cwd| {
        [cwd.as_os_str().as_bytes(), b"/"]
            .concat()
            .starts_with(path)
    });
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    folder
        || words
            .split(|byte| *byte == 0)
            .any(|word| word.starts_with(path))
}
