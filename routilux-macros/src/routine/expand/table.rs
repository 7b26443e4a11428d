//! The routine and its ports as data: for the engines, for the checks of threads, and as the port table that the macro of the
//! routine's own name hands to flows.

use super::Routine;
use crate::bounds;
use crate::document;
use crate::routine::document::ports;
use crate::routine::model::{Event, Handler, Kind, Model, input_name, plain};
use crate::text;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use routilux_graph::Merge;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

/// The version of the port table that the macro hands over. A flow refuses a table of another one.
pub(crate) const TABLE: u32 = 5;

impl Routine<'_> {
    pub(super) fn table(&self, model: &Model) -> TokenStream {
        let p = self.p;
        let (enumeration, emit) = (self.event_enum(), self.emit());
        let self_type = &self.parsed.self_type;
        let (impl_generics, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let name = plain(self.name);
        let marked = self.marked(model);
        let events = self.events(model).into_iter().map(|EventRow { name, payload, live }| {
            quote! { #p::EventInfo { name: #name, payload: #payload, live: #live } }
        });
        let slots = model.handlers.iter().map(|handler| {
            let name = plain(&handler.name);
            let payload = handler.payload_text();
            let merge = merge_text(handler);
            let when = self.when(handler.when());
            let role = match handler.kind {
                Kind::Slot { .. } => quote! { #p::Role::Handler },
                Kind::Join { .. } => quote! { #p::Role::Join },
                Kind::Source { start } => quote! { #p::Role::Source { start: #start } },
                Kind::Finish => quote! { #p::Role::Finish },
            };
            let (optional, waits) = (handler.optional, handler.waits.is_some());
            let (fallible, whole) = (handler.is_fallible(), handler.is_whole());
            let within = handler.within() > 0;
            let params = inputs(handler).into_iter().map(|(name, payload)| quote! { (#name, #payload) });
            quote! {
                #p::SlotInfo {
                    name: #name, payload: #payload, merge: #merge, when: #when, role: #role, optional: #optional,
                    waits: #waits, fallible: #fallible, whole: #whole, within: #within, params: &[#(#params),*],
                }
            }
        });
        // Who takes `&mut self` has the routine alone, so it need not be `Sync`.
        let place = match (model.all_exclusive(), model.waits()) {
            (true, _) => quote!(Alone),
            (false, false) => quote!(Along),
            (false, true) => quote!(Lasting),
        };
        // The user's own block is not shown, since its handlers are private.
        let docs = document::attribute(&ports(self.parsed, model, |join| self.parts_text(join)));
        quote! {
            #docs
            #[automatically_derived]
            impl #impl_generics #p::Routine for #self_type #where_clause {
                type Event = #enumeration #ty_generics;
                type Emit = #emit #ty_generics;
                type Place = #p::#place<Self>;
                const TYPE: &'static str = #name;
                const MARKED: usize = #marked;
                const SLOTS: &'static [#p::SlotInfo] = &[#(#slots),*];
                const EVENTS: &'static [#p::EventInfo] = &[#(#events),*];
            }
        }
    }

    /// Asked where a job is started on threads, and not before.
    pub(super) fn thread_safe(&self, model: &Model) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.parsed.generics.split_for_impl();
        let given = where_clause.iter().flat_map(|clause| &clause.predicates);
        let fields = match model.all_exclusive() {
            true => quote!(SendFields),
            false => quote!(SyncFields),
        };
        let payloads = self.sent(model);
        quote! {
            impl #impl_generics #p::ThreadSafe for #self_type
            where #(#given,)* for<'__routilux> #self_type: #p::#fields, #(for<'__routilux> #payloads: #p::SendPayload,)* {}
        }
    }

    /// The declared events, then what joins have found no partner for.
    fn events(&self, model: &Model) -> Vec<EventRow> {
        let unpaired = model.handlers.iter().filter(|handler| handler.within() > 0).map(|handler| EventRow {
            name: format!("{}.unpaired", plain(&handler.name)),
            payload: self.parts_text(handler),
            live: false,
        });
        model.events.iter().map(EventRow::of).chain(unpaired).collect()
    }
}

/// An event in a table.
struct EventRow {
    name: String,
    payload: String,
    live: bool,
}

impl EventRow {
    fn of(event: &Event) -> Self {
        EventRow { name: plain(&event.name), payload: text::of(event.payload()), live: event.live }
    }

    fn tokens(&self) -> TokenStream {
        let EventRow { name, payload, live } = self;
        quote! { [#name #payload #live] }
    }
}

fn merge_text(handler: &Handler) -> String {
    if let Kind::Join { latest: true, .. } = handler.kind {
        return Merge::Latest.to_string();
    }
    match handler.merge() {
        Merge::Fold(name) => format!("fold:{name}"),
        other => other.to_string(),
    }
}

/// The inputs of a join with their types; none of another handler.
fn inputs(handler: &Handler) -> Vec<(String, &str)> {
    let Kind::Join { inputs, .. } = &handler.kind else { return Vec::new() };
    let texts = handler.payload.iter().map(|param| param.text.as_str());
    inputs.iter().map(input_name).zip(texts).collect()
}

/// The macro of the routine's own name: it hands the port table to the flow that asks, and passes the question on
/// to the next routine. It is exported, so that the routine can be used from another crate by the one path that
/// brings its struct too.
pub(super) fn port_macro(routine: &Routine<'_>, model: &Model) -> TokenStream {
    let text = plain(routine.name);
    let events = routine.events(model);
    let events = events.iter().map(EventRow::tokens);
    let ports = model.handlers.iter().map(|handler| {
        let role = match handler.kind {
            Kind::Slot { .. } => quote!(slot),
            Kind::Join { .. } => quote!(join),
            Kind::Source { start: false } => quote!(source),
            Kind::Source { start: true } => quote!(start),
            Kind::Finish => quote!(finish),
        };
        let (name, payload) = (plain(&handler.name), handler.payload_text());
        let (merge, when) = (merge_text(handler), handler.when().to_string());
        let (optional, waits) = (handler.optional, handler.waits.is_some());
        let (fallible, whole) = (handler.is_fallible(), handler.is_whole());
        let within = handler.within() > 0;
        let params = inputs(handler).into_iter().map(|(name, payload)| quote! { [#name #payload] });
        let always = handler.always().map(|number| plain(&model.events[number].name)).into_iter();
        quote! {
            [#role #name #payload #merge #when #optional #waits #fallible #whole #within [#(#always)*] [#(#params)*]]
        }
    });
    let bounds = match &routine.parsed.self_type {
        syn::Type::Path(ty) => bounds::of_arguments(&routine.parsed.generics, &ty.path),
        _ => Vec::new(),
    };
    let bounds = bounds.iter().map(|bounds| quote! { [#(#bounds)*] });
    answering_macro(routine.name, quote! { { #TABLE #text [#(#events)*] [#(#ports)*] [#(#bounds)*] } })
}

/// That of a routine with mistakes in it.
pub(super) fn broken_port_macro(name: &Ident, events: &[&Event], wrong: bool) -> TokenStream {
    let live = events.iter().filter(|event| event.live).map(|event| EventRow::of(event).tokens());
    answering_macro(name, quote! { { broken [#(#live)*] #wrong } })
}

pub(crate) fn answering_macro(name: &Ident, table: TokenStream) -> TokenStream {
    let unique = unique_name(name);
    quote! {
        #[doc(hidden)]
        #[macro_export]
        #[allow(non_local_definitions)]
        macro_rules! #unique {
            (@ports [($($next:tt)+) $($others:tt)*] $end:tt $state:tt {$($tables:tt)*}) => {
                $($next)+! { @ports [$($others)*] $end $state {$($tables)* #table} }
            };
            (@zero) => { 0 };
            (@ports [] [$($end:tt)+] $state:tt {$($tables:tt)*}) => {
                $($end)+! { @tables $state {$($tables)* #table} }
            };
        }
        #[doc(hidden)]
        #[allow(unused_imports)]
        pub use #unique as #name;
    }
}

/// Exported macros live in the root of their crate: the name has the place of the routine in it.
fn unique_name(name: &Ident) -> Ident {
    static USED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let mut hasher = DefaultHasher::new();
    if proc_macro::is_available() {
        let span = name.span().unwrap();
        (span.file(), span.line(), span.column()).hash(&mut hasher);
    }
    let base = format!("__routilux_{}_{:016x}", plain(name), hasher.finish());
    // A `macro_rules!` macro of the user's may write several routines at one place.
    let mut used = USED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let used = used.get_or_insert_default();
    let mut unique = base.clone();
    let mut count = 1;
    while !used.insert(unique.clone()) {
        count += 1;
        unique = format!("{base}_{count}");
    }
    Ident::new(&unique, Span::call_site())
}
