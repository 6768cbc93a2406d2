//! From flags, environment and contexts to a client.

use anyhow::{Context as _, Result};
use hostler_wire::client::ControlClient;

use crate::args::Global;
use crate::context::{Context, Contexts};

/// The context that is meant; flags outweigh it.
pub(crate) fn context(global: &Global) -> Result<Context> {
    let complete = global.url.is_some() && global.token.is_some();
    let mut context = match Contexts::load()?.pick(global.context.as_deref()) {
        Ok(context) => context,
        Err(_) if complete => Context::default(),
        Err(error) => return Err(error),
    };
    if let Some(url) = &global.url {
        context.url.clone_from(url);
    }
    if let Some(token) = &global.token {
        context.token.clone_from(token);
    }
    Ok(context)
}

/// A client of the control plane that is meant.
pub(crate) fn client(global: &Global) -> Result<ControlClient> {
    let context = context(global)?;
    ControlClient::new(&context.url, &context.token)
        .with_context(|| format!("'{}' is not an address of a control plane", context.url))
}
