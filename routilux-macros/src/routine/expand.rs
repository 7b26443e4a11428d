//! What `#[routine] impl` becomes: the user's functions as they are, an outbox with a method for each event, an
//! implementation for each port, and the macro that hands the port table to flows.

use super::args::Args;
use super::model::{Event, Model, Pass, Slot, plain};
use super::parse::{Function, Impl, Item};
use crate::diagnostic::{at, standing_at};
use crate::text;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use routilux_graph::Merge;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use syn::spanned::Spanned;
use syn::{Attribute, GenericParam, Index};

/// The version of the port table that the macro hands over. A flow refuses a table of another one.
pub(crate) const TABLE: u32 = 3;

/// The fields of an `Emit` are the outbox and, where there are live events, the stamp of the attempt and their sinks.
const FIRST_SINK: usize = 2;

/// The user's block without our marks and without the events, which have no body.
pub(crate) fn users_impl(parsed: &Impl) -> TokenStream {
    let Impl { attrs, generics, self_type, items } = parsed;
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let items = items.iter().filter_map(|item| match item {
        Item::Other(tokens) => Some(tokens.clone()),
        Item::Function(function) => {
            let Function { attrs, vis, signature, body } = &**function;
            let body = body.as_ref()?;
            if attrs.iter().any(|attr| attr.path().is_ident("event")) {
                // A mistake that was told.
                return None;
            }
            // A payload is a whole value: `&String` and `&Vec<T>` are what waits, and no argument that could be a slice.
            let allowed = attrs.iter().any(is_mark).then(|| quote! { #[allow(clippy::ptr_arg)] });
            let attrs = attrs.iter().filter(|attr| !is_mark(attr));
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

fn is_mark(attr: &Attribute) -> bool {
    attr.path().is_ident("slot") || attr.path().is_ident("event")
}

pub(crate) fn expand(args: &Args, parsed: &Impl, model: &Model) -> TokenStream {
    let Some(name) = &model.name else { return TokenStream::new() };
    let routine = Routine { p: &args.private, parsed, name };
    let marked = routine.marked();
    let outbox = routine.outbox(&model.events.iter().collect::<Vec<_>>());
    let table = routine.table(model);
    let thread_safe = routine.thread_safe(model);
    let events = model.events.iter().enumerate().map(|(number, event)| routine.event_port(number, event));
    let live = model.events.iter().enumerate().filter(|(_, event)| event.live);
    let live = live.enumerate().map(|(sink, (number, event))| routine.live_port(number, sink, event));
    let slots = model.slots.iter().enumerate().map(|(number, slot)| routine.slot_port(number, slot));
    let ports = port_macro(name, model);
    quote! {
        #[doc(hidden)]
        #[allow(
            non_camel_case_types, private_interfaces, private_bounds, unreachable_pub, missing_docs,
            dead_code, unused_variables, unused_mut, clippy::all, clippy::pedantic
        )]
        const _: () = {
            #marked
            #outbox
            #table
            #thread_safe
            #(#events)*
            #(#live)*
            #(#slots)*
        };
        #ports
    }
}

/// Only the port table: for a routine with mistakes in it.
pub(crate) fn stub(args: &Args, parsed: &Impl, model: &Model) -> TokenStream {
    let Some(name) = &model.name else { return TokenStream::new() };
    let routine = Routine { p: &args.private, parsed, name };
    let mut seen = HashSet::new();
    let events: Vec<&Event> = model.events.iter().filter(|event| seen.insert(plain(&event.name))).collect();
    let outbox = routine.outbox(&events);
    let table = routine.table(&Model { name: None, events: Vec::new(), slots: Vec::new() });
    let ports = broken_port_macro(name, &events);
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, private_interfaces, private_bounds, unreachable_pub, missing_docs, unused_variables, clippy::all)]
        const _: () = {
            #outbox
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

    fn marked(&self) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.parsed.generics.split_for_impl();
        let asked = at(self_type.span(), quote! { #p::is_marked::<#self_type> });
        quote! { fn __marked #impl_generics() #where_clause { #asked(); } }
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

    /// The enum of events, and `Emit` with its methods.
    fn outbox(&self, events: &[&Event]) -> TokenStream {
        let p = self.p;
        let (enumeration, emit, emitted) = (self.event_enum(), self.emit(), self.emitted());
        let (impl_generics, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let generics = &self.parsed.generics;
        let marker = self.marker();
        let variants = events.iter().map(|event| {
            let (name, payload) = (&event.name, event.payload());
            quote! { #name(#payload) }
        });
        // Only a generic routine may have parameters that no event uses.
        let unused = match generics.params.is_empty() {
            true => TokenStream::new(),
            false => quote! { __Unused(::core::convert::Infallible, #marker) },
        };
        let unused_arm = |event: TokenStream| match generics.params.is_empty() {
            true => TokenStream::new(),
            false => quote! { #enumeration::__Unused(never, _) => { let _ = #event; match *never {} } },
        };
        let live: Vec<&Event> = events.iter().copied().filter(|event| event.live).collect();
        let methods = events.iter().map(|event| {
            let Event { name, docs, params, .. } = *event;
            let names: Vec<&Ident> = params.iter().map(|(name, _)| name).collect();
            let types = params.iter().map(|(_, ty)| ty);
            let value = match names.as_slice() {
                [one] => quote! { #one },
                several => quote! { (#(#several),*) },
            };
            let push = quote! { self.0.push(#enumeration::#name(#value)) };
            let push = match live.iter().position(|live| live.name == *name) {
                None => push,
                Some(number) => {
                    let sink = Index::from(number + FIRST_SINK);
                    let back = Ident::new("__back", Span::mixed_site());
                    quote! {
                        if let ::core::option::Option::Some(#back) = self.#sink.send(#value, self.1) {
                            self.0.push(#enumeration::#name(#back));
                        }
                    }
                }
            };
            quote! {
                #(#docs)*
                #[inline]
                pub fn #name(&mut self #(, #names: #types)*) {
                    #push
                }
            }
        });
        // Whose routine has no live event has nothing but its outbox.
        let payloads = live.iter().map(|event| event.payload());
        let sinks: Vec<Index> = (0..live.len()).map(|number| Index::from(number + FIRST_SINK)).collect();
        let (more, made_more, outgoing) = match live.is_empty() {
            true => (TokenStream::new(), TokenStream::new(), TokenStream::new()),
            false => (
                quote! { , #p::Stamp #(, #p::LiveSink<#payloads>)* },
                {
                    let made = vec![quote! { ::core::default::Default::default() }; live.len() + 1];
                    quote! { #(, #made)* }
                },
                quote! {
                    const LIVE: bool = true;

                    #[inline]
                    fn begins(&mut self, cx: &#p::Context) {
                        self.1 = #p::Stamp::of(cx);
                    }

                    fn another(&self) -> Self {
                        Self(
                            ::core::default::Default::default(),
                            self.1
                            #(, ::core::clone::Clone::clone(&self.#sinks))*
                        )
                    }
                },
            ),
        };
        let readers = events.iter().map(|event| {
            let (name, payload) = (&event.name, event.payload());
            let doc = format!("The payloads of `{}`, in the order they were emitted.", plain(name));
            quote! {
                #[doc = #doc]
                pub fn #name(&self) -> ::std::vec::Vec<&'__emitted #payload> {
                    let payloads = ::core::iter::Iterator::filter_map(self.0.iter(), |event| match event {
                        #enumeration::#name(payload) => ::core::option::Option::Some(payload),
                        #[allow(unreachable_patterns)]
                        _ => ::core::option::Option::None,
                    });
                    ::core::iter::Iterator::collect(payloads)
                }
            }
        });
        let names = events.iter().map(|event| {
            let (name, plain) = (&event.name, plain(&event.name));
            quote! { #enumeration::#name(_) => #plain, }
        });
        let unused_name = unused_arm(quote!(()));
        let emitted_params = self.parsed.generics.params.iter();
        let emitted_params: Vec<_> = emitted_params.map(ToTokens::to_token_stream).collect();
        let emitted_args = self.parsed.generics.params.iter().map(|param| match param {
            GenericParam::Type(param) => param.ident.to_token_stream(),
            GenericParam::Const(param) => param.ident.to_token_stream(),
            GenericParam::Lifetime(param) => param.lifetime.to_token_stream(),
        });
        let emitted_args: Vec<_> = emitted_args.collect();
        let empty_match = match events.is_empty() && generics.params.is_empty() {
            true => quote! { match *event {} },
            false => quote! { match event { #(#names)* #unused_name } },
        };
        quote! {
            pub enum #enumeration #generics #where_clause { #(#variants,)* #unused }

            pub struct #emit #generics (#p::Outbox<#enumeration #ty_generics> #more) #where_clause;

            impl #impl_generics ::core::default::Default for #emit #ty_generics #where_clause {
                fn default() -> Self {
                    Self(::core::default::Default::default() #made_more)
                }
            }

            impl #impl_generics #p::Outgoing<#enumeration #ty_generics> for #emit #ty_generics #where_clause {
                #[inline]
                fn outbox(&mut self) -> &mut #p::Outbox<#enumeration #ty_generics> {
                    &mut self.0
                }

                #outgoing
            }

            impl #impl_generics #emit #ty_generics #where_clause {
                #(#methods)*

                /// What was emitted so far, for a unit test to read.
                pub fn emitted(&self) -> #emitted<'_, #(#emitted_args),*> {
                    #emitted(&self.0)
                }
            }

            pub struct #emitted<'__emitted, #(#emitted_params),*>(&'__emitted #p::Outbox<#enumeration #ty_generics>) #where_clause;

            impl<'__emitted, #(#emitted_params),*> #emitted<'__emitted, #(#emitted_args),*> #where_clause {
                #(#readers)*

                /// The names of the events, in the order they were emitted.
                pub fn events(&self) -> ::std::vec::Vec<&'static str> {
                    ::core::iter::Iterator::collect(::core::iter::Iterator::map(self.0.iter(), |event| #empty_match))
                }
            }
        }
    }

    /// The routine and its ports as data.
    fn table(&self, model: &Model) -> TokenStream {
        let p = self.p;
        let (enumeration, emit) = (self.event_enum(), self.emit());
        let self_type = &self.parsed.self_type;
        let (impl_generics, ty_generics, where_clause) = self.parsed.generics.split_for_impl();
        let name = plain(self.name);
        let events = model.events.iter().map(|event| {
            let (name, payload) = (plain(&event.name), text::of(event.payload()));
            let live = event.live;
            quote! { #p::EventInfo { name: #name, payload: #payload, live: #live } }
        });
        let slots = model.slots.iter().map(|slot| {
            let (name, payload) = (plain(&slot.name), slot.payload_text());
            let merge = match slot.options.merge {
                Merge::Override => quote!(Override),
                _ => quote!(Append),
            };
            let (optional, waits) = (slot.options.optional, slot.waits.is_some());
            quote! {
                #p::SlotInfo {
                    name: #name, payload: #payload, merge: #p::Merge::#merge, optional: #optional, waits: #waits,
                }
            }
        });
        // Who takes `&mut self` has the routine alone, so it need not be `Sync`.
        let place = match (model.all_exclusive(), model.waits()) {
            (true, _) => quote!(Alone),
            (false, false) => quote!(Along),
            (false, true) => quote!(Lasting),
        };
        quote! {
            #[automatically_derived]
            impl #impl_generics #p::Routine for #self_type #where_clause {
                type Event = #enumeration #ty_generics;
                type Emit = #emit #ty_generics;
                type Place = #p::#place<Self>;
                const TYPE: &'static str = #name;
                const SLOTS: &'static [#p::SlotInfo] = &[#(#slots),*];
                const EVENTS: &'static [#p::EventInfo] = &[#(#events),*];
            }
        }
    }

    /// Asked where a job is started on threads, and not before.
    fn thread_safe(&self, model: &Model) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.parsed.generics.split_for_impl();
        let given = where_clause.iter().flat_map(|clause| &clause.predicates);
        let fields = match model.all_exclusive() {
            true => quote!(SendFields),
            false => quote!(SyncFields),
        };
        let payloads = model.events.iter().map(Event::payload).chain(model.slots.iter().map(Slot::payload));
        quote! {
            impl #impl_generics #p::ThreadSafe for #self_type
            where #(#given,)* for<'__routilux> #self_type: #p::#fields, #(for<'__routilux> #payloads: #p::SendPayload,)* {}
        }
    }

    fn event_port(&self, number: usize, event: &Event) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.impl_for();
        let payload = event.payload();
        let place = event.params.first().map_or(event.name.span(), |(_, ty)| ty.span());
        let payload = at(place, quote! { type Payload = #payload; });
        quote! {
            #[automatically_derived]
            impl #impl_generics #p::EventPort<#number> for #self_type #where_clause {
                #payload
            }
        }
    }

    /// Where a live event's sink is in the `Emit`. Who takes its payload may be in another thread, whatever engine runs
    /// the job; that is asked here, where the payload is written.
    fn live_port(&self, number: usize, sink: usize, event: &Event) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.impl_for();
        let sink = Index::from(sink + FIRST_SINK);
        let asked = event.params.iter().map(|(_, ty)| {
            let asked = match self.is_generic(ty.to_token_stream()) {
                true => quote! { #p::live_payload_is_send::<#ty> },
                false => quote! { <#ty as #p::LivePayload>::leaves },
            };
            at(ty.span(), asked)
        });
        let (asked_generics, _, asked_where) = self.parsed.generics.split_for_impl();
        let ask = format_ident!("__live{number}");
        quote! {
            #[automatically_derived]
            impl #impl_generics #p::LivePort<#number> for #self_type #where_clause {
                fn sink(emit: &mut <Self as #p::Routine>::Emit) -> &mut #p::LiveSink<#p::EventPayload<Self, #number>> {
                    &mut emit.#sink
                }
            }

            fn #ask #asked_generics() #asked_where { #(#asked();)* }
        }
    }

    fn slot_port(&self, number: usize, slot: &Slot) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.impl_for();
        let Slot { name, options, exclusive, output, .. } = slot;
        let payload = slot.payload();
        // A handler that took too long has failed, whatever it returns.
        let undoable = (output.is_some() || options.timeout > 0) && options.atomic;
        let by_reference =
            !slot.payload.is_empty() && slot.payload.iter().all(|param| param.pass != Pass::Value);

        let handover = match (&options.merge, by_reference) {
            (Merge::Latest | Merge::Append | Merge::Fold(_), _) => quote!(Appended),
            (Merge::Override, true) => quote!(Lent),
            // What waits may be given up: the payload is there for another attempt then.
            (Merge::Override, false) if slot.waits.is_some() => quote!(Kept),
            // A unit is neither cloned nor lost.
            (Merge::Override, false) if slot.payload.is_empty() => quote!(Kept),
            (Merge::Override, false) if undoable => quote!(Kept),
            (Merge::Override, false) => quote!(GivenAway),
        };
        // Where an error about the payload, or about the state, is to stand: nothing of ours among its tokens.
        let payload_at = slot.payload_span();
        let payload_type = at(payload_at, quote! { type Payload = #payload; });
        let codec = at(payload_at, quote! { <#payload as #p::Saves>::codec() });
        let kept = handover.to_string() == "Kept";
        let keep = match kept {
            true => at(payload_at, quote! { #p::keep::<#payload>(__payload) }),
            false => quote! { ::core::unreachable!("only a payload that is kept is cloned") },
        };
        let undo = match (*exclusive, undoable) {
            (false, _) => quote!(Untouched),
            (true, true) => quote!(PutBack),
            (true, false) => quote!(Exposed),
        };
        let undo = at(name.span(), quote! { #p::#undo });
        let argument = match (&options.merge, by_reference) {
            (Merge::Latest | Merge::Append | Merge::Fold(_), _) => quote! { &[#payload] },
            (Merge::Override, true) => quote! { &#payload },
            (Merge::Override, false) => quote! { #payload },
        };

        let arrival = Ident::new("__arrival", Span::mixed_site());
        let parts: Vec<Ident> =
            (0..slot.payload.len()).map(|n| Ident::new(&format!("__part{n}"), Span::mixed_site())).collect();
        let (open, given) = match parts.as_slice() {
            [] => (quote! { let () = #arrival; }, Vec::new()),
            [_] => (TokenStream::new(), vec![quote! { #arrival }]),
            several => {
                let given =
                    several.iter().zip(&slot.payload).map(|(part, param)| match (by_reference, param.pass) {
                        (false, Pass::Reference) => quote! { &#part },
                        _ => quote! { #part },
                    });
                (quote! { let (#(#several),*) = #arrival; }, given.collect())
            }
        };
        let mut_emit = slot.waits.map(|_| quote! { &mut });
        let ref_cx = slot.waits.map(|_| quote! { & });
        let out = slot.takes_out.then(|| quote! { , #mut_emit emit });
        let cx = slot.takes_cx.then(|| quote! { , #ref_cx cx });
        let ref_this = slot.waits.map(|_| quote! { & });
        let this = match exclusive {
            true => quote! { &mut Self },
            false => quote! { &Self },
        };
        let alone = *exclusive || options.merge != Merge::Override;
        let (parallel, timeout, waits) = (options.parallel, options.timeout, slot.waits.is_some());
        let awaited = slot.waits.map(|_| quote! { .await });
        let call = quote! { Self::#name(#ref_this this #(, #given)* #out #cx) #awaited };
        let run = match output {
            None => quote! {{ #call; ::core::result::Result::Ok(()) }},
            Some(ty) => {
                let handled = at(ty.span(), quote! { #p::Handled::handled });
                let call = standing_at(ty.span(), call);
                quote! { #handled(#call) }
            }
        };
        let (call_now, waiting) = match slot.waits {
            None => (quote! { #open #run }, TokenStream::new()),
            Some(place) => {
                let lasting = match by_reference {
                    true => quote!(LentFor),
                    false => quote!(KeptFor),
                };
                let deref = by_reference.then(|| quote! { let #arrival = &*#arrival; });
                // The future has to be `Send`: if it is not, the error is on the handler's name.
                let handling = standing_at(
                    name.span(),
                    quote! {
                        #p::boxed(async move {
                            let ran = { #deref #open #run };
                            (emit, ran)
                        })
                    },
                );
                let needed = at(place, quote! { #p::needs_tokio!(); });
                let waiting = quote! {
                    #needed

                    #[automatically_derived]
                    impl #impl_generics #p::AsyncPort<#number> for #self_type #where_clause {
                        type Given = #p::#lasting<#payload>;

                        fn begin(
                            this: ::std::sync::Arc<Self>,
                            #arrival: <Self::Given as #p::GivenFor<#payload>>::Value,
                            mut emit: <Self as #p::Routine>::Emit,
                            cx: #p::Context,
                        ) -> #p::Handling<<Self as #p::Routine>::Emit> {
                            #handling
                        }
                    }
                };
                (quote! { ::core::unreachable!("an `async` handler is begun, and not called") }, waiting)
            }
        };
        quote! {
            #[automatically_derived]
            impl #impl_generics #p::SlotPort<#number> for #self_type #where_clause {
                #payload_type
                type Handover = #p::#handover;
                type Undo = #undo;
                const MODE: #p::SlotMode =
                    #p::SlotMode { alone: #alone, parallel: #parallel, timeout: #timeout, waits: #waits };

                fn codec() -> #p::Codec<Self::Payload> {
                    #codec
                }

                #[inline]
                fn keep(__payload: &Self::Payload) -> Self::Payload {
                    #keep
                }

                #[inline]
                fn call(
                    this: #this,
                    #arrival: #argument,
                    emit: &mut <Self as #p::Routine>::Emit,
                    cx: &#p::Context,
                ) -> ::core::result::Result<(), #p::HandlerError> {
                    #call_now
                }
            }

            #waiting
        }
    }
}

/// The macro of the routine's own name: it hands the port table to the flow that asks, and passes the question on
/// to the next routine. It is exported, so that the routine can be used from another crate by the one path that
/// brings its struct too.
fn port_macro(name: &Ident, model: &Model) -> TokenStream {
    let text = plain(name);
    let events = model.events.iter().map(event_row);
    let slots = model.slots.iter().map(|slot| {
        let (name, payload) = (plain(&slot.name), slot.payload_text());
        let (merge, optional) = (slot.options.merge.to_string(), slot.options.optional);
        let waits = slot.waits.is_some();
        quote! { [#name #payload #merge #optional #waits] }
    });
    answering_macro(name, quote! { { #TABLE #text [#(#events)*] [#(#slots)*] } })
}

/// That of a routine with mistakes in it.
fn broken_port_macro(name: &Ident, events: &[&Event]) -> TokenStream {
    let live = events.iter().filter(|event| event.live).map(|event| event_row(event));
    answering_macro(name, quote! { { broken [#(#live)*] } })
}

fn event_row(event: &Event) -> TokenStream {
    let (name, payload, live) = (plain(&event.name), text::of(event.payload()), event.live);
    quote! { [#name #payload #live] }
}

fn answering_macro(name: &Ident, table: TokenStream) -> TokenStream {
    let unique = unique_name(name);
    quote! {
        #[doc(hidden)]
        #[macro_export]
        #[allow(non_local_definitions)]
        macro_rules! #unique {
            (@ports [($($next:tt)+) $($others:tt)*] $end:tt $state:tt {$($tables:tt)*}) => {
                $($next)+! { @ports [$($others)*] $end $state {$($tables)* #table} }
            };
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
