//! Each pool's template or group.

use std::sync::Arc;

use hostler_core::id::JobId;
use hostler_core::runner::job::Job;
use hostler_core::runner::{Mark, Reason, ReasonCode, RunnerPool};
use hostler_runners::provider::{Check, Order};

use super::{mend, needed};
use crate::cloud::{CloudError, Try};
use crate::launch::{candidates, is_other_arch};
use crate::names::{Claim, tag};
use crate::provider::Aws;
use crate::settings::{PoolSettings, Source, Template};
use crate::watch::is_ours;

pub(super) async fn check(aws: &Aws, pools: &[Arc<RunnerPool>]) -> Vec<Check> {
    let mut checks = Vec::new();
    for pool in pools {
        match aws.settings.pools.get(&pool.name) {
            None => checks.push(unknown(pool)),
            Some(settings) => match &settings.source {
                Source::Template(template) => {
                    checks.extend(template_checks(aws, pool, (template, settings)).await);
                }
                Source::Group(group) => checks.push(group_check(aws, pool, group).await),
            },
        }
        checks.extend(types(pool));
    }
    checks
}

fn unknown(pool: &RunnerPool) -> Check {
    let text = format!("runners.toml has no table [aws.pool.{}]", pool.name);
    let hint = "name its launch_template or its group there";
    Check {
        name: format!("pool {}", pool.name),
        problem: Some(with_hint(ReasonCode::Invalid, text, hint)),
        is_needed: false,
    }
}

async fn template_checks(
    aws: &Aws,
    pool: &Arc<RunnerPool>,
    from: (&Template, &PoolSettings),
) -> Vec<Check> {
    let template = from.0;
    let found = aws.cloud.template(&template.name, &template.version).await;
    let name = format!(
        "pool {}: launch template {} {}",
        pool.name, template.name, template.version
    );
    let there = Check {
        name,
        problem: found
            .err()
            .map(|error| mend("ec2:DescribeLaunchTemplateVersions", &error)),
        is_needed: true,
    };
    let tried = try_launch(aws, pool, from).await;
    let mut launch = needed("ec2:RunInstances", tried.err().as_ref());
    launch.name = format!("pool {}: ec2:RunInstances", pool.name);
    vec![there, launch]
}

/// The first launch that an order would make, without effect.
async fn try_launch(
    aws: &Aws,
    pool: &Arc<RunnerPool>,
    (template, settings): (&Template, &PoolSettings),
) -> Result<(), CloudError> {
    let now = (aws.world.clock)();
    let job = JobId::from_parts(now.ms().unsigned_abs(), [0; 10]);
    let order = Order {
        id: Job::runner_id(job, 0),
        mark: Mark {
            job,
            index: 0,
            requested_at: now,
            deadline: now,
        },
        pool: Arc::clone(pool),
        machine: None,
    };
    let all = candidates(pool, settings);
    let Some(first) = all.first() else {
        return Ok(());
    };
    let plan = aws.plan(&order, (template, first), &Claim::of_order(&order, 0))?;
    aws.cloud.dry_run(Try::Launch(&plan)).await
}

async fn group_check(aws: &Aws, pool: &RunnerPool, name: &str) -> Check {
    let found = aws.cloud.groups(&[name.to_owned()]).await;
    let problem = match &found {
        Err(error) => Some(mend("autoscaling:DescribeAutoScalingGroups", error)),
        Ok(groups) => match groups.first() {
            None => {
                let text = format!("there is no Auto Scaling group {name}");
                Some(with_hint(
                    ReasonCode::Invalid,
                    text,
                    "make it, or correct the name and the region",
                ))
            }
            Some(group) if !is_ours(group, &aws.settings.fleet) => {
                let text = format!(
                    "group {name} has not the tag {}={}",
                    tag::FLEET,
                    aws.settings.fleet
                );
                let hint = "give it that tag, propagated at launch, if it is for this fleet alone";
                Some(with_hint(ReasonCode::Denied, text, hint))
            }
            Some(_) => None,
        },
    };
    Check {
        name: format!("pool {}: group {name}", pool.name),
        problem,
        is_needed: true,
    }
}

/// Types whose processor is not the pool's.
fn types(pool: &RunnerPool) -> Option<Check> {
    let other = pool
        .instance_types
        .iter()
        .find(|name| is_other_arch(name, pool.arch))?;
    let text = format!("{other} has another processor than the pool's `arch` says");
    Some(Check {
        name: format!("pool {}: instance types", pool.name),
        problem: Some(with_hint(
            ReasonCode::Invalid,
            text,
            "make pools of one processor each",
        )),
        is_needed: false,
    })
}

fn with_hint(code: ReasonCode, text: String, hint: &str) -> Reason {
    Reason {
        code,
        text,
        hint: Some(hint.to_owned()),
    }
}
