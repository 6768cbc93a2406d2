//! `hostler login`, `logout` and `whoami`. What is kept is a session, in the
//! file of contexts, which only its owner can read; never a password.

mod browser;

use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{LoggedIn, Login, Me};

use crate::args::{Global, LoginArgs};
use crate::context::{Context, Contexts};
use crate::output::{self, Output};

/// Signs in and keeps the session.
pub(crate) async fn login(args: LoginArgs, global: &Global, output: Output) -> Result<()> {
    let mut contexts = Contexts::load()?;
    let (name, mut context) = place(&contexts, global)?;
    let client = ControlClient::new(&context.url, "")?;
    let begun = if args.sso {
        browser::sign_in(&client, output).await?
    } else {
        with_password(args, &client).await?
    };
    context.token = begun.access_token;
    let client = ControlClient::new(&context.url, &context.token)?;
    let me = client.me().await?;
    contexts.contexts.insert(name.clone(), context);
    contexts.current.get_or_insert(name);
    contexts.save()?;
    output.line(&me, |me| format!("signed in as {}", me.user))
}

/// The context that is meant; a new one for an address that is given.
fn place(contexts: &Contexts, global: &Global) -> Result<(String, Context)> {
    let name = global.context.clone().or_else(|| contexts.current.clone());
    let known = name.as_ref().and_then(|name| contexts.contexts.get(name));
    let name = name.unwrap_or_else(|| "default".to_owned());
    let mut context = known.cloned().unwrap_or_default();
    if let Some(url) = &global.url {
        context.url.clone_from(url);
    }
    if context.url.is_empty() {
        bail!("no fleet is known here; say which with --url");
    }
    Ok((name, context))
}

async fn with_password(args: LoginArgs, client: &ControlClient) -> Result<LoggedIn> {
    let username = args.name.map_or_else(|| ask("name: "), Ok)?;
    let password = if args.password_stdin {
        password_from_stdin()?
    } else {
        rpassword::prompt_password("password: ").context("could not ask for the password")?
    };
    Ok(client.login(&Login { username, password }).await?)
}

fn ask(question: &str) -> Result<String> {
    eprint!("{question}");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

/// All of standard input, without the last line's end.
pub(super) fn password_from_stdin() -> Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// Ends the session and forgets it.
pub(crate) async fn logout(global: &Global, output: Output) -> Result<()> {
    super::connect::client(global)?.logout().await?;
    let mut contexts = Contexts::load()?;
    let name = global.context.clone().or_else(|| contexts.current.clone());
    if let Some(context) = name.and_then(|name| contexts.contexts.get_mut(&name)) {
        context.token.clear();
        contexts.save()?;
    }
    output.remark("signed out");
    Ok(())
}

/// Says who one is, and what one may do.
pub(crate) async fn whoami(client: &ControlClient, output: Output) -> Result<()> {
    let me = client.me().await?;
    output.show(&me, |me: &Me| {
        let places = me.projects.iter();
        let places = places.map(|place| format!("{} ({})", place.project, place.role));
        let policies = me.policies.iter().map(|policy| policy.policy.as_str());
        let end = me.expires_at.map(|at| at.to_rfc3339());
        output::facts(&[
            ("user", me.user.clone()),
            ("id", me.id.to_string()),
            (
                "by",
                if me.session { "session" } else { "token" }.to_owned(),
            ),
            ("until", end.unwrap_or_else(|| "for good".to_owned())),
            ("roles", me.roles.join(", ")),
            ("projects", places.collect::<Vec<_>>().join(", ")),
            ("policies", policies.collect::<Vec<_>>().join(", ")),
        ])
    })
}
