//! No payload, subject or token makes a parser panic, and none that was
//! tampered with is believed.

use hostler_wire::nats::nkey::{KeyPair, XKey};
use hostler_wire::nats::{Claims, Message, TriggerSubject, envelope, nkey, subject, xkey};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::decoders::{read_as_every_text, read_as_everything};

fn bodies() -> Vec<Vec<u8>> {
    use crate::support::{agent_bodies as agent, nats_bodies as nats};
    let info = hostler_wire::nats::ReplyType::Info;
    let mut bodies = vec![
        nats::deploy_request_full().encode(),
        nats::stop_request().encode(),
        nats::log().encode(),
        envelope::success(info, &nats::info()),
        agent::handshake_with_clock().encode(),
        agent::lease().encode(),
        agent::deploy_extended().encode(),
        agent::state_running().encode(),
    ];
    bodies.extend(
        nats::events()
            .iter()
            .map(hostler_wire::nats::CloudEvent::encode),
    );
    bodies
}

/// Any JSON value of small size.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Puts `new` in the place of the member that `choice` points at, at any depth.
fn replace(value: &mut Value, choice: &mut usize, new: &Value) -> bool {
    let children: Vec<&mut Value> = match value {
        Value::Object(members) => members.values_mut().collect(),
        Value::Array(items) => items.iter_mut().collect(),
        _ => Vec::new(),
    };
    for child in children {
        if *choice == 0 {
            *child = new.clone();
            return true;
        }
        *choice -= 1;
        if replace(child, choice, new) {
            return true;
        }
    }
    false
}

fn token(name: &str) -> String {
    let issuer = KeyPair::new_from_raw(nkey::KeyPairType::Account, [7; 32]).unwrap();
    let claims = Claims::workload(name, Some("abc"));
    claims.sign(&issuer, crate::support::moment()).unwrap()
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(payload in vec(any::<u8>(), 0..200)) {
        read_as_everything(&payload);
        read_as_every_text(&String::from_utf8_lossy(&payload));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in r"(\$NEX|agentint|[a-zA-Z0-9$*>_-]{0,6}|.)(\.(\$?[A-Z]{0,8}|[a-z*>]{0,4}|.{0,3})){0,6}") {
        read_as_every_text(&text);
    }

    #[test]
    fn a_body_with_a_byte_changed_is_read_without_a_panic(
        body in proptest::sample::select(bodies()), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut body = body;
        let at = at.index(body.len());
        body[at] = byte;
        read_as_everything(&body);
        body.truncate(at);
        read_as_everything(&body);
    }

    #[test]
    fn a_body_with_a_member_of_another_type_is_read_without_a_panic(
        body in proptest::sample::select(bodies()), choice in 0_usize..40, new in any_json(),
    ) {
        let mut value: Value = serde_json::from_slice(&body).unwrap();
        replace(&mut value, &mut { choice }, &new);
        read_as_everything(value.to_string().as_bytes());
    }

    #[test]
    fn a_trigger_never_overlaps_what_is_denied(text in r"(\$JS|\$SYS|\$NEX|_INBOX|[a-c*>]{1,2})(\.[a-c*>]{1,2}){0,3}") {
        if let Ok(trigger) = text.parse::<TriggerSubject>() {
            for denied in ["$SYS.a", "$JS.a.b", "$NEX.a.b.c", "_INBOX.x.y"] {
                prop_assert!(!subject::overlaps(trigger.as_str(), denied), "{}", trigger);
            }
        }
    }
}

proptest! {
    // Public key cryptography without optimisation takes milliseconds.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_token_with_a_character_changed_is_not_believed(
        at in any::<prop::sample::Index>(), new in "[A-Za-z0-9._=+/-]",
    ) {
        let token = token("echo");
        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &new);
        prop_assume!(changed != token);
        prop_assert!(Claims::decode(&changed).is_err(), "{} at {}", new, at);
    }

    #[test]
    fn the_claims_of_one_token_do_not_go_with_the_signature_of_another(
        one in "[a-z]{1,8}", other in "[a-z]{1,8}",
    ) {
        prop_assume!(one != other);
        let (one, other) = (token(&one), token(&other));
        let (body, _) = one.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        let mixed = format!("{body}.{signature}");
        prop_assert!(Claims::decode(&one).is_ok());
        prop_assert!(Claims::decode(&mixed).is_err());
    }

    #[test]
    fn a_box_opens_only_with_the_right_keys_and_unchanged(
        plain in vec(any::<u8>(), 0..64), at in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let (sender, node, stranger) = (XKey::new(), XKey::new(), XKey::new());
        let sealed = xkey::seal(&plain, &sender, &node.public_key()).unwrap();
        prop_assert_eq!(xkey::open(&sealed, &node, &sender.public_key()).unwrap(), plain);
        prop_assert!(xkey::open(&sealed, &stranger, &sender.public_key()).is_err());
        prop_assert!(xkey::open(&sealed, &node, &stranger.public_key()).is_err());
        let mut changed = data_encoding::BASE64.decode(sealed.as_bytes()).unwrap();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        let changed = data_encoding::BASE64.encode(&changed);
        prop_assert!(xkey::open(&changed, &node, &sender.public_key()).is_err());
    }
}
