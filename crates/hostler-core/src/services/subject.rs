//! On which subjects a function may speak through its node, which itself may
//! speak on nearly all.

/// The longest subject.
const LONGEST: usize = 512;

/// First tokens that belong to the server, to us, or to somebody's reply.
const DENIED: [&str; 2] = ["agentint", "_NATS"];

/// Why a subject may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// It is no subject to publish to.
    #[error("nats: invalid subject")]
    Invalid,
    /// It is not a function's.
    #[error("nats: permissions violation: this subject is not allowed")]
    Denied,
}

/// Whether a function may publish to this subject. `extra` are first tokens
/// that the operator denies besides.
pub fn subject_allowed(subject: &str, extra: &[String]) -> Result<(), SubjectError> {
    let tokens = || subject.split('.');
    let is_token = |token: &str| {
        let odd = |c: char| c.is_whitespace() || c.is_control();
        !token.is_empty() && token != "*" && token != ">" && !token.contains(odd)
    };
    if subject.len() > LONGEST || !tokens().all(is_token) {
        return Err(SubjectError::Invalid);
    }
    let first = tokens().next().unwrap_or_default();
    // `$NEX`, `$SYS`, `$JS`, `$KV`, `$O`, `$SRV`, `$MQTT` and what may come.
    let system = first.starts_with('$');
    // Any prefix of inboxes, ours included: a reply is its sender's business.
    let inbox = first.to_ascii_uppercase().starts_with("_INBOX") || first.starts_with("_R_");
    let denied = DENIED
        .iter()
        .any(|denied| first.eq_ignore_ascii_case(denied));
    if system || inbox || denied || extra.iter().any(|denied| denied == first) {
        return Err(SubjectError::Denied);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_s_and_our_own_subjects_and_inboxes_are_denied() {
        let check = |subject: &str, expected| {
            let extra = ["billing".to_owned()];
            assert_eq!(subject_allowed(subject, &extra), expected, "{subject}");
        };
        for fine in [
            "hello",
            "hello.world.request",
            "a-b_c.$x",
            "agentinterest.x",
            "üñ",
        ] {
            check(fine, Ok(()));
        }
        for denied in [
            "$NEX.DEPLOY.default.N1",
            "$SYS.REQ.SERVER.PING",
            "$JS.API.STREAM.LIST",
            "$KV.a.b",
            "$O.x",
            "$SRV.PING",
            "agentint.s1.deploy",
            "AGENTINT.s1",
            "_INBOX.abc",
            "_INBOX_s1.a",
            "_inbox.x",
            "_R_.x",
            "_NATS.x",
            "billing",
            "billing.pay",
        ] {
            check(denied, Err(SubjectError::Denied));
        }
        for invalid in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "*",
            "a.*",
            ">",
            "a.>",
            "a b",
            "a\r\nPUB x 1",
            "a\tb",
            "a\0",
        ] {
            check(invalid, Err(SubjectError::Invalid));
        }
        check(&"x".repeat(513), Err(SubjectError::Invalid));
    }
}
