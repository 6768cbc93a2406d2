//! A VM's console from this side: a WebSocket of binary messages, over TLS where
//! the address says `https`.

use std::str::FromStr;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use reqwest::{Method, RequestBuilder, Upgraded};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::error::{ClientError, Transport};
use super::http::Http;

/// Which console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsoleKind {
    /// The screen, as the RFB protocol.
    Vnc,
    /// The serial line, as it is.
    Serial,
}

impl ConsoleKind {
    /// The word in the path.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vnc => "vnc",
            Self::Serial => "serial",
        }
    }
}

impl FromStr for ConsoleKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "vnc" => Ok(Self::Vnc),
            "serial" => Ok(Self::Serial),
            _ => Err(()),
        }
    }
}

/// An open console.
#[derive(Debug)]
pub struct Console {
    socket: WebSocketStream<Upgraded>,
    url: String,
}

impl Console {
    /// Opens the console at a path, with a header that proves who asks. The
    /// way there is that of every other request: encrypted, if that is.
    pub(super) async fn open(
        http: &Http,
        path: &[&str],
        (header, secret): (&'static str, &str),
    ) -> Result<Self, ClientError> {
        let key = generate_key();
        let asked = |builder: RequestBuilder| {
            builder
                .header(header, secret)
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-version", "13")
                .header("sec-websocket-key", &key)
        };
        let call = http.without_http2()?.request(Method::GET, path).with(asked);
        let accepted = derive_accept_key(key.as_bytes());
        let (url, line) = call.switch(("sec-websocket-accept", &accepted)).await?;
        let socket = WebSocketStream::from_raw_socket(line, Role::Client, None).await;
        Ok(Self { socket, url })
    }

    /// Sends bytes there.
    pub async fn send(&mut self, bytes: Bytes) -> Result<(), ClientError> {
        let sent = self.socket.send(Message::Binary(bytes)).await;
        sent.map_err(|error| broken(&self.url, &error))
    }

    /// The next bytes from there; `None` when the console is over.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.socket.next().await? {
                Ok(Message::Binary(bytes)) => return Some(bytes),
                Ok(Message::Text(text)) => return Some(text.into()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// Ends it.
    pub async fn close(mut self) {
        // The other side may have gone away before.
        let _ = self.socket.close(None).await;
    }
}

fn broken(url: &str, error: &Error) -> ClientError {
    ClientError::Transport(Transport::Broken {
        url: url.to_owned(),
        problem: error.to_string(),
    })
}
