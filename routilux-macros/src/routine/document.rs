//! What rustdoc shows of a routine's ports.

use super::model::{Handler, Kind, Model, input_name, plain};
use super::parse::{Impl, Item};
use crate::document::{code, section, summary};
use crate::text;
use proc_macro2::Ident;
use routilux_graph::{Merge, When};
use syn::Attribute;

/// `unpaired` says what the join sends on that has found no partner.
pub(super) fn ports(parsed: &Impl, model: &Model, unpaired: impl Fn(&Handler) -> String) -> String {
    let docs = |name: &Ident| {
        let attrs: Vec<&[Attribute]> = parsed
            .items
            .iter()
            .filter_map(|item| match item {
                Item::Function(function) if function.signature.ident == *name => {
                    Some(function.attrs.as_slice())
                }
                _ => None,
            })
            .collect();
        attrs.first().map(|attrs| summary(attrs)).unwrap_or_default()
    };
    let slots: Vec<Vec<String>> =
        model.handlers.iter().flat_map(|handler| rows(handler, &docs(&handler.name))).collect();
    let events = model.events.iter().map(|event| {
        let docs = summary(&event.docs);
        let docs = if event.live { format!("{docs} (live)") } else { docs };
        vec![code(&plain(&event.name)), code(&text::of(event.payload())), docs.trim_start().to_owned()]
    });
    let left = model.handlers.iter().filter(|handler| handler.within() > 0).map(|handler| {
        let name = format!("{}.unpaired", plain(&handler.name));
        vec![
            code(&name),
            code(&unpaired(handler)),
            "What the join has found no partner for in time.".to_owned(),
        ]
    });
    let events: Vec<Vec<String>> = events.chain(left).collect();
    let slots = section("Slots", &["slot", "takes", "keeps", "its handler runs", ""], &slots);
    slots + &section("Events", &["event", "carries", ""], &events)
}

/// A row for each port of a handler.
fn rows(handler: &Handler, docs: &str) -> Vec<Vec<String>> {
    let name = plain(&handler.name);
    let (keeps, mut runs) = match &handler.kind {
        Kind::Slot { merge, when, .. } => (keeps(merge), runs(*when)),
        Kind::Join { latest: false, .. } => ("all".to_owned(), "with one of each".to_owned()),
        Kind::Join { latest: true, .. } => ("the newest".to_owned(), "with the newest of each".to_owned()),
        Kind::Source { start: true } => (String::new(), "while it has more, from the start".to_owned()),
        Kind::Source { start: false } => (String::new(), "while it has more, once it is armed".to_owned()),
        Kind::Finish => (String::new(), "once nothing can come any more".to_owned()),
    };
    if handler.within() > 0 {
        runs += &format!(", for {} at most", time(handler.within()));
    }
    if handler.is_fallible() {
        runs += "; may fail";
    }
    if handler.optional {
        runs += "; need not be connected";
    }
    let row = |name: String, takes: &str, docs: &str| {
        vec![code(&name), code(takes), keeps.clone(), runs.clone(), docs.to_owned()]
    };
    match &handler.kind {
        Kind::Join { inputs, .. } => {
            let params = inputs.iter().map(input_name).zip(&handler.payload);
            params.map(|(input, param)| row(format!("{name}.{input}"), &param.text, docs)).collect()
        }
        Kind::Slot { .. } => vec![row(name, &handler.payload_text(), docs)],
        Kind::Source { .. } | Kind::Finish => vec![row(name, "", docs)],
    }
}

/// Milliseconds as one writes them.
fn time(millis: u64) -> String {
    let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000), ("ms", 1)];
    let fitting = units.into_iter().find(|(_, unit)| millis.is_multiple_of(*unit));
    fitting.map(|(name, unit)| format!("{}{name}", millis / unit)).unwrap_or_default()
}

fn keeps(merge: &Merge) -> String {
    match merge {
        Merge::Override => String::new(),
        Merge::Latest => "the newest of each connection".to_owned(),
        Merge::Append => "all".to_owned(),
        Merge::Fold(name) => format!("what {} makes of them", code(name)),
    }
}

fn runs(when: When) -> String {
    match when {
        When::Each => "at each arrival".to_owned(),
        When::All => "when every connection has delivered".to_owned(),
        When::Count(count) => format!("after {count} arrivals"),
        When::Drained => "once nothing can come any more".to_owned(),
    }
}
