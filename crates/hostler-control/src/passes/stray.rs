//! The pass that looks into what heartbeats remarked. It runs in every control
//! plane, each for the heartbeats it answered: an order names a generation, so
//! it does no harm to send it twice.

use super::{Outcome, Pass, PassError, Stray};
use crate::nodes::Order;
use crate::state::App;

/// The pass.
pub(crate) struct StrayPass(pub(crate) App);

impl Pass for StrayPass {
    const NAME: &'static str = "strays";
    const ON_WORK: bool = true;

    async fn run(&mut self) -> Result<Outcome, PassError> {
        let remarks = self.0.strays.take();
        let count = remarks.len();
        for (node, workload, stray) in remarks {
            let order = match stray {
                Stray::Retire(generation) => Order::Retire(generation),
                Stray::Missing => Order::Again,
            };
            self.0.calls.order(&self.0, node, workload, order);
        }
        Ok(Outcome::Did(count))
    }
}
