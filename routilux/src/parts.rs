//! One of several: what arrives at a join is a value for one of its inputs, and so is what it has found no partner for. The
//! enums are generated; how they are saved and read is written here once.

use crate::job::value::{Value, ValueError};
use crate::payload::Codec;
use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error, VariantAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

impl<P> Codec<P> {
    /// Of the enum of a join's inputs, from the codecs of those: it asks nothing of serde itself.
    pub fn of_parts(
        save: fn(&P) -> Result<Value, ValueError>,
        load: fn(Value) -> Result<P, ValueError>,
    ) -> Self {
        Codec { save, load }
    }

    pub fn save_value(&self, value: &P) -> Result<Value, ValueError> {
        (self.save)(value)
    }

    pub fn load_value(&self, value: Value) -> Result<P, ValueError> {
        (self.load)(value)
    }

    /// As the value for the input of that number.
    pub fn save_part(&self, input: usize, value: &P) -> Result<Value, ValueError> {
        Value::of(&(input, (self.save)(value)?))
    }
}

/// What `save_part` saved: the number of the input, and its value.
#[doc(hidden)]
pub fn part_of(value: Value) -> Result<(usize, Value), ValueError> {
    value.read()
}

/// An enum with a value in each variant, as serde reads it.
#[doc(hidden)]
pub trait Parts<'de>: Sized {
    const NAME: &'static str;
    const VARIANTS: &'static [&'static str];

    /// Reads the value of the variant of that number; `None` where there is no such variant.
    fn read<A: VariantAccess<'de>>(variant: usize, access: A) -> Result<Option<Self>, A::Error>;
}

#[doc(hidden)]
pub fn read_parts<'de, T: Parts<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_enum(T::NAME, T::VARIANTS, ReadParts(PhantomData))
}

struct ReadParts<T>(PhantomData<T>);

impl<'de, T: Parts<'de>> Visitor<'de> for ReadParts<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "enum {}", T::NAME)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<T, A::Error> {
        let (number, access) = data.variant_seed(VariantNumber(T::VARIANTS))?;
        T::read(number, access)?.ok_or_else(|| A::Error::custom("no such variant"))
    }
}

/// The number of a variant, from its name or from its number.
struct VariantNumber(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for VariantNumber {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for VariantNumber {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a variant")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<usize, E> {
        let known = usize::try_from(number).ok().filter(|number| *number < self.0.len());
        known.ok_or_else(|| E::custom(format_args!("there is no variant number {number}")))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let known = self.0.iter().position(|known| *known == name);
        known.ok_or_else(|| E::unknown_variant(name, self.0))
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<usize, E> {
        self.visit_str(&String::from_utf8_lossy(name))
    }
}
