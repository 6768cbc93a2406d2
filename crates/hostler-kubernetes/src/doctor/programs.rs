//! Whether the runner program is to be found where it is looked for.

use std::collections::BTreeMap;

use hostler_core::runner::ReasonCode;
use hostler_runners::provider::Check;
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};

use super::{advice, problem};
use crate::api::within;
use crate::settings::Settings;

pub(super) async fn check(client: &Client, settings: &Settings) -> Check {
    let name = format!(
        "the runner program ({} in {})",
        settings.programs, settings.programs_in
    );
    if has_pod(client, settings, Some(&settings.programs_in))
        .await
        .is_some()
        || has_set(client, settings).await
    {
        return advice(name, None);
    }
    let text = format!(
        "no pod and no DaemonSet of namespace {} carries {}",
        settings.programs_in, settings.programs
    );
    let hint = match has_pod(client, settings, None).await {
        Some(other) => format!("there is one in {other}: set RUNNER_POD_NAMESPACE={other}"),
        None => "install the runner DaemonSet, or set RUNNER_POD_SELECTOR to its label".to_owned(),
    };
    advice(name, Some(problem(ReasonCode::ProgramMissing, text, hint)))
}

/// The namespace of a pod with the program's label.
async fn has_pod(client: &Client, settings: &Settings, space: Option<&str>) -> Option<String> {
    let pods: Api<Pod> = match space {
        Some(space) => Api::namespaced(client.clone(), space),
        None => Api::all(client.clone()),
    };
    let params = ListParams::default().labels(&settings.programs).limit(1);
    let found = within(settings.patience, pods.list(&params)).await.ok()?;
    found.items.into_iter().next()?.metadata.namespace
}

/// A pool that is empty has no pods yet, but a set that will make some.
async fn has_set(client: &Client, settings: &Settings) -> bool {
    let sets: Api<DaemonSet> = Api::namespaced(client.clone(), &settings.programs_in);
    let found = within(settings.patience, sets.list(&ListParams::default())).await;
    found.is_ok_and(|found| {
        found
            .items
            .iter()
            .any(|set| is_meant(set, &settings.programs))
    })
}

fn is_meant(set: &DaemonSet, selector: &str) -> bool {
    let template = set
        .spec
        .as_ref()
        .and_then(|spec| spec.template.metadata.as_ref());
    let labels = template.and_then(|meta| meta.labels.as_ref());
    let carries = |part: &str| match part.split_once('=') {
        Some((key, value)) => word(labels, key) == Some(value.trim_start_matches('=')),
        None => word(labels, part).is_some(),
    };
    selector.split(',').all(carries)
}

fn word<'a>(labels: Option<&'a BTreeMap<String, String>>, key: &str) -> Option<&'a str> {
    labels?.get(key).map(String::as_str)
}
