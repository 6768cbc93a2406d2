//! A nats-server of one test, which can be killed and started again on the
//! same port.

use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};

use hostler_daemon::port;

pub(crate) struct Server {
    pub(crate) port: u16,
    child: Child,
}

impl Server {
    pub(crate) fn start() -> Self {
        let port = port::free(Ipv4Addr::LOCALHOST.into()).expect("a free port");
        let child = spawn(port);
        Self { port, child }
    }

    /// SIGKILL, and the port is free when this returns.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("waited for");
    }

    pub(crate) fn restart(&mut self) {
        self.child = spawn(self.port);
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(port: u16) -> Child {
    Command::new("nats-server")
        .args(["-a", "127.0.0.1", "-p", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server is installed")
}
