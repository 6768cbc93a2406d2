//! `hostler context`.

use anyhow::{Result, bail};
use serde::Serialize;

use crate::args::{ContextCommand, Global};
use crate::context::{Context, Contexts};
use crate::output::{self, Output};

#[derive(Serialize)]
struct Row {
    name: String,
    url: String,
    current: bool,
}

/// Performs one of them.
pub(crate) fn perform(command: ContextCommand, global: &Global, output: Output) -> Result<()> {
    let mut contexts = Contexts::load()?;
    match command {
        ContextCommand::Ls => return list(&contexts, output),
        ContextCommand::Use { name } => {
            contexts.pick(Some(&name))?;
            contexts.current = Some(name);
        }
        ContextCommand::Add { name } => add(&mut contexts, name, global)?,
        ContextCommand::Rm { name } => {
            contexts.pick(Some(&name))?;
            contexts.contexts.remove(&name);
            contexts.current.take_if(|current| *current == name);
        }
    }
    contexts.save()?;
    Ok(())
}

fn add(contexts: &mut Contexts, name: String, global: &Global) -> Result<()> {
    let (Some(url), Some(token)) = (&global.url, &global.token) else {
        bail!("a context needs --url and --token");
    };
    let context = Context {
        url: url.clone(),
        token: token.clone(),
        ..Context::default()
    };
    contexts.current.get_or_insert_with(|| name.clone());
    contexts.contexts.insert(name, context);
    Ok(())
}

fn list(contexts: &Contexts, output: Output) -> Result<()> {
    let is_current = |name: &String| contexts.current.as_ref() == Some(name);
    let rows = contexts.contexts.iter().map(|(name, context)| Row {
        name: name.clone(),
        url: context.url.clone(),
        current: is_current(name),
    });
    output.show(&rows.collect::<Vec<_>>(), |rows| {
        let mut table = output::table(&["name", "url", "current"]);
        for row in rows {
            let mark = if row.current { "*" } else { "" };
            table.add_row([row.name.as_str(), &row.url, mark]);
        }
        table
    })
}
