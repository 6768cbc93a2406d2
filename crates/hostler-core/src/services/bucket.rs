//! Whose bucket a function's keys and objects are in: `hs_{namespace}_{name}`,
//! shared by all instances of a function of that name. It outlives them.
//!
//! What must never happen: two functions that share a bucket. `a_b` in `c` and
//! `b_c` in `a` must not both have `hs_a_b_c_kv`, so a namespace with an
//! underscore has none, as one with characters that a bucket cannot have.

use std::fmt;

/// What is in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketKind {
    /// Keys with values.
    KeyValue,
    /// Objects.
    Objects,
}

/// The name of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Bucket(String);

/// There can be no bucket for this workload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("namespace '{namespace}' and name '{name}' do not make a bucket's name")]
pub struct BucketError {
    namespace: String,
    name: String,
}

impl Bucket {
    /// The bucket of a workload.
    pub fn of(namespace: &str, name: &str, kind: BucketKind) -> Result<Self, BucketError> {
        let fits = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            !text.is_empty() && text.chars().all(plain)
        };
        if !fits(namespace) || !fits(name) || namespace.contains('_') {
            let (namespace, name) = (namespace.to_owned(), name.to_owned());
            return Err(BucketError { namespace, name });
        }
        let kind = match kind {
            BucketKind::KeyValue => "kv",
            BucketKind::Objects => "os",
        };
        Ok(Self(format!("hs_{namespace}_{name}_{kind}")))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_named_after_its_workload_and_no_other() {
        let check = |namespace: &str, name: &str, expected: Option<&str>| {
            let bucket = Bucket::of(namespace, name, BucketKind::KeyValue).ok();
            let bucket = bucket.as_ref().map(Bucket::as_str);
            assert_eq!(bucket, expected, "{namespace} {name}");
        };
        check("default", "echo", Some("hs_default_echo_kv"));
        check("team-a", "up_per", Some("hs_team-a_up_per_kv"));
        check("a_b", "c", None);
        check("a.b", "c", None);
        check("", "c", None);
        check("a", "", None);
        check("a", "c d", None);
        check("ä", "c", None);
        let objects = Bucket::of("a", "b", BucketKind::Objects).map(|one| one.to_string());
        assert_eq!(objects.as_deref(), Ok("hs_a_b_os"));
    }
}
