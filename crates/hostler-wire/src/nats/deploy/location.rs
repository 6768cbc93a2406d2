//! Where an artifact is: a URL in the shape that Go's JSON gives to one
//! (protocol 2.2). Only `Host` and `Path` mean anything.

use serde::{Deserialize, Serialize};

/// The bucket and key of an object store, as the members of a URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Location {
    /// `nats`; not looked at.
    pub scheme: String,
    /// Empty.
    pub opaque: String,
    /// Always `null`.
    #[serde(skip_deserializing)]
    pub user: (),
    /// The bucket.
    pub host: String,
    /// The key, with a slash before it.
    pub path: String,
    /// Empty.
    pub raw_path: String,
    /// False.
    pub omit_host: bool,
    /// False.
    pub force_query: bool,
    /// Empty.
    pub raw_query: String,
    /// Empty.
    pub fragment: String,
    /// Empty.
    pub raw_fragment: String,
}

impl Location {
    /// The object `key` in the object store `bucket`.
    pub fn object(bucket: &str, key: &str) -> Self {
        Self {
            scheme: "nats".to_owned(),
            host: bucket.to_owned(),
            path: format!("/{}", key.trim_start_matches('/')),
            ..Self::default()
        }
    }

    /// The object store.
    pub fn bucket(&self) -> &str {
        &self.host
    }

    /// The object's name in it.
    pub fn key(&self) -> &str {
        self.path.trim_matches('/')
    }
}
