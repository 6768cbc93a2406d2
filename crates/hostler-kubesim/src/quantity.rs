//! Quantities of processor and memory, as far as scheduling needs them.

use serde_json::Value;

const SUFFIXES: [(&str, f64); 13] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("", 1.0),
];

/// The number that a quantity stands for, in thousandths; what is not one
/// counts as nothing.
pub(crate) fn thousandths(value: &Value) -> i64 {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => round(number.as_f64().unwrap_or_default() * 1e3),
        _ => 0,
    }
}

fn parse(text: &str) -> i64 {
    let found = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)));
    let (digits, factor) = found.unwrap_or((text, &1.0));
    round(digits.parse::<f64>().unwrap_or_default() * factor * 1e3)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, which is meant")]
fn round(number: f64) -> i64 {
    number.round() as i64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_quantity_is_read_in_thousandths() {
        let check = |value, expected| assert_eq!(thousandths(&value), expected);
        check(json!("10m"), 10);
        check(json!("2"), 2_000);
        check(json!(2), 2_000);
        check(json!("50Mi"), 52_428_800_000);
        check(json!("1k"), 1_000_000);
        check(json!("0.5"), 500);
        check(json!("nonsense"), 0);
    }
}
