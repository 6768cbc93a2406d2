//! Stops leased work at the end of the lease. Waits for nothing but the clock.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Lease;
use crate::vms::Vms;
use crate::workloads::Workloads;

/// The runtime's timers do not count while the machine sleeps, the lease's
/// clock does; so the clock is looked at this often, whatever the timers say.
const LOOK: Duration = Duration::from_millis(500);

/// Runs until `stop`.
pub(crate) async fn watch(
    lease: Lease,
    workloads: Workloads,
    vms: Option<Vms>,
    stop: CancellationToken,
) {
    let mut ends = lease.ends();
    loop {
        let end = *ends.borrow_and_update();
        let left = end.map(|end| end.saturating_sub(lease.now()));
        if left == Some(Duration::ZERO) {
            workloads
                .fence("this node's lease has ended: the control plane did not answer in time");
            if let Some(vms) = &vms {
                vms.fence();
            }
        }
        let pause = match left {
            Some(left) if !left.is_zero() => left.min(LOOK),
            // Over already: look again in case something slipped in.
            Some(_) => LOOK,
            None => Duration::from_hours(1),
        };
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ends.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
