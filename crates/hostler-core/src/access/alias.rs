//! Words of Distribox, read as ours. People who move bring scripts with them;
//! what is written and shown is always our own word.
//!
//! A word of theirs means every one of ours beside it. One that guards what
//! everybody may do here, or what cannot be done here, means nothing.

use super::{Policy, PolicyError};

/// Their words, and ours.
const WORDS: [(&str, &[&str]); 38] = [
    ("distribox:admin", &["hostler:admin"]),
    ("auth:me:get", &[]),
    ("auth:changePassword", &[]),
    ("host:get", &["nodes:get"]),
    ("images:get", &["images:get"]),
    ("policies:get", &["policies:get"]),
    ("users:get", &["users:get"]),
    ("users:create", &["users:create"]),
    ("users:updatePolicies", &["users:update"]),
    ("users:delete", &["users:delete"]),
    // Nobody's password can be read.
    ("users:getPassword", &[]),
    ("vms:get", &["vms:get"]),
    ("vms:getById", &["vms:get"]),
    ("vms:create", &["vms:create"]),
    ("vms:start", &["vms:update"]),
    ("vms:stop", &["vms:update"]),
    ("vms:rename", &["vms:update"]),
    ("vms:connect", &["vms:console"]),
    ("vms:delete", &["vms:delete"]),
    ("vms:screenshot", &["vms:get"]),
    ("vms:duplicate", &["vms:create"]),
    ("vms:credentials:create", &["vms:share"]),
    ("vms:credentials:revoke", &["vms:share"]),
    ("vms:credentials:list", &["vms:share"]),
    ("vms:credentials:getById", &["vms:share"]),
    ("vms:getRecoverableVms", &["vms:adopt"]),
    ("vms:recoverVmById", &["vms:adopt"]),
    ("vms:cleanRecoverableVmById", &["vms:adopt"]),
    ("vms:cleanAllRecoverableVms", &["vms:adopt"]),
    ("events:get", &[]),
    ("events:getById", &[]),
    ("events:create", &[]),
    ("events:update", &[]),
    ("events:delete", &[]),
    ("slaves:get", &["nodes:get"]),
    ("slaves:getById", &["nodes:get"]),
    ("slaves:create", &["nodes:create"]),
    ("slaves:delete", &["nodes:delete"]),
];

/// The policies that a word means: our own, or one of theirs.
pub fn policies_named(word: &str) -> Result<Vec<Policy>, PolicyError> {
    if let Ok(policy) = word.parse() {
        return Ok(vec![policy]);
    }
    let meant = WORDS.iter().find(|(theirs, _)| *theirs == word);
    let (_, ours) = meant.ok_or_else(|| PolicyError(word.to_owned()))?;
    Ok(ours.iter().filter_map(|word| word.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Result<&[Policy], ()>) {
        let named = policies_named(word);
        assert_eq!(named.as_deref().map_err(drop), expected, "{word}");
    }

    #[test]
    fn their_words_are_read_as_ours() {
        check("distribox:admin", Ok(&[Policy::Admin]));
        check("slaves:getById", Ok(&[Policy::NodesGet]));
        check("users:updatePolicies", Ok(&[Policy::UsersUpdate]));
        check("nodes:drain", Ok(&[Policy::NodesDrain]));
        check("auth:me:get", Ok(&[]));
        check("users:getPassword", Ok(&[]));
        for bad in ["", "slaves", "slaves:GET", "vms:fly", "*"] {
            check(bad, Err(()));
        }
    }

    #[test]
    fn every_word_of_theirs_is_known_and_only_one_means_everything() {
        for (word, _) in WORDS {
            let admin = policies_named(word).unwrap().contains(&Policy::Admin);
            assert_eq!(admin, word == "distribox:admin", "{word}");
        }
    }
}
