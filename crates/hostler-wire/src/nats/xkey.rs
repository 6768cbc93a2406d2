//! Sealed environments (protocol 2.4, A.3): a JSON object of texts, in a box
//! from the sender's curve key to the node's, in base64.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use nkeys::XKey;
use nkeys::error::ErrorKind;

use super::go_json::{self, DecodeError};
use super::nkey::{KeyError, public_curve_key};

/// Why a box does not open. The texts are those of the original's library.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is not base64.
    #[error("illegal base64 data: {0}")]
    Base64(#[from] data_encoding::DecodeError),
    /// The sender's key is no public curve key.
    #[error("nkeys: not a valid sender public curve key")]
    Sender(#[source] KeyError),
    /// It is too short to be a box.
    #[error("nkeys: encrypted input is not valid")]
    Malformed,
    /// It is a box of another version.
    #[error("nkeys: encrypted input wrong version")]
    Version,
    /// It was sealed by or for another key, or was altered.
    #[error("nkeys: could not decrypt input")]
    Decrypt,
    /// What was sealed is not a JSON object of texts.
    #[error("{0}")]
    Content(#[from] DecodeError),
}

/// Why nothing could be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The recipient's key is no public curve key.
    #[error("the recipient's key is {0}")]
    Recipient(#[from] KeyError),
    /// The sender's key has no private half.
    #[error("cannot seal: {0}")]
    Seal(#[from] nkeys::error::Error),
}

/// Seals bytes for the holder of `recipient`; the result is base64.
pub fn seal(plain: &[u8], sender: &XKey, recipient: &str) -> Result<String, SealError> {
    let recipient = public_curve_key(recipient)?;
    Ok(BASE64.encode(&sender.seal(plain, &recipient)?))
}

/// Opens what [`seal`] has made.
pub fn open(sealed: &str, recipient: &XKey, sender: &str) -> Result<Vec<u8>, OpenError> {
    let sealed = BASE64.decode(sealed.as_bytes())?;
    let sender = public_curve_key(sender).map_err(OpenError::Sender)?;
    // The version and the nonce come before the first sealed byte.
    if sealed.len() <= 4 + 24 {
        return Err(OpenError::Malformed);
    }
    let reason = |error: nkeys::error::Error| match error.kind() {
        ErrorKind::InvalidPrefix => OpenError::Version,
        _ => OpenError::Decrypt,
    };
    recipient.open(&sealed, &sender).map_err(reason)
}

/// Seals an environment for the holder of `recipient`.
pub fn seal_environment(
    environment: &BTreeMap<String, String>,
    sender: &XKey,
    recipient: &str,
) -> Result<String, SealError> {
    // A map of texts always can be written.
    let plain = go_json::to_vec(environment).unwrap_or_default();
    seal(&plain, sender, recipient)
}

/// Opens a sealed environment; a sealed `null` is an empty one.
pub fn open_environment(
    sealed: &str,
    recipient: &XKey,
    sender: &str,
) -> Result<BTreeMap<String, String>, OpenError> {
    Ok(go_json::from_slice(&open(sealed, recipient, sender)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> BTreeMap<String, String> {
        BTreeMap::from([("nats_url".to_owned(), "nats://a:4222/?x=<1>&y".to_owned())])
    }

    #[test]
    fn only_the_recipient_opens_an_environment() {
        let (sender, node, stranger) = (XKey::new(), XKey::new(), XKey::new());
        let sealed = seal_environment(&environment(), &sender, &node.public_key()).unwrap();
        let open = |key: &XKey, from: &XKey| open_environment(&sealed, key, &from.public_key());
        assert_eq!(open(&node, &sender).unwrap(), environment());
        assert!(matches!(open(&stranger, &sender), Err(OpenError::Decrypt)));
        assert!(matches!(open(&node, &stranger), Err(OpenError::Decrypt)));
    }

    #[test]
    fn each_defect_has_its_text() {
        let (sender, node) = (XKey::new(), XKey::new());
        let check = |sealed: &str, from: &str, expected: &str| {
            let text = open_environment(sealed, &node, from)
                .unwrap_err()
                .to_string();
            assert!(text.starts_with(expected), "{text}");
        };
        let from = sender.public_key();
        let sealed = |plain: &[u8]| seal(plain, &sender, &node.public_key()).unwrap();
        check("not base64", &from, "illegal base64 data");
        check("", &from, "nkeys: encrypted input is not valid");
        check(
            &BASE64.encode(&[b'x'; 64]),
            &from,
            "nkeys: encrypted input wrong version",
        );
        check(
            &sealed(b"{}"),
            "XABC",
            "nkeys: not a valid sender public curve key",
        );
        check(&sealed(b"{"), &from, "EOF");
        check(&sealed(br#"{"a":1}"#), &from, "a: invalid type");
        let mut altered = BASE64.decode(sealed(b"{}").as_bytes()).unwrap();
        altered[30] ^= 1;
        check(
            &BASE64.encode(&altered),
            &from,
            "nkeys: could not decrypt input",
        );
    }

    #[test]
    fn nothing_is_an_empty_environment() {
        let (sender, node) = (XKey::new(), XKey::new());
        for plain in ["null", "{}"] {
            let sealed = seal(plain.as_bytes(), &sender, &node.public_key()).unwrap();
            let opened = open_environment(&sealed, &node, &sender.public_key());
            assert_eq!(opened.unwrap(), BTreeMap::new());
        }
    }
}
