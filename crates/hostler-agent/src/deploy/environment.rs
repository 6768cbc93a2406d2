//! The environment of a service (protocol 6.3): exactly what was given, keys
//! in upper case, nothing inherited. We add one variable, [`RESTARTS`], unless
//! it was given.

use std::collections::BTreeMap;

use hostler_wire::agent::AgentDeployRequest;

/// How often the workload has been started again, `0` at first.
pub(super) const RESTARTS: &str = "HOSTLER_RESTARTS";

/// The environment, or the name of what the system cannot take.
pub(super) fn service(request: &AgentDeployRequest) -> Result<BTreeMap<String, String>, String> {
    let restarts = request.retry_count.unwrap_or(0).to_string();
    let mut environment = BTreeMap::from([(RESTARTS.to_owned(), restarts)]);
    for (key, value) in request.environment.iter().flatten() {
        if key.is_empty() || key.contains(['=', '\0']) || value.contains('\0') {
            return Err(format!(
                "the environment variable '{}' cannot be set",
                key.escape_debug()
            ));
        }
        environment.insert(key.to_uppercase(), value.clone());
    }
    if request.argv.iter().any(|argument| argument.contains('\0')) {
        return Err("an argument holds a NUL byte".to_owned());
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
        let owned = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        service(&AgentDeployRequest {
            environment: Some(owned.collect()),
            retry_count: Some(3),
            ..AgentDeployRequest::default()
        })
    }

    #[test]
    fn keys_are_raised_and_the_count_of_restarts_is_added() {
        let environment = of(&[("nats_url", "a=b"), ("Path", "")]).unwrap();
        let pairs: Vec<_> = environment
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [("HOSTLER_RESTARTS", "3"), ("NATS_URL", "a=b"), ("PATH", "")]
        );
        assert_eq!(of(&[("hostler_restarts", "x")]).unwrap()[RESTARTS], "x");
        let first = service(&AgentDeployRequest::default()).unwrap();
        assert_eq!(first[RESTARTS], "0");
    }

    #[test]
    fn what_the_system_cannot_take_is_refused() {
        for bad in [("", "v"), ("A=B", "v"), ("A\0", "v"), ("A", "v\0")] {
            assert!(of(&[bad]).is_err(), "{bad:?}");
        }
    }
}
