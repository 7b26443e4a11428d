//! A value of any serde type, held in memory without loss: what a saved job keeps of states and
//! payloads. JSON's own data model would lose some of them (`NaN`, maps with keys that are no
//! strings, `Some(None)`, bytes, integers beyond 64 bits), so those are written in an escaped form.
//! Formats that are not for human eyes get it as a plain enum, so that they need not describe
//! themselves.

mod de;
mod escape;
mod ser;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A serialised value.
#[derive(Clone, Debug, PartialEq)]
#[doc(hidden)]
pub enum Value {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    BigSigned(i128),
    BigUnsigned(u128),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// `Some(x)` where `x` alone would be read back as `None` or as another level of `Some`.
    Some(Box<Value>),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

impl Value {
    /// What `value` serialises as.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Value, ValueError> {
        value.serialize(ser::ToValue)
    }

    /// The value of type `T` that serialised as this.
    pub fn read<T: for<'de> Deserialize<'de>>(self) -> Result<T, ValueError> {
        T::deserialize(self)
    }
}

/// Why a value could not be serialised or read back.
#[derive(Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct ValueError(pub(crate) String);

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ValueError {}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ValueError(message.to_string())
    }
}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        ValueError(message.to_string())
    }
}

/// The form for formats that are not human readable.
#[derive(Serialize, Deserialize)]
enum Tagged {
    Null,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    // 128 bits as text: not every format has integers that wide.
    BigSigned(String),
    BigUnsigned(String),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Some(Box<Tagged>),
    List(Vec<Tagged>),
    Map(Vec<(Tagged, Tagged)>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => escape::serialize(self, serializer),
            false => Tagged::from(self.clone()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        match deserializer.is_human_readable() {
            true => escape::deserialize(deserializer),
            false => Value::try_from(Tagged::deserialize(deserializer)?).map_err(serde::de::Error::custom),
        }
    }
}

impl From<Value> for Tagged {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Tagged::Null,
            Value::Bool(value) => Tagged::Bool(value),
            Value::Signed(value) => Tagged::Signed(value),
            Value::Unsigned(value) => Tagged::Unsigned(value),
            Value::BigSigned(value) => Tagged::BigSigned(value.to_string()),
            Value::BigUnsigned(value) => Tagged::BigUnsigned(value.to_string()),
            Value::Float(value) => Tagged::Float(value),
            Value::Text(value) => Tagged::Text(value),
            Value::Bytes(value) => Tagged::Bytes(value),
            Value::Some(value) => Tagged::Some(Box::new(Tagged::from(*value))),
            Value::List(items) => Tagged::List(items.into_iter().map(Tagged::from).collect()),
            Value::Map(pairs) => {
                Tagged::Map(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
            }
        }
    }
}

impl TryFrom<Tagged> for Value {
    type Error = std::num::ParseIntError;

    fn try_from(tagged: Tagged) -> Result<Value, Self::Error> {
        Ok(match tagged {
            Tagged::Null => Value::Null,
            Tagged::Bool(value) => Value::Bool(value),
            Tagged::Signed(value) => Value::Signed(value),
            Tagged::Unsigned(value) => Value::Unsigned(value),
            Tagged::BigSigned(value) => Value::BigSigned(value.parse()?),
            Tagged::BigUnsigned(value) => Value::BigUnsigned(value.parse()?),
            Tagged::Float(value) => Value::Float(value),
            Tagged::Text(value) => Value::Text(value),
            Tagged::Bytes(value) => Value::Bytes(value),
            Tagged::Some(value) => Value::Some(Box::new(Value::try_from(*value)?)),
            Tagged::List(items) => {
                Value::List(items.into_iter().map(Value::try_from).collect::<Result<_, _>>()?)
            }
            Tagged::Map(pairs) => Value::Map(
                pairs
                    .into_iter()
                    .map(|(key, value)| Ok((key.try_into()?, value.try_into()?)))
                    .collect::<Result<_, Self::Error>>()?,
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, HashMap};
    use std::fmt::Debug;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Point,
        Circle(f64),
        Box { wide: u32, high: Option<u32> },
        Line((i8, i8), (i8, i8)),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapper(String);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Internal {
        Price { cents: u64 },
        Other { text: String },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(i32),
        Text(String),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Wide {
        #[serde(flatten)]
        rest: BTreeMap<String, u32>,
        name: String,
    }

    /// Through memory, through JSON, and through a format without types of its own.
    fn through<T: Serialize + for<'de> Deserialize<'de>>(value: &T) -> [T; 3] {
        let plain = Value::of(value).unwrap();
        let json = serde_json::to_string(&plain).unwrap();
        let read: Value = serde_json::from_str(&json).unwrap();
        let tagged = Value::try_from(Tagged::from(plain.clone())).unwrap();
        [plain.read().unwrap(), read.read().unwrap(), tagged.read().unwrap()]
    }

    fn same<T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug>(value: T) {
        for back in through(&value) {
            assert_eq!(back, value);
        }
    }

    #[test]
    fn what_json_can_say_goes_through_as_it_is() {
        same((true, -1i8, 300u16, i64::MIN, u64::MAX, 'ß', "text".to_owned(), 1.5f32));
        same(vec![Shape::Point, Shape::Circle(0.1), Shape::Line((1, 2), (3, -4))]);
        same(Shape::Box { wide: 1, high: None });
        same((Unit, Wrapper("w".into()), ()));
        same(vec![Internal::Price { cents: 3 }, Internal::Other { text: "x".into() }]);
        same(vec![Untagged::Number(3), Untagged::Text("3".into())]);
        same(Wide { rest: BTreeMap::from([("a".into(), 1)]), name: "n".into() });
        assert_eq!(
            serde_json::to_string(&Value::of(&Shape::Box { wide: 1, high: Some(2) }).unwrap()).unwrap(),
            r#"{"Box":{"wide":1,"high":2}}"#
        );
    }

    #[test]
    fn what_json_would_lose_is_kept() {
        same((f64::INFINITY, f64::NEG_INFINITY, -0.0f64, f64::MIN_POSITIVE, 0.1 + 0.2));
        for back in through(&f64::NAN) {
            assert!(back.is_nan());
        }
        for back in through(&-0.0f64) {
            assert!(back.is_sign_negative());
        }
        same((i128::MIN, u128::MAX));
        same(HashMap::from([((1u8, "a".to_owned()), 1.0f64)]));
        same(BTreeMap::from([(1u32, 'x'), (2, 'y')]));
        same(BTreeMap::from([(Some(true), 1), (None, 2)]));
        same([None, Some(None), Some(Some(None)), Some(Some(Some(1u8)))]);
        same([None, Some(())]);
        same([None, Some(Unit)]);
        same(BTreeMap::from([("$float".to_owned(), "NaN".to_owned())]));
        same(BTreeMap::from([("$map".to_owned(), vec![1, 2])]));
        same(BTreeMap::from([("$some".to_owned(), ())]));
        same(Vec::<BTreeMap<String, u8>>::from([BTreeMap::new()]));
    }

    #[test]
    fn bytes_stay_bytes() {
        struct Blob(Vec<u8>);
        impl Serialize for Blob {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&self.0)
            }
        }
        impl<'de> Deserialize<'de> for Blob {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = Blob;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("bytes")
                    }
                    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Blob, E> {
                        Ok(Blob(bytes))
                    }
                }
                deserializer.deserialize_byte_buf(Visitor)
            }
        }
        for back in through(&Blob(vec![0, 255, 7])) {
            assert_eq!(back.0, [0, 255, 7]);
        }
    }

    #[test]
    fn another_type_is_refused_in_words() {
        let error = Value::of(&"x").unwrap().read::<u32>().unwrap_err();
        assert_eq!(error.to_string(), "invalid type: string \"x\", expected u32");
        let error = Value::of(&300).unwrap().read::<u8>().unwrap_err();
        assert_eq!(error.to_string(), "invalid value: integer `300`, expected u8");
    }

    #[test]
    fn a_malformed_escape_is_refused() {
        for text in [
            r#"{"$float":"big"}"#,
            r#"{"$bytes":[256]}"#,
            r#"{"$map":[[1]]}"#,
            r#"{"$int":"1x"}"#,
            r#"{"$what":1}"#,
        ] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }
}
