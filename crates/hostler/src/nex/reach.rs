//! Which NATS is spoken to, as whom. Flags and variables outweigh the context
//! of the NATS command line; where neither says anything, the fleet that
//! `hostler` speaks to is meant, if it knows its NATS; else a server on this
//! machine.

use anyhow::{Context as _, Result};
use hostler_node::{NatsLogin, NatsOptions, NatsTls};

use super::args::ReachArgs;
use super::context::{NatsContext, expanded};
use crate::context::{Context, Contexts};

const USUAL: &str = "nats://127.0.0.1:4222";

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) nats: NatsOptions,
    /// The prefix of our inboxes, if it is not the usual.
    pub(super) inbox: Option<String>,
}

impl Reach {
    /// What flags, files and variables say together.
    pub(super) fn find(flags: &ReachArgs) -> Result<Self> {
        let context = if flags.no_context {
            None
        } else {
            NatsContext::find(flags.context.as_deref())?
        };
        let fleet = match (&context, &flags.server, flags.no_context) {
            (None, None, false) => Contexts::load()?.pick(None).ok(),
            _ => None,
        };
        chosen(flags, context, fleet)
    }

    /// Connects, once.
    pub(super) async fn connect(&self, name: &str) -> Result<async_nats::Client> {
        let mut options = self.nats.connection()?.name(name);
        if let Some(prefix) = &self.inbox {
            options = options.custom_inbox_prefix(prefix);
        }
        let connecting = options.connect(self.nats.servers());
        connecting
            .await
            .with_context(|| format!("could not connect to NATS at {}", self.nats.url))
    }
}

fn chosen(
    flags: &ReachArgs,
    context: Option<NatsContext>,
    fleet: Option<Context>,
) -> Result<Reach> {
    let context = context.unwrap_or_default();
    let fleet = fleet.unwrap_or_default();
    let urls = [flags.server.clone(), said(&context.url), fleet.nats];
    let url = urls.into_iter().find_map(|url| url);
    let logins = [
        login_of_flags(flags),
        login_of_context(&context),
        fleet.nats_seed.map(NatsLogin::NkeyFile),
    ];
    let nats = NatsOptions {
        url: url.unwrap_or_else(|| USUAL.to_owned()),
        login: logins
            .into_iter()
            .find_map(|login| login)
            .unwrap_or_default(),
        tls: tls(flags, &context)?,
    };
    let inbox = said(&context.inbox_prefix);
    Ok(Reach { nats, inbox })
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whoever is named by a flag is nobody of the context.
fn login_of_flags(flags: &ReachArgs) -> Option<NatsLogin> {
    let user = flags.user.clone().map(|user| match &flags.password {
        Some(password) => NatsLogin::User {
            user,
            password: password.clone(),
        },
        None => NatsLogin::Token(user),
    });
    let creds = flags.creds.clone().map(NatsLogin::CredsFile);
    let nkey = flags.nkey.clone().map(NatsLogin::NkeyFile);
    creds.or(nkey).or(user)
}

fn login_of_context(context: &NatsContext) -> Option<NatsLogin> {
    let creds = said(&context.creds).map(|path| NatsLogin::CredsFile(expanded(&path)));
    let nkey = said(&context.nkey).map(|path| NatsLogin::NkeyFile(expanded(&path)));
    let user = said(&context.user).map(|user| NatsLogin::User {
        user,
        password: context.password.clone(),
    });
    let token = said(&context.token).map(NatsLogin::Token);
    creds.or(nkey).or(user).or(token)
}

fn tls(flags: &ReachArgs, context: &NatsContext) -> Result<NatsTls> {
    let path = |flag: &Option<std::path::PathBuf>, said_there: &str| {
        flag.clone()
            .or_else(|| said(said_there).map(|path| expanded(&path)))
    };
    let certificate = path(&flags.tlscert, &context.cert);
    let key = path(&flags.tlskey, &context.key);
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => anyhow::bail!("a certificate and its key are given together: --tlscert, --tlskey"),
    };
    Ok(NatsTls {
        ca: path(&flags.tlsca, &context.ca),
        client,
        first: (flags.tlsfirst || context.tls_first) && !flags.no_tlsfirst,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(server: Option<&str>, user: Option<&str>, password: Option<&str>) -> ReachArgs {
        ReachArgs {
            server: server.map(str::to_owned),
            user: user.map(str::to_owned),
            password: password.map(str::to_owned),
            ..ReachArgs::default()
        }
    }

    fn check(flags: &ReachArgs, context: Option<&str>, (url, login): (&str, &NatsLogin)) {
        let read = |text: &str| hostler_wire::nats::go_json::from_slice(text.as_bytes());
        let context = context.map(|text| read(text).expect(text));
        let fleet = Context {
            nats: Some("nats://fleet".into()),
            nats_seed: Some("/seed".into()),
            ..Context::default()
        };
        let fleet = context
            .is_none()
            .then_some(fleet)
            .filter(|_| flags.server.is_none());
        let reach = chosen(flags, context, fleet).expect("a reach");
        assert_eq!((reach.nats.url.as_str(), &reach.nats.login), (url, login));
    }

    #[test]
    fn flags_outweigh_the_context_which_outweighs_the_fleet() {
        let user = |user: &str, password: &str| NatsLogin::User {
            user: user.into(),
            password: password.into(),
        };
        let none = flags(None, None, None);
        let seed = NatsLogin::NkeyFile("/seed".into());
        check(&none, None, ("nats://fleet", &seed));
        let context = r#"{"url":"nats://c","user":"u","password":"p"}"#;
        check(&none, Some(context), ("nats://c", &user("u", "p")));
        let server = flags(Some("nats://f"), None, None);
        check(&server, Some(context), ("nats://f", &user("u", "p")));
        check(&server, None, ("nats://f", &NatsLogin::None));
        let named = flags(None, Some("me"), Some("mine"));
        check(&named, Some(context), ("nats://c", &user("me", "mine")));
        let token = NatsLogin::Token("t".into());
        check(
            &flags(None, Some("t"), None),
            Some(context),
            ("nats://c", &token),
        );
        check(&none, Some(r#"{"token":"t"}"#), (USUAL, &token));
        let creds = NatsLogin::CredsFile("/c".into());
        check(&none, Some(r#"{"creds":"/c","user":"u"}"#), (USUAL, &creds));
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let mut flags = flags(None, None, None);
        flags.tlscert = Some("/cert".into());
        assert!(chosen(&flags, None, None).is_err());
        flags.tlskey = Some("/key".into());
        let reach = chosen(&flags, None, None).expect("both");
        assert_eq!(reach.nats.tls.client, Some(("/cert".into(), "/key".into())));
    }
}
