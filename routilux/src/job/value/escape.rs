//! A `Value` in a format for human eyes. What JSON can say is written as it is; the rest as a map of one
//! key that begins with `$`: `{"$float": "NaN"}`, `{"$int": "2^70 in digits"}`, `{"$bytes": [1, 2]}`,
//! `{"$some": null}`, `{"$map": [[key, value], ..]}`. A map that would look like one of these is
//! written as `$map` too.

use super::Value;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserializer, Serialize};
use std::fmt;

pub(super) fn serialize<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Value::Null => serializer.serialize_unit(),
        Value::Bool(value) => serializer.serialize_bool(*value),
        Value::Signed(value) => serializer.serialize_i64(*value),
        Value::Unsigned(value) => serializer.serialize_u64(*value),
        Value::BigSigned(value) => escaped(serializer, "$int", &value.to_string()),
        Value::BigUnsigned(value) => escaped(serializer, "$int", &value.to_string()),
        Value::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
        Value::Float(value) => escaped(serializer, "$float", &value.to_string()),
        Value::Text(value) => serializer.serialize_str(value),
        Value::Bytes(value) => escaped(serializer, "$bytes", value),
        Value::Some(value) => escaped(serializer, "$some", value),
        Value::List(items) => serializer.collect_seq(items),
        Value::Map(pairs) if is_plain(pairs) => {
            serializer.collect_map(pairs.iter().map(|(key, value)| (key, value)))
        }
        Value::Map(pairs) => escaped(serializer, "$map", pairs),
    }
}

fn escaped<S: Serializer, T: Serialize + ?Sized>(
    serializer: S,
    key: &str,
    content: &T,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(key, content)?;
    map.end()
}

fn is_plain(pairs: &[(Value, Value)]) -> bool {
    let mut keys = std::collections::HashSet::new();
    pairs.iter().all(|(key, _)| match key {
        Value::Text(key) => !key.starts_with('$') && keys.insert(key),
        _ => false,
    })
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
    deserializer.deserialize_any(Reader)
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserialize(deserializer)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(u64::try_from(value).map_or(Value::Signed(value), Value::Unsigned))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Unsigned(value))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::BigSigned(value))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Value::BigUnsigned(value))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }
    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if !key.starts_with('$') {
                pairs.push((Value::Text(key), map.next_value()?));
                continue;
            }
            let value = match key.as_str() {
                "$int" => integer(map.next_value()?)?,
                "$float" => Value::Float(map.next_value::<String>()?.parse().map_err(A::Error::custom)?),
                "$bytes" => Value::Bytes(map.next_value()?),
                "$some" => Value::Some(Box::new(map.next_value()?)),
                "$map" => Value::Map(map.next_value()?),
                _ => return Err(A::Error::custom(format_args!("`{key}` is no escape that is known"))),
            };
            return match pairs.is_empty() && map.next_key::<String>()?.is_none() {
                true => Ok(value),
                false => Err(A::Error::custom(format_args!("`{key}` does not stand alone in its map"))),
            };
        }
        Ok(Value::Map(pairs))
    }
}

fn integer<E: Error>(digits: String) -> Result<Value, E> {
    match digits.starts_with('-') {
        true => digits.parse().map(Value::BigSigned).map_err(E::custom),
        false => match digits.parse() {
            // Which of the two it was does not matter to who reads an integer that fits.
            Ok(value) => Ok(Value::BigSigned(value)),
            Err(_) => digits.parse().map(Value::BigUnsigned).map_err(E::custom),
        },
    }
}
