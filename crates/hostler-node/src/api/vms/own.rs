//! The seed's API: VMs that somebody makes on this very node. They are the
//! node's own until the control plane adopts them by an order for the same id.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hostler_core::Bytes;
use hostler_core::id::VmId;
use hostler_core::vm::{Firmware, VmGoal, VmSize};
use hostler_core::workload::OnNodeLoss;
use hostler_wire::node_api::{DiskSource, Network, Nic, Seed, VmEntry, VmOrder};
use serde::Deserialize;

use super::{Id, goal, vms};
use crate::api::{Api, ApiError};
use crate::vms::VmEnsureError;

/// `POST /vms` on a node (seed, slave API).
#[derive(Debug, Deserialize)]
pub(super) struct Create {
    /// The digest of an image that this node has, or nothing for a blank disk.
    os: String,
    name: String,
    /// GiB.
    mem: u64,
    vcpus: u32,
    /// GiB.
    disk_size: u64,
    #[serde(default)]
    keyboard_layout: Option<String>,
    activate_at_start: bool,
}

pub(super) async fn create(
    State(api): State<Api>,
    body: Result<Json<Create>, JsonRejection>,
) -> Result<(StatusCode, Json<VmEntry>), ApiError> {
    let Json(body) = body?;
    let millis = chrono::Utc::now().timestamp_millis().unsigned_abs();
    let id = VmId::from_parts(millis, rand::random());
    let goal = if body.activate_at_start {
        VmGoal::Running
    } else {
        VmGoal::Stopped
    };
    let order = order(&api, body)?;
    let entry = vms(&api)?.local_create(id, goal, order).await?;
    Ok((StatusCode::CREATED, Json(entry)))
}

fn order(api: &Api, body: Create) -> Result<VmOrder, ApiError> {
    let gib = |gib: u64| Bytes::new(gib.saturating_mul(1 << 30));
    Ok(VmOrder {
        project: "default".to_owned(),
        root: root(api, &body.os)?,
        size: VmSize {
            cpus: body.vcpus,
            memory: gib(body.mem),
            disk: gib(body.disk_size),
        },
        firmware: Firmware::Bios,
        disks: Vec::new(),
        nics: vec![Nic {
            network: Network::Nat,
            mac: mac(rand::random()),
            incoming: None,
        }],
        seed: Seed {
            hostname: hostname(&body.name),
            keyboard: body.keyboard_layout,
            ..Seed::default()
        },
        name: body.name,
        autostart: body.activate_at_start,
        on_node_loss: OnNodeLoss::Wait,
        stop_deadline_ms: 50_000,
        reboots: 0,
        snapshots: Vec::new(),
        rollback: None,
    })
}

fn root(api: &Api, os: &str) -> Result<DiskSource, ApiError> {
    if os.is_empty() {
        return Ok(DiskSource::Blank);
    }
    let known = vms(api)?.image(os);
    let unknown = || {
        let text = format!("'{os}' is not the digest of an image that this node has");
        ApiError::Vm(VmEnsureError::Invalid(text))
    };
    known.ok_or_else(unknown)
}

fn mac([a, b, c]: [u8; 3]) -> String {
    format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")
}

/// A name for people as one for machines.
fn hostname(name: &str) -> String {
    let plain = |letter: char| match letter {
        'a'..='z' | '0'..='9' => letter,
        'A'..='Z' => letter.to_ascii_lowercase(),
        _ => '-',
    };
    let text: String = name.chars().take(63).map(plain).collect();
    let text = text.trim_matches('-');
    if text.is_empty() { "vm" } else { text }.to_owned()
}

pub(super) async fn start(State(api): State<Api>, id: Id) -> Result<Json<VmEntry>, ApiError> {
    let Path(id) = id?;
    Ok(Json(goal(&api, id, VmGoal::Running).await?))
}

pub(super) async fn stop(State(api): State<Api>, id: Id) -> Result<Json<VmEntry>, ApiError> {
    let Path(id) = id?;
    Ok(Json(goal(&api, id, VmGoal::Stopped).await?))
}

pub(super) async fn delete(State(api): State<Api>, id: Id) -> Result<StatusCode, ApiError> {
    let Path(id) = id?;
    goal(&api, id, VmGoal::Gone).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_makes_a_host_name() {
        for (name, expected) in [("Web 1", "web-1"), ("<b>", "b"), ("ü", "vm"), ("", "vm")] {
            assert_eq!(hostname(name), expected);
        }
    }
}
