//! How a node, or whoever else, reaches the control NATS.

use std::fmt;
use std::path::PathBuf;

/// Where the control NATS is, as whom, and how it is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatsOptions {
    /// Addresses of one or more servers, separated by commas.
    pub url: String,
    /// As whom.
    pub login: NatsLogin,
    /// Certificates.
    pub tls: NatsTls,
}

impl NatsOptions {
    /// A server at this address, as nobody.
    pub fn at(url: impl Into<String>) -> Self {
        let url = url.into();
        Self {
            url,
            ..Self::default()
        }
    }
}

/// As whom one speaks on the control NATS.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum NatsLogin {
    /// As nobody.
    #[default]
    None,
    /// With a name and a password.
    User {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// With a token.
    Token(String),
    /// With the user seed (`SU...`) in this file.
    NkeyFile(PathBuf),
    /// With the credentials in this file.
    CredsFile(PathBuf),
    /// With a key of its own, at the address that the control plane names; at
    /// the given one if it names none.
    OfFleet,
}

impl fmt::Debug for NatsLogin {
    /// Without passwords and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::User { user, .. } => write!(f, "User({user}, ..)"),
            Self::Token(_) => f.write_str("Token(..)"),
            Self::NkeyFile(path) => write!(f, "NkeyFile({})", path.display()),
            Self::CredsFile(path) => write!(f, "CredsFile({})", path.display()),
            Self::OfFleet => f.write_str("OfFleet"),
        }
    }
}

/// Certificates for the control NATS; whether it speaks TLS, the server says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatsTls {
    /// Who signs servers, besides those that the machine trusts.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key.
    pub client: Option<(PathBuf, PathBuf)>,
    /// TLS comes before the server's first word.
    pub first: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_and_no_token_is_printed() {
        let user = NatsLogin::User {
            user: "ann".into(),
            password: "hush".into(),
        };
        for login in [user, NatsLogin::Token("hush".into())] {
            let text = format!("{login:?}");
            assert!(!text.contains("hush"), "{text}");
        }
    }
}
