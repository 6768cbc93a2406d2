//! The texts in a seed. Ours are JSON, which is YAML too, so that no name, key
//! or password can break out of its place; what the user wrote goes into a part
//! of its own, behind ours, and is merged by cloud-init.

use data_encoding::HEXLOWER;
use hostler_wire::node_api::Seed;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

/// Files by name.
pub(super) fn files(instance: &str, seed: &Seed) -> Vec<(&'static str, String)> {
    let meta = json!({"instance-id": instance, "local-hostname": seed.hostname});
    let mut files = vec![
        ("meta-data", format!("{meta}\n")),
        ("user-data", user_data(seed)),
    ];
    if let Some(network) = &seed.network_config {
        files.push(("network-config", network.clone()));
    }
    files
}

fn user_data(seed: &Seed) -> String {
    let ours = format!("#cloud-config\n{}\n", config(seed));
    match seed.user_data.as_deref() {
        None | Some("") => ours,
        Some(theirs) => parts(&ours, theirs),
    }
}

fn config(seed: &Seed) -> Value {
    let mut config = Map::new();
    let mut put = |key: &str, value: Value| drop(config.insert(key.to_owned(), value));
    put("hostname", json!(seed.hostname));
    if let Some(keyboard) = &seed.keyboard {
        put("keyboard", json!({"layout": keyboard}));
    }
    if seed.password_hash.is_some() {
        put("ssh_pwauth", json!(true));
        put("chpasswd", json!({"expire": false}));
    }
    if let Some(name) = &seed.user {
        put("users", json!([user(name, seed)]));
    } else {
        put("ssh_authorized_keys", json!(seed.ssh_keys));
        if let Some(hash) = &seed.password_hash {
            put("password", json!(hash));
        }
    }
    Value::Object(config)
}

fn user(name: &str, seed: &Seed) -> Value {
    let mut user = json!({
        "name": name,
        "shell": "/bin/bash",
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "ssh_authorized_keys": seed.ssh_keys,
        "lock_passwd": seed.password_hash.is_none(),
    });
    if let Some(hash) = &seed.password_hash {
        user["passwd"] = json!(hash);
    }
    user
}

fn parts(ours: &str, theirs: &str) -> String {
    let kind = match theirs {
        text if text.starts_with("#cloud-config") => "cloud-config",
        text if text.starts_with("#!") => "x-shellscript",
        text if text.starts_with("#include") => "x-include-url",
        _ => "plain",
    };
    // A text cannot hold its own digest.
    let boundary = HEXLOWER.encode(&Sha256::digest(theirs.as_bytes()));
    let merge = "list(append)+dict(no_replace,recurse_list)+str()";
    format!(
        "Content-Type: multipart/mixed; boundary=\"{boundary}\"\nMIME-Version: 1.0\n\n\
         --{boundary}\nContent-Type: text/cloud-config; charset=\"utf-8\"\n\n{ours}\n\
         --{boundary}\nContent-Type: text/{kind}; charset=\"utf-8\"\nMerge-Type: {merge}\n\n{theirs}\n\
         --{boundary}--\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed() -> Seed {
        Seed {
            hostname: "web".into(),
            user: Some("ann".into()),
            ssh_keys: vec!["ssh-ed25519 AAAA ann's \"key\"\nusers: []".into()],
            ..Seed::default()
        }
    }

    #[test]
    fn names_and_keys_stay_in_their_places() {
        let files = files("id-1", &seed());
        assert_eq!(files[0].0, "meta-data");
        let text = &files[1].1;
        let config: Value = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
        assert!(text.starts_with("#cloud-config\n"));
        assert_eq!(config["users"].as_array().map(Vec::len), Some(1));
        assert_eq!(config["users"][0]["lock_passwd"], true);
        assert_eq!(
            config["users"][0]["ssh_authorized_keys"][0],
            seed().ssh_keys[0]
        );
    }

    #[test]
    fn without_a_user_the_image_s_own_gets_keys_and_password() {
        let seed = Seed {
            user: None,
            password_hash: Some("$6$salt$hash".into()),
            ..seed()
        };
        let config = config(&seed);
        assert_eq!(config["password"], "$6$salt$hash");
        assert_eq!(config["ssh_pwauth"], true);
        assert!(config.get("users").is_none());
    }

    #[test]
    fn what_the_user_wrote_is_a_part_of_its_own() {
        for (theirs, kind) in [
            ("#!/bin/sh\necho hi", "text/x-shellscript"),
            ("#cloud-config\nruncmd: [a]", "text/cloud-config"),
            ("else", "text/plain"),
        ] {
            let seed = Seed {
                user_data: Some(theirs.into()),
                ..seed()
            };
            let text = user_data(&seed);
            assert!(text.starts_with("Content-Type: multipart/mixed"));
            assert!(text.contains(&format!(
                "Content-Type: {kind}; charset=\"utf-8\"\nMerge-Type"
            )));
            assert!(text.contains(&format!("\n\n{theirs}\n--")));
        }
    }
}
