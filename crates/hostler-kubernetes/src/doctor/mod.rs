//! What the provider needs, asked anew: the API server, every right, the
//! pools' nodes, the runner program, an autoscaler. Each with how to mend it.

mod pools;
mod programs;
mod rights;
mod scaler;

use std::sync::Arc;

use hostler_core::runner::{Reason, ReasonCode, RunnerPool};
use hostler_runners::provider::Check;
use kube::Client;

use crate::api::{Failure, within};
use crate::settings::Settings;

/// All checks, the needed ones first.
pub(crate) async fn check(
    client: &Client,
    settings: &Settings,
    pools: &[Arc<RunnerPool>],
) -> Vec<Check> {
    let server = server(client, settings).await;
    if server.problem.is_some() {
        return vec![server];
    }
    let (rights, scaler) = tokio::join!(
        rights::check(client, settings),
        scaler::find(client, settings),
    );
    let (pools, programs) = tokio::join!(
        pools::check(client, settings, pools, scaler),
        programs::check(client, settings),
    );
    let rest = pools.into_iter().chain([programs, scaler::check(scaler)]);
    std::iter::once(server).chain(rights).chain(rest).collect()
}

async fn server(client: &Client, settings: &Settings) -> Check {
    let answer = within(settings.patience, client.apiserver_version()).await;
    Check {
        name: "the API server".to_owned(),
        problem: answer.err().map(|failure| reason(&failure)),
        is_needed: true,
    }
}

fn reason(failure: &Failure) -> Reason {
    let code = match failure {
        Failure::Refused(_) => ReasonCode::Denied,
        Failure::Silent(_) => ReasonCode::ProviderUnreachable,
    };
    Reason::new(code, failure.to_string())
}

/// A problem with how to mend it.
fn problem(code: ReasonCode, text: String, hint: String) -> Reason {
    Reason {
        code,
        text,
        hint: Some(hint),
    }
}

fn advice(name: String, problem: Option<Reason>) -> Check {
    Check {
        name,
        problem,
        is_needed: false,
    }
}
