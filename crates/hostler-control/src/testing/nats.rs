//! A NATS server with JetStream, for one test.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::eventually;

/// Ends with the test.
pub(crate) struct NatsServer {
    child: Child,
    pub(crate) url: String,
    _folder: TempDir,
}

impl NatsServer {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap();
        let child = Command::new("nats-server")
            .args(["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", path])
            .args(["--ports_file_dir", path])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need nats-server (on Debian: apt-get install nats-server)");
        let file = folder
            .path()
            .join(format!("nats-server_{}.ports", child.id()));
        let url = || {
            let text = std::fs::read_to_string(&file).ok()?;
            let ports: Value = serde_json::from_str(&text).ok()?;
            ports["nats"][0].as_str().map(str::to_owned)
        };
        eventually("the server has a port", || url().is_some()).await;
        Self {
            child,
            url: url().unwrap(),
            _folder: folder,
        }
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
