//! What an agent refuses, and in which words. Nothing is started, and the
//! agent goes on.

use hostler_wire::agent::{AgentDeployRequest, AgentPhase};

use crate::bench::Bench;
use crate::program::{dynamic, service};

async fn refused(bench: &Bench, request: &AgentDeployRequest, expected: &str) {
    let response = bench.deploy(request).await;
    let message = response.message.unwrap_or_default();
    assert!(!response.accepted, "{expected}");
    assert!(message.starts_with(expected), "{message}");
    assert!(!bench.work("starts").exists());
}

/// An agent has one attempt at an artifact, so each gets an agent of its own.
async fn refused_after_fetching(bytes: &[u8], argv: &[&str], expected: &str) -> Bench {
    let bench = Bench::new().await;
    let request = bench.request("elf", bytes, argv);
    refused(&bench, &request, expected).await;
    refused(&bench, &request, expected).await;
    let state = bench.state().await;
    assert_eq!((state.state, state.code), (AgentPhase::Exited, Some(-1)));
    bench
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_does_no_harm() {
    let bench = Bench::new().await;
    for garbage in [
        &b""[..],
        b"{",
        b"[]",
        b"null x",
        b"\xff\xfe\x00",
        b"{\"argv\":7}",
        b"\"text\"",
    ] {
        let response = bench.deploy_bytes(garbage.to_vec()).await;
        let message = response.message.unwrap();
        assert!(!response.accepted);
        assert!(
            message.starts_with("Failed to unmarshal deploy request: "),
            "{message}"
        );
    }
    let deep = "[".repeat(100_000).into_bytes();
    assert!(!bench.deploy_bytes(deep).await.accepted);
    bench
        .ask("ping", b"garbage".to_vec(), async_nats::HeaderMap::new())
        .await;
    assert_eq!(bench.state().await.state, AgentPhase::Idle);
    bench.run(&["stay"]).await;
}

#[tokio::test]
async fn every_missing_member_is_named_and_the_agent_stays_idle() {
    let bench = Bench::new().await;
    let all = "namespace is required\nworkload name is required\nhash is required\n\
        workload type is required\ntotal bytes is required";
    refused(&bench, &AgentDeployRequest::default(), all).await;
    let good = bench.request("elf", service(), &["stay"]);
    let mut empty = good.clone();
    empty.total_bytes = 0;
    refused(&bench, &empty, "total bytes is required").await;
    let mut essential = good.clone();
    essential.workload_type = "wasm".to_owned();
    essential.essential = true;
    let both = "essential flag is not supported for workload type\n\
        at least one trigger subject is required for this workload type";
    refused(&bench, &essential, both).await;
    assert_eq!(bench.state().await.state, AgentPhase::Idle);
    assert!(bench.deploy(&good).await.accepted);
}

#[tokio::test]
async fn a_dynamic_program_is_refused() {
    let expected = "Failed to validate workload: file failed static link check: \
        elf binary contains at least one dynamically linked dependency";
    refused_after_fetching(&dynamic(), &[], expected).await;
}

#[tokio::test]
async fn a_truncated_program_is_refused() {
    let half = &service()[..service().len() / 2];
    let expected =
        "Failed to validate workload: failed to open source binary: the file is truncated";
    refused_after_fetching(half, &[], expected).await;
}

#[tokio::test]
async fn a_script_is_refused() {
    let expected = "Failed to validate workload: failed to open source binary: bad magic number";
    refused_after_fetching(b"#!/bin/sh\ntouch starts\n", &[], expected).await;
}

#[tokio::test]
async fn a_program_that_cannot_be_executed_is_answered_and_told() {
    let endless = "x".repeat(200_000);
    let expected = "Failed to start workload: could not execute it: Argument list too long";
    let bench = refused_after_fetching(service(), &[&endless], expected).await;
    let event = bench
        .until("the event", || bench.events("workload_stopped").pop())
        .await;
    assert_eq!(event.data["code"], -1);
    assert!(
        event.data["message"]
            .as_str()
            .unwrap()
            .starts_with("Failed to start workload: probe; vm: ")
    );
    assert_eq!(
        bench.said(),
        [(2, "Workload probe failed to deploy".to_owned())]
    );
    assert!(bench.events("workload_started").is_empty());
}

#[tokio::test]
async fn an_artifact_that_is_not_the_one_ordered_is_refused() {
    let check = async |change: fn(&mut AgentDeployRequest), expected: &str| {
        let bench = Bench::new().await;
        let mut request = bench.request("elf", service(), &["stay"]);
        change(&mut request);
        refused(&bench, &request, expected).await;
    };
    let failed = "Failed to write workload artifact to temp dir: ";
    check(
        |request| request.hash = "00".repeat(32),
        &format!("{failed}its SHA-256 is "),
    )
    .await;
    check(
        |request| request.total_bytes -= 1,
        &format!("{failed}it is 1 bytes longer"),
    )
    .await;
    check(
        |request| request.total_bytes += 1,
        &format!("{failed}it ends after "),
    )
    .await;
    check(
        |request| request.total_bytes = u64::MAX,
        &format!("{failed}it ends after "),
    )
    .await;
}

#[tokio::test]
async fn what_the_system_cannot_take_is_refused() {
    let bench = Bench::new().await;
    let mut request = bench.request("elf", service(), &["stay"]);
    request.environment = Some([("A=B".to_owned(), "v".to_owned())].into());
    let expected = "Failed to validate workload: the environment variable 'A=B' cannot be set";
    refused(&bench, &request, expected).await;
}

#[tokio::test]
async fn a_type_without_a_provider_is_refused() {
    let bench = Bench::new().await;
    let request = bench.request("oci", service(), &[]);
    let expected = "Failed to initialize workload execution provider; \
        oci execution provider not yet implemented";
    refused(&bench, &request, expected).await;
}
