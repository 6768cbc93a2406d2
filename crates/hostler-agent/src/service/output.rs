//! What a service writes, as log entries: one for each read (protocol 4.4),
//! not split into lines, with invalid UTF-8 replaced.

use hostler_wire::agent::AgentLevel;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;

use crate::outbox::Outbox;

/// The most bytes of one entry.
const READ: usize = 32 << 10;

/// Passes on what comes out of a pipe until everybody has closed it.
pub(super) async fn pump(
    mut pipe: pipe::Receiver,
    outbox: Outbox,
    source: String,
    level: AgentLevel,
) {
    let mut buffer = vec![0; READ];
    let mut kept = 0;
    while let Ok(read @ 1..) = pipe.read(&mut buffer[kept..]).await {
        let filled = kept + read;
        let whole = filled - cut_character(&buffer[..filled]);
        if whole > 0 {
            let text = String::from_utf8_lossy(&buffer[..whole]).into_owned();
            outbox.log(&source, level, text);
        }
        buffer.copy_within(whole..filled, 0);
        kept = filled - whole;
    }
    if kept > 0 {
        let text = String::from_utf8_lossy(&buffer[..kept]).into_owned();
        outbox.log(&source, level, text);
    }
}

/// Bytes at the end that are the beginning of a character: at most three.
/// They wait for the next read, so that no character is torn.
fn cut_character(bytes: &[u8]) -> usize {
    let last = bytes.len().saturating_sub(4);
    match bytes[last..].utf8_chunks().last() {
        Some(chunk) if is_beginning(chunk.invalid()) => chunk.invalid().len(),
        _ => 0,
    }
}

fn is_beginning(invalid: &[u8]) -> bool {
    !invalid.is_empty()
        && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_of_a_character_waits() {
        let check =
            |bytes: &[u8], expected| assert_eq!(cut_character(bytes), expected, "{bytes:?}");
        check(b"", 0);
        check(b"plain\n", 0);
        check("größe".as_bytes(), 0);
        check(&"größ".as_bytes()[..5], 1);
        check(&"a€".as_bytes()[..3], 2);
        check(&"ab😀".as_bytes()[..5], 3);
        check(&"😀😀".as_bytes()[..7], 3);
        check(b"\xff\xff\xff", 0);
        check(b"\x80", 0);
        check(b"text\xc0", 0);
    }
}
