//! The ledger over several lives of a daemon.

use super::testing::work;
use super::*;

fn record(number: u8) -> Record {
    Record::Work(Box::new(work(number)))
}

#[tokio::test]
async fn what_was_appended_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = Ledger::open(folder.path()).unwrap();
    first
        .ledger
        .append(vec![record(1), record(2)])
        .await
        .unwrap();
    first
        .ledger
        .append(vec![Record::Forget { id: work(1).id }])
        .await
        .unwrap();
    first.ledger.close().await;
    let second = Ledger::open(folder.path()).unwrap();
    assert_eq!(second.book.work.keys().collect::<Vec<_>>(), [&work(2).id]);
    assert_eq!(second.cut, None);
}

#[tokio::test]
async fn one_data_folder_has_one_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let first = Ledger::open(folder.path()).unwrap();
    let second = Ledger::open(folder.path());
    assert!(matches!(second, Err(OpenError::Taken(_))));
    first.ledger.close().await;
    assert!(Ledger::open(folder.path()).is_ok());
    assert!(first.ledger.append(vec![record(1)]).await.is_err());
}

#[tokio::test]
async fn many_at_once_are_all_written() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Ledger::open(folder.path()).unwrap();
    let writes = (0..100).map(|number| opened.ledger.append(vec![record(number)]));
    let results = futures::future::join_all(writes).await;
    assert!(results.iter().all(Result::is_ok));
    opened.ledger.close().await;
    assert_eq!(Ledger::open(folder.path()).unwrap().book.work.len(), 100);
}

#[tokio::test]
async fn a_grown_file_is_written_anew_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Ledger::open(folder.path()).unwrap();
    let mut big = work(1);
    big.plan.as_mut().unwrap().description = "x".repeat(300_000);
    for number in 0..6 {
        big.restarts = number;
        let record = Record::Work(Box::new(big.clone()));
        opened.ledger.append(vec![record]).await.unwrap();
    }
    opened.ledger.append(vec![record(2)]).await.unwrap();
    opened.ledger.close().await;
    let length = std::fs::metadata(folder.path().join("ledger"))
        .unwrap()
        .len();
    assert!(length < COMPACT_FROM, "{length}");
    let again = Ledger::open(folder.path()).unwrap();
    assert_eq!(again.book.work[&work(1).id].restarts, 5);
    assert_eq!(again.book.work.len(), 2);
}
