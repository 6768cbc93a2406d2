//! Objects, in a bucket of the workload, which is made when it is used for the
//! first time.
//!
//! The original answers a bucket without objects with an error; here the list
//! is empty.

use async_nats::Client;
use async_nats::jetstream::{self, object_store};
use bytes::Bytes;
use futures::TryStreamExt as _;
use hostler_core::services::{Bucket, BucketKind};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::answer::{Answer, Failure, SUCCESS, causes, needed, unknown_method};
use super::{Call, StoreOptions};

type Store = object_store::ObjectStore;

/// The longest name of an object.
const LONGEST_NAME: usize = 1_024;

/// Carries out a call.
pub(super) async fn answer(client: &Client, bounds: StoreOptions, call: &Call) -> Answer {
    match call.method.as_str() {
        "list" => list(&store(client, bounds, call).await?).await,
        "get" | "put" | "delete" => {
            let name = needed(call.name.as_ref(), "name")?;
            let size = call.body.len();
            if size > bounds.bucket_bytes as usize || name.len() > LONGEST_NAME {
                let text = format!("failed to write {size}-byte object: too large");
                return Err(Failure::Listed(text));
            }
            let store = store(client, bounds, call).await?;
            match call.method.as_str() {
                "get" => get(&store, name, bounds).await,
                "put" => put(&store, name, call.body.clone()).await,
                _ => delete(&store, name).await,
            }
        }
        _ => Err(unknown_method()),
    }
}

async fn store(client: &Client, bounds: StoreOptions, call: &Call) -> Result<Store, Failure> {
    let failed = |text: String| Failure::Listed(format!("failed to open the object store: {text}"));
    let whose = &call.whose;
    let bucket = Bucket::of(&whose.namespace, &whose.name, BucketKind::Objects)
        .map_err(|error| failed(error.to_string()))?;
    let stream = jetstream::new(client.clone());
    if let Ok(store) = stream.get_object_store(bucket.as_str()).await {
        return Ok(store);
    }
    let config = object_store::Config {
        bucket: bucket.to_string(),
        max_bytes: bounds.bucket_bytes.into(),
        ..object_store::Config::default()
    };
    let made = stream.create_object_store(config).await;
    made.map_err(|error| failed(causes(&error)))
}

async fn get(store: &Store, name: &str, bounds: StoreOptions) -> Answer {
    let failed = |text: String| Failure::Listed(format!("failed to get object {name}: {text}"));
    let object = store
        .get(name)
        .await
        .map_err(|error| failed(causes(&error)))?;
    let mut bytes = Vec::new();
    // Somebody else may have put a larger one into the bucket.
    let most = u64::from(bounds.bucket_bytes) + 1;
    let read = object.take(most).read_to_end(&mut bytes).await;
    read.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 == most {
        return Err(failed("too large".to_owned()));
    }
    Ok(bytes.into())
}

async fn put(store: &Store, name: &str, body: Bytes) -> Answer {
    let put = store.put(name, &mut &body[..]).await;
    let info = put.map_err(|error| {
        let text = causes(&error);
        Failure::Listed(format!(
            "failed to write {}-byte object {name}: {text}",
            body.len()
        ))
    })?;
    Ok(json!(info).to_string().into())
}

async fn delete(store: &Store, name: &str) -> Answer {
    store.delete(name).await.map_err(|error| {
        let text = causes(&error);
        Failure::Listed(format!("failed to delete object: {text}"))
    })?;
    Ok(SUCCESS)
}

async fn list(store: &Store) -> Answer {
    let failed = |text: String| Failure::Listed(format!("failed to list objects: {text}"));
    let list = store.list().await.map_err(|error| failed(causes(&error)))?;
    let list: Vec<_> = list
        .try_collect()
        .await
        .map_err(|error| failed(causes(&error)))?;
    Ok(json!(list).to_string().into())
}
