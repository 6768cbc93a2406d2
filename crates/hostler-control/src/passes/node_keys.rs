//! The pass that keeps a file with the public keys of all nodes, one a line.
//! Whoever runs the control NATS reads it and lets exactly those in: a node
//! that is removed is out as soon as the file says so. Each control plane has
//! a file of its own, so there is no lease.

use std::path::PathBuf;

use hostler_daemon::secret;

use super::{Outcome, Pass, PassError};
use crate::state::App;

/// The pass.
pub(crate) struct NodeKeys {
    app: App,
    file: PathBuf,
}

impl NodeKeys {
    pub(crate) const fn new(app: App, file: PathBuf) -> Self {
        Self { app, file }
    }
}

impl Pass for NodeKeys {
    const NAME: &'static str = "node-keys";
    const ON_WORK: bool = false;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let keys = self.app.store.node_nats_keys().await;
        let keys = keys.map_err(PassError::at("reading the nodes' keys"))?;
        let text: String = keys.iter().flat_map(|key| [key, "\n"]).collect();
        if std::fs::read_to_string(&self.file).is_ok_and(|kept| kept == text) {
            return Ok(Outcome::Did(0));
        }
        let written = secret::write(&self.file, text.as_bytes());
        written.map_err(PassError::at("writing the nodes' keys"))?;
        Ok(Outcome::Did(1))
    }
}
