//! Faults that a test sets while the cluster runs: which requests they meet,
//! how many of them, and what happens to those.

use std::time::Duration;

use crate::refusal::Refusal;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// 403, as RBAC refuses.
    Denied,
    /// 403, as a full quota refuses.
    Quota,
    /// 429 with so many seconds of `Retry-After`.
    Throttled(u32),
    /// This status of the server's own fault.
    Error(u16),
    /// The answer comes later, in real time.
    Slow(Duration),
    /// No answer ever comes.
    Hang,
    /// The request is carried out, and the connection dropped unanswered.
    LostReply,
}

/// What is wrong with pods on otherwise good machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Their image cannot be pulled: those not running yet never run.
    ImagePull,
    /// They end as soon as they start, again and again.
    CrashLoop,
}

/// A fault: an effect on every request that fits.
#[derive(Debug, Clone)]
pub struct Fault {
    effect: Effect,
    user: Option<String>,
    verb: Option<String>,
    resource: Option<String>,
    share: f64,
    times: Option<u64>,
}

/// Which fault, to heal it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultId(u64);

impl Fault {
    /// One that meets every request.
    pub fn new(effect: Effect) -> Self {
        Self {
            effect,
            user: None,
            verb: None,
            resource: None,
            share: 1.0,
            times: None,
        }
    }

    /// Only requests of this user.
    #[must_use]
    pub fn user(mut self, name: &str) -> Self {
        self.user = Some(name.to_owned());
        self
    }

    /// Only this verb: `create`, `list`, `watch`, `deletecollection`, …
    #[must_use]
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = Some(verb.to_owned());
        self
    }

    /// Only this resource, by its plural.
    #[must_use]
    pub fn resource(mut self, plural: &str) -> Self {
        self.resource = Some(plural.to_owned());
        self
    }

    /// Only this share of the requests that fit, evenly spread.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Only so many requests.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    fn fits(&self, user: &str, verb: &str, resource: &str) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.user, user) && is(&self.verb, verb) && is(&self.resource, resource)
    }
}

#[derive(Debug)]
struct Set {
    id: FaultId,
    fault: Fault,
    /// Requests that fitted, and those that were met.
    seen: f64,
    met: u64,
}

impl Set {
    fn meets(&mut self) -> bool {
        let before = (self.seen * self.fault.share).floor();
        self.seen += 1.0;
        let due = (self.seen * self.fault.share).floor() > before;
        let meets = due && self.fault.times.is_none_or(|times| self.met < times);
        self.met += u64::from(meets);
        meets
    }
}

/// All that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    set: Vec<Set>,
    last: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> FaultId {
        self.last += 1;
        let id = FaultId(self.last);
        self.set.push(Set {
            id,
            fault,
            seen: 0.0,
            met: 0,
        });
        id
    }

    pub(crate) fn heal(&mut self, id: FaultId) {
        self.set.retain(|one| one.id != id);
    }

    pub(crate) fn heal_all(&mut self) {
        self.set.clear();
    }

    /// What happens to this request.
    pub(crate) fn effects(&mut self, user: &str, verb: &str, resource: &str) -> Vec<Effect> {
        let fits = |one: &&mut Set| one.fault.fits(user, verb, resource);
        let met = self.set.iter_mut().filter(fits);
        met.filter_map(|one| one.meets().then(|| one.fault.effect.clone()))
            .collect()
    }
}

impl Effect {
    /// The refusal that this effect is, if it is one.
    pub(crate) fn refusal(&self, what: &str) -> Option<Refusal> {
        let forbidden = |why: &str| {
            let message = format!("{what} is forbidden: {why}");
            Some(Refusal::new(403, "Forbidden", message))
        };
        match self {
            Self::Denied => forbidden("not allowed by a fault"),
            Self::Quota => {
                forbidden("exceeded quota: fault, requested: pods=1, used: pods=1, limited: pods=1")
            }
            Self::Throttled(seconds) => {
                let message = "too many requests, please try again later";
                let mut refusal = Refusal::new(429, "TooManyRequests", message);
                refusal.retry_after = Some(*seconds);
                Some(refusal)
            }
            Self::Error(code) => Some(Refusal::new(*code, reason(*code), "a fault was set")),
            Self::Slow(_) | Self::Hang | Self::LostReply => None,
        }
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    }
}
