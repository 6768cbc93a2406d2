//! `hostler vm console`: the serial line in this terminal. While it is open
//! the terminal is raw, so that every key goes to the guest but Ctrl-], which
//! ends it. The terminal is put back whatever happens.

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use futures::StreamExt as _;
use hostler_wire::client::{Console, ConsoleKind, ControlClient};
use hostler_wire::rest::Vm;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

use crate::output::Output;

/// Ctrl-].
const ESCAPE: u8 = 0x1d;

/// A raw terminal; as it was again when dropped.
struct Raw(Option<Termios>);

impl Raw {
    fn begin() -> Result<Self> {
        let stdin = std::io::stdin();
        if !stdin.is_terminal() {
            return Ok(Self(None));
        }
        let before = tcgetattr(&stdin).context("could not read the terminal's state")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw).context("could not make the terminal raw")?;
        Ok(Self(Some(before)))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Nothing better can be done about it here.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Connects the terminal with the serial line until one of them ends.
pub(super) async fn serial(vm: &Vm, client: &ControlClient) -> Result<()> {
    let console = client.vm_console(vm.id, ConsoleKind::Serial).await?;
    eprintln!("Connected to {}. Ctrl-] ends.", vm.name);
    let raw = Raw::begin()?;
    let ended = carry(console, typed()).await;
    drop(raw);
    eprintln!();
    ended
}

async fn carry(mut console: Console, mut typed: mpsc::Receiver<Vec<u8>>) -> Result<()> {
    let mut typing = true;
    loop {
        tokio::select! {
            keys = typed.recv(), if typing => match keys {
                None => typing = false,
                Some(keys) => {
                    let (keys, ends) = until_escape(keys);
                    console.send(keys.into()).await?;
                    if ends { break }
                }
            },
            shown = console.next() => match shown {
                None => break,
                Some(bytes) => {
                    let mut out = std::io::stdout().lock();
                    out.write_all(&bytes)?;
                    out.flush()?;
                }
            },
        }
    }
    console.close().await;
    Ok(())
}

/// What was typed before the escape, and whether it was typed.
fn until_escape(mut keys: Vec<u8>) -> (Vec<u8>, bool) {
    let escape = keys.iter().position(|key| *key == ESCAPE);
    if let Some(at) = escape {
        keys.truncate(at);
    }
    (keys, escape.is_some())
}

/// What is typed, read on a thread of its own: a read of a terminal cannot be
/// called off, and nobody waits for this one.
fn typed() -> mpsc::Receiver<Vec<u8>> {
    let (sender, typed) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut buffer = [0; 1_024];
        let mut stdin = std::io::stdin().lock();
        while let Ok(count @ 1..) = stdin.read(&mut buffer) {
            if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    typed
}

/// `hostler vm screenshot`.
pub(super) async fn screenshot(
    vm: &Vm,
    out: Option<PathBuf>,
    client: &ControlClient,
    output: Output,
) -> Result<()> {
    let path = out.unwrap_or_else(|| PathBuf::from(format!("{}.png", vm.name)));
    let mut picture = client.vm_screenshot(vm.id).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = picture.next().await {
        bytes.extend_from_slice(&piece?);
    }
    std::fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))?;
    output.line(&serde_json::json!({"file": path}), |_| {
        format!("Wrote {}", path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_ends_and_what_was_typed_before_it_is_sent() {
        let check = |typed: &[u8], sent: &[u8], ends| {
            assert_eq!(until_escape(typed.to_vec()), (sent.to_vec(), ends));
        };
        check(b"ls\r", b"ls\r", false);
        check(b"ls\x1dmore", b"ls", true);
        check(b"\x1d", b"", true);
    }
}
