//! What can go wrong with the inner server.

use std::io;
use std::path::PathBuf;

use hostler_daemon::secret::SecretError;
use hostler_wire::nats::jwt::JwtError;
use hostler_wire::nats::nkey::KeyError;

/// The inner server could not be started, or not spoken for.
#[derive(Debug, thiserror::Error)]
pub enum InnerError {
    /// A file could not be read or written.
    #[error("could not use {path}")]
    Files {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A key could not be kept.
    #[error("could not keep a key of the inner server")]
    Secret(#[from] SecretError),
    /// A key could not be read.
    #[error("could not read a key of the inner server")]
    Key(#[from] KeyError),
    /// A key could not be made.
    #[error("could not make a key of the inner server")]
    Crypto(#[source] nkeys::error::Error),
    /// A credential could not be signed.
    #[error("could not sign a credential for the inner server")]
    Sign(#[from] JwtError),
    /// The program could not be started.
    #[error("could not start {program}; is nats-server installed?")]
    Spawn {
        /// Which.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It started and did not greet in time.
    #[error("the inner nats-server did not answer on port {port} in time; see {log}")]
    Silent {
        /// Where it should listen.
        port: u16,
        /// What it said.
        log: PathBuf,
    },
    /// No port could be had.
    #[error("could not find a free port on 127.0.0.1")]
    Port(#[source] io::Error),
}

impl InnerError {
    /// An error of this file.
    pub(crate) fn files(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Files { path, source }
    }
}
