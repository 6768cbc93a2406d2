//! A book of jobs in a folder: one file each, written whole or not at all.
//! One process at a time writes it; its methods wait for the disk.

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use hostler_core::id::JobId;
use hostler_core::runner::job::Job;
use tokio::sync::Mutex;

use super::{BookError, JobBook};

/// A folder of jobs.
#[derive(Debug)]
pub struct FileBook {
    folder: PathBuf,
    /// Reading a revision and writing the next are one act.
    writing: Mutex<()>,
}

impl FileBook {
    /// The book in this folder, which is made if it is not there.
    pub fn open(folder: PathBuf) -> io::Result<Self> {
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            writing: Mutex::new(()),
        })
    }

    fn path(&self, id: JobId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    async fn read(&self, id: JobId) -> Result<Option<Job>, BookError> {
        let path = self.path(id);
        match tokio::fs::read(&path).await {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn write(&self, job: &Job) -> Result<(), BookError> {
        let text = serde_json::to_vec(job).map_err(|error| BookError::Denied(error.to_string()))?;
        let path = self.path(job.id);
        let writing = move || hostler_daemon::secret::write(&path, &text);
        let written = tokio::task::spawn_blocking(writing).await;
        let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| failed(&error))
    }
}

fn failed(error: &io::Error) -> BookError {
    BookError::Unreachable(error.to_string())
}

#[async_trait]
impl JobBook for FileBook {
    async fn list(&self) -> Result<Vec<Job>, BookError> {
        let mut jobs = Vec::new();
        let mut files = tokio::fs::read_dir(&self.folder)
            .await
            .map_err(|e| failed(&e))?;
        while let Some(file) = files.next_entry().await.map_err(|e| failed(&e))? {
            let path = file.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = tokio::fs::read(&path).await.map_err(|e| failed(&e))?;
            match serde_json::from_slice(&text) {
                Ok(job) => jobs.push(job),
                Err(error) => tracing::error!(path = %path.display(), %error, "not a job"),
            }
        }
        Ok(jobs)
    }

    async fn insert(&self, job: &Job) -> Result<(), BookError> {
        let _writing = self.writing.lock().await;
        if self.read(job.id).await?.is_some() {
            return Err(BookError::Conflict);
        }
        self.write(job).await
    }

    async fn replace(&self, job: &Job) -> Result<(), BookError> {
        let _writing = self.writing.lock().await;
        let kept = self.read(job.id).await?.map(|kept| kept.revision + 1);
        if kept != Some(job.revision) {
            return Err(BookError::Conflict);
        }
        self.write(job).await
    }

    async fn remove(&self, id: JobId) -> Result<(), BookError> {
        let _writing = self.writing.lock().await;
        match tokio::fs::remove_file(self.path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&error)),
            _ => Ok(()),
        }
    }
}
