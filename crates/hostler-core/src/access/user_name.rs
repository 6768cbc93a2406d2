//! What people sign in with: a short name or an address, one form for each, so
//! that no two users look alike but for the size of a letter.

use std::fmt;
use std::str::FromStr;

/// A user's name: 1 to 128 lower-case letters, digits and `. _ - + @`,
/// beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(String);

/// A text that cannot be a user's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a user's name: 1 to 128 letters, digits and . _ - + @, \
     beginning with a letter or digit"
)]
pub struct UserNameError(pub String);

impl UserName {
    /// The longest, in characters.
    pub const MAX: usize = 128;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = UserNameError;

    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let name = text.to_ascii_lowercase();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte);
        let begins = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        if begins && name.len() <= Self::MAX && name.bytes().all(allowed) {
            Ok(Self(name))
        } else {
            Err(UserNameError(text.to_owned()))
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_name_has_one_form() {
        let check = |text: &str, expected: Option<&str>| {
            let name = text.parse::<UserName>().ok();
            assert_eq!(name.as_ref().map(UserName::as_str), expected, "{text}");
        };
        check("ada", Some("ada"));
        check("Ada.L@Example.org", Some("ada.l@example.org"));
        check("", None);
        check(".ada", None);
        check("a b", None);
        check("a/b", None);
        check("<script>", None);
        check("ädä", None);
        check(&"a".repeat(129), None);
    }
}
