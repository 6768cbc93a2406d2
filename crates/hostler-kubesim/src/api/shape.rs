//! How objects are shown: whole, as metadata only, or as the table that
//! `kubectl get` prints. The client's `Accept` says which.

mod columns;

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::events;
use super::list::join;
use crate::catalog::{EVENTS_NEW, Resource};
use crate::store::Object;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    Metadata,
    Table,
}

impl Shape {
    pub(crate) fn read(accept: &str) -> Self {
        let first = accept.split(',').next().unwrap_or_default();
        if first.contains("as=Table") {
            Self::Table
        } else if first.contains("as=PartialObjectMetadata") {
            Self::Metadata
        } else {
            Self::Whole
        }
    }
}

/// One object.
pub(crate) fn one(
    shape: Shape,
    resource: &'static Resource,
    object: &Arc<Object>,
    now: DateTime<Utc>,
) -> Bytes {
    if shape != Shape::Whole {
        return value(shape, resource, object.value(), now);
    }
    // The wire of the store is that of the older events.
    if std::ptr::eq(resource, &raw const EVENTS_NEW) {
        return value(shape, resource, object.value(), now);
    }
    object.wire()
}

/// One body.
pub(crate) fn value(
    shape: Shape,
    resource: &'static Resource,
    object: &Value,
    now: DateTime<Utc>,
) -> Bytes {
    let shown = match shape {
        Shape::Whole if std::ptr::eq(resource, &raw const EVENTS_NEW) => events::newer(object),
        Shape::Whole => object.clone(),
        Shape::Metadata => metadata(object),
        Shape::Table => table(resource, &[object], &json!({}), now),
    };
    Bytes::from(shown.to_string())
}

/// A list.
pub(crate) fn list(
    shape: Shape,
    resource: &'static Resource,
    objects: &[Arc<Object>],
    (meta, now): (&Value, DateTime<Utc>),
) -> Bytes {
    if shape == Shape::Table {
        let values: Vec<&Value> = objects.iter().map(|object| object.value()).collect();
        return Bytes::from(table(resource, &values, meta, now).to_string());
    }
    let (kind, version) = match shape {
        Shape::Metadata => (
            "PartialObjectMetadataList".to_owned(),
            "meta.k8s.io/v1".to_owned(),
        ),
        _ => (format!("{}List", resource.kind), resource.api_version()),
    };
    let head = format!(
        "{{\"kind\":\"{kind}\",\"apiVersion\":\"{version}\",\"metadata\":{meta},\"items\":["
    );
    let mut body = head.into_bytes();
    let items = objects
        .iter()
        .map(|object| one(shape, resource, object, now));
    join(items, &mut body);
    body.extend_from_slice(b"]}");
    Bytes::from(body)
}

fn metadata(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": object["metadata"],
    })
}

fn table(resource: &Resource, objects: &[&Value], meta: &Value, now: DateTime<Utc>) -> Value {
    let columns = columns::of(resource);
    let head = |column: &columns::Column| {
        json!({
            "name": column.name, "type": "string", "description": "", "priority": column.priority,
            "format": if column.name == "Name" { "name" } else { "" },
        })
    };
    let row = |object: &&Value| {
        let cells: Vec<String> = columns.iter().map(|one| (one.cell)(object, now)).collect();
        json!({"cells": cells, "object": metadata(object)})
    };
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta,
        "columnDefinitions": columns.iter().map(head).collect::<Vec<_>>(),
        "rows": objects.iter().map(row).collect::<Vec<_>>(),
    })
}
