//! Consoles and screens through the control plane; shares and their end.

use std::net::SocketAddr;
use std::time::Duration;

use hostler_wire::client::{ConsoleKind, ControlClient};
use hostler_wire::rest::ShareCreate;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};

use super::life::stage;
use crate::testing::{ADMIN, Ask, House, Machine};

/// A house with a port, a VM that runs, and its node.
async fn open() -> (House, SocketAddr, String, Machine) {
    let mut house = House::on_sqlite().await;
    let machine = stage(&house).await;
    let id = house.vm("web", json!({})).await;
    house.settle().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = house.router.clone();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (house, address, id, machine)
}

fn client(address: SocketAddr, secret: &str) -> ControlClient {
    ControlClient::new(&format!("http://{address}"), secret).unwrap()
}

type Socket =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A console opened as a browser does: the secret is a subprotocol.
async fn by_share(address: SocketAddr, id: &str, secret: &str) -> Result<Socket, u16> {
    let url = format!("ws://{address}/vms/{id}/console/vnc");
    let mut request = url.into_client_request().unwrap();
    let offered = format!("hostler.console, hostler.share.{secret}");
    request
        .headers_mut()
        .insert("sec-websocket-protocol", offered.parse().unwrap());
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, answer)) => {
            assert_eq!(
                answer.headers()["sec-websocket-protocol"],
                "hostler.console"
            );
            Ok(socket)
        }
        Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_console_carries_bytes_both_ways_for_who_has_the_policy() {
    let (house, address, id, _machine) = open().await;
    let vm = id.parse().unwrap();
    let admin = client(address, ADMIN);
    let mut console = admin.vm_console(vm, ConsoleKind::Serial).await.unwrap();
    for said in ["hello", "\u{1d}", "again"] {
        console.send(said.into()).await.unwrap();
        assert_eq!(console.next().await.unwrap(), said);
    }
    console.close().await;
    let lacks = house.token(None, &["vms:get"]).await;
    let refused = client(address, &lacks)
        .vm_console(vm, ConsoleKind::Vnc)
        .await;
    assert_eq!(refused.unwrap_err().status().unwrap(), 403);
    let other = house.token(Some("other"), &["hostler:admin"]).await;
    let refused = client(address, &other)
        .vm_console(vm, ConsoleKind::Vnc)
        .await;
    assert_eq!(refused.unwrap_err().status().unwrap(), 404);
    let picture = Ask::get(&format!("/vms/{id}/screenshot"))
        .send(&house.router)
        .await;
    assert_eq!(picture.headers["content-type"], "image/png");
    assert_eq!(&picture.bytes[..], b"\x89PNG picture");
}

#[tokio::test]
async fn a_share_opens_one_console_until_it_is_revoked_which_cuts_it() {
    use futures::{SinkExt as _, StreamExt as _};
    let (house, address, id, _machine) = open().await;
    let vm = id.parse().unwrap();
    let admin = client(address, ADMIN);
    let body = ShareCreate {
        name: "class".to_owned(),
        ttl_s: None,
    };
    let made = admin.share_create(vm, &body).await.unwrap();
    let mut socket = by_share(address, &id, &made.secret).await.unwrap();
    socket.send(Message::Binary("hi".into())).await.unwrap();
    let echoed = socket.next().await.unwrap().unwrap();
    assert_eq!(echoed.into_data(), "hi");
    let other = house.vm("other", json!({})).await;
    assert_eq!(
        by_share(address, &other, &made.secret).await.unwrap_err(),
        404
    );
    assert_eq!(by_share(address, &id, "guessed").await.unwrap_err(), 401);
    let listed = Ask::get(&format!("/vms/{id}/shares"))
        .send(&house.router)
        .await
        .expect(200);
    assert!(
        !listed.to_string().contains(&made.secret),
        "it is shown once"
    );
    admin.share_delete(vm, made.share.id).await.unwrap();
    let end = tokio::time::timeout(Duration::from_secs(4), async {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_close() {
                break;
            }
        }
    });
    assert!(
        end.await.is_ok(),
        "the session goes on after the share was revoked"
    );
    assert_eq!(by_share(address, &id, &made.secret).await.unwrap_err(), 401);
}

#[tokio::test]
async fn a_share_that_expired_opens_nothing() {
    let (house, address, id, _machine) = open().await;
    let body = ShareCreate {
        name: String::new(),
        ttl_s: Some(60),
    };
    let admin = client(address, ADMIN);
    let made = admin
        .share_create(id.parse().unwrap(), &body)
        .await
        .unwrap();
    assert!(by_share(address, &id, &made.secret).await.is_ok());
    house.wait(Duration::from_mins(1));
    assert_eq!(by_share(address, &id, &made.secret).await.unwrap_err(), 401);
}

/// Until the console is over; what still comes is not looked at.
async fn ended(console: &mut hostler_wire::client::Console) -> bool {
    let end = async { while console.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_mins(1), end)
        .await
        .is_ok()
}

#[tokio::test]
async fn a_console_ends_soon_after_the_token_that_opened_it() {
    let (house, address, id, _machine) = open().await;
    let body = json!({"name": "short", "policies": ["vms:console", "vms:get"], "ttl_s": 60});
    let made = Ask::post("/tokens").json(&body).send(&house.router).await;
    let made = made.expect(201);
    let guest = client(address, made["secret"].as_str().unwrap());
    let vm = id.parse().unwrap();
    let mut console = guest.vm_console(vm, ConsoleKind::Serial).await.unwrap();
    console.send("hello".into()).await.unwrap();
    assert_eq!(console.next().await.unwrap(), "hello");
    let mut other = client(address, ADMIN)
        .vm_console(vm, ConsoleKind::Serial)
        .await
        .unwrap();
    house.wait(Duration::from_mins(1));
    assert!(ended(&mut console).await, "its token has expired");
    other.send("still".into()).await.unwrap();
    assert_eq!(other.next().await.unwrap(), "still");
}

/// Where the test below that plays the person finds its console.
const PERSON: &str = "HOSTLER_TEST_CONSOLE";

#[tokio::test]
async fn a_console_of_a_control_plane_with_tls_is_encrypted() {
    let (house, _, id, _machine) = open().await;
    let folder = tempfile::tempdir().unwrap();
    let names = vec!["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let files = hostler_daemon::serve::TlsFiles {
        certificate: folder.path().join("tls.crt"),
        key: folder.path().join("tls.key"),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = files.certificate.clone();
    let tls = hostler_daemon::serve::Tls::open(files).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let end = (tokio_util::sync::CancellationToken::new(), Duration::ZERO);
    let served = hostler_daemon::serve::serve(listener, house.router.clone(), Some(tls), end);
    tokio::spawn(served);
    // Whom a process trusts is told by its environment, so the person is one
    // of their own.
    let person = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "tests::vms::consoles::the_person_at_an_encrypted_console",
        ])
        .env("SSL_CERT_FILE", trusted)
        .env(PERSON, format!("https://localhost:{port} {id}"))
        .output();
    let person = person.await.unwrap();
    let said = String::from_utf8_lossy(&person.stdout);
    assert!(
        person.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test]
async fn the_person_at_an_encrypted_console() {
    let Ok(place) = std::env::var(PERSON) else {
        // The test above starts this one.
        return;
    };
    let (url, id) = place.split_once(' ').unwrap();
    let admin = ControlClient::new(url, ADMIN).unwrap();
    let vm = id.parse().unwrap();
    let mut console = admin.vm_console(vm, ConsoleKind::Serial).await.unwrap();
    console.send("hello".into()).await.unwrap();
    assert_eq!(console.next().await.unwrap(), "hello");
    let unknown = hostler_core::id::VmId::from_parts(1, [1; 10]);
    let refused = admin.vm_console(unknown, ConsoleKind::Serial).await;
    assert_eq!(refused.unwrap_err().status().unwrap(), 404);
}
