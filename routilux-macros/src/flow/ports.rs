//! The port tables: which routine types a flow asks, and what they answer.

use super::parse::Statement;
use crate::routine::TABLE;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use routilux_graph::{Event, Merge, Slot};
use syn::{Path, PathArguments};

/// What the macro of a routine hands over.
#[derive(Clone)]
pub(crate) enum Table {
    Known {
        type_name: String,
        events: Vec<Event>,
        slots: Vec<Slot>,
    },
    /// The routine has mistakes of its own, which are told where it is. Its live events are known, because what uses them is
    /// of another type.
    Broken {
        live: Vec<Event>,
    },
    /// It was compiled by another version of routilux.
    OtherVersion,
}

/// The macro of a routine type: its path without arguments.
pub(crate) fn macro_path(path: &Path) -> Path {
    let mut path = path.clone();
    for segment in &mut path.segments {
        segment.arguments = PathArguments::None;
    }
    path
}

/// The macros of the routine types of a flow, each once, in the order they are written.
pub(crate) fn distinct(statements: &[Statement]) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    for statement in statements {
        let Statement::Instance(instance) = statement else { continue };
        let path = macro_path(&instance.path);
        if !paths.iter().any(|known| same(known, &path)) {
            paths.push(path);
        }
    }
    paths
}

/// The number of a type's table.
pub(crate) fn table_of(paths: &[Path], path: &Path) -> Option<usize> {
    let path = macro_path(path);
    paths.iter().position(|known| same(known, &path))
}

fn same(a: &Path, b: &Path) -> bool {
    a.to_token_stream().to_string() == b.to_token_stream().to_string()
}

pub(crate) fn tables(tokens: TokenStream) -> Vec<Table> {
    tokens.into_iter().filter_map(group).map(|table| read(table).unwrap_or(Table::OtherVersion)).collect()
}

/// `{ version "Type" [["event" "payload" live] ..] [["slot" "payload" "merge" optional waits] ..] }`, or
/// `{ broken [["event" "payload" live] ..] }`
fn read(table: TokenStream) -> Option<Table> {
    let tokens: Vec<TokenTree> = table.into_iter().collect();
    let [version, type_name, events, slots] = tokens.as_slice() else {
        return match tokens.as_slice() {
            [TokenTree::Ident(word), live] if word == "broken" => {
                Some(Table::Broken { live: read_events(live)? })
            }
            _ => None,
        };
    };
    let version: syn::LitInt = syn::parse2(version.to_token_stream()).ok()?;
    if version.base10_parse::<u32>().ok()? != TABLE {
        return None;
    }
    let slots = rows(slots)?.into_iter().map(|row| {
        let mut slot = Slot::new(literal(row.first()?)?, literal(row.get(1)?)?);
        slot.merge = match literal(row.get(2)?)?.as_str() {
            "override" => Merge::Override,
            "append" => Merge::Append,
            _ => return None,
        };
        slot.optional = is_true(row.get(3)?);
        slot.waits = is_true(row.get(4)?);
        Some(slot)
    });
    Some(Table::Known {
        type_name: literal(type_name)?,
        events: read_events(events)?,
        slots: slots.collect::<Option<_>>()?,
    })
}

fn read_events(tokens: &TokenTree) -> Option<Vec<Event>> {
    let events = rows(tokens)?.into_iter().map(|row| {
        let mut event = Event::new(literal(row.first()?)?, literal(row.get(1)?)?);
        event.live = is_true(row.get(2)?);
        Some(event)
    });
    events.collect()
}

fn is_true(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(word) if word == "true")
}

fn rows(tokens: &TokenTree) -> Option<Vec<Vec<TokenTree>>> {
    let rows = group(tokens.clone())?.into_iter().map(|row| Some(group(row)?.into_iter().collect()));
    rows.collect()
}

fn group(token: TokenTree) -> Option<TokenStream> {
    match token {
        TokenTree::Group(group) => Some(group.stream()),
        _ => None,
    }
}

fn literal(token: &TokenTree) -> Option<String> {
    syn::parse2::<syn::LitStr>(token.to_token_stream()).ok().map(|text| text.value())
}
