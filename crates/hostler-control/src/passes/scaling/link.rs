//! Nodes that joined before their provider showed whose machines they are.

use hostler_core::runner::member::runner_of;
use hostler_store::By;

use super::look::Look;
use super::{Scaling, ScalingError};

impl Scaling {
    /// Links what is shown by now; how many. The decision waits for the next
    /// look: to this one, such a runner has not joined.
    pub(super) async fn link(&self, look: &Look) -> Result<usize, ScalingError> {
        let by = By::new("hostler", look.now);
        let shown = || look.snapshot.runners.values().map(AsRef::as_ref);
        let mut linked = 0;
        for row in &look.strangers {
            if let Ok(Some(id)) = runner_of(&row.labels, shown()) {
                let store = &self.app.store;
                linked += usize::from(store.runner_link(&by, &id, row.facts.id).await?);
            }
        }
        Ok(linked)
    }
}
