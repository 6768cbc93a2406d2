//! `hostler token`.

use anyhow::Result;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::TokenCreate;

use crate::args::TokenCommand;
use crate::output::{self, Output};

/// Performs one of them.
pub(crate) async fn perform(
    command: TokenCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        TokenCommand::Create {
            name,
            project,
            policies,
            ttl,
        } => {
            let ttl_s = ttl.map(|ttl| ttl.as_secs());
            let request = TokenCreate {
                name,
                project,
                policies,
                ttl_s,
            };
            let made = client.token_create(&request).await?;
            output.line(&made, |made| made.secret.clone())
        }
        TokenCommand::Ls => list(client, output).await,
        TokenCommand::Policies => policies(client, output).await,
        TokenCommand::Rm { id } => Ok(client.token_delete(id.parse()?).await?),
    }
}

async fn list(client: &ControlClient, output: Output) -> Result<()> {
    let tokens = client.tokens().await?;
    output.show(&tokens, |tokens| {
        let mut table = output::table(&["name", "project", "policies", "expires", "id"]);
        for token in tokens {
            table.add_row([
                token.name.clone(),
                token.project.clone().unwrap_or_else(|| "-".to_owned()),
                token.policies.join(", "),
                token
                    .expires_at
                    .map_or_else(|| "never".to_owned(), |at| at.to_rfc3339()),
                token.id.to_string(),
            ]);
        }
        table
    })
}

async fn policies(client: &ControlClient, output: Output) -> Result<()> {
    let policies = client.policies().await?;
    output.show(&policies, |policies| {
        let mut table = output::table(&["policy", "allows"]);
        for policy in policies {
            table.add_row([&policy.policy, &policy.description]);
        }
        table
    })
}
