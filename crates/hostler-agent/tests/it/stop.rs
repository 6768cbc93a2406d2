//! Every way a service is ended: by an order, with its agent, in spite of itself.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use hostler_wire::agent::AgentPhase;
use rustix::process::{Pid, Signal, kill_process};

use crate::bench::Bench;
use crate::program::{lives, numbers};

fn pid(bench: &Bench) -> u32 {
    numbers(&bench.work("starts"))[0]
}

#[tokio::test]
async fn a_polite_service_ends_by_itself_and_the_agent_is_silent_about_it() {
    let bench = Bench::new().await;
    let request = bench.run(&["polite"]).await;
    let took = bench.undeploy(60_000).await;
    assert!(
        took < Duration::from_mins(1),
        "it was not waited for: {took:?}"
    );
    assert!(bench.work("terminated").exists());
    assert!(!lives(pid(&bench)));
    let state = bench.state().await;
    assert_eq!((state.state, state.code), (AgentPhase::Exited, Some(0)));
    bench.undeploy(60_000).await;
    assert!(bench.events("workload_stopped").is_empty());
    assert!(
        bench
            .said()
            .iter()
            .all(|(_, text)| text != "Workload probe exited")
    );
    // It had its workload; a late copy of the order does not bring it back.
    assert!(!bench.deploy(&request).await.accepted);
    assert_eq!(numbers(&bench.work("starts")).len(), 1);
}

#[tokio::test]
async fn a_stubborn_service_is_killed_when_its_time_is_over() {
    let bench = Bench::new().await;
    bench.run(&["stubborn"]).await;
    let took = bench.undeploy(300).await;
    assert!(took >= Duration::from_millis(300), "{took:?}");
    assert!(!lives(pid(&bench)));
    assert_eq!(bench.state().await.code, Some(-1));
}

#[tokio::test]
async fn no_time_means_at_once() {
    let bench = Bench::new().await;
    bench.run(&["polite"]).await;
    bench.undeploy(0).await;
    assert!(!lives(pid(&bench)));
    assert!(!bench.work("terminated").exists());
}

#[tokio::test]
async fn grandchildren_end_too_whatever_group_and_session_they_fled_to() {
    let bench = Bench::new().await;
    bench.run(&["family"]).await;
    let family = bench
        .until("a family", || {
            let family = numbers(&bench.work("family"));
            (family.len() == 3).then_some(family)
        })
        .await;
    assert!(family.iter().all(|pid| lives(*pid)));
    bench.undeploy(200).await;
    assert!(family.iter().all(|pid| !lives(*pid)), "{family:?}");
    assert!(!lives(pid(&bench)));
}

#[tokio::test]
async fn an_idle_agent_that_was_undeployed_takes_no_workload_any_more() {
    let bench = Bench::new().await;
    bench.undeploy(0).await;
    let request = bench.request("elf", crate::program::service(), &["stay"]);
    assert!(!bench.deploy(&request).await.accepted);
    assert_eq!(bench.state().await.state, AgentPhase::Exited);
    assert!(!bench.work("starts").exists());
}

#[tokio::test]
async fn a_service_does_not_outlive_its_agent() {
    let mut bench = Bench::new().await;
    bench.run(&["stubborn"]).await;
    let pid = pid(&bench);
    assert!(lives(pid));
    bench.agent.kill().unwrap();
    bench.agent_ended().await;
    bench
        .until("the service ends", || (!lives(pid)).then_some(()))
        .await;
}

#[tokio::test]
async fn an_agent_told_to_end_ends_its_service_first() {
    let mut bench = Bench::new().await;
    bench.run(&["polite"]).await;
    let agent = Pid::from_raw(bench.agent.id().cast_signed()).unwrap();
    kill_process(agent, Signal::TERM).unwrap();
    let status = bench.agent_ended().await;
    assert_eq!((status.code(), status.signal()), (Some(0), None));
    assert!(bench.work("terminated").exists());
    assert!(!lives(pid(&bench)));
}
