//! Which services a node offers to functions, and within what bounds. A
//! service that is not there refuses every call.

use std::time::Duration;

use hostler_core::services::AddressRules;

/// The services of a node; all of them, unless told otherwise.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// Keys with values.
    pub kv: Option<StoreOptions>,
    /// Objects.
    pub objects: Option<StoreOptions>,
    /// Messages on the control NATS.
    pub messaging: Option<MessagingOptions>,
    /// Requests to HTTP servers.
    pub http: Option<HttpOptions>,
}

/// Bounds of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// The most bytes in a bucket that is made.
    pub bucket_bytes: u32,
    /// How long a call may take.
    pub patience: Duration,
}

/// Bounds of messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagingOptions {
    /// First tokens of subjects that are denied, besides those that always are.
    pub deny: Vec<String>,
    /// How long one reply is waited for.
    pub patience: Duration,
    /// How long many replies are gathered.
    pub gather: Duration,
    /// After how long without a further reply there will be none.
    pub silence: Duration,
}

/// Bounds of HTTP requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// Which addresses may be connected to.
    pub addresses: AddressRules,
    /// Hosts that may be named, `*.example.com` for all below; empty: any.
    pub hosts: Vec<String>,
    /// How long a request may take, redirects included.
    pub patience: Duration,
    /// The longest body, of a request or a response.
    pub body_bytes: usize,
    /// How many redirects are followed.
    pub redirects: usize,
}

impl Default for ServiceOptions {
    fn default() -> Self {
        Self {
            kv: Some(StoreOptions::default()),
            objects: Some(StoreOptions::default()),
            messaging: Some(MessagingOptions::default()),
            http: Some(HttpOptions::default()),
        }
    }
}

impl ServiceOptions {
    /// Only the services of these names.
    pub fn only(names: &[String]) -> Result<Self, String> {
        let known = ["kv", "objectstore", "messaging", "http"];
        if let Some(other) = names.iter().find(|name| !known.contains(&name.as_str())) {
            let known = known.join(", ");
            return Err(format!("'{other}' is no host service; there are {known}"));
        }
        let has = |name: &str| names.iter().any(|one| one == name);
        let all = Self::default();
        Ok(Self {
            kv: all.kv.filter(|_| has("kv")),
            objects: all.objects.filter(|_| has("objectstore")),
            messaging: all.messaging.filter(|_| has("messaging")),
            http: all.http.filter(|_| has("http")),
        })
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            bucket_bytes: 524_288,
            patience: Duration::from_secs(3),
        }
    }
}

impl Default for MessagingOptions {
    fn default() -> Self {
        Self {
            deny: Vec::new(),
            patience: Duration::from_millis(500),
            gather: Duration::from_secs(3),
            silence: Duration::from_millis(500),
        }
    }
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            addresses: AddressRules::default(),
            hosts: Vec::new(),
            patience: Duration::from_millis(2_500),
            body_bytes: 1 << 20,
            redirects: 10,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_offered() {
        let check = |names: &[&str], expected: [bool; 4]| {
            let names: Vec<_> = names.iter().map(ToString::to_string).collect();
            let offered = ServiceOptions::only(&names).unwrap();
            let kv = offered.kv.is_some();
            let others = (offered.objects.is_some(), offered.messaging.is_some());
            let seen = [kv, others.0, others.1, offered.http.is_some()];
            assert_eq!(seen, expected, "{names:?}");
        };
        check(&[], [false; 4]);
        check(&["kv", "http"], [true, false, false, true]);
        check(&["messaging", "objectstore"], [false, true, true, false]);
        assert!(ServiceOptions::only(&["disk".to_owned()]).is_err());
    }
}
