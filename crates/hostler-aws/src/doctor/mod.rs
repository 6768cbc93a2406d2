//! What the provider needs, asked anew: credentials and region, the right to
//! each call, each pool's template or group. Each with how to mend it.
//!
//! Rights to change instances are tried with EC2's dry runs, which do nothing.
//! Auto Scaling has none: of its rights only that to read is tried.

mod pools;

use std::sync::Arc;

use hostler_core::runner::{Reason, ReasonCode, RunnerPool};
use hostler_runners::provider::Check;

use crate::cloud::{CloudError, Instance, Try};
use crate::names::tag;
use crate::provider::Aws;

/// All checks, the needed ones first.
pub(crate) async fn check(aws: &Aws, pools: &[Arc<RunnerPool>]) -> Vec<Check> {
    let owner = (tag::FLEET, aws.settings.fleet.as_str());
    let answer = aws.cloud.instances(&[owner]).await;
    let reached = needed("ec2:DescribeInstances", answer.as_ref().err());
    // Whoever cannot even ask is told that, and not all that follows from it.
    if reached.problem.is_some() {
        return vec![reached];
    }
    let mut checks = vec![reached, region(aws)];
    if aws.settings.checks {
        let healths = aws.cloud.healths().await;
        checks.push(needed("ec2:DescribeInstanceStatus", healths.as_ref().err()));
    }
    if pools.iter().any(|pool| pool.spot) {
        let notices = aws.cloud.notices().await;
        checks.push(needed(
            "ec2:DescribeSpotInstanceRequests",
            notices.as_ref().err(),
        ));
    }
    checks.extend(changes(aws, &answer.unwrap_or_default()).await);
    checks.extend(pools::check(aws, pools).await);
    checks
}

/// The rights to change an instance, tried on one of ours: a good policy allows
/// them on those alone.
async fn changes(aws: &Aws, instances: &[Instance]) -> Vec<Check> {
    let Some(one) = instances.iter().find(|one| one.state.lives()) else {
        let name = "ec2:TerminateInstances, ec2:CreateTags (tried once there is an instance)";
        return vec![needed(name, None)];
    };
    let tries = [
        ("ec2:TerminateInstances", Try::Terminate(&one.id)),
        ("ec2:CreateTags", Try::Tag(&one.id)),
    ];
    let mut checks = Vec::new();
    for (name, of) in tries {
        let failed = aws.cloud.dry_run(of).await.err();
        checks.push(needed(
            name,
            failed.filter(|error| !error.is_missing()).as_ref(),
        ));
    }
    checks
}

fn region(aws: &Aws) -> Check {
    let (region, endpoint) = (&aws.settings.region, &aws.settings.endpoint);
    let at = endpoint
        .as_ref()
        .map(|url| format!(" at {url}"))
        .unwrap_or_default();
    Check {
        name: format!(
            "region {}{at}",
            region.as_deref().unwrap_or("of the profile")
        ),
        problem: None,
        is_needed: true,
    }
}

/// A call that nothing works without.
fn needed(name: &str, error: Option<&CloudError>) -> Check {
    Check {
        name: name.to_owned(),
        problem: error.map(|error| mend(name, error)),
        is_needed: true,
    }
}

/// What a failure comes to, and how to mend it.
fn mend(right: &str, error: &CloudError) -> Reason {
    let mut reason = error.reason();
    let credentials = [
        "AuthFailure",
        "InvalidClientTokenId",
        "ExpiredToken",
        "SignatureDoesNotMatch",
    ];
    reason.hint = match reason.code {
        ReasonCode::Denied if credentials.contains(&error.code()) => {
            Some("the credentials are wrong or have ended; the instance profile or AWS_PROFILE names them".to_owned())
        }
        ReasonCode::Denied => Some(format!("allow {right}; deploy/aws/policy.json has all that is needed")),
        ReasonCode::ProviderUnreachable => {
            Some("check the region, the network, and that there are credentials".to_owned())
        }
        _ => reason.hint,
    };
    reason
}
