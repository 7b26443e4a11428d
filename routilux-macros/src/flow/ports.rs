//! The port tables: which routine types and flows a flow asks, and what they answer; and what it answers itself.

use super::parse::Statement;
use crate::routine::{TABLE, plain};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use routilux_graph::{Drained, Event, Inner, Param, Role, Routine, Slot};
use syn::{Path, PathArguments};

/// What the macro of a routine or of a flow hands over.
#[derive(Clone)]
pub(crate) enum Table {
    Known {
        type_name: String,
        events: Vec<Event>,
        slots: Vec<Slot>,
        /// Of a flow.
        inner: Option<Box<Inner>>,
        /// Whether it is a flow with `async` handlers in it.
        waits: bool,
        /// Of a flow: its parameters and their types.
        params: Vec<(String, String)>,
        /// By type argument: what it is bound by.
        bounds: Vec<Vec<String>>,
    },
    /// It has mistakes of its own, which are told where it is. Its live events are known, because what uses them is of another
    /// type.
    Broken {
        live: Vec<Event>,
        /// Whether it is `Wrong`.
        wrong: bool,
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

/// The macros of the routine types of a flow, each once, in the order they are written; not its own.
pub(crate) fn distinct(statements: &[Statement], flow: &Ident) -> Vec<Path> {
    let mut paths: Vec<Path> = Vec::new();
    for statement in statements {
        let Statement::Instance(instance) = statement else { continue };
        let path = macro_path(&instance.path);
        if !is_itself(&path, flow) && !paths.iter().any(|known| same(known, &path)) {
            paths.push(path);
        }
    }
    paths
}

/// Whether a type is the flow that it is an instance in.
pub(crate) fn is_itself(path: &Path, flow: &Ident) -> bool {
    let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
    match names.as_slice() {
        [name] => path.leading_colon.is_none() && *name == plain(flow),
        [module, name] => module == "self" && *name == plain(flow),
        _ => false,
    }
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

/// `{ version "Type" [events] [ports] [bounds] }`, `{ flow version "Name" waits [params] [events] [ports] [bounds] [reach] [always] [drained] }`, or
/// `{ broken [events] wrong }`
fn read(table: TokenStream) -> Option<Table> {
    let tokens: Vec<TokenTree> = table.into_iter().collect();
    match tokens.as_slice() {
        [TokenTree::Ident(word), live, wrong] if word == "broken" => {
            Some(Table::Broken { live: events(live)?, wrong: is_true(wrong) })
        }
        [
            TokenTree::Ident(word),
            version,
            name,
            waits,
            params,
            events,
            slots,
            bounds,
            reach,
            always,
            drained,
        ] if word == "flow" => {
            let inner = Inner {
                graph: None,
                reach: pairs(reach)?,
                always: texts(always)?,
                drained: self::drained(drained)?,
            };
            let inside = Inside { inner: Box::new(inner), waits: is_true(waits), params: pairs(params)? };
            known(version, name, events, slots, bounds, Some(inside))
        }
        [version, name, events, slots, bounds] => known(version, name, events, slots, bounds, None),
        _ => None,
    }
}

fn known(
    version: &TokenTree,
    name: &TokenTree,
    events: &TokenTree,
    slots: &TokenTree,
    bounds: &TokenTree,
    inside: Option<Inside>,
) -> Option<Table> {
    let version: syn::LitInt = syn::parse2(version.to_token_stream()).ok()?;
    if version.base10_parse::<u32>().ok()? != TABLE {
        return None;
    }
    let slots = rows(slots)?.iter().map(|row| slot(row)).collect::<Option<_>>()?;
    let bounds = group(bounds.clone())?.into_iter().map(|bounds| texts(&bounds)).collect::<Option<_>>()?;
    let (inner, waits, params) = match inside {
        Some(Inside { inner, waits, params }) => (Some(inner), waits, params),
        None => (None, false, Vec::new()),
    };
    Some(Table::Known {
        type_name: literal(name)?,
        events: self::events(events)?,
        slots,
        inner,
        waits,
        params,
        bounds,
    })
}

/// What only flows have.
struct Inside {
    inner: Box<Inner>,
    waits: bool,
    params: Vec<(String, String)>,
}

/// `[role "name" "payload" "merge" "when" optional waits fallible whole within ["always"] [params]]`
fn slot(row: &[TokenTree]) -> Option<Slot> {
    let [
        TokenTree::Ident(role),
        name,
        payload,
        merge,
        when,
        optional,
        waits,
        fallible,
        whole,
        within,
        always,
        params,
    ] = row
    else {
        return None;
    };
    let mut slot = Slot::new(literal(name)?, literal(payload)?);
    slot.role = match role.to_string().as_str() {
        "slot" => Role::Handler,
        "join" => Role::Join,
        "source" => Role::Source { start: false },
        "start" => Role::Source { start: true },
        "finish" => Role::Finish,
        _ => return None,
    };
    slot.merge = literal(merge)?.parse().ok()?;
    slot.when = literal(when)?.parse().ok()?;
    slot.optional = is_true(optional);
    slot.waits = is_true(waits);
    slot.fallible = is_true(fallible);
    slot.whole = is_true(whole);
    slot.within = is_true(within);
    slot.always = texts(always)?.pop();
    slot.params = pairs(params)?.into_iter().map(|(name, payload)| Param { name, payload }).collect();
    Some(slot)
}

/// `["event" "payload" live] ..`
fn events(tokens: &TokenTree) -> Option<Vec<Event>> {
    let events = rows(tokens)?.into_iter().map(|row| {
        let mut event = Event::new(literal(row.first()?)?, literal(row.get(1)?)?);
        event.live = is_true(row.get(2)?);
        Some(event)
    });
    events.collect()
}

/// `["slot" ["in" ..] ["out" ..]] ..`
fn drained(tokens: &TokenTree) -> Option<Vec<Drained>> {
    let rows = rows(tokens)?.into_iter().map(|row| match row.as_slice() {
        [slot, from, to] => Some(Drained { slot: literal(slot)?, from: texts(from)?, to: texts(to)? }),
        _ => None,
    });
    rows.collect()
}

/// `["a" "b"] ..`
fn pairs(tokens: &TokenTree) -> Option<Vec<(String, String)>> {
    let pairs = rows(tokens)?.into_iter().map(|row| Some((literal(row.first()?)?, literal(row.get(1)?)?)));
    pairs.collect()
}

/// `"a" "b" ..`
fn texts(tokens: &TokenTree) -> Option<Vec<String>> {
    group(tokens.clone())?.into_iter().map(|text| literal(&text)).collect()
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

/// The table of a flow, for the flows that it is an instance in.
pub(crate) fn flow_table(
    flow: &Routine,
    waits: bool,
    params: &[(String, String)],
    bounds: &[Vec<String>],
) -> TokenStream {
    let name = &flow.type_name;
    let events = flow.events.iter().map(event_row);
    let slots = flow.slots.iter().map(|slot| {
        let Slot { name, payload, .. } = slot;
        quote! { [slot #name #payload "override" "each" false false false false false [] []] }
    });
    let inner = flow.inner.as_deref();
    let bounds = bounds.iter().map(|bounds| quote! { [#(#bounds)*] });
    let reach = inner.iter().flat_map(|inner| &inner.reach).map(|(from, to)| quote! { [#from #to] });
    let always = inner.iter().flat_map(|inner| &inner.always);
    let drained = inner.iter().flat_map(|inner| &inner.drained);
    let drained = drained.map(|Drained { slot, from, to }| quote! { [#slot [#(#from)*] [#(#to)*]] });
    let params = params.iter().map(|(name, ty)| quote! { [#name #ty] });
    quote! { { flow #TABLE #name #waits [#(#params)*] [#(#events)*] [#(#slots)*] [#(#bounds)*] [#(#reach)*] [#(#always)*] [#(#drained)*] } }
}

/// The table of a flow with mistakes in it.
pub(crate) fn broken_table(live: &[Event], wrong: bool) -> TokenStream {
    let live = live.iter().map(event_row);
    quote! { { broken [#(#live)*] #wrong } }
}

fn event_row(event: &Event) -> TokenStream {
    let Event { name, payload, live } = event;
    quote! { [#name #payload #live] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flows_table_is_read_back() {
        let mut event = Event::new("word", "String");
        event.live = true;
        let inner = Inner {
            graph: None,
            reach: vec![("path".into(), "word".into())],
            always: vec!["word".into()],
            drained: vec![Drained { slot: "parse.total".into(), from: vec!["path".into()], to: Vec::new() }],
        };
        let slot = Slot::new("path", "PathBuf");
        let mut flow = Routine::new("", "Etl");
        (flow.events, flow.slots) = (vec![event.clone()], vec![slot.clone()]);
        flow.inner = Some(Box::new(inner.clone()));
        let bounds = [vec!["Payload".to_owned(), "Clone".to_owned()], Vec::new()];
        let params = [("path".to_owned(), "PathBuf".to_owned())];
        let table = flow_table(&flow, true, &params, &bounds);
        let Some(Table::Known {
            type_name,
            events,
            slots,
            inner: Some(read),
            waits: true,
            params: read_params,
            bounds: read_bounds,
        }) = tables(table).pop()
        else {
            panic!("a table of its own version");
        };
        assert_eq!(read_params, params);
        assert_eq!(read_bounds, bounds);
        assert_eq!((type_name.as_str(), events, slots, *read), ("Etl", vec![event], vec![slot], inner));
    }

    #[test]
    fn a_ports_row_is_read() {
        let table = quote! { {
            #TABLE "Desk" [["settle.unpaired" "SettleUnpaired" false]]
            [[join "settle" "(Order, Payment)" "override" "each" false false true true true [] [["order" "Order"] ["payment" "Payment"]]]
             [start "lines" "()" "override" "each" false false true false false [] []]
             [slot "total" "u64" "fold:add" "3" true true false false false ["sum"] []]]
            [["Clone"]]
        } };
        let Some(Table::Known { slots, inner: None, .. }) = tables(table).pop() else {
            panic!("a table of its own version");
        };
        assert_eq!(slots[0].params[1], Param::new("payment", "Payment"));
        assert!(slots[0].fallible && slots[0].whole && slots[0].within && !slots[0].optional);
        assert_eq!(slots[1].role, Role::Source { start: true });
        assert_eq!((slots[2].merge.to_string(), slots[2].when.to_string()), ("fold add".into(), "3".into()));
        assert!(slots[2].optional && slots[2].waits);
        assert_eq!((&slots[1].always, slots[2].always.as_deref()), (&None, Some("sum")));
        let older = quote! { { 2 "Desk" [] [] [] } };
        assert!(matches!(tables(older).pop(), Some(Table::OtherVersion)));
    }
}
