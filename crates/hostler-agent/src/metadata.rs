//! Where the agent learns which slot it is (protocol 6.2). As a plain process
//! from its environment; in a machine of its own from the monitor
//! ([`crate::guest`]), which is another way to make the same [`AgentMetadata`].

use hostler_wire::agent::{AgentMetadata, ENV_SANDBOX, ENV_SLOT, MetadataError};

/// Why there is no usable metadata.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// Nothing says where the metadata is.
    #[error("{ENV_SANDBOX} is not 'false', and this agent knows no metadata service")]
    NoService,
    /// The environment is incomplete or wrong.
    #[error("cannot read the metadata from the environment: {0}")]
    Environment(#[from] MetadataError),
    /// The slot would change the meaning of a subject.
    #[error("{ENV_SLOT} is '{0}', which is no word of a NATS subject")]
    Slot(String),
}

/// What the environment says.
pub(crate) fn read() -> Result<AgentMetadata, ReadError> {
    read_with(|name| std::env::var(name).ok())
}

fn read_with(variable: impl Fn(&str) -> Option<String>) -> Result<AgentMetadata, ReadError> {
    if !AgentMetadata::is_unsandboxed(&variable) {
        return Err(ReadError::NoService);
    }
    let metadata = AgentMetadata::from_env(variable)?;
    if !is_word(&metadata.slot) {
        return Err(ReadError::Slot(metadata.slot));
    }
    Ok(metadata)
}

/// Whether a slot's name is one word of a NATS subject.
pub(crate) fn is_word(slot: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !slot.is_empty() && slot.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_environment_is_refused_with_a_reason() {
        let good = [
            ("NEX_SANDBOX", "False"),
            ("NEX_WORKLOADID", "coj2v3d2omt3lq0a1b2g"),
            ("NEX_NODE_NATS_HOST", "127.0.0.1"),
            ("NEX_NODE_NATS_PORT", "4222"),
        ];
        let read = |name: &'static str, value: Option<&str>| {
            let find = |asked: &str| match (asked == name, value) {
                (true, value) => value.map(str::to_owned),
                (false, _) => good
                    .iter()
                    .find(|(key, _)| *key == asked)
                    .map(|(_, v)| (*v).to_owned()),
            };
            read_with(find).map_err(|error| error.to_string())
        };
        assert_eq!(read("OTHER", None).unwrap().url(), "nats://127.0.0.1:4222");
        let check = |name, value, said: &str| {
            let error = read(name, value).unwrap_err();
            assert!(error.contains(said), "{error}");
        };
        check("NEX_SANDBOX", None, "metadata service");
        check("NEX_SANDBOX", Some("true"), "metadata service");
        check("NEX_WORKLOADID", None, "NEX_WORKLOADID is not set");
        check("NEX_WORKLOADID", Some("a.>"), "no word");
        check("NEX_WORKLOADID", Some(""), "no word");
        check("NEX_NODE_NATS_PORT", Some("many"), "not a port");
    }
}
