//! Keys as text: `N…` servers, `O…` operators, `A…` accounts, `U…` users,
//! `X…` curves, and `S…` for the seed of each (protocol A.1).

pub use nkeys::{KeyPair, KeyPairType, XKey};

/// A text that is not the key that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}: {problem}")]
pub struct KeyError {
    expected: &'static str,
    problem: String,
}

impl KeyError {
    fn new(expected: &'static str, problem: &nkeys::error::Error) -> Self {
        let problem = problem.to_string();
        Self { expected, problem }
    }
}

const SEED_LENGTH: usize = 58;
const PUBLIC_LENGTH: usize = 56;

/// The signing key of a seed; spaces and newlines around it do not matter.
pub fn signing_key(seed: &str) -> Result<KeyPair, KeyError> {
    let expected = "the seed of a signing key";
    let pair = KeyPair::from_seed(seed.trim()).map_err(|error| KeyError::new(expected, &error))?;
    if pair.key_pair_type() == KeyPairType::Curve {
        let problem = "it is the seed of a curve key".to_owned();
        return Err(KeyError { expected, problem });
    }
    Ok(pair)
}

/// The curve key of a seed; spaces and newlines around it do not matter.
pub fn curve_key(seed: &str) -> Result<XKey, KeyError> {
    let expected = "the seed of a curve key";
    let seed = checked_length(seed.trim(), SEED_LENGTH, expected)?;
    XKey::from_seed(seed).map_err(|error| KeyError::new(expected, &error))
}

/// The public half of a curve key.
pub fn public_curve_key(text: &str) -> Result<XKey, KeyError> {
    let expected = "a public curve key";
    let text = checked_length(text, PUBLIC_LENGTH, expected)?;
    XKey::from_public_key(text).map_err(|error| KeyError::new(expected, &error))
}

/// Whether a text is the public key of such a pair.
pub fn is_public_key(text: &str, kind: &KeyPairType) -> bool {
    KeyPair::from_public_key(text).is_ok_and(|pair| pair.key_pair_type() == *kind)
        || (*kind == KeyPairType::Curve && public_curve_key(text).is_ok())
}

fn checked_length<'a>(
    text: &'a str,
    length: usize,
    expected: &'static str,
) -> Result<&'a str, KeyError> {
    if text.len() == length {
        return Ok(text);
    }
    let problem = format!("it has {} characters instead of {length}", text.len());
    Err(KeyError { expected, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_reference_library_read_alike() {
        let signing = signing_key("SAAPN4W3EG6KCJGUQTKTJ5GSB5NHK5CHAJL4DBGFUM3HHROI4XUEP4OBK4\n");
        let account = "ACODERUVFFAWZQDSS6SBIACUA5O6SXF7HJ3YTYXBALHZP3P7R4BUO4J2";
        assert_eq!(signing.unwrap().public_key(), account);
        let curve = curve_key(" SXAKIYZX2POLIHZ5W5YZEWVTH24NLEUETBW3TKIVYRSS3GNHFXO5D4JJZM");
        let public = "XBUJMZHVOPQ2SK5VD3TY4VNBPVU2YFGRLK6EFPEPSMVDUYEBSROWZCEA";
        assert_eq!(curve.unwrap().public_key(), public);
        assert!(is_public_key(account, &KeyPairType::Account));
        assert!(!is_public_key(account, &KeyPairType::Server));
        assert!(is_public_key(public, &KeyPairType::Curve));
        assert!(!is_public_key(account, &KeyPairType::Curve));
    }

    #[test]
    fn a_key_of_the_other_family_is_refused() {
        assert!(signing_key(&XKey::new().seed().unwrap()).is_err());
        assert!(curve_key(&KeyPair::new_account().seed().unwrap()).is_err());
        assert!(public_curve_key(&KeyPair::new_account().public_key()).is_err());
        for bad in ["", "X", "SX", "é", &"X".repeat(56), &"é".repeat(28)] {
            assert!(signing_key(bad).is_err(), "{bad}");
            assert!(curve_key(bad).is_err(), "{bad}");
            assert!(public_curve_key(bad).is_err(), "{bad}");
            assert!(!is_public_key(bad, &KeyPairType::Curve), "{bad}");
        }
    }
}
