//! Whether settings make sense. Nothing is opened; files are only looked for.

use std::time::Duration;

use hostler_core::Name;
use hostler_daemon::config::Mistakes;
use hostler_wire::nats::TriggerSubject;
use hostler_wire::nats::nkey::{KeyPair, KeyPairType, is_public_key};
use hostler_wire::nats::subject::TriggerSubjectError;

use super::{JoinToken, NatsLogin, NodeOptions};

/// Types that can run here.
pub(super) const TYPES: [&str; 4] = ["elf", "native", "v8", "wasm"];

impl NodeOptions {
    /// Every mistake in the settings at once.
    pub fn check(&self) -> Result<(), Mistakes> {
        let mut wrong = Mistakes::default();
        wrong.take("name", self.name.parse::<Name>());
        self.check_addresses(&mut wrong);
        self.check_files(&mut wrong);
        self.check_admission(&mut wrong);
        self.check_numbers(&mut wrong);
        wrong.check()
    }

    fn check_addresses(&self, wrong: &mut Mistakes) {
        if self.advertise.is_none() && self.listen.ip().is_unspecified() {
            let text = format!("'{}' is no address to be reached at", self.listen.ip());
            wrong.add("advertise", format!("{text}: name a host"));
        }
        if let Some(control) = &self.control {
            let http = ["http://", "https://"];
            if !http.iter().any(|scheme| control.url.starts_with(scheme)) {
                let text = format!("'{}' is not an http or https address", control.url);
                wrong.add("control url", text);
            }
        }
        if matches!(self.nats.login, NatsLogin::OfFleet) && self.control.is_none() {
            wrong.add(
                "nats login",
                "a node without a control plane is told by nobody",
            );
        }
        for url in self.nats.url.split(',') {
            wrong.take("nats url", url.trim().parse::<async_nats::ServerAddr>());
        }
    }

    fn check_files(&self, wrong: &mut Mistakes) {
        let join = self
            .control
            .as_ref()
            .and_then(|control| control.join.as_ref());
        let client = self.nats.tls.client.as_ref();
        let ca = self.nats.tls.ca.as_ref();
        let files = [
            match &self.nats.login {
                NatsLogin::NkeyFile(path) => Some(("nats nkey file", path)),
                NatsLogin::CredsFile(path) => Some(("nats credentials file", path)),
                NatsLogin::None
                | NatsLogin::OfFleet
                | NatsLogin::User { .. }
                | NatsLogin::Token(_) => None,
            },
            ca.map(|path| ("nats ca file", path)),
            client.map(|(path, _)| ("nats certificate file", path)),
            client.map(|(_, path)| ("nats key file", path)),
            match join {
                Some(JoinToken::File(path)) => Some(("join token file", path)),
                Some(JoinToken::Text(_)) | None => None,
            },
        ];
        for (setting, path) in files.into_iter().flatten() {
            if !path.is_file() {
                wrong.add(setting, format!("{} is not a file", path.display()));
            }
        }
    }

    fn check_admission(&self, wrong: &mut Mistakes) {
        for issuer in &self.admission.issuers {
            if KeyPair::from_public_key(issuer).is_err() {
                wrong.add("valid issuers", format!("'{issuer}' is not a public key"));
            }
        }
        for requester in &self.admission.requesters {
            if !is_public_key(requester, &KeyPairType::Curve) {
                let text = format!("'{requester}' is not a public curve key");
                wrong.add("requester public keys", text);
            }
        }
        for kind in &self.admission.types {
            if !TYPES.contains(&kind.as_str()) {
                let known = TYPES.join(", ");
                let text = format!("'{kind}' cannot run here; known are {known}");
                wrong.add("workload types", text);
            }
        }
        if self.admission.types.is_empty() {
            wrong.add("workload types", "at least one is needed");
        }
        for denied in &self.admission.denied_triggers {
            if let Err(TriggerSubjectError::Malformed(_)) = denied.parse::<TriggerSubject>() {
                wrong.add(
                    "denied trigger subjects",
                    format!("'{denied}' is no subject"),
                );
            }
        }
        if self.admission.artifact_bytes == 0 {
            wrong.add("max workload bytes", "zero lets nothing through");
        }
    }

    fn check_numbers(&self, wrong: &mut Mistakes) {
        let pool = &self.slots.pool;
        if pool.max == 0 {
            wrong.add("slots max", "at least one is needed");
        }
        if pool.warm > pool.max {
            let text = format!("{} warm slots do not fit into {}", pool.warm, pool.max);
            wrong.add("slots warm", text);
        }
        if self.heartbeat < Duration::from_millis(50) {
            wrong.add("heartbeat", "at least 50 ms are needed");
        }
        let bounds = [
            ("artifacts bound", self.bounds.artifacts == 0),
            ("relay bound", self.bounds.relay == 0),
            ("triggers bound", self.bounds.triggers == 0),
            ("requests bound", self.bounds.requests == 0),
        ];
        for (setting, _) in bounds.iter().filter(|(_, zero)| *zero) {
            wrong.add(setting, "zero lets nothing through");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ControlOptions;

    fn options() -> NodeOptions {
        NodeOptions::new("n1", "/var/lib/x", "nats://127.0.0.1:4222", "/bin/agent")
    }

    #[test]
    fn the_usual_settings_are_fine() {
        options().check().unwrap();
    }

    #[test]
    fn every_mistake_is_listed() {
        let mut options = options();
        options.name = "no name".into();
        options.listen = "0.0.0.0:0".parse().unwrap();
        options.control = Some(ControlOptions {
            url: "ftp://there".into(),
            join: Some(JoinToken::File("/nowhere/token".into())),
        });
        options.admission.issuers = vec!["AAA".into()];
        options.admission.requesters = vec!["XXX".into()];
        options.admission.types = vec!["oci".into()];
        options.admission.denied_triggers = vec!["$SYS.>".into(), "a..b".into()];
        options.admission.artifact_bytes = 0;
        options.slots.pool.max = 0;
        options.bounds.relay = 0;
        let text = options.check().unwrap_err().to_string();
        for setting in [
            "name:",
            "advertise:",
            "control url:",
            "join token file:",
            "valid issuers:",
            "requester public keys:",
            "workload types:",
            "denied trigger subjects: 'a..b'",
            "max workload bytes:",
            "slots max:",
            "slots warm:",
            "relay bound:",
        ] {
            assert!(text.contains(setting), "{setting} is missing in {text}");
        }
    }
}
