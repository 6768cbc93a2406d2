//! The link to the node: lost and found again, or never there.

use std::process::Command;
use std::time::Duration;

use hostler_wire::agent::AgentPhase;

use crate::bench::{Bench, SLOT};
use crate::program::{lives, numbers};
use crate::server::Server;

fn status_of(variables: &[(&str, &str)]) -> Option<i32> {
    let agent = Command::new(env!("CARGO_BIN_EXE_hostler-agent"))
        .env_clear()
        .envs(variables.iter().copied())
        .output();
    agent.unwrap().status.code()
}

#[tokio::test]
async fn a_service_goes_on_while_the_server_is_killed_again_and_again() {
    let mut bench = Bench::new().await;
    let request = bench.run(&["stay"]).await;
    let before = bench.state().await;
    for round in 2..5 {
        let handshakes = bench.handshakes(1).await.len();
        bench.server.kill();
        bench.server.restart();
        let all = bench.handshakes(handshakes + 1).await;
        assert!(all.len() >= round, "{}", all.len());
        let after = bench.state().await;
        assert_eq!(
            (after.state, after.starts, after.pid),
            (AgentPhase::Running, 1, before.pid)
        );
        assert!(bench.deploy(&request).await.accepted);
    }
    let starts = numbers(&bench.work("starts"));
    assert_eq!(starts, [before.pid.unwrap()]);
    assert!(lives(starts[0]));
    bench.undeploy(0).await;
    assert!(!lives(starts[0]));
}

#[tokio::test]
async fn an_end_without_a_link_is_known_when_it_is_back() {
    let mut bench = Bench::new().await;
    bench.run(&["stay"]).await;
    let pid = numbers(&bench.work("starts"))[0];
    bench.server.kill();
    bench
        .until("the loss is noticed", || {
            bench.agent_log().contains("lost").then_some(())
        })
        .await;
    let service = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(service, rustix::process::Signal::KILL).unwrap();
    bench.until("its end", || (!lives(pid)).then_some(())).await;
    bench.server.restart();
    bench.handshakes(2).await;
    let state = bench.state().await;
    assert_eq!(
        (state.state, state.code, state.starts),
        (AgentPhase::Exited, Some(-1), 1)
    );
    bench
        .until("the event", || bench.events("workload_stopped").pop())
        .await;
}

#[test]
fn a_wrong_environment_is_a_usage_error() {
    assert_eq!(status_of(&[]), Some(64));
    assert_eq!(status_of(&[("NEX_SANDBOX", "false")]), Some(64));
}

#[test]
fn an_agent_whose_handshake_nobody_answers_gives_up() {
    let server = Server::start();
    let port = server.port.to_string();
    let began = std::time::Instant::now();
    let status = status_of(&[
        ("NEX_SANDBOX", "false"),
        ("NEX_WORKLOADID", SLOT),
        ("NEX_NODE_NATS_HOST", "127.0.0.1"),
        ("NEX_NODE_NATS_PORT", &port),
    ]);
    assert_eq!(status, Some(69));
    assert!(began.elapsed() >= Duration::from_secs(5));
}

#[test]
fn missing_credentials_are_no_node() {
    let status = status_of(&[
        ("NEX_SANDBOX", "false"),
        ("NEX_WORKLOADID", SLOT),
        ("NEX_NODE_NATS_HOST", "127.0.0.1"),
        ("NEX_NODE_NATS_PORT", "1"),
        ("HOSTLER_AGENT_CREDS", "no-such-file"),
    ]);
    assert_eq!(status, Some(69));
}
