//! Bytes between a WebSocket and a line to a machine, until either ends.

use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::hypervisor::machines::Wire;

/// Carries bytes both ways; whoever ends first ends both.
pub(super) async fn carry(socket: WebSocket, wire: Wire) {
    let (mut reader, mut writer) = tokio::io::split(wire);
    let (mut out, mut typed) = socket.split();
    let told = async {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(count) = reader.read(&mut buffer).await {
            let piece = Bytes::copy_from_slice(&buffer[..count]);
            if count == 0 || out.send(Message::Binary(piece)).await.is_err() {
                break;
            }
        }
        out.close().await.ok();
    };
    let hears = async {
        while let Some(Ok(message)) = typed.next().await {
            let written = match message {
                Message::Binary(bytes) => writer.write_all(&bytes).await,
                Message::Text(text) => writer.write_all(text.as_bytes()).await,
                Message::Close(_) => break,
                Message::Ping(_) | Message::Pong(_) => Ok(()),
            };
            if written.is_err() || writer.flush().await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = told => {}
        () = hears => {}
    }
}
