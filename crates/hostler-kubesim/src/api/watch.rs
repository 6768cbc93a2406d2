//! Watches: what there is first, if that is asked for, then every change
//! after it, until the client goes, its time is over, watches are cut, or the
//! history no longer reaches back to where it stands: then it is told 410
//! inside the stream, whose own status was 200.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::Answer;
use super::call::Call;
use super::serve::Shared;
use super::shape::{self, Shape};
use crate::catalog::Resource;
use crate::refusal::Refusal;
use crate::selector::Selectors;
use crate::store::{Change, Object, What};
use crate::world::World;

/// One watch, as far as it has come.
#[derive(Debug)]
pub(crate) struct Watch {
    resource: &'static Resource,
    space: String,
    selectors: Selectors,
    shape: Shape,
    position: u64,
    /// What is still to be sent first.
    first: Vec<u8>,
    bookmarks: Option<Duration>,
    ends: Duration,
}

/// How long a watch lasts that does not say.
const LONG: u64 = 1_800;

pub(crate) fn begin(
    world: &World,
    call: &Call,
    resource: &'static Resource,
) -> Result<Answer, Refusal> {
    let version = call.query.number("resourceVersion")?.unwrap_or(0);
    let bookmarks = call.query.is("allowWatchBookmarks");
    let seconds = call.query.number("timeoutSeconds")?.unwrap_or(LONG);
    let mut watch = Watch {
        resource,
        space: call.info.space().to_owned(),
        selectors: call.selectors(resource)?,
        shape: call.shape,
        position: version,
        first: Vec::new(),
        bookmarks: bookmarks.then_some(world.options.timings.bookmark),
        ends: Duration::from_secs(seconds),
    };
    let told = call.query.get("sendInitialEvents");
    if told == "true" || (version == 0 && told.is_empty()) {
        watch.present(world);
        if told == "true" && bookmarks {
            let end = json!({"k8s.io/initial-events-end": "true"});
            watch.first.extend(watch.bookmark(Some(end)));
        }
    } else if version == 0 {
        watch.position = world.store.version();
    }
    Ok(Answer::watch(watch))
}

impl Watch {
    /// What there is, as if it had just been added.
    fn present(&mut self, world: &World) {
        for object in world.store.list(self.resource, &self.space) {
            if self.selectors.matches(object.value()) {
                let line = line(
                    "ADDED",
                    &shape::one(self.shape, self.resource, object, world.now()),
                );
                self.first.extend(line);
            }
        }
        self.position = world.store.version();
    }

    fn bookmark(&self, annotations: Option<Value>) -> Vec<u8> {
        let mut meta = json!({"resourceVersion": self.position.to_string()});
        if let Some(annotations) = annotations {
            meta["annotations"] = annotations;
        }
        let (kind, version) = (self.resource.kind, self.resource.api_version());
        let object = json!({"kind": kind, "apiVersion": version, "metadata": meta});
        line("BOOKMARK", object.to_string().as_bytes())
    }

    /// What has happened since; the error is the last that is sent.
    fn since(&mut self, world: &World) -> Result<Vec<u8>, Vec<u8>> {
        let store = &world.store;
        let history = store.history(self.resource);
        let oldest = history.map_or(0, |history| history.dropped().max(store.compacted()));
        if self.position < oldest.max(store.compacted()) {
            let message = format!("too old resource version: {} ({oldest})", self.position);
            let status = Refusal::expired(message).status();
            return Err(line("ERROR", status.to_string().as_bytes()));
        }
        let mut lines: Vec<u8> = Vec::new();
        for change in history.into_iter().flat_map(|one| one.after(self.position)) {
            lines.extend(self.told(change, world).unwrap_or_default());
        }
        self.position = store.version();
        Ok(lines)
    }

    /// A change as this watch sees it: what comes into its selection is added,
    /// what leaves it is deleted.
    fn told(&self, change: &Change, world: &World) -> Option<Vec<u8>> {
        let here = |object: &Arc<Object>| {
            let space = crate::store::Store::space(object.value());
            let placed = self.space.is_empty() || space == self.space;
            placed && self.selectors.matches(object.value())
        };
        let before = change.before.as_ref().filter(|one| here(one));
        let after = Some(&change.object).filter(|one| change.what != What::Deleted && here(one));
        let show = |object| shape::one(self.shape, self.resource, object, world.now());
        match (before, after) {
            (None, Some(object)) => Some(line("ADDED", &show(object))),
            (Some(_), Some(object)) => Some(line("MODIFIED", &show(object))),
            (Some(_), None) if change.what == What::Deleted => {
                Some(line("DELETED", &show(&change.object)))
            }
            (Some(before), None) => {
                let mut last = before.value().clone();
                last["metadata"]["resourceVersion"] = json!(change.version.to_string());
                let last = shape::value(self.shape, self.resource, &last, world.now());
                Some(line("DELETED", &last))
            }
            (None, None) => None,
        }
    }
}

fn line(kind: &str, object: &[u8]) -> Vec<u8> {
    let mut line = format!("{{\"type\":\"{kind}\",\"object\":").into_bytes();
    line.extend_from_slice(object);
    line.extend_from_slice(b"}\n");
    line
}

/// A watch under way.
struct Flow {
    watch: Watch,
    shared: Arc<Shared>,
    changed: watch::Receiver<u64>,
    cut: watch::Receiver<u64>,
    end: Instant,
    bookmark: Instant,
    over: bool,
}

/// The lines of a watch, as they come.
pub(crate) fn stream(
    watch: Watch,
    shared: &Arc<Shared>,
) -> impl Stream<Item = Bytes> + Send + use<> {
    let changed = shared.world().store.changed();
    let flow = Flow {
        changed,
        cut: shared.cuts.subscribe(),
        shared: Arc::clone(shared),
        end: Instant::now() + watch.ends,
        bookmark: Instant::now() + watch.bookmarks.unwrap_or(watch.ends),
        watch,
        over: false,
    };
    futures::stream::unfold(flow, Flow::next)
}

impl Flow {
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            let lines = self.lines();
            if !lines.is_empty() {
                return Some((Bytes::from(lines), self));
            }
            if self.over || !self.waited().await {
                return None;
            }
        }
    }

    fn lines(&mut self) -> Vec<u8> {
        if self.over {
            return Vec::new();
        }
        self.changed.mark_unchanged();
        let mut lines = std::mem::take(&mut self.watch.first);
        match self.watch.since(&self.shared.world()) {
            Ok(more) => lines.extend(more),
            Err(last) => {
                lines.extend(last);
                self.over = true;
            }
        }
        if Instant::now() >= self.bookmark
            && let Some(every) = self.watch.bookmarks
        {
            lines.extend(self.watch.bookmark(None));
            self.bookmark = Instant::now() + every;
        }
        lines
    }

    /// Waits for something to say; false when there will be nothing more.
    async fn waited(&mut self) -> bool {
        tokio::select! {
            changed = self.changed.changed() => changed.is_ok(),
            _ = self.cut.changed() => false,
            () = tokio::time::sleep_until(self.end) => false,
            () = tokio::time::sleep_until(self.bookmark), if self.watch.bookmarks.is_some() => true,
        }
    }
}
