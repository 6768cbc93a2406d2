//! What goes wrong in the fake world, call by call.

use std::collections::VecDeque;

use hostler_core::runner::RunnerId;

use crate::provider::ProviderError;

/// A call that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// `create`.
    Create(RunnerId),
    /// `cordon`, and whether to close.
    Cordon(RunnerId, bool),
    /// `release`.
    Release(RunnerId),
}

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The next create goes well.
    CreateWell,
    /// The next create fails so, and nothing is done.
    Create(ProviderError),
    /// The next create is done, and its answer is lost.
    CreateUnheard,
    /// The next cordon fails so.
    Cordon(ProviderError),
    /// The next release fails so, and nothing is done.
    Release(ProviderError),
    /// The next release is done, and its answer is lost.
    ReleaseUnheard,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    create: VecDeque<Fault>,
    cordon: VecDeque<Fault>,
    release: VecDeque<Fault>,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        let queue = match fault {
            Fault::CreateWell | Fault::Create(_) | Fault::CreateUnheard => &mut self.create,
            Fault::Cordon(_) => &mut self.cordon,
            Fault::Release(_) | Fault::ReleaseUnheard => &mut self.release,
        };
        queue.push_back(fault);
    }

    /// `Err`: the call fails and nothing is done. `Ok(Some)`: it is done, and
    /// this is answered.
    pub(super) fn next(&mut self, call: &Call) -> Result<Option<ProviderError>, ProviderError> {
        let fault = match call {
            Call::Create(_) => self.create.pop_front(),
            Call::Cordon(..) => self.cordon.pop_front(),
            Call::Release(_) => self.release.pop_front(),
        };
        match fault {
            None | Some(Fault::CreateWell) => Ok(None),
            Some(Fault::CreateUnheard | Fault::ReleaseUnheard) => {
                let text = "the connection broke".to_owned();
                Ok(Some(ProviderError::Unreachable(text)))
            }
            Some(Fault::Create(error) | Fault::Cordon(error) | Fault::Release(error)) => Err(error),
        }
    }
}
