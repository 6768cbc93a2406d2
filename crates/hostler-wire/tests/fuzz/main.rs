//! Every decoder against mutations of everything that is ever sent: it returns,
//! it does not panic, and it allocates no more than a bounded amount. This is
//! structured and not guided by coverage, which the toolchain here cannot do;
//! `PROPTEST_CASES` says how long it goes on.
//!
//! The process has an address space that is little larger than what it has at
//! its start: a decoder that believes a length it was told dies of it.

// All of this is tests; the lint knows only functions marked as such.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../wire/support/decoders.rs"]
mod decoders;
mod mutate;
mod room;

use std::path::Path;

use hostler_wire::nats::nkey::{KeyPair, KeyPairType, XKey};
use hostler_wire::nats::{Claims, xkey};
use proptest::prelude::*;

use decoders::{read_as_every_text, read_as_everything};
use mutate::{changes, mutated};

/// Every body that tests freeze, byte for byte.
fn seeds() -> Vec<Vec<u8>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_dir(root.join("tests/golden")).unwrap();
    let golden = golden.map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let mut seeds: Vec<Vec<u8>> = golden.collect();
    for file in ["schema/rest.json", "schema/node_api.json"] {
        let bodies: serde_json::Value =
            serde_json::from_slice(&std::fs::read(root.join(file)).unwrap()).unwrap();
        let bodies = bodies.as_object().unwrap().values();
        seeds.extend(bodies.map(|body| body.to_string().into_bytes()));
    }
    seeds.sort();
    seeds
}

/// Texts that are no JSON: subjects, keys, a token, a sealed environment.
fn texts() -> Vec<Vec<u8>> {
    let issuer = KeyPair::new_from_raw(KeyPairType::Account, [7; 32]).unwrap();
    let moment = "2024-04-26T20:46:01Z".parse().unwrap();
    let token = Claims::workload("echo", Some("abc")).sign(&issuer, moment);
    let seed = issuer.seed().unwrap();
    let subjects = ["$NEX.DEPLOY.default.NNODE", "agentint.slot.deploy", "a.*.>"];
    let texts = subjects.map(str::to_owned).into_iter();
    texts
        .chain([token.unwrap(), seed, issuer.public_key()])
        .map(String::into_bytes)
        .collect()
}

fn read_all(payload: &[u8]) {
    read_as_everything(payload);
    read_as_every_text(&String::from_utf8_lossy(payload));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_mutation_of_a_body_is_more_than_an_error(
        seed in prop::sample::select(seeds()), other in prop::sample::select(seeds()), changes in changes(),
    ) {
        room::bound();
        let payload = mutated(seed, &other, &changes);
        read_all(&payload);
    }

    #[test]
    fn no_mutation_of_a_text_is_more_than_an_error(
        seed in prop::sample::select(texts()), other in prop::sample::select(texts()), changes in changes(),
    ) {
        room::bound();
        read_all(&mutated(seed, &other, &changes));
    }

    #[test]
    fn no_claims_that_are_signed_are_more_than_an_error(
        seed in prop::sample::select(seeds()), changes in changes(),
    ) {
        room::bound();
        let claims = mutated(seed, b"{}", &changes);
        let issuer = KeyPair::new_from_raw(KeyPairType::Account, [7; 32]).unwrap();
        let part = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
        let head = part(br#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
        let body = format!("{head}.{}", part(&claims));
        let signature = part(&issuer.sign(body.as_bytes()).unwrap());
        let _ = Claims::decode(&format!("{body}.{signature}"));
    }

    #[test]
    fn no_sealed_environment_is_more_than_an_error(
        seed in prop::sample::select(seeds()), changes in changes(), whole: bool,
    ) {
        room::bound();
        let sender = XKey::new_from_raw([3; 32]);
        let node = XKey::new_from_raw([5; 32]);
        // Either what is in the box was mutated, or the box was.
        let inside = if whole { mutated(seed.clone(), b"{}", &changes) } else { seed };
        let sealed = xkey::seal(&inside, &sender, &node.public_key()).unwrap().into_bytes();
        let sealed = if whole { sealed } else { mutated(sealed, b"==", &changes) };
        let sealed = String::from_utf8_lossy(&sealed);
        let _ = xkey::open_environment(&sealed, &node, &sender.public_key());
    }
}

#[test]
fn nothing_that_is_nested_deeply_ends_the_process() {
    room::bound();
    for (open, inside, close) in [
        ("[", "", "]"),
        (r#"{"a":"#, "1", "}"),
        (r#"{"data":"#, "1", "}"),
    ] {
        for depth in [100, 127, 128, 129, 1_000, 100_000, 1_000_000] {
            let nested = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
            read_all(nested.as_bytes());
            read_all(open.repeat(depth).as_bytes());
        }
    }
}

#[test]
fn a_long_list_costs_as_much_as_it_is_long() {
    room::bound();
    let member = |inside: &str| format!("{{\"ledger\":[{inside}],\"triggers\":[{inside}]}}");
    for item in ["0", "null", "{}", "\"\"", "[[]]"] {
        read_all(member(&vec![item; 200_000].join(",")).as_bytes());
    }
}
