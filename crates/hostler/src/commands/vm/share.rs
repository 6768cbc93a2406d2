//! `hostler vm share`.

use anyhow::Result;
use chrono::Utc;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::ShareCreate;

use super::find;
use crate::args::ShareCommand;
use crate::output::{self, Output, ago};

/// Performs `hostler vm share`.
pub(super) async fn perform(
    command: ShareCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        ShareCommand::Create { which, name, ttl } => {
            let vm = find(&which, client).await?;
            let body = ShareCreate {
                name,
                ttl_s: Some(ttl.as_secs()),
            };
            let made = client.share_create(vm.id, &body).await?;
            output.remark("This secret is shown once.");
            output.line(&made, |made| made.secret.clone())
        }
        ShareCommand::Ls(which) => {
            let shares = client.shares(find(&which, client).await?.id).await?;
            output.show(&shares, |shares| {
                let mut table = output::table(&["name", "age", "until", "id"]);
                for share in shares {
                    table.add_row([
                        share.name.clone(),
                        ago(share.created_at, Utc::now()),
                        share.expires_at.to_rfc3339(),
                        share.id.to_string(),
                    ]);
                }
                table
            })
        }
        ShareCommand::Rm { which, id } => {
            let vm = find(&which, client).await?;
            client.share_delete(vm.id, id).await?;
            output.line(&serde_json::json!({"revoked": id}), |_| {
                format!("Revoked {id}")
            })
        }
    }
}
