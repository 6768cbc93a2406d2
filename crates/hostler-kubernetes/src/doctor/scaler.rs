//! Whether something brings nodes: Cluster Autoscaler writes its status into a
//! `ConfigMap`, Karpenter adds a group of resources.

use hostler_core::runner::ReasonCode;
use hostler_runners::provider::Check;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};

use super::{advice, problem};
use crate::api::within;
use crate::settings::Settings;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scaler {
    Found,
    None,
    /// We may not look: some clouds hide theirs, too.
    Unknown,
}

pub(super) async fn find(client: &Client, settings: &Settings) -> Scaler {
    let groups = within(settings.patience, client.list_api_groups()).await;
    if groups.is_ok_and(|groups| {
        groups
            .groups
            .iter()
            .any(|group| group.name == "karpenter.sh")
    }) {
        return Scaler::Found;
    }
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), "kube-system");
    match within(settings.patience, maps.get_opt("cluster-autoscaler-status")).await {
        Ok(Some(_)) => Scaler::Found,
        Ok(None) => Scaler::None,
        Err(_) => Scaler::Unknown,
    }
}

pub(super) fn check(scaler: Scaler) -> Check {
    let text = "neither Cluster Autoscaler nor Karpenter was found: placeholders wait until \
        somebody adds nodes";
    let hint = "install an autoscaler for the pools, or let this manager read the ConfigMap \
        cluster-autoscaler-status in kube-system";
    let missing = || problem(ReasonCode::NoMatchingPool, text.to_owned(), hint.to_owned());
    advice(
        "an autoscaler".to_owned(),
        (scaler == Scaler::None).then(missing),
    )
}
