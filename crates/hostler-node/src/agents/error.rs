//! What can go wrong on the link to the agents.

use hostler_wire::agent::DecodeError;

/// An agent could not be asked, or did not answer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The credentials or the address are no good.
    #[error("could not use the node's credentials")]
    Credentials(#[source] std::io::Error),
    /// The server could not be reached.
    #[error("could not connect to the inner nats-server")]
    Connect(#[source] async_nats::ConnectError),
    /// A subscription was refused.
    #[error("could not subscribe to {subject}")]
    Subscribe {
        /// To what.
        subject: &'static str,
        /// Why not.
        source: async_nats::SubscribeError,
    },
    /// Nobody listens on the agent's subject.
    #[error("the agent does not listen")]
    NoAgent,
    /// No answer in time.
    #[error("the agent did not answer in time")]
    Timeout,
    /// It could not do it; the text is the agent's.
    #[error("the agent could not: {0}")]
    Refused(String),
    /// Anything else of the client.
    #[error("could not send the request to the agent")]
    Request(#[source] async_nats::RequestError),
    /// The answer made no sense.
    #[error("could not read the agent's answer")]
    Answer(#[source] DecodeError),
}
