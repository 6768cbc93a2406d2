//! A service: how it runs and how its end becomes known.

use hostler_wire::agent::{AgentPhase, DeployResponse, EventData, HandshakeRequest, Message as _};

use crate::bench::{Bench, SLOT};
use crate::program::{lives, numbers};

#[tokio::test]
async fn a_service_gets_its_name_its_arguments_its_environment_and_nothing_else() {
    let bench = Bench::new().await;
    let mut request = bench.request("elf", crate::program::service(), &["say", "two words", ""]);
    let pairs = [("nats_url", "nats://x:1"), ("Mixed", "a=b ü\n")];
    request.environment = Some(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    request.retry_count = Some(2);
    assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    let expected = "name probe\nargument say\nargument two words\nargument \n\
        variable HOSTLER_RESTARTS=2\nvariable MIXED=a=b ü\n\nvariable NATS_URL=nats://x:1\n\
        input -1\n";
    bench
        .until("its words", || (bench.written(4) == expected).then_some(()))
        .await;
    bench
        .until("its complaint", || {
            (bench.written(2) == "a complaint\n").then_some(())
        })
        .await;
    assert_eq!(bench.said(), [(4, "Workload probe deployed".to_owned())]);

    let started = bench
        .until("the event", || bench.events("workload_started").pop())
        .await;
    assert_eq!(started.source, SLOT);
    assert!(matches!(
        started.typed(),
        Some(EventData::WorkloadStarted(data)) if data.workload_name == "probe" && data.code == 0
    ));
    let state = bench.state().await;
    assert_eq!(
        (state.state, state.starts, state.code),
        (AgentPhase::Running, 1, None)
    );
    assert_eq!(
        (state.generation, state.hash),
        (Some(3), Some(request.hash))
    );
    assert_eq!(numbers(&bench.work("starts")), [state.pid.unwrap()]);
}

#[tokio::test]
async fn the_handshake_says_who_is_there_and_what_keeps_it_apart() {
    let bench = Bench::new().await;
    let all = bench.handshakes(1).await;
    let said = HandshakeRequest::decode(&all[0].payload).unwrap();
    assert_eq!(said.id, SLOT);
    assert!(
        said.message
            .contains("isolation: process-group,death-signal"),
        "{}",
        said.message
    );
    assert_eq!(bench.state().await.state, AgentPhase::Idle);
}

async fn ended(argv: &[&str], code: i32) -> Bench {
    let bench = Bench::new().await;
    let request = bench.request("elf", crate::program::service(), argv);
    assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    let event = bench
        .until("its end", || bench.events("workload_stopped").pop())
        .await;
    let Some(EventData::WorkloadStopped(data)) = event.typed() else {
        panic!("{event:?}");
    };
    assert_eq!((data.workload_name.as_str(), data.code), ("probe", code));
    let message = format!("Exited workload: probe; vm: {SLOT}; status: {code}");
    assert_eq!(data.message, message);
    let state = bench.state().await;
    assert_eq!(
        (state.state, state.code, state.pid),
        (AgentPhase::Exited, Some(code), None)
    );
    // The same order again starts nothing and is answered as before.
    assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    assert_eq!(numbers(&bench.work("starts")).len(), 1);
    bench
}

#[tokio::test]
async fn a_good_end_is_known_after_the_last_words() {
    let bench = ended(&["exit", "0"], 0).await;
    assert_eq!(bench.written(4), "last words\n");
    assert_eq!(
        bench.said().last().unwrap(),
        &(4, "Workload probe exited".to_owned())
    );
    let order = bench.order();
    let place = |what: &str| order.iter().rposition(|one| one == what).unwrap();
    assert!(
        place("logs") < place("events.workload_stopped"),
        "{order:?}"
    );
}

#[tokio::test]
async fn a_bad_end_is_known_with_its_code() {
    let bench = ended(&["exit", "3"], 3).await;
    assert_eq!(
        bench.said().last().unwrap(),
        &(2, "Workload probe exited".to_owned())
    );
}

#[tokio::test]
async fn an_end_by_a_signal_has_no_code() {
    ended(&["abort"], -1).await;
}

#[tokio::test]
async fn what_a_service_leaves_behind_ends_with_it() {
    let bench = ended(&["abandon"], 7).await;
    let family = numbers(&bench.work("family"));
    assert_eq!(family.len(), 3);
    assert!(family.iter().all(|pid| !lives(*pid)), "{family:?}");
}

#[tokio::test]
async fn a_workload_deployed_twice_is_started_once_and_a_second_one_not_at_all() {
    let bench = Bench::new().await;
    let request = bench.run(&["stay"]).await;
    for _ in 0..5 {
        assert_eq!(bench.deploy(&request).await, DeployResponse::accepted());
    }
    let mut other = request.clone();
    other.generation = Some(4);
    let response = bench.deploy(&other).await;
    assert!(!response.accepted);
    assert_eq!(
        response.message.unwrap(),
        "this agent already has a workload"
    );
    assert_eq!(numbers(&bench.work("starts")).len(), 1);
    assert_eq!(bench.state().await.starts, 1);
}

#[tokio::test]
async fn a_flood_of_output_is_bounded_counted_and_holds_nothing_up() {
    let bench = Bench::new().await;
    bench.run(&["flood"]).await;
    bench
        .until("the flood is over", || {
            bench.work("flooded").exists().then_some(())
        })
        .await;
    let state = bench.state().await;
    assert_eq!(state.state, AgentPhase::Running);
    let received = bench.written(4).len() as u64;
    // Dropped entries are at most as long as a read; all that is missing was counted.
    let missing = 2_000 * 32_768 - received.min(2_000 * 32_768);
    if missing > 0 {
        bench
            .until("all is told", || {
                let told = bench.said().into_iter().filter_map(|(level, text)| {
                    let count = text.strip_suffix(" log entries were dropped")?;
                    assert_eq!(level, 3);
                    count.parse::<u64>().ok()
                });
                let received = bench.written(4).len() as u64;
                (received + told.sum::<u64>() * 32_768 >= 2_000 * 32_768).then_some(())
            })
            .await;
    }
}

#[tokio::test]
async fn a_service_reads_the_system_and_writes_its_folder_only() {
    let bench = Bench::new().await;
    let all = bench.handshakes(1).await;
    let said = HandshakeRequest::decode(&all[0].payload).unwrap();
    if !said.message.contains("landlock") {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    std::fs::write(&secret, "s").unwrap();
    let secret = secret.to_str().unwrap();
    let environ = format!("/proc/{}/environ", bench.agent.id());
    bench
        .run(&[
            "try",
            "r",
            "/etc/hosts",
            "r",
            secret,
            "a",
            secret,
            "r",
            &environ,
            "w",
            "mine",
            "w",
            "/dev/null",
            "r",
            "/etc/shadow",
        ])
        .await;
    let refused = "Permission denied";
    let expected = format!(
        "r /etc/hosts allowed\nr {secret} {refused}\na {secret} {refused}\nr {environ} {refused}\n\
         w mine allowed\nw /dev/null allowed\nr /etc/shadow {refused}\n"
    );
    bench
        .until("its findings", || {
            (bench.written(4).len() >= expected.len()).then_some(())
        })
        .await;
    assert_eq!(bench.written(4), expected);
}
