//! Keeps one table up: lists, then follows the watch, for ever.
//!
//! A server that hangs is told from one that has nothing to say: it begins
//! every answer at once, a watch's too, and it ends a watch in the end. After a
//! question that was not answered, a list of one object is asked for until it
//! is; only then the same again, with more time, so that neither a slow server
//! is given up for ever nor a recovered one waited for.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use hostler_core::Timestamp;
use hostler_daemon::backoff::Backoff;
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Resource;
use kube::{Api, Client};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::hub::{Hub, World};
use super::slim::{Slim, key};
use super::table::{Key, Row, State, Table};
use crate::api::{Failure, within};

/// How long the beginning of an answer may take.
const BEGIN: Duration = Duration::from_secs(1);
/// The most that a list may take, however slow the server.
const LONGEST: Duration = Duration::from_mins(1);
/// How long a watch goes on before it is begun anew, in seconds.
const WATCH: u32 = 90;
const PAGE: u32 = 250;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// After so many failures in a row, all is listed again.
const RELIST: u32 = 3;
/// The pause before what is denied is asked for again.
const DENIED: Duration = Duration::from_secs(10);

/// Which objects, and the right to see them.
#[derive(Clone)]
pub(crate) struct Scope<K> {
    /// Where to look, the widest first: what is denied is left for the next.
    pub(crate) apis: Vec<Api<K>>,
    pub(crate) labels: Option<String>,
    pub(crate) fields: Option<&'static str>,
}

impl Scope<Pod> {
    /// Pods of a label: of all namespaces where we may, else of this one.
    pub(crate) fn labelled(client: &Client, namespace: &str, labels: String) -> Self {
        Self {
            apis: vec![
                Api::all(client.clone()),
                Api::namespaced(client.clone(), namespace),
            ],
            labels: Some(labels),
            fields: None,
        }
    }
}

impl Scope<Node> {
    pub(crate) fn cluster(client: &Client) -> Self {
        Self {
            apis: vec![Api::all(client.clone())],
            labels: None,
            fields: None,
        }
    }
}

impl Scope<Event> {
    /// What is said about the pods of a namespace.
    pub(crate) fn pod_events(client: &Client, namespace: &str) -> Self {
        Self {
            apis: vec![Api::namespaced(client.clone(), namespace)],
            labels: None,
            fields: Some("involvedObject.kind=Pod"),
        }
    }
}

/// What keeps one table up.
pub(crate) struct Feed<K, T> {
    pub(crate) hub: Arc<Hub>,
    pub(crate) scope: Scope<K>,
    pub(crate) slim: Box<dyn Fn(K) -> Slim<T> + Send + Sync>,
    pub(crate) table: fn(&mut World) -> &mut Table<T>,
}

/// How far it has come.
struct Place {
    api: usize,
    /// The version to go on from.
    version: Option<String>,
    /// How long the beginning of an answer may take.
    patience: Duration,
    /// Whether the last question was not answered.
    is_doubtful: bool,
    /// Failures without a success in between.
    failures: u32,
}

impl<K, T> Feed<K, T>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    T: Row + Send + 'static,
{
    /// Never ends by itself.
    pub(crate) async fn run(self) {
        let mut pauses = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        let mut place = Place {
            api: 0,
            version: None,
            patience: BEGIN,
            is_doubtful: false,
            failures: 0,
        };
        loop {
            let Err(failure) = self.follow(&mut place).await else {
                (place.failures, place.patience) = (0, BEGIN);
                pauses.reset();
                continue;
            };
            let pause = self.failed(&mut place, &failure);
            tokio::time::sleep(pause.unwrap_or_else(|| pauses.pause())).await;
        }
    }

    /// One watch, from where it has come to until the watch ends.
    async fn follow(&self, place: &mut Place) -> Result<(), Failure> {
        if place.is_doubtful {
            within(BEGIN, self.api(place).list(&self.params().limit(1))).await?;
            place.is_doubtful = false;
            place.patience = (place.patience * 2).min(LONGEST);
        }
        if place.version.is_none() {
            place.version = Some(self.list(place).await?);
        }
        self.watch(place).await
    }

    fn api(&self, place: &Place) -> &Api<K> {
        &self.scope.apis[place.api]
    }

    /// Writes down that it failed; a pause, if it is not the usual one.
    fn failed(&self, place: &mut Place, failure: &Failure) -> Option<Duration> {
        place.failures += 1;
        place.is_doubtful = matches!(failure, Failure::Silent(_));
        if failure.is_expired() || place.failures.is_multiple_of(RELIST) {
            place.version = None;
        }
        let is_denied = failure.is_denied();
        if is_denied && place.api + 1 < self.scope.apis.len() {
            (place.api, place.version) = (place.api + 1, None);
            return Some(Duration::ZERO);
        }
        if failure.is_expired() {
            return Some(Duration::ZERO);
        }
        self.hub.change(|world, now| {
            let state = &mut (self.table)(world).state;
            *state = match (is_denied, &state) {
                (true, _) => State::Denied(failure.to_string()),
                (false, State::Failing(since, _)) => State::Failing(*since, failure.to_string()),
                (false, _) => State::Failing(now, failure.to_string()),
            };
        });
        is_denied.then_some(DENIED)
    }

    async fn list(&self, place: &Place) -> Result<String, Failure> {
        let began = self.hub.now();
        let (rows, version) = self.pages(place).await?;
        self.hub.change(|world, now| {
            let table = (self.table)(world);
            table.relist(rows, began, now);
            table.state = following(&table.state, now);
        });
        Ok(version)
    }

    async fn pages(&self, place: &Place) -> Result<(Vec<(Key, T)>, String), Failure> {
        let mut rows = Vec::new();
        let mut params = self.params().limit(PAGE);
        loop {
            let page = within(place.patience, self.api(place).list(&params)).await?;
            rows.extend(page.items.into_iter().filter_map(&self.slim));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok((rows, page.metadata.resource_version.unwrap_or_default())),
            }
        }
    }

    fn params(&self) -> ListParams {
        ListParams {
            label_selector: self.scope.labels.clone(),
            field_selector: self.scope.fields.map(str::to_owned),
            ..ListParams::default()
        }
    }

    /// Follows one watch to its end, which is no failure.
    async fn watch(&self, place: &mut Place) -> Result<(), Failure> {
        let params = WatchParams {
            label_selector: self.scope.labels.clone(),
            field_selector: self.scope.fields.map(str::to_owned),
            ..WatchParams::default().timeout(WATCH)
        };
        let version = place.version.clone().unwrap_or_default();
        let begin = self.api(place).watch(&params, &version);
        let mut events = within(place.patience, begin).await?.boxed();
        let now = self.hub.now();
        self.hub.change_if(|world| {
            let state = &mut (self.table)(world).state;
            let next = following(state, now);
            std::mem::replace(state, next.clone()) != next
        });
        let silence = Duration::from_secs(u64::from(WATCH) + 5);
        let fell = |_| Failure::Silent("a watch fell silent".to_owned());
        while let Some(event) = timeout(silence, events.next()).await.map_err(fell)? {
            self.told(event.map_err(Failure::from)?, place)?;
            place.failures = 0;
        }
        Ok(())
    }

    fn told(&self, event: WatchEvent<K>, place: &mut Place) -> Result<(), Failure> {
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                place.version.clone_from(&object.meta().resource_version);
                if let Some((key, row)) = (self.slim)(object) {
                    self.hub
                        .change(|world, now| (self.table)(world).put(key, row, now));
                }
            }
            WatchEvent::Deleted(object) => {
                place.version.clone_from(&object.meta().resource_version);
                let key = key(object.meta());
                self.hub
                    .change(|world, now| (self.table)(world).take(&key, now));
            }
            WatchEvent::Bookmark(mark) => place.version = Some(mark.metadata.resource_version),
            WatchEvent::Error(status) => return Err(Failure::Refused(status)),
        }
        Ok(())
    }
}

const fn following(before: &State, now: Timestamp) -> State {
    match before {
        State::Following(since) => State::Following(*since),
        _ => State::Following(now),
    }
}
