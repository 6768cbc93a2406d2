//! `hostler control`: from flags to options, then the control plane until a
//! signal.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hostler_control::{Control, ControlOptions, NatsAuth, NatsOptions, OidcOptions, SignInOptions};
use hostler_daemon::config::Mistakes;
use hostler_daemon::serve::TlsFiles;
use hostler_daemon::{signals, telemetry};

use super::growth;
use crate::args::{ControlArgs, SignInArgs};
use crate::context::data_folder;

/// Runs a control plane until a signal.
pub(crate) async fn control(args: ControlArgs) -> Result<()> {
    let mut options = options(&args)?;
    options.check()?;
    let stop = signals::stop_token()?;
    options.runners = growth::runners(&args.runners, &options, &stop).await?;
    let control = Control::start(options, stop).await?;
    tracing::info!(address = %control.address(), "the control plane answers");
    control.join().await;
    Ok(())
}

fn options(args: &ControlArgs) -> Result<ControlOptions> {
    let data = args.api.data.clone().map_or_else(data_folder, Ok)?;
    let mut mistakes = Mistakes::default();
    let policy = mistakes.take("--policy", args.policy.parse());
    let token = mistakes.take("--api-token-file", token(args)).flatten();
    let tls = TlsFiles::pair(args.tls_cert.clone(), args.tls_key.clone());
    let tls = mistakes.take("--tls-cert", tls).flatten();
    let sign_in = mistakes.take("--oidc", sign_in(&args.sign_in, args.public_url.as_deref()));
    mistakes.check()?;
    let mut options = ControlOptions::new(data);
    options.listen = args.api.listen;
    options.tls = tls;
    options.heartbeat = Duration::from_millis(args.api.heartbeat_ms);
    options.policy = policy.unwrap_or_default();
    options.api_token = token;
    options.sign_in = sign_in.flatten();
    options.public_url.clone_from(&args.public_url);
    options.node_nats.url.clone_from(&args.node_nats);
    options.node_nats.keys_file.clone_from(&args.node_keys);
    options.nats = args.nats.clone().map(|url| nats(url, args));
    options.metrics = telemetry::prometheus()
        .map(|handle| Arc::new(move || handle.render()) as hostler_control::MetricsText);
    if let Some(database) = &args.database {
        options.database_url.clone_from(database);
    }
    Ok(options)
}

fn token(args: &ControlArgs) -> Result<Option<String>> {
    let Some(path) = &args.api_token_file else {
        return Ok(args.api_token.clone());
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read {}", path.display()))?;
    Ok(Some(text.trim().to_owned()))
}

fn sign_in(args: &SignInArgs, public_url: Option<&str>) -> Result<Option<SignInOptions>> {
    let (Some(issuer), Some(client_id)) = (&args.oidc_issuer, &args.oidc_client_id) else {
        return Ok(None);
    };
    let secret = args.oidc_client_secret_file.as_ref().map(|path| {
        let text = std::fs::read_to_string(path);
        text.with_context(|| format!("could not read {}", path.display()))
    });
    let base = public_url.unwrap_or_default().trim_end_matches('/');
    let provider = OidcOptions {
        issuer: issuer.clone(),
        client_id: client_id.clone(),
        client_secret: secret.transpose()?.map(|text| text.trim().to_owned()),
        redirect_url: format!("{base}/auth/oidc/callback"),
        scopes: args.oidc_scopes.clone(),
        groups_claim: args.oidc_groups_claim.clone(),
    };
    let groups = args.oidc_groups.iter().map(|text| text.parse());
    let groups = groups.collect::<Result<_, _>>()?;
    Ok(Some(SignInOptions { provider, groups }))
}

fn nats(url: String, args: &ControlArgs) -> NatsOptions {
    let auth = args
        .nats_seed
        .clone()
        .map_or(NatsAuth::Open, NatsAuth::NkeySeedFile);
    NatsOptions { url, auth }
}
