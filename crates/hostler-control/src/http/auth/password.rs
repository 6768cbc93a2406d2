//! Passwords: hashed with argon2id, away from the threads that answer, a few at
//! a time, because each takes 19 MiB and tens of milliseconds. The parameters
//! are the library's, which are those recommended for it today; a hash carries
//! its own, so they can be raised later.

use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use hostler_core::access::UserName;
use hostler_daemon::secret::random_secret;
use tokio::sync::Semaphore;

use crate::http::error::{ApiError, ApiResult, Code};

/// The shortest that is taken, and the longest that is read, in bytes.
const SHORTEST: usize = 10;
const LONGEST: usize = 256;

/// So many are hashed at a time.
const AT_ONCE: usize = 4;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// A hash that no password has; it is compared where there is none, so that
/// names that nobody has take as long as others.
static NOBODYS: OnceLock<Option<String>> = OnceLock::new();

/// Why a password could not be hashed.
#[derive(Debug, thiserror::Error)]
enum HashError {
    #[error("hashing a password: {0}")]
    Hash(String),
    #[error("hashing was given up")]
    GivenUp,
}

/// What is wrong with a new password.
pub(crate) fn check(password: &str, name: &UserName) -> Result<(), String> {
    if !(SHORTEST..=LONGEST).contains(&password.len()) {
        return Err(format!(
            "password: must have {SHORTEST} to {LONGEST} characters"
        ));
    }
    if password.to_ascii_lowercase().contains(name.as_str()) {
        return Err("password: must not hold the name".to_owned());
    }
    Ok(())
}

/// A password that nobody guesses.
pub(crate) fn generate() -> String {
    random_secret().chars().take(24).collect()
}

/// The hash of a password.
pub(crate) async fn hash(password: String) -> ApiResult<String> {
    let hashed = away(move || hash_now(&password))
        .await
        .and_then(|hash| hash);
    hashed.map_err(|error| ApiError::internal("hashing a password", &error))
}

/// Whether the password has this hash. Without one, or with a password that is
/// too long to be anybody's, it takes as long and is wrong.
pub(crate) async fn verify(password: String, hash: Option<String>) -> ApiResult<bool> {
    let right = away(move || {
        let known = hash.is_some() && password.len() <= LONGEST;
        let hash = hash.or_else(|| NOBODYS.get_or_init(nobodys).clone());
        let password = password.get(..LONGEST).unwrap_or(&password);
        is_right(password, hash.as_deref().unwrap_or_default()) && known
    });
    let right = right.await;
    right.map_err(|error| ApiError::internal("comparing a password", &error))
}

async fn away<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, HashError> {
    let _turn = TURNS.acquire().await.map_err(|_| HashError::GivenUp)?;
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| HashError::GivenUp)
}

fn hash_now(password: &str) -> Result<String, HashError> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    let hash = hash.map_err(|error| HashError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

fn nobodys() -> Option<String> {
    hash_now(&random_secret()).ok()
}

fn is_right(password: &str, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    let verify = |hash| Argon2::default().verify_password(password.as_bytes(), &hash);
    hash.is_ok_and(|hash| verify(hash).is_ok())
}

/// What is answered when name or password are wrong; always this.
pub(crate) fn wrong() -> ApiError {
    ApiError::new(Code::Unauthenticated, "name or password are wrong")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_and_fits_its_password_only() {
        let hash = hash("correct horse".to_owned()).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let check = async |password: &str, stored: Option<&str>, expected| {
            let stored = stored.map(str::to_owned);
            let right = verify(password.to_owned(), stored).await.unwrap();
            assert_eq!(right, expected, "{password}");
        };
        check("correct horse", Some(&hash), true).await;
        check("correct horsf", Some(&hash), false).await;
        check("", Some(&hash), false).await;
        check("correct horse", None, false).await;
        check("correct horse", Some("no hash"), false).await;
        check(&"é".repeat(300), Some(&hash), false).await;
    }

    #[test]
    fn a_password_is_long_and_not_the_name() {
        let check = |password: &str, good| {
            let name = "ada".parse().unwrap();
            assert_eq!(super::check(password, &name).is_ok(), good, "{password}");
        };
        check("correct horse", true);
        check("too short", false);
        check("my name is Ada", false);
        check(&"x".repeat(257), false);
        check(&generate(), true);
    }
}
