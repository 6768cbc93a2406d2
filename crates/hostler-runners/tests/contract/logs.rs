//! The lines that operators have always looked for, word by word.

use crate::support::{House, Log};

#[tokio::test]
async fn the_life_of_a_job_that_completes_is_logged_in_these_words() {
    let log = Log::start();
    let house = House::usual().await;
    let added = house.add(2).await;
    let (job, ids) = (added.job(), added.ids());
    house.fake.place(&ids[0], "node-1");
    house
        .job_until(&job, |job| job["scheduled_count"] == 1)
        .await;
    house.fake.place(&ids[1], "node-2");
    house.job_is(&job, "completed").await;
    let expected = [
        format!("INFO Background job {job} started: waiting for 2 pods to be scheduled"),
        format!("INFO Pod {} scheduled to node node-1", ids[0]),
        format!("INFO Pod {} successfully scheduled to node", ids[0]),
        format!("INFO Pod {} scheduled to node node-2", ids[1]),
        format!("INFO Pod {} successfully scheduled to node", ids[1]),
        format!("INFO Background job {job} completed successfully"),
    ];
    assert_eq!(log.lines(), expected);
}

#[tokio::test]
async fn the_life_of_a_job_that_times_out_is_logged_in_these_words() {
    let log = Log::start();
    let house = House::usual().await;
    let added = house.add(1).await;
    let (job, ids) = (added.job(), added.ids());
    house.pass(600);
    house.job_is(&job, "timeout").await;
    let expected = [
        format!("INFO Background job {job} started: waiting for 1 pods to be scheduled"),
        format!("WARN Pod {} not scheduled within timeout", ids[0]),
        format!("WARN Background job {job} timed out"),
    ];
    assert_eq!(log.lines(), expected);
}

#[tokio::test]
async fn no_line_and_no_answer_holds_the_token() {
    let log = Log::start();
    let house = House::usual().await;
    house.add(1).await;
    let jobs = house.get("/jobs").await.body.to_string();
    assert!(!jobs.contains(crate::support::TOKEN), "{jobs}");
    assert!(!log.lines().concat().contains(crate::support::TOKEN));
}
