//! What a row says of a machine that was made without one: all that its node
//! knows, and where it is.

use hostler_core::id::{NodeId, VmId};
use hostler_core::placement::Rules;
use hostler_core::vm::{DiskOnLoss, VmGoal};
use hostler_core::{Bytes, Generation, Name};
use hostler_store::{ImageRow, NewVm, VmAdoption, VmSpec};
use hostler_wire::node_api::{VmDefinition, VmOrder};
use hostler_wire::rest;

use super::{conflict, failed};
use crate::http::auth::User;
use crate::http::error::{ApiError, ApiResult, Code};
use crate::http::images;
use crate::http::page::name;
use crate::state::App;
use crate::vms::Shape;

/// The row that is to be written.
pub(super) async fn adoption(
    app: &App,
    user: &User,
    (id, generation, node): (VmId, Generation, NodeId),
    held: VmDefinition,
    body: &rest::VmAdopt,
) -> ApiResult<VmAdoption> {
    let VmDefinition { goal, order, .. } = held;
    if goal == VmGoal::Gone {
        return Err(conflict(
            "its node is removing it",
            "nothing is left to adopt",
        ));
    }
    let project = user.project_for(project(&order, body)?)?;
    let shape = Shape {
        firmware: order.firmware,
        root: order.root.clone(),
        disks: order.disks.clone(),
        nics: order.nics.clone(),
        autostart: order.autostart,
        stop_deadline_ms: order.stop_deadline_ms,
        is_forced: false,
        os: None,
        keyboard: order.seed.keyboard.clone(),
    };
    let image = image(app, &project, &shape).await?;
    let shape = Shape {
        os: image.as_ref().map(images::title),
        ..shape
    };
    let seed = serde_json::to_value(&order.seed);
    Ok(VmAdoption {
        id,
        node,
        generation,
        reboots: order.reboots,
        rollback: order.rollback.as_ref().map(|back| (back.number, back.to)),
        snapshots: order
            .snapshots
            .iter()
            .map(|one| (one.id, one.memory))
            .collect(),
        new: NewVm {
            spec: spec(project, &order, (shape, image), body)?,
            seed: seed.map_err(|error| ApiError::internal("writing a seed", &error))?,
            goal,
        },
    })
}

fn spec(
    project: Name,
    order: &VmOrder,
    (shape, image): (Shape, Option<ImageRow>),
    body: &rest::VmAdopt,
) -> ApiResult<VmSpec> {
    let rules = serde_json::to_value(Rules::default());
    let extra = order.disks.iter().map(|disk| disk.size.get());
    Ok(VmSpec {
        project,
        name: called(order, body)?,
        labels: hostler_core::Labels::new(),
        rules: rules.map_err(|error| ApiError::internal("writing rules", &error))?,
        pinned: None,
        size: order.size,
        extra_disk: Bytes::new(extra.fold(0, u64::saturating_add)),
        image: image.map(|image| image.id),
        shape: shape.value(),
        on_node_loss: order.on_node_loss,
        disk_on_loss: DiskOnLoss::Keep,
        description: String::new(),
        is_protected: false,
    })
}

/// The project that is asked for, else the one it was made for.
fn project(order: &VmOrder, body: &rest::VmAdopt) -> ApiResult<Option<Name>> {
    match &body.project {
        Some(asked) => name("project", Some(asked)),
        None => Ok(order.project.parse().ok()),
    }
}

/// The name that is asked for, else the one it was made with, which on its node
/// may have been any text.
fn called(order: &VmOrder, body: &rest::VmAdopt) -> ApiResult<Name> {
    let asked = body.name.as_deref();
    let text = asked.unwrap_or(&order.name);
    text.parse().map_err(|error| {
        let text = format!("name: {error}");
        ApiError::new(Code::Invalid, text).hint("give it another name")
    })
}

/// The image it lies over, if its project has that.
async fn image(app: &App, project: &Name, shape: &Shape) -> ApiResult<Option<ImageRow>> {
    let Some(digest) = shape.image_digest() else {
        return Ok(None);
    };
    let rows = app.store.image_list(Some(project), None).await;
    let rows = rows.map_err(|error| failed(&error))?;
    Ok(rows.into_iter().find(|row| row.spec.digest == digest))
}
