//! What goes wrong in the fake world, call by call.

use std::collections::VecDeque;

use hostler_core::runner::RunnerId;
use tokio_util::sync::CancellationToken;

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

/// When a manager dies: at which call of a kind, counted from now and from
/// zero, and whether that call is done before.
#[derive(Clone, Debug)]
pub struct Death {
    /// At a release; else at a create.
    pub at_release: bool,
    /// At which of them.
    pub at: usize,
    /// Whether it is done.
    pub is_done: bool,
    /// Ends the manager.
    pub token: CancellationToken,
}

/// The death in one call, if there is one. Whoever dies hears nothing more.
#[derive(Debug, Default)]
pub(super) struct Doom(Option<Death>);

impl Doom {
    pub(super) async fn before(&self) {
        self.strike(false).await;
    }

    pub(super) async fn after(&self) {
        self.strike(true).await;
    }

    async fn strike(&self, is_done: bool) {
        if let Some(death) = self.0.as_ref().filter(|death| death.is_done == is_done) {
            death.token.cancel();
            std::future::pending::<()>().await;
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    death: Option<Death>,
    create: VecDeque<Fault>,
    cordon: VecDeque<Fault>,
    release: VecDeque<Fault>,
}

impl Faults {
    pub(super) fn dies(&mut self, death: Death) {
        self.death = Some(death);
    }

    pub(super) fn death_at_create(&mut self) -> Doom {
        self.doom(false)
    }

    pub(super) fn death_at_release(&mut self) -> Doom {
        self.doom(true)
    }

    fn doom(&mut self, at_release: bool) -> Doom {
        match &mut self.death {
            Some(death) if death.at_release != at_release => Doom(None),
            Some(death) if death.at > 0 => {
                death.at -= 1;
                Doom(None)
            }
            death => Doom(death.take()),
        }
    }

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
