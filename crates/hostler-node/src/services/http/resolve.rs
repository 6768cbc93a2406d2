//! Names to addresses, of which only those that may be reached are given on.
//! What is given on is what is connected to.

use std::net::SocketAddr;
use std::sync::Arc;

use hostler_core::services::{AddressRules, address_allowed};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The system's resolver, with a judge behind it.
pub(super) struct Guarded(Arc<AddressRules>);

/// A name that means nothing, or nothing that may be reached.
#[derive(Debug, thiserror::Error)]
enum ResolveError {
    #[error("could not resolve {0}")]
    Unknown(String, #[source] std::io::Error),
    #[error("{0} has no address that functions may reach")]
    Denied(String),
}

impl Guarded {
    pub(super) fn new(rules: AddressRules) -> Self {
        Self(Arc::new(rules))
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = Arc::clone(&self.0);
        Box::pin(async move {
            let name = name.as_str().to_owned();
            // The port is the connector's business.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|error| ResolveError::Unknown(name.clone(), error))?;
            let allowed: Vec<SocketAddr> = judged(found, &rules);
            if allowed.is_empty() {
                return Err(ResolveError::Denied(name).into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn judged(found: impl Iterator<Item = SocketAddr>, rules: &AddressRules) -> Vec<SocketAddr> {
    let may = |found: &SocketAddr| address_allowed(found.ip(), rules);
    found.filter(may).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_addresses_only_those_that_may_be_reached_are_given_on() {
        let found = ["127.0.0.1:0", "1.1.1.1:0", "169.254.169.254:0", "[::1]:0"];
        let found = found.map(|one| one.parse().unwrap());
        let given = judged(found.into_iter(), &AddressRules::default());
        assert_eq!(given, ["1.1.1.1:0".parse().unwrap()]);
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_refused() {
        let guarded = Guarded::new(AddressRules::default());
        let resolved = guarded.resolve("localhost".parse().unwrap()).await;
        let error = resolved.err().unwrap().to_string();
        assert_eq!(error, "localhost has no address that functions may reach");
    }
}
