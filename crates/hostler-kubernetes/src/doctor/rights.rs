//! Every right, asked for as it will be used.
//!
//! For nodes no namespace is named: with one, the API server would count a Role
//! of that namespace and say yes, and refuse every real request.

use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _};
use hostler_core::runner::ReasonCode;
use hostler_runners::provider::Check;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

use super::{problem, reason};
use crate::api::within;
use crate::settings::Settings;

/// Where a right has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Placeholders,
    Programs,
    Cluster,
}

/// What may be done to what, and where.
struct Right {
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    within: Within,
    is_needed: bool,
}

const fn right(
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
    within: Within,
) -> Right {
    Right {
        group,
        resource,
        verbs,
        within,
        is_needed: false,
    }
}

const fn needed(resource: &'static str, verbs: &'static [&'static str], within: Within) -> Right {
    Right {
        is_needed: true,
        ..right("", resource, verbs, within)
    }
}

const SEE: &[&str] = &["get", "list", "watch"];

static RIGHTS: [Right; 10] = [
    needed(
        "pods",
        &["get", "list", "watch", "create", "delete"],
        Within::Placeholders,
    ),
    needed("pods", &["list", "watch"], Within::Programs),
    right("", "pods", &["patch"], Within::Placeholders),
    right("", "nodes", SEE, Within::Cluster),
    right("", "nodes", &["patch"], Within::Cluster),
    right("", "events", SEE, Within::Placeholders),
    right(
        "",
        "configmaps",
        &["get", "list", "create", "update", "delete"],
        Within::Placeholders,
    ),
    right(
        "coordination.k8s.io",
        "leases",
        &["get", "create", "update"],
        Within::Placeholders,
    ),
    right("apps", "daemonsets", &["list"], Within::Programs),
    right("", "pods", &["list", "watch"], Within::Cluster),
];

pub(super) async fn check(client: &Client, settings: &Settings) -> Vec<Check> {
    let mut asked = Vec::new();
    for right in &RIGHTS {
        asked.extend(
            right
                .verbs
                .iter()
                .map(|verb| one(client, settings, right, verb).boxed()),
        );
    }
    stream::iter(asked).buffered(8).collect().await
}

async fn one(client: &Client, settings: &Settings, right: &Right, verb: &str) -> Check {
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let review = review(settings, right, verb);
    let answer = within(
        settings.patience,
        api.create(&PostParams::default(), &review),
    )
    .await;
    let problem = match answer {
        Ok(answer) => {
            let may = answer.status.is_some_and(|status| status.allowed);
            (!may).then(|| missing(settings, right, verb))
        }
        Err(failure) => Some(reason(&failure)),
    };
    let place = match right.within {
        Within::Cluster => "all namespaces",
        _ => space(settings, right).unwrap_or_default(),
    };
    Check {
        name: format!("{}: {verb} ({place})", right.resource),
        problem,
        is_needed: right.is_needed,
    }
}

fn space<'a>(settings: &'a Settings, right: &Right) -> Option<&'a str> {
    match right.within {
        Within::Placeholders => Some(&settings.namespace),
        Within::Programs => Some(&settings.programs_in),
        Within::Cluster => None,
    }
}

fn review(settings: &Settings, right: &Right, verb: &str) -> SelfSubjectAccessReview {
    let attributes = ResourceAttributes {
        group: Some(right.group.to_owned()),
        resource: Some(right.resource.to_owned()),
        verb: Some(verb.to_owned()),
        namespace: space(settings, right).map(str::to_owned),
        ..ResourceAttributes::default()
    };
    SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            non_resource_attributes: None,
        },
        ..SelfSubjectAccessReview::default()
    }
}

fn missing(settings: &Settings, right: &Right, verb: &str) -> hostler_core::runner::Reason {
    let Right {
        group, resource, ..
    } = right;
    let rule =
        format!("apiGroups: [\"{group}\"], resources: [\"{resource}\"], verbs: [\"{verb}\"]");
    let (place, grant) = match space(settings, right) {
        Some(space) => (
            format!("in namespace {space}"),
            format!("the Role of namespace {space}"),
        ),
        None => (
            "at the cluster scope".to_owned(),
            "a ClusterRole with a ClusterRoleBinding: a Role grants nothing here".to_owned(),
        ),
    };
    let text = format!("this manager may not {verb} {resource} {place}");
    problem(ReasonCode::Denied, text, format!("add to {grant}: {rule}"))
}
