//! What gives a control plane machines: the same providers, variables and pools
//! as those of a manager that stands alone. The jobs are rows of the control
//! plane's database, and the one that scales carries them out.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use hostler_control::{ControlOptions, RunnerOptions};
use hostler_core::Resources;
use hostler_core::runner::RunnerPool;
use hostler_daemon::config::Mistakes;
use hostler_runners::config::{Environment, ProviderConfig, ProviderKind};
use hostler_runners::config::{patience, provider_config};
use tokio_util::sync::CancellationToken;

use super::runners::{JobsIn, open};
use crate::args::RunnerArgs;

/// Opens what the flags name, until `stop`; nothing, if they name nothing.
pub(crate) async fn runners(
    args: &RunnerArgs,
    options: &ControlOptions,
    stop: &CancellationToken,
) -> Result<Option<RunnerOptions>> {
    let Some(kind) = &args.provider else {
        return Ok(None);
    };
    let mut config = config(args, kind, options)?;
    let mut mistakes = Mistakes::default();
    let patience = mistakes.take("runners.toml", patience(&config.file));
    if config.kind == ProviderKind::Local {
        mistakes.take("runners.toml", complete(&mut config, options));
    }
    mistakes.check()?;
    config.pools.iter().for_each(|pool| remark(pool));
    let opened = open(&config, JobsIn::Database, (&options.clock, stop)).await?;
    Ok(Some(RunnerOptions {
        provider: opened.provider,
        pools: config.pools,
        patience: patience.unwrap_or_default(),
    }))
}

fn config(args: &RunnerArgs, kind: &str, options: &ControlOptions) -> Result<ProviderConfig> {
    let mut environment = Environment::read(Path::new(".env"))?;
    environment = environment.with("PROVIDER_TYPE", kind.to_owned());
    if let Some(file) = &args.runners_file {
        environment = environment.with("RUNNERS_FILE", file.display().to_string());
    }
    Ok(provider_config(environment, options.data_dir.clone())?)
}

/// Machines of this machine join this control plane, and have what it has.
fn complete(config: &mut ProviderConfig, options: &ControlOptions) -> Result<(), String> {
    let local = config
        .file
        .entry("local")
        .or_insert_with(|| toml::Value::Table(toml::Table::new()));
    let local = local.as_table_mut().ok_or("[local] is no table")?;
    let here = || format!("http://{}", options.listen);
    let url = options.public_url.clone().unwrap_or_else(here);
    local.entry("control").or_insert(toml::Value::String(url));
    if !local.contains_key("join_token_file") {
        let text = "[local] join_token_file is missing: `hostler node token --uses N --ttl TIME` \
                    makes a token that several machines may join with";
        return Err(text.to_owned());
    }
    for pool in &mut config.pools {
        let pool = Arc::make_mut(pool);
        let whole = hostler_node::capacity();
        pool.shape = shape(pool.shape, whole);
    }
    Ok(())
}

/// What a pool does not say of its machines is what this one has.
fn shape(said: Resources, whole: Resources) -> Resources {
    let is_said = |amount: u64| amount > 0;
    Resources {
        cpu: if is_said(said.cpu.as_millis()) {
            said.cpu
        } else {
            whole.cpu
        },
        memory: if is_said(said.memory.get()) {
            said.memory
        } else {
            whole.memory
        },
    }
}

fn remark(pool: &RunnerPool) {
    if pool.shape.cpu.as_millis() == 0 || pool.shape.memory.get() == 0 {
        tracing::warn!(
            pool = %pool.name,
            "it does not say what cpu and memory its machines have: work that needs some buys none"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_has_what_its_pool_says_and_else_what_this_one_has() {
        let whole = Resources::of(4_000, 8_192);
        let check = |said, expected| assert_eq!(shape(said, whole), expected);
        check(Resources::default(), whole);
        check(Resources::of(500, 0), Resources::of(500, 8_192));
        check(Resources::of(500, 64), Resources::of(500, 64));
    }
}
