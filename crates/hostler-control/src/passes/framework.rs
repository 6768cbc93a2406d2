//! How a pass is run: at start, on every wake-up, and at least once per floor.
//!
//! A pass takes no input. It looks at what is stored and does what follows, so
//! it does the same work after a lost wake-up, a restart or a crash in its
//! middle. It never runs twice at a time: within this process because one task
//! runs it, among processes because it holds a lease row whose number fences
//! off a holder that was late. Waking is registered before looking, so that a
//! change which comes while a pass looks makes it look again.
//!
//! A pass that failed runs again after a pause that doubles up to the floor.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hostler_daemon::backoff::Backoff;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::http::error::chain;

/// What a run of a pass came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Another control plane holds its lease.
    Elsewhere,
    /// It looked and did this many things; zero is the usual answer.
    Did(usize),
}

/// Why a pass could not finish. It will run again.
#[derive(Debug, thiserror::Error)]
#[error("{doing}")]
pub(crate) struct PassError {
    doing: &'static str,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl PassError {
    /// A closure for `map_err` that says what was being done.
    pub(crate) fn at<E>(doing: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |cause| Self {
            doing,
            cause: Box::new(cause),
        }
    }
}

/// Something to be done over and over.
pub(crate) trait Pass: Send + 'static {
    /// Its name in logs, metrics and `/ready`.
    const NAME: &'static str;

    /// Whether it looks again when work changes, and not only when an operator
    /// asks for something or time passes.
    const ON_WORK: bool;

    /// Looks, does what follows, and reports.
    fn run(&mut self) -> impl Future<Output = Result<Outcome, PassError>> + Send;

    /// After the last run: lets go of what it holds.
    fn end(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// How a pass fares, for `/ready`.
#[derive(Clone, Debug, Default)]
pub(crate) struct PassStatus {
    /// The last run's failure, if it failed.
    pub(crate) problem: Option<String>,
    /// Since when it is running, if it is.
    running_since: Option<Instant>,
}

impl PassStatus {
    /// Whether a run takes longer than any should.
    pub(crate) fn is_stuck(&self) -> bool {
        self.running_since
            .is_some_and(|since| since.elapsed() >= STUCK)
    }
}

/// No run takes this long.
const STUCK: Duration = Duration::from_mins(2);

/// Wakes passes and knows how they fare. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Passes {
    inner: Arc<Mutex<BTreeMap<&'static str, PassStatus>>>,
    wake: Arc<Wakers>,
}

#[derive(Default)]
struct Wakers(Mutex<Vec<(Arc<Notify>, bool)>>);

impl Passes {
    /// Makes the passes that care about work look again soon. Waking twice is
    /// waking once.
    pub(crate) fn wake(&self) {
        self.notify(|on_work| on_work);
    }

    /// Makes every pass look again soon.
    pub(crate) fn wake_all(&self) {
        self.notify(|_| true);
    }

    fn notify(&self, wanted: impl Fn(bool) -> bool) {
        let wakers = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (waker, _) in wakers.iter().filter(|(_, on_work)| wanted(*on_work)) {
            waker.notify_one();
        }
    }

    /// How each pass has fared, by name.
    pub(crate) fn statuses(&self) -> BTreeMap<&'static str, PassStatus> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<&'static str, PassStatus>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn register<P: Pass>(&self) -> Arc<Notify> {
        self.lock().insert(P::NAME, PassStatus::default());
        let waker = Arc::new(Notify::new());
        let mut wakers = self.wake.0.lock().unwrap_or_else(PoisonError::into_inner);
        wakers.push((Arc::clone(&waker), P::ON_WORK));
        waker
    }

    /// Runs `pass` until `stop`; a run that has begun is finished first.
    pub(crate) fn spawn<P: Pass>(
        &self,
        mut pass: P,
        floor: Duration,
        stop: CancellationToken,
    ) -> tokio::task::JoinHandle<()> {
        let waker = self.register::<P>();
        let passes = self.clone();
        tokio::spawn(async move {
            let mut backoff = Backoff::new(floor.min(FIRST_PAUSE), floor);
            while !stop.is_cancelled() {
                let started = Instant::now();
                let pause = passes.run_once(&mut pass, floor, &mut backoff).await;
                // Under load a pass finds more to do at once when it looks less
                // often; half of the time it leaves to others.
                tokio::time::sleep(started.elapsed().min(LONGEST_BREATH)).await;
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = waker.notified() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
            pass.end().await;
        })
    }

    /// One run, noted; answers how long to wait for a wake-up.
    async fn run_once<P: Pass>(
        &self,
        pass: &mut P,
        floor: Duration,
        backoff: &mut Backoff,
    ) -> Duration {
        let started = Instant::now();
        self.lock().entry(P::NAME).or_default().running_since = Some(started);
        let result = pass.run().await;
        self.note::<P>(started.elapsed(), &result);
        if result.is_ok() {
            backoff.reset();
            floor
        } else {
            backoff.pause()
        }
    }

    fn note<P: Pass>(&self, took: Duration, result: &Result<Outcome, PassError>) {
        metrics::histogram!("hostler_pass_seconds", "pass" => P::NAME).record(took.as_secs_f64());
        let problem = result.as_ref().err().map(|error| chain(error));
        match (result, &problem) {
            (_, Some(problem)) => {
                metrics::counter!("hostler_pass_failures_total", "pass" => P::NAME).increment(1);
                tracing::error!(pass = P::NAME, %problem, "a pass failed and will run again");
            }
            (Ok(Outcome::Did(0) | Outcome::Elsewhere), None) => {
                tracing::debug!(pass = P::NAME, "nothing to do");
            }
            (done, None) => tracing::debug!(pass = P::NAME, ?done, "done"),
        }
        let running_since = None;
        self.lock().insert(
            P::NAME,
            PassStatus {
                problem,
                running_since,
            },
        );
    }
}

/// The longest pause between a run and the next that was woken for.
const LONGEST_BREATH: Duration = Duration::from_millis(50);

/// The pause after a first failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    struct Counting(mpsc::UnboundedSender<()>);

    impl Pass for Counting {
        const NAME: &'static str = "counting";
        const ON_WORK: bool = true;

        async fn run(&mut self) -> Result<Outcome, PassError> {
            let _ = self.0.send(());
            Ok(Outcome::Did(1))
        }
    }

    struct Failing(mpsc::UnboundedSender<()>);

    impl Pass for Failing {
        const NAME: &'static str = "failing";
        const ON_WORK: bool = false;

        async fn run(&mut self) -> Result<Outcome, PassError> {
            let _ = self.0.send(());
            Err(PassError::at("reading")(std::io::Error::other("no disk")))
        }
    }

    const NEVER: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_pass_runs_at_start_and_at_every_wake_up() {
        let (sender, mut runs) = mpsc::unbounded_channel();
        let (passes, stop) = (Passes::default(), CancellationToken::new());
        let task = passes.spawn(Counting(sender), NEVER, stop.clone());
        runs.recv().await.unwrap();
        passes.wake();
        runs.recv().await.unwrap();
        stop.cancel();
        task.await.unwrap();
        assert_eq!(passes.statuses()["counting"].problem, None);
    }

    #[tokio::test]
    async fn a_wake_up_during_a_run_is_not_lost() {
        let (sender, mut runs) = mpsc::unbounded_channel();
        let (passes, stop) = (Passes::default(), CancellationToken::new());
        let _task = passes.spawn(Counting(sender), NEVER, stop.clone());
        for _ in 0..100 {
            passes.wake();
            runs.recv().await.unwrap();
        }
        stop.cancel();
    }

    #[tokio::test]
    async fn a_failed_pass_runs_again_and_says_why() {
        let (sender, mut runs) = mpsc::unbounded_channel();
        let (passes, stop) = (Passes::default(), CancellationToken::new());
        let _task = passes.spawn(Failing(sender), NEVER, stop.clone());
        runs.recv().await.unwrap();
        runs.recv().await.unwrap();
        let problem = passes.statuses()["failing"].problem.clone();
        assert_eq!(problem.as_deref(), Some("reading: no disk"));
        stop.cancel();
    }
}
