//! The folder and the server process of a cluster.
//!
//! PostgreSQL refuses to run as root, so root starts it as `nobody`. The
//! server is our child: a thread waits for it, and the kernel stops it when
//! that thread ends, so that it outlives not even a test that is killed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use super::PostgresError;

const PATIENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct Cluster {
    server: Option<Pid>,
    waiter: Option<JoinHandle<()>>,
    // Removed last, when the server is gone.
    folder: TempDir,
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> PostgresError {
    move |source| PostgresError::Io { doing, source }
}

impl Cluster {
    pub(super) fn start() -> Result<Self, PostgresError> {
        let folder = tempfile::Builder::new().prefix("hostler-pg-").tempdir();
        let folder = folder.map_err(failed("making a folder"))?;
        let mut cluster = Self {
            server: None,
            waiter: None,
            folder,
        };
        cluster.give_folder_away()?;
        cluster.initialise()?;
        cluster.launch()?;
        cluster.await_ready()?;
        Ok(cluster)
    }

    /// Where its socket is.
    pub(super) fn socket(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn create_database(&self, name: &str) -> Result<(), PostgresError> {
        let mut createdb = self.program("createdb")?;
        createdb
            .args(["--username", "postgres", "--host"])
            .arg(self.socket())
            .arg(name);
        succeed(&mut createdb).map(drop)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn give_folder_away(&self) -> Result<(), PostgresError> {
        if geteuid().is_root() {
            let path = self.folder.path();
            let (user, group) = nobody()?;
            std::os::unix::fs::chown(path, Some(user), Some(group))
                .map_err(failed("giving the folder to nobody"))?;
        }
        Ok(())
    }

    fn initialise(&self) -> Result<(), PostgresError> {
        let mut initdb = self.program("initdb")?;
        initdb.args([
            "--auth",
            "trust",
            "--username",
            "postgres",
            "--encoding",
            "UTF8",
        ]);
        initdb.args([
            "--locale",
            "C",
            "--no-instructions",
            "--no-sync",
            "--pgdata",
        ]);
        succeed(initdb.arg(self.data())).map(drop)
    }

    fn launch(&mut self) -> Result<(), PostgresError> {
        let mut postgres = self.program("postgres")?;
        postgres
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.socket());
        postgres.args(["-c", "listen_addresses=", "-c", "max_connections=200"]);
        postgres.stdout(Stdio::null()).stderr(Stdio::null());
        let (started, starting) = mpsc::channel();
        self.waiter = Some(thread::spawn(move || wait_for(postgres.spawn(), &started)));
        let gone = || io::Error::other("the thread that waits for it ended");
        let pid = starting.recv().unwrap_or_else(|_| Err(gone()));
        self.server = Some(pid.map_err(failed("starting the server"))?);
        Ok(())
    }

    fn await_ready(&self) -> Result<(), PostgresError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut ready = self.program("pg_isready")?;
            ready.args(["--quiet", "--host"]).arg(self.socket());
            match succeed(&mut ready) {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// One of PostgreSQL's programs, as a user it accepts, to be stopped when
    /// the thread that starts it ends.
    fn program(&self, name: &'static str) -> Result<Command, PostgresError> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]);
        if geteuid().is_root() {
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
        }
        command
            .arg(find(name)?)
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        Ok(command)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            // Immediate shutdown; a server that is gone already is as well.
            let _ = kill_process(server, Signal::QUIT);
        }
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.join();
        }
    }
}

fn wait_for(spawned: io::Result<Child>, started: &mpsc::Sender<io::Result<Pid>>) {
    let pid = spawned.map(|child| (Pid::from_child(&child), child));
    match pid {
        Ok((pid, mut child)) => {
            let _ = started.send(Ok(pid));
            let _ = child.wait();
        }
        Err(error) => {
            let _ = started.send(Err(error));
        }
    }
}

fn succeed(command: &mut Command) -> Result<Output, PostgresError> {
    let output = command
        .output()
        .map_err(failed("running one of its programs"))?;
    if output.status.success() {
        return Ok(output);
    }
    let written = [output.stdout, output.stderr].concat();
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    Err(PostgresError::Failed {
        command: arguments.join(" "),
        output: String::from_utf8_lossy(&written).into_owned(),
    })
}

/// Where one of PostgreSQL's programs is, of the newest version where several are.
fn find(program: &'static str) -> Result<PathBuf, PostgresError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let number = |version: &OsString| version.to_string_lossy().parse().unwrap_or(0_u32);
    let mut versions: Vec<_> = installed.map(|version| version.file_name()).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(number(version)));
    let beside = versions
        .into_iter()
        .map(|v| Path::new("/usr/lib/postgresql").join(v).join("bin"));
    let folders = std::env::split_paths(&path).chain(beside);
    let mut programs = folders.map(|folder| folder.join(program));
    programs
        .find(|program| program.is_file())
        .ok_or(PostgresError::Missing(program))
}

/// User and group ids of `nobody`.
fn nobody() -> Result<(u32, u32), PostgresError> {
    let passwd = std::fs::read_to_string("/etc/passwd").map_err(failed("looking for nobody"))?;
    let line = passwd.lines().find(|line| line.starts_with("nobody:"));
    let mut fields = line.unwrap_or_default().split(':').skip(2).map(str::parse);
    match (fields.next(), fields.next()) {
        (Some(Ok(user)), Some(Ok(group))) => Ok((user, group)),
        _ => Err(failed("looking for nobody")(io::Error::other(
            "there is no such user",
        ))),
    }
}
