//! The lease over several lives of a daemon, by a clock that stands still.

use super::*;

const SPAN: Duration = Duration::from_mins(1);

fn open(folder: &Path, boot: u64, clock: &Clock) -> Lease {
    let boot = BootId::from_parts(boot, [0; 10]);
    Lease::open(folder, boot, SPAN, clock.clone()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_span_once_told_is_on_disk_and_binds_the_next_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::of_runtime();
    let first = open(folder.path(), 1, &clock);
    assert_eq!(first.ends_at(), None);
    first.sent(1);
    first.answered(1, Some(SPAN)).unwrap();
    assert_eq!(first.ends_at(), Some(SPAN));
    tokio::time::advance(Duration::from_secs(10)).await;

    let second = open(folder.path(), 2, &clock);
    assert_eq!(second.span(), Some(SPAN));
    assert_eq!(second.ends_at(), Some(SPAN), "the first one's lease");
    assert!(!second.is_over());
    tokio::time::advance(Duration::from_secs(50)).await;
    assert!(second.is_over());
    second.sent(1);
    second.answered(1, Some(SPAN)).unwrap();
    assert!(!second.is_over());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_another_kernel_start_grants_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::of_runtime();
    let first = open(folder.path(), 1, &clock);
    first.sent(1);
    first.answered(1, Some(SPAN)).unwrap();
    std::fs::write(folder.path().join(END), "other-kernel 99999999").unwrap();
    assert!(open(folder.path(), 2, &clock).is_over());
    std::fs::remove_file(folder.path().join(END)).unwrap();
    assert!(open(folder.path(), 2, &clock).is_over());
}

#[tokio::test(start_paused = true)]
async fn a_fresh_order_renews_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::of_runtime();
    secret::write(&folder.path().join(super::SPAN), b"60000").unwrap();
    let lease = open(folder.path(), 2, &clock);
    let beat = |boot| Beat {
        boot: BootId::from_parts(boot, [0; 10]),
        sequence: 1,
    };
    lease.sent(1);
    assert!(lease.is_over());
    assert!(!lease.admits(Some(beat(1))));
    assert!(!lease.admits(None));
    assert!(lease.admits(Some(beat(2))));
    assert!(!lease.is_over());
}

#[tokio::test(start_paused = true)]
async fn a_lapse_that_nobody_saw_ends_every_right_given_before() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::of_runtime();
    let advance = |seconds| tokio::time::advance(Duration::from_secs(seconds));
    let lease = open(folder.path(), 1, &clock);
    lease.sent(1);
    lease.answered(1, Some(SPAN)).unwrap();
    let right = Right::Since(lease.now());
    assert!(lease.covers(right) && lease.covers(Right::Inherited));
    advance(59).await;
    lease.sent(2);
    advance(1).await;
    assert!(!lease.covers(right));
    lease.answered(2, None).unwrap();
    assert!(!lease.is_over());
    assert!(!lease.covers(right) && !lease.covers(Right::Inherited));
    assert!(lease.covers(Right::Since(lease.now())));
}

#[tokio::test(start_paused = true)]
async fn what_was_adopted_in_time_is_confirmed_by_the_first_answer() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::of_runtime();
    let advance = |seconds| tokio::time::advance(Duration::from_secs(seconds));
    let first = open(folder.path(), 1, &clock);
    first.sent(1);
    first.answered(1, Some(SPAN)).unwrap();

    advance(30).await;
    let second = open(folder.path(), 2, &clock);
    assert!(second.covers(Right::Inherited));
    second.sent(1);
    second.answered(1, Some(SPAN)).unwrap();
    advance(40).await;
    assert!(second.covers(Right::Inherited), "past the first one's end");

    advance(30).await;
    let third = open(folder.path(), 3, &clock);
    assert!(!third.covers(Right::Inherited));
    third.sent(1);
    third.answered(1, Some(SPAN)).unwrap();
    assert!(!third.covers(Right::Inherited), "too late");
}

#[test]
fn a_damaged_span_is_an_error_and_not_a_lease_without_end() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(super::SPAN), "soon").unwrap();
    let boot = BootId::from_parts(1, [0; 10]);
    let opened = Lease::open(folder.path(), boot, SPAN, Clock::default());
    assert!(matches!(opened, Err(LeaseError::Content(_))));
}
