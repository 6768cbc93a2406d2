//! A VM's console from this side: a WebSocket of binary messages.

use std::str::FromStr;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::error::{ClientError, Transport};
use crate::rest::ErrorBody;

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
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    url: String,
}

impl Console {
    /// Opens the console at a path below `base`, with a header that proves who
    /// asks.
    pub(super) async fn open(
        base: &str,
        path: &[&str],
        (header, secret): (&'static str, &str),
    ) -> Result<Self, ClientError> {
        let url = format!("{}/{}", base.trim_end_matches('/'), path.join("/"));
        let address = || ClientError::Address(url.clone());
        let socket_url = match url.strip_prefix("http") {
            Some(rest) => format!("ws{rest}"),
            None => return Err(address()),
        };
        let mut request = socket_url.into_client_request().map_err(|_| address())?;
        let value = HeaderValue::from_str(secret).map_err(|_| address())?;
        request.headers_mut().insert(header, value);
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self { socket, url }),
            Err(Error::Http(answer)) => Err(refused(&answer)),
            Err(error) => Err(broken(&url, &error)),
        }
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

fn refused(answer: &tungstenite::http::Response<Option<Vec<u8>>>) -> ClientError {
    let body = answer.body().as_deref().unwrap_or_default();
    let status = answer.status();
    let said = serde_json::from_slice(body).ok();
    ClientError::Refused {
        status: reqwest::StatusCode::from_u16(status.as_u16()).unwrap_or_default(),
        body: said.unwrap_or_else(|| ErrorBody {
            error: format!("the console was refused with status {status}"),
            code: "unknown".to_owned(),
            hint: None,
            missing_policy: None,
        }),
    }
}

fn broken(url: &str, error: &Error) -> ClientError {
    ClientError::Transport(Transport::Broken {
        url: url.to_owned(),
        problem: error.to_string(),
    })
}
