//! What `#[routine] impl` becomes: the user's functions as they are, an outbox with a method for each event, an
//! implementation for each port, and the macro that hands the port table to flows.

mod call;
mod editor;
mod join;
mod outbox;
mod port;
mod table;

pub(crate) use table::TABLE;
pub(crate) use table::answering_macro;

use super::args::Args;
use super::model::{Event, Handler, Kind, Mark, Model, plain};
use super::parse::{Function, Impl, Item};
use super::signature::mended;
use crate::diagnostic::at;
use crate::editor::asks;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use std::collections::HashSet;
use syn::{FnArg, GenericParam};

/// The variant of a routine's events that an event is, by its name: `word`; of `settle.unpaired` it is `settle_unpaired`.
/// Flows match on it. That of a source, with which it is armed, has the source's name.
pub(crate) fn event_variant(name: &str) -> Ident {
    Ident::new_raw(&name.replace('.', "_"), Span::call_site())
}

/// The user's block without our marks and without the events, which have no body.
pub(crate) fn users_impl(parsed: &Impl) -> TokenStream {
    let Impl { attrs, generics, self_type, items } = parsed;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let items = items.iter().filter_map(|item| match item {
        Item::Other(tokens) => Some(tokens.clone()),
        Item::Function(function) => {
            let Function { attrs, vis, signature, body } = &**function;
            let body = body.as_ref()?;
            let signature = mended(signature);
            let marks = || attrs.iter().filter_map(Mark::of);
            if marks().any(|mark| mark == Mark::Event) {
                // A mistake that was told.
                return None;
            }
            // A payload is a whole value: `&String` and `&Vec<T>` are what waits, and no argument that could be a slice.
            let allowed = (marks().count() > 0).then(|| quote! { #[allow(clippy::ptr_arg)] });
            let vis = match asks() && marks().count() > 0 {
                // A flow names it from wherever it is: see `editor`.
                true => quote!(#[allow(missing_docs)] pub),
                false => quote!(#vis),
            };
            let attrs = attrs.iter().filter(|attr| Mark::of(attr).is_none());
            Some(quote! { #(#attrs)* #allowed #vis #signature #body })
        }
    });
    quote! {
        #(#attrs)*
        impl #impl_generics #self_type #where_clause {
            #(#items)*
        }
    }
}

pub(crate) fn expand(args: &Args, parsed: &Impl, model: &Model) -> TokenStream {
    let Some(name) = &model.name else { return TokenStream::new() };
    let routine = Routine { p: &args.private, parsed, name };
    let outgoing = routine.outgoing(&model.events.iter().collect::<Vec<_>>(), &model.handlers);
    let outbox = routine.outbox(&outgoing);
    let table = routine.table(model);
    let thread_safe = routine.thread_safe(model);
    let events = routine.event_ports(model);
    let live = model.events.iter().enumerate().filter(|(_, event)| event.live);
    let live = live.enumerate().map(|(sink, (number, event))| routine.live_port(number, sink, event));
    let handlers = (0..model.handlers.len()).map(|number| routine.slot_port(number, model));
    let joins = || model.handlers.iter().enumerate().filter(|(_, handler)| handler.is_join());
    let parts = joins().map(|(number, handler)| routine.join_port(number, handler));
    let unpaired = routine.unpaired_enums(model);
    let hidden = joins().filter(|(_, handler)| handler.within() == 0);
    let hidden = hidden.map(|(number, handler)| routine.parts_enum(number, handler));
    let ports = table::port_macro(&routine, model);
    quote! {
        #unpaired

        #[doc(hidden)]
        #[allow(
            non_camel_case_types, private_interfaces, private_bounds, unreachable_pub, missing_docs,
            dead_code, unused_variables, unused_mut, clippy::all, clippy::pedantic
        )]
        const _: () = {
            #outbox
            #table
            #thread_safe
            #events
            #(#live)*
            #(#hidden)*
            #(#handlers)*
            #(#parts)*
        };
        #ports
    }
}

impl Routine<'_> {
    /// Methods of the outbox for the events that were not understood: they take anything.
    fn misread_events(&self, seen: &mut HashSet<String>) -> TokenStream {
        let (p, emit) = (self.p, self.emit());
        let (impl_generics, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let events = self.parsed.items.iter().filter_map(|item| match item {
            Item::Function(function) => Some(function),
            _ => None,
        });
        let events = events
            .filter(|function| function.attrs.iter().any(|attr| Mark::of(attr) == Some(Mark::Event)))
            .filter(|function| seen.insert(plain(&function.signature.ident)));
        let methods = events.map(|function| {
            let name = &function.signature.ident;
            let inputs = function.signature.inputs.iter().filter(|input| matches!(input, FnArg::Typed(_)));
            let params = (0..inputs.count()).map(|number| format_ident!("p{number}"));
            // An editor does not know of a value that it is wrong, and would tell of its type.
            let any = match crate::editor::asks() {
                true => quote! { impl ::core::marker::Sized },
                false => quote! { #p::Asked<{ __WRONG }> },
            };
            quote! { pub fn #name(&mut self, #(#params: #any),*) { ::core::unreachable!() } }
        });
        let methods: Vec<TokenStream> = methods.collect();
        match methods.is_empty() {
            true => TokenStream::new(),
            false => quote! { impl #impl_generics #emit #ty_generics #where_clause { #(#methods)* } },
        }
    }
}

/// The same of an `impl` block that cannot be read, by the name that it begins with.
pub(crate) fn table_of_unread(item: &TokenStream) -> TokenStream {
    let mut depth = 0;
    let mut tokens = item.clone().into_iter().skip_while(|token| token.to_string() != "impl").skip(1);
    let name = tokens.find_map(|token| match token {
        TokenTree::Punct(punct) => {
            match punct.as_char() {
                '<' => depth += 1,
                '>' => depth -= 1,
                _ => {}
            }
            None
        }
        TokenTree::Ident(name) if depth == 0 => Some(name),
        _ => None,
    });
    name.map(|name| table::broken_port_macro(&name, &[], false)).unwrap_or_default()
}

/// For a flow that uses the routine to have no errors of its own. Of a routine that borrows, the struct says so, if it is marked.
pub(crate) fn macro_only(args: &Args, parsed: &Impl, model: &Model, borrows: bool) -> TokenStream {
    let Some(name) = &model.name else { return TokenStream::new() };
    let events: Vec<&Event> = model.events.iter().collect();
    let table = table::broken_port_macro(name, &events, false);
    let asked = borrows.then(|| {
        let (p, self_type) = (&args.private, &parsed.self_type);
        let (impl_generics, _, where_clause) = parsed.generics.split_for_impl();
        let asked = at(syn::spanned::Spanned::span(self_type), quote! { #p::is_told::<#self_type> });
        quote! { const _: () = { #[allow(dead_code)] fn __told #impl_generics() #where_clause { #asked(); } }; }
    });
    quote! { #table #asked }
}

/// The routine for an editor, with mistakes or without.
pub(crate) fn editor(args: &Args, parsed: &Impl, model: &Model) -> TokenStream {
    let Some(name) = &model.name else { return TokenStream::new() };
    Routine { p: &args.private, parsed, name }.editor(model)
}

/// Only the outbox and the port table, for a routine with mistakes in it. `wrong` is a value that the compiler knows to be wrong.
pub(crate) fn stub(args: &Args, parsed: &Impl, model: &Model, wrong: &TokenStream) -> TokenStream {
    let Some(name) = &model.name else { return quote! { const _: usize = #wrong; } };
    let routine = Routine { p: &args.private, parsed, name };
    let mut seen = HashSet::new();
    // What the outbox itself has a method for.
    seen.extend(["after", "every", "cancel", "named", "later", "emitted", "events"].map(str::to_owned));
    let events: Vec<&Event> = model.events.iter().filter(|event| seen.insert(plain(&event.name))).collect();
    // With those that were not understood: they are armed all the same.
    let sources = parsed.items.iter().filter_map(|item| match item {
        Item::Function(function)
            if function.attrs.iter().any(|attr| Mark::of(attr) == Some(Mark::Source)) =>
        {
            Some(&function.signature.ident)
        }
        _ => None,
    });
    let sources = sources.filter(|source| seen.insert(plain(source)));
    let mut outgoing = routine.outgoing(&events, []);
    outgoing.extend(sources.map(Routine::arming));
    let outbox = routine.outbox(&outgoing);
    let misread = routine.misread_events(&mut seen);
    let table = routine.table(&Model { name: None, events: Vec::new(), handlers: Vec::new() });
    let ports = table::broken_port_macro(name, &events, true);
    let unpaired = routine.unpaired_enums(model);
    let p = &args.private;
    let self_type = &parsed.self_type;
    let (impl_generics, _, where_clause) = parsed.generics.split_for_impl();
    quote! {
        #unpaired

        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, private_interfaces, private_bounds, unreachable_pub, missing_docs, unused_variables, clippy::all)]
        const _: () = {
            const __WRONG: usize = #wrong;
            impl #impl_generics #p::Wrong for #self_type #where_clause {
                const MISTAKES: usize = __WRONG;
            }
            #outbox
            #misread
            #table
        };
        #ports
    }
}

struct Routine<'a> {
    p: &'a TokenStream,
    parsed: &'a Impl,
    name: &'a Ident,
}

impl Routine<'_> {
    /// Generics for an `impl` that is there only if the struct is marked: if it is not, that is told once, by
    /// `marked`, and nothing follows from it.
    fn impl_for(&self) -> (TokenStream, TokenStream, TokenStream) {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let given = where_clause.iter().flat_map(|clause| &clause.predicates);
        let marked = quote! { where for<'__routilux> #self_type: #p::Fields #(, #given)* };
        (impl_generics.to_token_stream(), ty_generics.to_token_stream(), marked)
    }

    /// Whether a type parameter of the routine is named among the tokens.
    fn is_generic(&self, tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => self.parsed.generics.type_params().any(|param| param.ident == ident),
            TokenTree::Group(group) => self.is_generic(group.stream()),
            _ => false,
        })
    }

    /// Who asks for this has no error of their own where the struct is not marked, or where an `async` handler cannot go from thread to
    /// thread.
    fn marked(&self, model: &Model) -> TokenStream {
        let (p, self_type) = (self.p, &self.parsed.self_type);
        let marked =
            at(syn::spanned::Spanned::span(self_type), quote! { <#self_type as #p::Fields>::MARKED });
        let waiting = model.handlers.iter().find_map(|handler| handler.waits);
        let shared = waiting.map(|place| at(place, quote! { + <#self_type as #p::Shared>::SHARED }));
        quote! { #marked #shared }
    }

    fn event_enum(&self) -> Ident {
        format_ident!("__EventOf{}", plain(self.name), span = Span::call_site())
    }

    fn emit(&self) -> Ident {
        format_ident!("EmitOf{}", plain(self.name), span = Span::call_site())
    }

    fn emitted(&self) -> Ident {
        format_ident!("EmittedBy{}", plain(self.name), span = Span::call_site())
    }

    /// A marker that uses every type parameter, for enums and structs that may not.
    fn marker(&self) -> TokenStream {
        let params = self.parsed.generics.params.iter().filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            _ => None,
        });
        quote! { ::core::marker::PhantomData<fn() -> (#(#params,)*)> }
    }

    /// What the slot of a handler is sent: the payload as it is written, or the enum of a join's inputs.
    fn payload(&self, number: usize, handler: &Handler) -> TokenStream {
        match &handler.kind {
            Kind::Join { .. } => self.parts_type(number, handler),
            _ => handler.payload(),
        }
    }
}
