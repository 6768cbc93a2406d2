//! Keys with values, in a bucket of the workload, which is made when it is
//! used for the first time.
//!
//! The original answers a bucket without keys with an error; here it has none.

use std::time::Duration;

use async_nats::Client;
use async_nats::jetstream::{self, kv, stream};
use bytes::Bytes;
use futures::TryStreamExt as _;
use hostler_core::services::{Bucket, BucketKind};
use serde_json::json;

use super::answer::{Answer, Failure, SUCCESS, causes, needed, unknown_method};
use super::{Call, StoreOptions};

/// Carries out a call.
pub(super) async fn answer(client: &Client, bounds: StoreOptions, call: &Call) -> Answer {
    match call.method.as_str() {
        "keys" => keys(&store(client, bounds, call).await?).await,
        "get" | "set" | "delete" => {
            let key = needed(call.name.as_ref(), "key")?;
            let size = call.body.len();
            if size > bounds.bucket_bytes as usize {
                let text = format!("failed to write {size}-byte value for key {key}: too large");
                return Err(Failure::One(text));
            }
            let store = store(client, bounds, call).await?;
            match call.method.as_str() {
                "get" => get(&store, key).await,
                "set" => set(&store, key, call.body.clone()).await,
                _ => delete(&store, key).await,
            }
        }
        _ => Err(unknown_method()),
    }
}

async fn store(client: &Client, bounds: StoreOptions, call: &Call) -> Result<kv::Store, Failure> {
    let failed = |text: String| Failure::One(format!("failed to open the key-value store: {text}"));
    let whose = &call.whose;
    let bucket = Bucket::of(&whose.namespace, &whose.name, BucketKind::KeyValue)
        .map_err(|error| failed(error.to_string()))?;
    let context = jetstream::new(client.clone());
    if let Ok(store) = context.get_key_value(bucket.as_str()).await {
        return Ok(store);
    }
    let made = context.create_stream(stream_of(&bucket, bounds)).await;
    made.map_err(|error| failed(causes(&error)))?;
    let store = context.get_key_value(bucket.as_str()).await;
    store.map_err(|error| failed(causes(&error)))
}

/// The stream that is a bucket. The library's own way of making one asks for
/// the account first, in a form that older servers do not answer.
fn stream_of(bucket: &Bucket, bounds: StoreOptions) -> stream::Config {
    stream::Config {
        name: format!("KV_{bucket}"),
        subjects: vec![format!("$KV.{bucket}.>")],
        max_bytes: bounds.bucket_bytes.into(),
        max_messages_per_subject: 1,
        discard: stream::DiscardPolicy::New,
        duplicate_window: Duration::from_mins(2),
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..stream::Config::default()
    }
}

async fn get(store: &kv::Store, key: &str) -> Answer {
    let failed = |text: &str| Failure::One(format!("failed to get value for key {key}: {text}"));
    let value = store
        .get(key)
        .await
        .map_err(|error| failed(&causes(&error)))?;
    value.ok_or_else(|| failed("nats: key not found"))
}

async fn set(store: &kv::Store, key: &str, value: Bytes) -> Answer {
    let size = value.len();
    let revision = store.put(key, value).await.map_err(|error| {
        let text = causes(&error);
        Failure::One(format!(
            "failed to write {size}-byte value for key {key}: {text}"
        ))
    })?;
    Ok(json!({ "revision": revision, "success": true })
        .to_string()
        .into())
}

async fn delete(store: &kv::Store, key: &str) -> Answer {
    store.delete(key).await.map_err(|error| {
        let text = causes(&error);
        Failure::One(format!("failed to delete key {key}: {text}"))
    })?;
    Ok(SUCCESS)
}

async fn keys(store: &kv::Store) -> Answer {
    let failed = |text: String| Failure::One(format!("failed to resolve keys: {text}"));
    let keys = store.keys().await.map_err(|error| failed(causes(&error)))?;
    let keys: Vec<String> = keys
        .try_collect()
        .await
        .map_err(|error| failed(causes(&error)))?;
    Ok(json!(keys).to_string().into())
}
