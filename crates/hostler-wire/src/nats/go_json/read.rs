//! Gives a JSON tree to serde the way Go gives it to a struct.

use serde::de::value::{Error, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Json;

/// Members under the names the struct knows, each at most once: its last.
fn folded(members: Vec<(String, Json)>, fields: &[&str]) -> Vec<(String, Json)> {
    let mut known: Vec<(String, Json)> = Vec::with_capacity(fields.len());
    for (key, value) in members {
        let Some(field) = fields.iter().find(|field| field.eq_ignore_ascii_case(&key)) else {
            continue;
        };
        match known.iter_mut().find(|(name, _)| name == field) {
            Some(slot) => slot.1 = value,
            None => known.push(((*field).to_owned(), value)),
        }
    }
    known
}

/// Walks members; an error under a key begins with the key.
struct Members {
    rest: std::vec::IntoIter<(String, Json)>,
    value: Option<(String, Json)>,
}

impl Members {
    fn new(members: Vec<(String, Json)>) -> Self {
        Self {
            rest: members.into_iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        let key_value = seed.deserialize(key.as_str().into_deserializer())?;
        self.value = Some((key, value));
        Ok(Some(key_value))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, value) = self
            .value
            .take()
            .ok_or_else(|| Error::custom("a value without its key"))?;
        seed.deserialize(value)
            .map_err(|error| Error::custom(format_args!("{key}: {error}")))
    }
}

/// Methods in which `null` stands for the zero value of a plain type.
macro_rules! zero_for_null {
    ($($method:ident $visit:ident $zero:expr),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Self::Null => visitor.$visit($zero),
                other => other.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Json {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Unsigned(number) => visitor.visit_u64(number),
            Self::Signed(number) => visitor.visit_i64(number),
            Self::Float(number) => visitor.visit_f64(number),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Object(members) => visitor.visit_map(Members::new(members)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Object(members) => visitor.visit_map(Members::new(folded(members, fields))),
            Self::Null => visitor.visit_map(Members::new(Vec::new())),
            other => Err(Error::invalid_type(other.unexpected(), &visitor)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Self::Text(text) => visitor.visit_enum(text.into_deserializer()),
            other => Err(Error::invalid_type(other.unexpected(), &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => visitor.visit_map(Members::new(Vec::new())),
            other => other.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::Null => Self::List(Vec::new()).deserialize_any(visitor),
            other => other.deserialize_any(visitor),
        }
    }

    zero_for_null! {
        deserialize_bool visit_bool false,
        deserialize_i8 visit_i64 0, deserialize_i16 visit_i64 0,
        deserialize_i32 visit_i64 0, deserialize_i64 visit_i64 0,
        deserialize_u8 visit_u64 0, deserialize_u16 visit_u64 0,
        deserialize_u32 visit_u64 0, deserialize_u64 visit_u64 0,
        deserialize_f32 visit_f64 0.0, deserialize_f64 visit_f64 0.0,
        deserialize_str visit_str "", deserialize_string visit_str "",
    }

    forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Json {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::super::from_slice;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        #[serde(rename = "Host")]
        host: String,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Outer {
        name: String,
        count: u64,
        list: Vec<String>,
        map: BTreeMap<String, String>,
        inner: Inner,
        maybe: Option<String>,
    }

    fn check(text: &str, expected: &Outer) {
        assert_eq!(
            &from_slice::<Outer>(text.as_bytes()).unwrap(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn the_case_of_a_key_does_not_matter_and_the_last_counts() {
        let named = |name: &str| Outer {
            name: name.into(),
            ..Outer::default()
        };
        check(r#"{"NAME":"a"}"#, &named("a"));
        check(r#"{"name":"a","Name":"b"}"#, &named("b"));
        check(r#"{"Name":"b","name":"a"}"#, &named("a"));
        check(r#"{"name":"a","other":{"name":"c"}}"#, &named("a"));
        let host = Inner { host: "B".into() };
        check(
            r#"{"inner":{"host":"B"}}"#,
            &Outer {
                inner: host,
                ..Outer::default()
            },
        );
    }

    #[test]
    fn null_is_the_zero_value() {
        check("null", &Outer::default());
        check(
            r#"{"name":null,"count":null,"list":null,"map":null,"inner":null,"maybe":null}"#,
            &Outer::default(),
        );
        let map = BTreeMap::from([("Key".to_owned(), String::new())]);
        check(
            r#"{"map":{"Key":null}}"#,
            &Outer {
                map,
                ..Outer::default()
            },
        );
    }

    #[test]
    fn a_wrong_type_is_named_by_its_path() {
        let check = |text: &str, part: &str| {
            let error = from_slice::<Outer>(text.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(error.contains(part), "{text}: {error}");
        };
        check(r#"{"inner":{"HOST":5}}"#, "inner: Host: invalid type");
        check(r#"{"inner":"nats://a/b"}"#, "inner: invalid type: string");
        check(r#"{"inner":["a"]}"#, "inner: invalid type: sequence");
        check(r#"{"count":-1}"#, "count: ");
        check(r#"{"count":1.5}"#, "count: ");
        check("{", "EOF");
        check("{} {}", "trailing");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        let read: Outer = from_slice(b"{\"name\":\"a\xffb\"}").unwrap();
        assert_eq!(read.name, "a\u{fffd}b");
    }
}
