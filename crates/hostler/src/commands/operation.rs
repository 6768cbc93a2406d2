//! `hostler operation`.

use anyhow::{Result, bail};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{Operation, OperationState};

use super::workload::word;
use crate::args::OperationCommand;
use crate::output::{self, Output};

/// Performs one of them.
pub(crate) async fn perform(
    command: OperationCommand,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    match command {
        OperationCommand::Ls => list(client, output).await,
        OperationCommand::Cancel { id } => {
            let operation = client.operation_cancel(id.parse()?).await?;
            output.remark(format!("{} is asked to be called off.", operation.id));
            Ok(())
        }
    }
}

async fn list(client: &ControlClient, output: Output) -> Result<()> {
    let operations = client.operations().await?;
    output.show(&operations, |operations| {
        let mut table = output::table(&["id", "kind", "state", "progress", "problem"]);
        for operation in operations {
            let problem = operation.problem.clone().unwrap_or_default();
            table.add_row([
                operation.id.to_string(),
                operation.kind.clone(),
                word(operation.state),
                operation.progress.clone(),
                problem,
            ]);
        }
        table
    })
}

/// Shows its progress until it ends; fails unless it was done.
pub(crate) async fn wait_until_ended(
    mut operation: Operation,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let progress = output.progress(operation.kind.clone());
    while matches!(
        operation.state,
        OperationState::Waiting | OperationState::Running
    ) {
        progress.say(format!("{}: {}", operation.kind, operation.progress));
        tokio::time::sleep(super::run::LOOK).await;
        operation = client.operation(operation.id).await?;
    }
    drop(progress);
    if operation.state != OperationState::Done {
        let problem = operation.problem.unwrap_or_default();
        bail!("{} is {}: {problem}", operation.kind, word(operation.state));
    }
    output.line(&operation, |operation| {
        format!("{} done: {}", operation.kind, operation.progress)
    })
}
