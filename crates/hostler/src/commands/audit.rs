//! `hostler audit`. Verifying is done here, entry by entry, so that it does not
//! rest on the word of the control plane that keeps the log.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use hostler_core::audit::{AuditHash, Verifier};
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{AuditEntry, AuditQuery};

use crate::args::{AuditCommand, Global};
use crate::output::Output;

/// Entries asked for at a time.
const PAGE: u32 = 1_000;

/// Performs one of them.
pub(crate) async fn perform(command: AuditCommand, global: &Global, output: Output) -> Result<()> {
    match command {
        AuditCommand::Ls {
            actor,
            subject,
            tail,
            all,
        } => {
            let query = AuditQuery {
                actor,
                subject,
                after: all.then_some(0),
                limit: Some(if all { PAGE } else { tail }),
            };
            list(query, &super::connect::client(global)?, output).await
        }
        AuditCommand::Verify { file, holds } => {
            let holds = holds.as_deref().map(str::parse::<AuditHash>).transpose()?;
            let mut check = Check {
                verifier: Verifier::default(),
                held: holds.is_none(),
                holds,
            };
            match file {
                Some(path) => read_file(&path, &mut check)?,
                None => read_fleet(&super::connect::client(global)?, &mut check).await?,
            }
            check.end(output)
        }
    }
}

/// A log that is being read.
struct Check {
    verifier: Verifier,
    holds: Option<AuditHash>,
    held: bool,
}

impl Check {
    fn read(&mut self, entry: &AuditEntry) -> Result<()> {
        let read = self.verifier.read(&entry.entry(), entry.hash);
        read.context("the audit log is broken")?;
        self.held |= Some(entry.hash) == self.holds;
        Ok(())
    }

    fn end(self, output: Output) -> Result<()> {
        if !self.held {
            bail!(
                "the audit log is whole in itself, and not the one that was known: no entry has that hash"
            );
        }
        let Verifier { number, hash } = self.verifier;
        let found = serde_json::json!({"whole": true, "entries": number, "hash": hash});
        output.line(&found, |_| {
            format!("{number} entries, all whole; the last has the hash {hash}")
        })
    }
}

async fn read_fleet(client: &ControlClient, check: &mut Check) -> Result<()> {
    let end = client.audit_verify().await?;
    while check.verifier.number < end.entries {
        let query = AuditQuery {
            after: Some(check.verifier.number),
            limit: Some(PAGE),
            ..AuditQuery::default()
        };
        let page = client.audit(&query).await?;
        if page.items.is_empty() {
            break;
        }
        for entry in &page.items {
            check.read(entry)?;
        }
    }
    if check.verifier.number < end.entries {
        check
            .verifier
            .end(end.entries, end.hash)
            .context("the audit log is broken")?;
    }
    Ok(())
}

fn read_file(path: &Path, check: &mut Check) -> Result<()> {
    let text = std::fs::read_to_string(path);
    let text = text.with_context(|| format!("could not read {}", path.display()))?;
    for (number, line) in text.lines().enumerate() {
        let entry = serde_json::from_str(line);
        let entry = entry.with_context(|| format!("line {} is no entry", number + 1))?;
        check.read(&entry)?;
    }
    Ok(())
}

async fn list(mut query: AuditQuery, client: &ControlClient, output: Output) -> Result<()> {
    loop {
        let page = client.audit(&query).await?;
        for entry in &page.items {
            output.line(entry, text)?;
        }
        let last = page.items.last().map(|entry| entry.number);
        if page.next.is_none() || query.after.is_none() {
            return Ok(());
        }
        query.after = last;
    }
}

fn text(entry: &AuditEntry) -> String {
    let at = entry.at.format("%Y-%m-%d %H:%M:%S");
    let subject = entry.subject.as_deref().unwrap_or("-");
    format!(
        "{:>6}  {at}  {:<20}  {:<15}  {:<8}  {:<20}  {subject}",
        entry.number, entry.actor, entry.origin, entry.outcome, entry.action
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of three entries as `ls --all --json` writes it.
    fn export() -> Vec<AuditEntry> {
        let mut hash = AuditHash::START;
        let entry = |number: u64| {
            let json = serde_json::json!({
                "number": number, "at": "2026-01-01T00:00:00.123Z", "actor": "ada",
                "origin": "10.0.0.1", "action": "user.created", "subject": null, "project": null,
                "outcome": "done", "detail": "{}", "hash": AuditHash::START
            });
            let mut entry: AuditEntry = serde_json::from_value(json).expect("an entry");
            hash = hash.then(&entry.entry());
            entry.hash = hash;
            entry
        };
        (1..=3).map(entry).collect()
    }

    fn read(entries: &[AuditEntry], holds: Option<AuditHash>) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("audit.jsonl");
        let lines: Result<Vec<_>, _> = entries.iter().map(serde_json::to_string).collect();
        std::fs::write(&path, lines?.join("\n"))?;
        let mut check = Check {
            verifier: Verifier::default(),
            held: holds.is_none(),
            holds,
        };
        read_file(&path, &mut check)?;
        let output = Output {
            json: true,
            quiet: true,
        };
        check.end(output)
    }

    #[test]
    fn an_export_is_verified_without_the_fleet() {
        let entries = export();
        assert!(read(&entries, None).is_ok());
        assert!(read(&entries, Some(entries[1].hash)).is_ok());
        assert!(read(&entries, Some(AuditHash::START)).is_err());
        let mut changed = entries.clone();
        changed[1].actor = "bob".to_owned();
        let error = read(&changed, None).expect_err("it was changed");
        assert!(format!("{error:#}").contains("entry 2 was changed"));
        let gap = [entries[0].clone(), entries[2].clone()];
        let error = read(&gap, None).expect_err("one is missing");
        assert!(format!("{error:#}").contains("entry 2 is not there"));
    }
}
