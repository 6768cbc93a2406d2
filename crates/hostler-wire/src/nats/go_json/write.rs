//! The escapes that Go's JSON adds to the required ones, so that its output
//! can stand inside HTML.

use std::io::{self, Write};

use serde_json::ser::Formatter;

/// Compact JSON with the additional escapes.
pub(super) struct GoFormatter;

impl Formatter for GoFormatter {
    fn write_string_fragment<W>(&mut self, out: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_escaped) {
            let (plain, special) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut chars = special.chars();
            if let Some(letter) = chars.next() {
                write!(out, "\\u{:04x}", u32::from(letter))?;
            }
            rest = chars.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

fn is_escaped(letter: char) -> bool {
    matches!(letter, '<' | '>' | '&' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::super::to_vec;

    #[test]
    fn texts_and_keys_are_escaped_as_in_go() {
        let check = |text: &str, expected: &str| {
            assert_eq!(
                String::from_utf8(to_vec(&text).unwrap()).unwrap(),
                expected,
                "{text}"
            );
        };
        check("fn.>", r#""fn.\u003e""#);
        check("<a & b>", r#""\u003ca \u0026 b\u003e""#);
        check("a\u{2028}b\u{2029}", r#""a\u2028b\u2029""#);
        check("\"\\\n\u{1}é🙂", "\"\\\"\\\\\\n\\u0001é🙂\"");
        let map = std::collections::BTreeMap::from([("b&", 1), ("a", 2)]);
        assert_eq!(to_vec(&map).unwrap(), br#"{"a":2,"b\u0026":1}"#);
    }
}
