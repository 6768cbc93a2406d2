//! Host services: what functions may have the node do for them, with the
//! node's own credentials on the control NATS (protocol 6.7).
//!
//! ```text
//!  agentint.{slot}.rpc.… ─▶ who is in this slot? ─▶ which service? may it? ─▶ do it ─▶ answer
//! ```
//!
//! Whose call it is, is what the node recorded of the slot, whatever namespace
//! and name the subject claims. A slot has a say while its function listens.
//! Each call has its own task and its own time; how many a slot may have under
//! way is bounded, so that one function cannot take the others' turn.
//!
//! What must never happen: an answer outside of the inbox of the slot that
//! asked; a bucket of another workload; a message on a subject of ours or of
//! the server; a connection to an address that is not allowed.

mod answer;
mod http;
mod kv;
mod listen;
mod messaging;
mod objects;
mod options;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hostler_core::id::SlotId;
use tokio::sync::Semaphore;

use crate::relay::Speaker;

pub use options::{HttpOptions, MessagingOptions, ServiceOptions, StoreOptions};

/// Calls that a slot may have under way.
const CALLS_AT_ONCE: usize = 32;

/// The host services of a node. Cloning gives another handle.
#[derive(Clone)]
pub(crate) struct Services(Arc<Shared>);

struct Shared {
    options: ServiceOptions,
    client: async_nats::Client,
    http: Option<http::Http>,
    residents: Mutex<HashMap<SlotId, Resident>>,
}

/// Who is in a slot.
#[derive(Clone)]
struct Resident {
    speaker: Speaker,
    places: Arc<Semaphore>,
}

/// A function that may call, for as long as this lives.
pub(crate) struct Admitted {
    shared: Arc<Shared>,
    slot: SlotId,
}

/// What is asked, and for whom.
struct Call {
    whose: Speaker,
    method: String,
    /// A key, a subject, a name or an address.
    name: Option<String>,
    body: Bytes,
}

impl Services {
    /// Services that use this connection.
    pub(crate) fn new(options: ServiceOptions, client: async_nats::Client) -> Self {
        Self(Arc::new(Shared {
            http: options.http.clone().map(http::Http::new),
            options,
            client,
            residents: Mutex::default(),
        }))
    }

    /// Lets the function of a slot call.
    pub(crate) fn admit(&self, speaker: &Speaker) -> Admitted {
        let resident = Resident {
            speaker: speaker.clone(),
            places: Arc::new(Semaphore::new(CALLS_AT_ONCE)),
        };
        self.0.residents().insert(speaker.slot, resident);
        let shared = Arc::clone(&self.0);
        Admitted {
            shared,
            slot: speaker.slot,
        }
    }
}

impl Shared {
    fn resident(&self, slot: SlotId) -> Option<Resident> {
        self.residents().get(&slot).cloned()
    }

    fn residents(&self) -> MutexGuard<'_, HashMap<SlotId, Resident>> {
        self.residents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.shared.residents().remove(&self.slot);
    }
}

impl std::fmt::Debug for Admitted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Admitted").field(&self.slot).finish()
    }
}
