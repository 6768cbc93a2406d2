//! Tokens: what is written, what is believed, and when.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use hostler_wire::nats::jwt::{
    AccountClaims, OperatorClaims, Responses, UserClaims, UserPermissions, creds_file,
};
use hostler_wire::nats::nkey::{KeyPair, KeyPairType};
use hostler_wire::nats::{Claims, JwtError};
use std::time::Duration;

fn key(kind: KeyPairType, byte: u8) -> KeyPair {
    KeyPair::new_from_raw(kind, [byte; 32]).unwrap()
}

fn account() -> KeyPair {
    key(KeyPairType::Account, 1)
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// A part of a token, decoded.
fn part(token: &str, number: usize) -> String {
    let part = token.split('.').nth(number).unwrap();
    String::from_utf8(BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

/// A token with this header and these claims, signed over what is said.
fn forge(header: &str, claims: &str, signed: impl Fn(&str, &str) -> String) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let (header, claims) = (encode(header), encode(claims));
    let signature = account().sign(signed(&header, &claims).as_bytes()).unwrap();
    format!("{header}.{claims}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn whole(header: &str, claims: &str) -> String {
    format!("{header}.{claims}")
}

#[test]
fn a_workload_token_has_the_claims_of_the_original_in_their_order() {
    let token = Claims::workload("echoservice", Some("abc")).sign(&account(), at(1_714_164_361));
    let token = token.unwrap();
    assert_eq!(part(&token, 0), r#"{"typ":"JWT","alg":"ed25519-nkey"}"#);
    let claims = Claims::decode(&token).unwrap();
    // SHA-512/256 of {"iat":1714164361,"iss":"A…","sub":"echoservice"}.
    assert_eq!(claims.jti.len(), 52);
    let issuer = account().public_key();
    let expected = format!(
        r#"{{"jti":"{}","iat":1714164361,"iss":"{issuer}","sub":"echoservice","nats":{{"hash":"abc","version":2}}}}"#,
        claims.jti
    );
    assert_eq!(part(&token, 1), expected);
    let standard = format!(r#"{{"iat":1714164361,"iss":"{issuer}","sub":"echoservice"}}"#);
    let digest = <sha2::Sha512_256 as sha2::Digest>::digest(standard.as_bytes());
    assert_eq!(claims.jti, data_encoding::BASE32_NOPAD.encode(&digest));
}

#[test]
fn a_stop_token_needs_no_hash() {
    let token = Claims::workload("echo", None)
        .sign(&account(), at(1))
        .unwrap();
    let claims = Claims::decode(&token).unwrap();
    assert_eq!(claims.artifact_hash(), None);
    assert!(part(&token, 1).ends_with(r#""nats":{"version":2}}"#));
}

#[test]
fn only_a_digest_is_a_claim_about_the_artifact() {
    let check = |hash: &str, expected: Option<&str>| {
        let claims = Claims::workload("echo", Some(hash));
        assert_eq!(claims.artifact_hash().as_deref(), expected, "{hash}");
    };
    let digest = "9f".repeat(32);
    check(&digest, Some(&digest));
    check(&digest.to_uppercase(), Some(&digest));
    check("", None);
    check("not a digest", None);
    check(&"z".repeat(64), None);
    check(&digest[1..], None);
}

#[test]
fn a_token_is_valid_between_two_times() {
    let claims = Claims {
        nbf: 100,
        exp: 200,
        ..Claims::workload("echo", None)
    };
    let check = |seconds, expected: bool| {
        assert_eq!(claims.valid_at(at(seconds)).is_ok(), expected, "{seconds}");
    };
    check(99, false);
    check(100, true);
    check(200, true);
    check(201, false);
    assert!(Claims::workload("echo", None).valid_at(at(0)).is_ok());
}

#[test]
fn a_token_of_version_1_is_believed_if_its_claims_are_signed() {
    let header = r#"{"typ":"jwt","alg":"ed25519"}"#;
    let claims = format!(r#"{{"iss":"{}","sub":"echo"}}"#, account().public_key());
    let token = forge(header, &claims, |_, claims| claims.to_owned());
    assert_eq!(Claims::decode(&token).unwrap().sub, "echo");
    let token = forge(header, &claims, whole);
    assert!(matches!(Claims::decode(&token), Err(JwtError::Signature)));
}

#[test]
fn what_is_no_token_is_told_apart() {
    let good = format!(r#"{{"iss":"{}","sub":"echo"}}"#, account().public_key());
    let v2 = r#"{"typ":"JWT","alg":"ed25519-nkey"}"#;
    let check = |token: &str, expected: &str| {
        let text = Claims::decode(token).unwrap_err().to_string();
        assert!(text.starts_with(expected), "{text}");
    };
    check("", "expected 3 chunks");
    check("a.b.c.d", "expected 3 chunks");
    check("!.b.c", "illegal base64 data");
    check(&forge("{", &good, whole), "EOF");
    check(
        &forge(r#"{"typ":"JWE"}"#, &good, whole),
        "not supported type 'JWE'",
    );
    check(
        &forge(r#"{"typ":"JWT","alg":"none"}"#, &good, whole),
        "unexpected 'none' algorithm",
    );
    check(
        &forge(r#"{"typ":"JWT","alg":"HS256"}"#, &good, whole),
        "unexpected 'HS256'",
    );
    check(&forge(v2, "[]", whole), "invalid type");
    check(&forge(v2, r#"{"iss":5}"#, whole), "iss: invalid type");
    check(
        &forge(v2, r#"{"iss":"nobody"}"#, whole),
        "claim issuer is not a public key",
    );
    let stranger = format!(
        r#"{{"iss":"{}"}}"#,
        key(KeyPairType::Account, 2).public_key()
    );
    check(
        &forge(v2, &stranger, whole),
        "claim failed signature verification",
    );
    assert!(Claims::decode(&forge(v2, &good, whole)).is_ok());
}

#[test]
fn every_kind_of_signing_key_may_issue() {
    use KeyPairType::{Account, Cluster, Operator, Server, User};
    for kind in [Account, Cluster, Operator, Server, User] {
        let issuer = key(kind, 3);
        let token = Claims::workload("echo", None).sign(&issuer, at(1)).unwrap();
        assert_eq!(Claims::decode(&token).unwrap().iss, issuer.public_key());
    }
}

#[test]
fn a_users_token_is_no_workloads_token() {
    let user = key(KeyPairType::User, 4);
    let claims = UserClaims {
        name: "agent".into(),
        user: user.public_key(),
        permissions: UserPermissions::default(),
        expires: 0,
    };
    let token = claims.sign(&account(), at(1)).unwrap();
    assert!(matches!(Claims::decode(&token), Err(JwtError::Kind(kind)) if kind == "user"));
    let old = format!(r#"{{"iss":"{}","type":"user"}}"#, account().public_key());
    let header = r#"{"typ":"jwt","alg":"ed25519"}"#;
    let token = forge(header, &old, |_, claims| claims.to_owned());
    assert!(matches!(Claims::decode(&token), Err(JwtError::Kind(_))));
}

#[test]
fn tokens_for_a_server_say_what_it_expects() {
    let operator = key(KeyPairType::Operator, 5);
    let check = |token: String, expected: &str| {
        let body = part(&token, 1);
        let nats = body.split_once(r#""nats":"#).unwrap().1;
        assert_eq!(nats, format!("{expected}}}"));
    };
    let claims = OperatorClaims {
        name: "hostler".into(),
        system_account: Some("ASYS".into()),
    };
    check(
        claims.sign(&operator, at(1)).unwrap(),
        r#"{"system_account":"ASYS","type":"operator","version":2}"#,
    );
    let claims = AccountClaims {
        name: "agents".into(),
        account: account().public_key(),
    };
    check(
        claims.sign(&operator, at(1)).unwrap(),
        r#"{"default_permissions":{"pub":{},"sub":{}},"limits":{"conn":-1,"data":-1,"exports":-1,"imports":-1,"leaf":-1,"payload":-1,"subs":-1,"wildcards":true},"type":"account","version":2}"#,
    );
    let claims = UserClaims {
        name: "agent".into(),
        user: key(KeyPairType::User, 6).public_key(),
        permissions: UserPermissions {
            publish: vec!["a.>".into()],
            subscribe: vec!["b".into()],
            responses: Some(Responses {
                max: 1,
                ttl: Duration::from_secs(1),
            }),
        },
        expires: 9,
    };
    let token = claims.sign(&account(), at(1)).unwrap();
    assert!(part(&token, 1).starts_with(r#"{"exp":9,"#));
    check(
        token,
        r#"{"data":-1,"payload":-1,"pub":{"allow":["a.\u003e"]},"resp":{"max":1,"ttl":1000000000},"sub":{"allow":["b"]},"subs":-1,"type":"user","version":2}"#,
    );
}

#[test]
fn a_creds_file_holds_token_and_seed_between_their_lines() {
    let text = creds_file("TOKEN", "SEED");
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(
        lines,
        [
            "-----BEGIN NATS USER JWT-----",
            "TOKEN",
            "------END NATS USER JWT------",
            "-----BEGIN USER NKEY SEED-----",
            "SEED",
            "------END USER NKEY SEED------",
        ]
    );
}
