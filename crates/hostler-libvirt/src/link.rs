//! The connection to libvirt: made when it is needed, made anew when it broke,
//! and used on threads of their own, few at once. Whoever stops waiting leaves a
//! call behind that ends when libvirt answers it.

use std::sync::{Arc, Mutex, PoisonError};

use hostler_node::hypervisor::machines::MachineError;
use tokio::sync::Semaphore;
use virt::connect::Connect;
use virt::error::{Error, ErrorNumber};

/// Calls at once.
const CALLS: usize = 8;

/// A connection. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub(crate) struct Link(Arc<Shared>);

struct Shared {
    uri: String,
    connect: Mutex<Option<Connect>>,
    calls: Arc<Semaphore>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Connects at the first call.
    pub(crate) fn new(uri: &str) -> Self {
        // Else libvirt writes every error to our standard error.
        virt::error::clear_error_callback();
        Self(Arc::new(Shared {
            uri: uri.to_owned(),
            connect: Mutex::default(),
            calls: Arc::new(Semaphore::new(CALLS)),
        }))
    }

    /// Asks libvirt something that blocks.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connect) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, MachineError> {
        self.act(move |connect| ask(connect).map_err(|error| told(&error)))
            .await
    }

    /// The same for what has reasons of its own to fail.
    pub(crate) async fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Connect) -> Result<T, MachineError> + Send + 'static,
    ) -> Result<T, MachineError> {
        let away = |_| MachineError::Away("the driver is closed".to_owned());
        let permit = Arc::clone(&self.0.calls)
            .acquire_owned()
            .await
            .map_err(away)?;
        let shared = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let connect = shared.connect()?;
            act(&connect)
        });
        done.await
            .unwrap_or_else(|error| Err(MachineError::Away(error.to_string())))
    }
}

impl Shared {
    fn connect(&self) -> Result<Connect, MachineError> {
        let mut held = self.connect.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connect) = held.as_ref()
            && connect.is_alive().unwrap_or(false)
        {
            return Ok(connect.clone());
        }
        *held = None;
        let away = |error: Error| MachineError::Away(error.message().to_owned());
        let connect = Connect::open(Some(&self.uri)).map_err(away)?;
        Ok(held.insert(connect).clone())
    }
}

/// What an error of libvirt means for whoever asked.
pub(crate) fn told(error: &Error) -> MachineError {
    let text = format!("libvirt: {}", error.message());
    match error.code() {
        ErrorNumber::SystemError
        | ErrorNumber::NoConnect
        | ErrorNumber::InvalidConn
        | ErrorNumber::Rpc
        | ErrorNumber::NoMemory
        | ErrorNumber::OperationTimeout
        | ErrorNumber::AuthFailed => MachineError::Away(text),
        ErrorNumber::XmlError
        | ErrorNumber::XmlDetail
        | ErrorNumber::XmlInvalidSchema
        | ErrorNumber::ConfigUnsupported
        | ErrorNumber::NoSupport
        | ErrorNumber::ArgumentUnsupported
        | ErrorNumber::InvalidArg => MachineError::Refused(text),
        _ => MachineError::Failed(text),
    }
}
