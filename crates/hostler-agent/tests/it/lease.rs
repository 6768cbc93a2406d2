//! The end of the lease: the agent ends its workload and itself, with nobody
//! there to tell it, and not before.

use std::time::{Duration, Instant};

use async_nats::HeaderMap;
use hostler_wire::agent::{
    AgentDeployRequest, AgentLease, AgentLeaseReply, AgentPhase, DeployResponse, HandshakeRequest,
    Message as _,
};

use crate::bench::{Bench, SLOT};
use crate::program::{lives, numbers};

const OVER: Option<i32> = Some(75);

/// A lease that ends in so many milliseconds, by the agent's clock.
async fn lease(bench: &Bench, order: u64, ahead_ms: u64) -> AgentLease {
    let clock = bench.state().await.clock_ms.expect("a clock");
    AgentLease {
        order,
        until_ms: Some(clock + ahead_ms),
    }
}

async fn tell(bench: &Bench, lease: AgentLease) -> AgentLeaseReply {
    let answer = bench.ask("lease", lease.encode(), HeaderMap::new()).await;
    AgentLeaseReply::decode(&answer.payload).expect("a reply")
}

/// A service of a family, deployed with this lease; everybody's pids.
async fn family(bench: &Bench, lease: Option<AgentLease>) -> Vec<u32> {
    let request = AgentDeployRequest {
        lease,
        ..bench.request("elf", crate::program::service(), &["family"])
    };
    assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    let mut family = bench
        .until("a family", || {
            let family = numbers(&bench.work("family"));
            (family.len() == 3).then_some(family)
        })
        .await;
    family.extend(numbers(&bench.work("starts")));
    family
}

async fn is_over(bench: &mut Bench, family: &[u32]) {
    assert_eq!(bench.agent_ended().await.code(), OVER);
    assert!(family.iter().all(|pid| !lives(*pid)), "{family:?}");
}

#[tokio::test]
async fn the_end_of_the_lease_kills_everything_without_a_word_of_the_node() {
    let mut bench = Bench::new().await;
    let ends = lease(&bench, 1, 1_500).await;
    let began = Instant::now();
    let family = family(&bench, Some(ends)).await;
    assert!(family.iter().all(|pid| lives(*pid)));
    is_over(&mut bench, &family).await;
    assert!(began.elapsed() >= Duration::from_millis(1_400));
    assert!(bench.events("workload_stopped").is_empty(), "not its fault");
    let said = bench.said();
    assert!(
        said.iter()
            .any(|(_, text)| text.contains("lease has ended")),
        "{said:?}"
    );
}

#[tokio::test]
async fn the_lease_ends_without_a_link_as_well() {
    let mut bench = Bench::new().await;
    let ends = lease(&bench, 1, 1_500).await;
    let family = family(&bench, Some(ends)).await;
    bench.server.kill();
    is_over(&mut bench, &family).await;
}

#[tokio::test]
async fn a_renewed_lease_ends_later_and_an_older_word_changes_nothing() {
    let mut bench = Bench::new().await;
    let (soon, sooner) = (lease(&bench, 1, 1_500).await, lease(&bench, 2, 900).await);
    let family = family(&bench, Some(soon)).await;
    let began = Instant::now();
    let later = lease(&bench, 3, 3_000).await;
    assert_eq!(tell(&bench, later).await.order, 3);
    for stale in [
        sooner,
        lease(&bench, 2, 60_000).await,
        AgentLease::default(),
    ] {
        assert_eq!(tell(&bench, stale).await.order, 3);
    }
    is_over(&mut bench, &family).await;
    let lived = began.elapsed();
    assert!(lived >= Duration::from_millis(2_900), "{lived:?}");
    assert!(lived < Duration::from_secs(20), "{lived:?}");
}

#[tokio::test]
async fn a_renewal_reaches_an_agent_whose_server_was_started_again() {
    let mut bench = Bench::new().await;
    let ends = lease(&bench, 1, 4_000).await;
    let family = family(&bench, Some(ends)).await;
    bench.server.kill();
    bench.server.restart();
    let handshakes = bench.handshakes(2).await;
    let hello = HandshakeRequest::decode(&handshakes[1].payload).expect("a handshake");
    assert!(hello.clock_ms.is_some());
    let later = lease(&bench, 2, 3_600_000).await;
    assert_eq!(tell(&bench, later).await.order, 2);
    let past = ends.until_ms.expect("an end") + 200;
    while bench.state().await.clock_ms.expect("a clock") < past {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.state().await.state, AgentPhase::Running);
    assert!(family.iter().all(|pid| lives(*pid)));
}

#[tokio::test]
async fn without_an_end_there_is_none() {
    let bench = Bench::new().await;
    let soon = lease(&bench, 1, 600).await;
    let family = family(&bench, Some(soon)).await;
    let none = AgentLease {
        order: 2,
        until_ms: None,
    };
    assert_eq!(tell(&bench, none).await.order, 2);
    let past = soon.until_ms.expect("an end") + 600;
    while bench.state().await.clock_ms.expect("a clock") < past {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(bench.state().await.state, AgentPhase::Running);
    assert!(family.iter().all(|pid| lives(*pid)));
}

#[tokio::test]
async fn a_long_grace_does_not_outlast_the_lease() {
    let mut bench = Bench::new().await;
    let ends = lease(&bench, 1, 1_500).await;
    let request = AgentDeployRequest {
        lease: Some(ends),
        ..bench.request("elf", crate::program::service(), &["stubborn"])
    };
    assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    bench
        .until("the service is ready", || {
            bench.work("ready").exists().then_some(())
        })
        .await;
    let asked = bench.node.publish(
        format!("agentint.{SLOT}.undeploy"),
        r#"{"grace_ms":60000}"#.into(),
    );
    asked.await.expect("asked");
    let starts = numbers(&bench.work("starts"));
    let began = Instant::now();
    is_over(&mut bench, &starts).await;
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn what_comes_after_the_end_is_not_started() {
    let mut bench = Bench::new().await;
    let ended = lease(&bench, 1, 0).await;
    let request = AgentDeployRequest {
        lease: Some(ended),
        ..bench.request("elf", crate::program::service(), &["stay"])
    };
    let deploy = bench
        .node
        .publish(format!("agentint.{SLOT}.deploy"), request.encode().into());
    deploy.await.expect("asked");
    assert_eq!(bench.agent_ended().await.code(), OVER);
    assert!(!bench.work("starts").exists());
}

#[cfg(feature = "wasm")]
#[tokio::test]
async fn a_function_that_computes_on_ends_with_its_lease() {
    let mut bench = Bench::new().await;
    let module = wat::parse_str(
        "(module (memory (export \"memory\") 1) (func (export \"_start\") (loop $on (br $on))))",
    );
    let ends = lease(&bench, 1, 1_500).await;
    let mut request = AgentDeployRequest {
        lease: Some(ends),
        trigger_subjects: Some(vec!["calc".to_owned()]),
        ..bench.request("wasm", &module.expect("a module"), &[])
    };
    request.limits = Some(hostler_wire::agent::AgentLimits {
        time_limit_ms: Some(600_000),
        ..Default::default()
    });
    assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    let call = bench
        .node
        .publish(format!("agentint.{SLOT}.trigger"), "x".into());
    call.await.expect("asked");
    is_over(&mut bench, &[]).await;
}
