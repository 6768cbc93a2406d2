//! Why an instance ended, from EC2's word for it.

use hostler_core::runner::{Reason, ReasonCode};

use crate::cloud::Instance;

/// How an instance came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// Somebody terminated it.
    Asked,
    /// It never came up.
    Stillborn(Reason),
    /// It was lost.
    Lost(Reason),
}

/// How it came to its end.
pub(super) fn death(one: &Instance) -> Death {
    let why = one.why.as_str();
    let text = format!(
        "instance {} ended: {}",
        one.id,
        if why.is_empty() {
            "no reason given"
        } else {
            why
        }
    );
    let code = match why {
        "" | "Client.UserInitiatedShutdown" => return Death::Asked,
        "Server.InsufficientInstanceCapacity" => ReasonCode::NoCapacity,
        "Client.VolumeLimitExceeded" | "Client.InstanceLimitExceeded" => ReasonCode::QuotaExceeded,
        // A disk's key that may not be used, a snapshot that is not there.
        "Client.InternalError" | "Client.InvalidSnapshot.NotFound" => ReasonCode::Invalid,
        _ => return Death::Lost(Reason::new(ReasonCode::NodeLost, text)),
    };
    Death::Stillborn(Reason::new(code, text))
}
