//! One `ConfigMap` a job.

use std::collections::BTreeMap;
use std::time::Duration;

use hostler_core::id::JobId;
use hostler_core::runner::job::Job;
use hostler_runners::jobs::BookError;
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Client};

use crate::api::{Failure, names, within};
use crate::settings::Settings;

/// The key of the job in its `ConfigMap`.
const JOB: &str = "job.json";
const PAGE: u32 = 100;

pub(super) struct Pages {
    api: Api<ConfigMap>,
    manager: String,
    patience: Duration,
}

impl Pages {
    pub(super) fn new(client: &Client, settings: &Settings) -> Self {
        Self {
            api: Api::namespaced(client.clone(), &settings.namespace),
            manager: settings.manager.clone(),
            patience: settings.patience,
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<Job>, Failure> {
        let mut jobs = Vec::new();
        let label = format!("{}={}", names::BOOK, self.manager);
        let mut params = ListParams::default().labels(&label).limit(PAGE);
        loop {
            let page = within(self.patience, self.api.list(&params)).await?;
            jobs.extend(page.items.iter().filter_map(read));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => params = params.continue_token(&token),
                None => return Ok(jobs),
            }
        }
    }

    pub(super) async fn insert(&self, job: &Job) -> Result<(), Failure> {
        let page = self.page(job, None)?;
        within(
            self.patience,
            self.api.create(&PostParams::default(), &page),
        )
        .await?;
        Ok(())
    }

    /// Only over the state of it that came just before.
    pub(super) async fn replace(&self, job: &Job) -> Result<(), BookError> {
        let name = name(job.id);
        let found = within(self.patience, self.api.get_opt(&name)).await;
        let found = found.map_err(|failure| failure.book())?;
        let before = found.as_ref().and_then(read).map(|job| job.revision + 1);
        if before != Some(job.revision) {
            return Err(BookError::Conflict);
        }
        let version = found.and_then(|page| page.metadata.resource_version);
        let page = self.page(job, version).map_err(|failure| failure.book())?;
        let post = PostParams::default();
        let replaced = self.api.replace(&name, &post, &page);
        let replaced = within(self.patience, replaced).await;
        replaced.map(|_| ()).map_err(|failure| failure.book())
    }

    pub(super) async fn remove(&self, id: JobId) -> Result<(), Failure> {
        let name = name(id);
        let params = DeleteParams::default();
        match within(self.patience, self.api.delete(&name, &params)).await {
            Err(failure) if failure.is_missing() => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn page(&self, job: &Job, version: Option<String>) -> Result<ConfigMap, Failure> {
        let text = serde_json::to_string(job);
        let text = text.map_err(|error| Failure::Silent(error.to_string()))?;
        let labels = [
            (names::BOOK.to_owned(), self.manager.clone()),
            (
                "app.kubernetes.io/managed-by".to_owned(),
                "hostler".to_owned(),
            ),
        ];
        Ok(ConfigMap {
            metadata: ObjectMeta {
                name: Some(name(job.id)),
                labels: Some(labels.into()),
                resource_version: version,
                ..ObjectMeta::default()
            },
            data: Some(BTreeMap::from([(JOB.to_owned(), text)])),
            ..ConfigMap::default()
        })
    }
}

fn name(id: JobId) -> String {
    format!("hostler-job-{id}")
}

fn read(page: &ConfigMap) -> Option<Job> {
    let text = page.data.as_ref()?.get(JOB)?;
    let job = serde_json::from_str(text);
    if let Err(error) = &job {
        let name = page.metadata.name.as_deref().unwrap_or_default();
        tracing::error!(name, %error, "not a job");
    }
    job.ok()
}
