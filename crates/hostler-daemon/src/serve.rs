//! Answering HTTP until a stop, in the clear or by TLS.
//!
//! Order: [`Tls::open`] while configuration is checked, then the port is
//! opened, then [`serve`]. After the stop no connection is taken, and requests
//! under way have a grace. Certificates are read again when their files
//! change; new ones that cannot be used are told of, and the old ones stay.
//!
//! What must never happen: an answer in the clear where TLS was asked for.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How often the files of a certificate are looked at.
const LOOK: Duration = Duration::from_secs(30);

/// Where a certificate is, both files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that signed it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl TlsFiles {
    /// The two files, of which none or both must be named.
    pub fn pair(
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
    ) -> Result<Option<Self>, HalfError> {
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            _ => Err(HalfError),
        }
    }
}

/// One of the two files is missing.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a certificate and its key are needed, both of them")]
pub struct HalfError;

/// A certificate could not be used.
#[derive(Debug, thiserror::Error)]
#[error("could not use the certificate {} with the key {}", files.certificate.display(), files.key.display())]
pub struct TlsError {
    files: TlsFiles,
    source: io::Error,
}

/// A certificate that is in use, and follows its files.
#[derive(Clone, Debug)]
pub struct Tls {
    files: TlsFiles,
    config: RustlsConfig,
}

impl Tls {
    /// Reads the files. Needs a cryptography provider
    /// ([`crate::telemetry::start`] comes first).
    pub async fn open(files: TlsFiles) -> Result<Self, TlsError> {
        match RustlsConfig::from_pem_file(&files.certificate, &files.key).await {
            Ok(config) => Ok(Self { files, config }),
            Err(source) => Err(TlsError { files, source }),
        }
    }

    /// Reads the files again, if they changed after `known`; when they did.
    pub async fn renew(&self, known: Option<SystemTime>) -> Option<SystemTime> {
        let changed = self.changed().await;
        if changed == known {
            return changed;
        }
        let TlsFiles { certificate, key } = &self.files;
        let taken = self.config.reload_from_pem_file(certificate, key).await;
        let file = certificate.display();
        match taken {
            Ok(()) => tracing::info!(%file, "took a new certificate"),
            Err(error) => {
                tracing::error!(%error, %file, "a new certificate cannot be used, the old one stays");
            }
        }
        changed
    }

    /// When the newer of the two files changed; `None` if one is not there.
    pub async fn changed(&self) -> Option<SystemTime> {
        let certificate = tokio::fs::metadata(&self.files.certificate).await.ok()?;
        let key = tokio::fs::metadata(&self.files.key).await.ok()?;
        let times = (certificate.modified().ok()?, key.modified().ok()?);
        Some(times.0.max(times.1))
    }

    async fn follow(self) {
        let mut known = self.changed().await;
        loop {
            tokio::time::sleep(LOOK).await;
            known = self.renew(known).await;
        }
    }
}

/// Answers requests until `stop`, and those under way for `grace` more. The
/// peer's address is with each request as `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Tls>,
    (stop, grace): (CancellationToken, Duration),
) -> io::Result<()> {
    match tls {
        Some(tls) => serve_tls(listener, router, tls, (stop, grace)).await,
        None => serve_clear(listener, router, (stop, grace)).await,
    }
}

async fn serve_clear(
    listener: TcpListener,
    router: Router,
    (stop, grace): (CancellationToken, Duration),
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let served =
        axum::serve(listener, service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let too_long = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = async { served.await } => ended,
        () = too_long => {
            tracing::warn!("open requests were cut off at the end");
            Ok(())
        }
    }
}

async fn serve_tls(
    listener: TcpListener,
    router: Router,
    tls: Tls,
    (stop, grace): (CancellationToken, Duration),
) -> io::Result<()> {
    let handle = Handle::new();
    let bound = axum_server::from_tcp_rustls(listener.into_std()?, tls.config.clone())?;
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = bound.handle(handle.clone()).serve(service);
    tokio::pin!(serving);
    tokio::select! {
        ended = &mut serving => return ended,
        () = stop.cancelled() => handle.graceful_shutdown(Some(grace)),
        () = tls.follow() => {}
    }
    serving.await
}

#[cfg(test)]
mod tests;
