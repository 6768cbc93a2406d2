//! The tokens against a real `nats-server` in operator mode, over a bare
//! socket: an agent is admitted, hears and says what concerns its own slot,
//! may answer, and may do nothing else.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use chrono::Utc;
use hostler_wire::agent::subject;
use hostler_wire::nats::nkey::signing_key;
use hostler_wire::nats::server::Authority;

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that ends with the test.
struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    /// Started on a port of its own choice, which it writes into its folder.
    fn start(authority: &Authority) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("server.conf");
        let trust = authority.server_config(Utc::now()).unwrap();
        let ports = folder.path().display();
        let text = format!("listen: \"127.0.0.1:-1\"\nports_file_dir: \"{ports}\"\n{trust}");
        std::fs::write(&config, text).unwrap();
        let child = Command::new("nats-server")
            .arg("-c")
            .arg(&config)
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need nats-server in the path");
        Self { child, folder }
    }

    /// Where it listens, once it does.
    fn address(&self) -> String {
        let file = format!("nats-server_{}.ports", self.child.id());
        let file = self.folder.path().join(file);
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let text = std::fs::read(&file).unwrap_or_default();
            let ports = serde_json::from_slice::<serde_json::Value>(&text).unwrap_or_default();
            if let Some(url) = ports["nats"][0].as_str() {
                return url.trim_start_matches("nats://").to_owned();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("nats-server did not say where it listens");
    }

    /// A connection with these credentials, and what the server said to them.
    fn connect(&self, creds: &str) -> (Client, Vec<String>) {
        Client::greet(TcpStream::connect(self.address()).unwrap(), creds)
    }

    fn admits(&self, creds: &str) -> Client {
        let (client, said) = self.connect(creds);
        assert_eq!(said, [""; 0]);
        client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The little of a NATS client that shows what a server allows.
struct Client {
    lines: BufReader<TcpStream>,
}

impl Client {
    fn greet(stream: TcpStream, creds: &str) -> (Self, Vec<String>) {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Self {
            lines: BufReader::new(stream),
        };
        let info = client.line();
        let info: serde_json::Value = serde_json::from_str(&info[5..]).unwrap();
        let mut parts = creds
            .lines()
            .filter(|line| !line.contains("---") && !line.is_empty());
        let (jwt, seed) = (parts.next().unwrap(), parts.next().unwrap());
        let nonce = info["nonce"].as_str().unwrap();
        let signature = signing_key(seed).unwrap().sign(nonce.as_bytes()).unwrap();
        let sig = data_encoding::BASE64URL_NOPAD.encode(&signature);
        let hello = serde_json::json!({
            "verbose": false, "pedantic": false, "tls_required": false, "jwt": jwt, "sig": sig,
        });
        client.send(&format!("CONNECT {hello}\r\nPING"));
        let said = client.until_pong();
        (client, said)
    }

    fn send(&mut self, text: &str) {
        let text = format!("{text}\r\n");
        self.lines.get_mut().write_all(text.as_bytes()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// What the server has to say until it has done all that was sent.
    fn said(&mut self) -> Vec<String> {
        self.send("PING");
        self.until_pong()
    }

    fn until_pong(&mut self) -> Vec<String> {
        let mut said = Vec::new();
        loop {
            match self.line().as_str() {
                "PONG" => return said,
                "" => {
                    said.push("the connection was closed".to_owned());
                    return said;
                }
                line => said.push(line.to_owned()),
            }
        }
    }

    fn refuses(&mut self, text: &str) {
        self.send(text);
        let said = self.said();
        assert!(
            said.iter()
                .any(|line| line.starts_with("-ERR 'Permissions Violation")),
            "{text}: {said:?}"
        );
    }

    fn allows(&mut self, text: &str) {
        self.send(text);
        assert_eq!(self.said(), [""; 0], "{text}");
    }
}

#[test]
fn an_agent_hears_and_says_only_what_concerns_its_slot() {
    let authority = Authority::new();
    let server = Server::start(&authority);
    let mut agent = server.admits(&authority.agent_creds("slot1", Utc::now()).unwrap());
    agent.allows(&format!("SUB {} 1", subject::deploy("slot1")));
    agent.allows(&format!("SUB {}.x 2", subject::inbox_prefix("slot1")));
    agent.allows(&format!("PUB {} 2\r\n{{}}", subject::logs("slot1")));
    agent.refuses(&format!("SUB {} 3", subject::deploy("slot2")));
    agent.refuses("SUB agentint.*.deploy 4");
    agent.refuses("SUB > 5");
    agent.refuses("SUB _INBOX.> 6");
    agent.refuses(&format!("PUB {} 2\r\n{{}}", subject::logs("slot2")));
    agent.refuses("PUB _INBOX.somebody 2\r\n{}");
}

#[test]
fn an_agent_may_answer_whom_it_hears() {
    let authority = Authority::new();
    let server = Server::start(&authority);
    let mut node = server.admits(&authority.node_creds(Utc::now()).unwrap());
    let mut agent = server.admits(&authority.agent_creds("slot1", Utc::now()).unwrap());
    agent.allows(&format!("SUB {} 1", subject::deploy("slot1")));
    node.allows("SUB _INBOX.node.1 1");
    node.allows(&format!(
        "PUB {} _INBOX.node.1 2\r\n{{}}",
        subject::deploy("slot1")
    ));
    assert_eq!(
        agent.line(),
        format!("MSG {} 1 _INBOX.node.1 2", subject::deploy("slot1"))
    );
    assert_eq!(agent.line(), "{}");
    agent.allows("PUB _INBOX.node.1 4\r\ndone");
    assert_eq!(node.line(), "MSG _INBOX.node.1 1 4");
    assert_eq!(node.line(), "done");
    agent.refuses("PUB _INBOX.node.1 5\r\nagain");
}

#[test]
fn credentials_of_another_authority_are_refused() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = Server::start(&authority);
    let (_, said) = server.connect(&other.node_creds(Utc::now()).unwrap());
    assert!(
        said[0].starts_with("-ERR 'Authorization Violation"),
        "{said:?}"
    );
    let (operator, account) = authority.seeds().unwrap();
    let again = Authority::from_seeds(&operator, &account).unwrap();
    server.admits(&again.node_creds(Utc::now()).unwrap());
}
