//! Signing in with a browser on this machine: it is sent to the identity
//! provider, and in the end to a port that only this command listens on, with
//! a code that is worth nothing without what this command kept.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use data_encoding::HEXLOWER;
use hostler_wire::client::ControlClient;
use hostler_wire::rest::{LoggedIn, SignInBegin, SignInRedeem};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::output::Output;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// The longest request line that is read.
const LONGEST: u64 = 8_192;

const THANKS: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\
    connection: close\r\n\r\nSigned in. You can close this page.\n";

/// Signs in.
pub(super) async fn sign_in(client: &ControlClient, output: Output) -> Result<LoggedIn> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let verifier = hostler_daemon::secret::random_secret();
    let path = format!("/{}", hostler_daemon::secret::random_secret());
    let request = SignInBegin {
        return_to: format!("http://{}{path}", listener.local_addr()?),
        challenge: HEXLOWER.encode(&Sha256::digest(&verifier)),
    };
    let begun = client.sign_in_begin(&request).await?;
    output.remark(format!(
        "open this in a browser on this machine:\n\n  {}\n",
        begun.url
    ));
    let waiting = tokio::time::timeout(PATIENCE, code(&listener, &path)).await;
    let code = waiting.context("nobody signed in")??;
    Ok(client
        .sign_in_redeem(&SignInRedeem { code, verifier })
        .await?)
}

/// The code that a browser brings to this path; other requests are not for us.
async fn code(listener: &TcpListener, path: &str) -> Result<String> {
    loop {
        let (mut browser, _) = listener.accept().await?;
        let line = tokio::time::timeout(Duration::from_secs(5), first_line(&mut browser)).await;
        let Ok(Ok(line)) = line else { continue };
        if let Some(code) = code_in(&line, path) {
            browser.write_all(THANKS).await?;
            browser.shutdown().await?;
            return Ok(code);
        }
    }
}

async fn first_line(browser: &mut TcpStream) -> Result<String> {
    let mut text = Vec::new();
    let mut limited = browser.take(LONGEST);
    while !text.contains(&b'\n') {
        if limited.read_buf(&mut text).await? == 0 {
            bail!("the request broke off");
        }
    }
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(String::from_utf8_lossy(line).into_owned())
}

/// The code in `GET /path?code=… HTTP/1.1`.
fn code_in(line: &str, path: &str) -> Option<String> {
    let target = line.split(' ').nth(1)?;
    let query = target.strip_prefix(path)?.strip_prefix('?')?;
    let code = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("code="))?;
    let is_plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_plain && !code.is_empty()).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_taken_from_our_own_path_only() {
        let check = |line: &str, expected: Option<&str>| {
            assert_eq!(code_in(line, "/abc").as_deref(), expected, "{line}");
        };
        check("GET /abc?code=x7 HTTP/1.1\r", Some("x7"));
        check("GET /abc?a=b&code=x7 HTTP/1.1", Some("x7"));
        check("GET /abd?code=x7 HTTP/1.1", None);
        check("GET /favicon.ico HTTP/1.1", None);
        check("GET /abc?code= HTTP/1.1", None);
        check("GET /abc?code=%0a HTTP/1.1", None);
        check("", None);
    }
}
