//! `async` handlers that cannot be.

use routilux::prelude::*;
use std::rc::Rc;

#[routine]
pub struct Counts {
    #[state]
    count: u64,
}

#[routine]
impl Counts {
    #[slot]
    async fn exclusive(&mut self, n: u64) {
        self.count += n;
    }

    #[slot(merge = "append")]
    async fn gathers(&self, all: &[u64]) {
        let _ = all.len();
    }
}

#[routine]
pub struct Fetches;

#[routine]
impl Fetches {
    #[slot]
    async fn url(&self, url: String) {
        let shared = Rc::new(url);
        std::future::ready(()).await;
        drop(shared);
    }
}

pub struct Opaque;

impl serde::Serialize for Opaque {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> serde::Deserialize<'de> for Opaque {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Opaque)
    }
}

#[routine]
pub struct Takes;

#[routine]
impl Takes {
    #[slot]
    async fn by_value(&self, _opaque: Opaque) {}

    #[slot]
    async fn by_reference(&self, _opaque: &Opaque) {}
}

#[routine]
pub struct Labels {
    prefix: Rc<str>,
}

#[routine]
impl Labels {
    #[event]
    fn label(text: String);

    #[slot(emit = label)]
    async fn parcel(&self, number: u64) -> String {
        format!("{}-{number}", self.prefix)
    }

    #[slot(emit = label)]
    async fn letter(&self, number: u64) -> String {
        format!("{}-{number}", self.prefix)
    }
}

flow! {
    flow Labelling(prefix: Rc<str>) {
        labels: Labels { prefix };
        in parcel -> labels.parcel;
        in letter -> labels.letter;
        labels.label -> out labels;
    }
}

fn main() {}
//~ RTX0122 RTX0122 RTX0162 RTX0157 compiler
