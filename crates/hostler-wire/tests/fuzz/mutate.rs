//! Changes to a message, of the kinds that break parsers: bytes of other
//! values, ends that come too early, members that come twice, numbers that fit
//! nowhere, lists in lists, texts that are none.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One change; places are fractions of the message's length.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Byte(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Splice(Index, Index),
    Number(Index, &'static str),
    Value(Index, &'static str),
    Nest(Index, &'static str, &'static str, usize),
    Bytes(Index, &'static [u8]),
}

const NUMBERS: [&str; 10] = [
    "-1",
    "0.5",
    "1e309",
    "-1e-400",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
];

const VALUES: [&str; 9] = [
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "[null]",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"9999999999999999999h\"",
];

const BYTES: [&[u8]; 9] = [
    b"\0",
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\"",
    b"\\",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
];

const BRACKETS: [(&str, &str); 3] = [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")];

/// One to six changes.
pub(crate) fn changes() -> impl Strategy<Value = Vec<Change>> {
    let place = any::<Index>;
    let change = prop_oneof![
        4 => (place(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => place().prop_map(Change::Cut),
        2 => (place(), 1_usize..64).prop_map(|(at, length)| Change::Remove(at, length)),
        2 => (place(), 1_usize..64, 1_usize..200)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        2 => (place(), place()).prop_map(|(at, from)| Change::Splice(at, from)),
        4 => (place(), select(&NUMBERS[..])).prop_map(|(at, text)| Change::Number(at, text)),
        4 => (place(), select(&VALUES[..])).prop_map(|(at, text)| Change::Value(at, text)),
        1 => (place(), select(&BRACKETS[..]), 1_usize..400)
            .prop_map(|(at, (open, close), depth)| Change::Nest(at, open, close, depth)),
        2 => (place(), select(&BYTES[..])).prop_map(|(at, bytes)| Change::Bytes(at, bytes)),
    ];
    vec(change, 1..=6)
}

/// The message after these changes; parts of `other` may come into it.
pub(crate) fn mutated(seed: Vec<u8>, other: &[u8], changes: &[Change]) -> Vec<u8> {
    let change = |message: Vec<u8>, change: &Change| {
        if message.is_empty() {
            return message;
        }
        apply(message, other, change)
    };
    changes.iter().fold(seed, change)
}

fn apply(mut message: Vec<u8>, other: &[u8], change: &Change) -> Vec<u8> {
    let length = message.len();
    let within = |at: &Index, count: usize| {
        let at = at.index(length);
        at..length.min(at + count)
    };
    match change {
        Change::Byte(at, byte) => message[at.index(length)] = *byte,
        Change::Cut(at) => message.truncate(at.index(length)),
        Change::Remove(at, count) => drop(message.drain(within(at, *count))),
        Change::Repeat(at, count, times) => {
            let range = within(at, *count);
            let repeated = message[range.clone()].repeat(*times);
            message.splice(range, repeated);
        }
        Change::Splice(at, from) => {
            message.truncate(at.index(length));
            message.extend_from_slice(&other[from.index(other.len())..]);
        }
        Change::Number(at, text) => put(
            &mut message,
            *at,
            |byte| byte.is_ascii_digit(),
            text.as_bytes(),
        ),
        Change::Value(at, text) => put(&mut message, *at, is_in_value, text.as_bytes()),
        Change::Nest(at, open, close, depth) => {
            let nested = format!("{}0{}", open.repeat(*depth), close.repeat(*depth));
            put(&mut message, *at, is_in_value, nested.as_bytes());
        }
        Change::Bytes(at, bytes) => {
            let at = at.index(length);
            message.splice(at..at, bytes.iter().copied());
        }
    }
    message
}

/// Puts `text` in place of the run of such bytes that comes next.
fn put(message: &mut Vec<u8>, at: Index, is_part: impl Fn(u8) -> bool, text: &[u8]) {
    let start = at.index(message.len());
    let Some(skipped) = message[start..].iter().position(|byte| is_part(*byte)) else {
        return;
    };
    let start = start + skipped;
    let count = message[start..]
        .iter()
        .take_while(|byte| is_part(**byte))
        .count();
    message.splice(start..start + count, text.iter().copied());
}

/// What a value of JSON consists of, as far as no other value is in it.
fn is_in_value(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"\"._-+/$ ".contains(&byte)
}
