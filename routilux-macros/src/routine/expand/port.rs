//! Each port as an implementation of a trait: `EventPort`, `LivePort`, `SlotPort`, and for a slot that folds `FoldPort`.

use super::outbox::FIRST_SINK;
use super::{Routine, call, event_variant};
use crate::diagnostic::{at, standing_at};
use crate::routine::model::{Event, Handler, Kind, Model, Takes, plain};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use routilux_graph::When;
use syn::spanned::Spanned;
use syn::{Index, Type};

impl Routine<'_> {
    /// The declared events by number, and after them what joins have found no partner for.
    pub(super) fn event_ports(&self, model: &Model) -> TokenStream {
        let declared = model.events.iter().map(|event| {
            let place = event.params.first().map_or(event.name.span(), |(_, ty)| ty.span());
            (place, event.payload())
        });
        let joins = model.handlers.iter().enumerate().filter(|(_, handler)| handler.within() > 0);
        let joins = joins.map(|(number, handler)| (handler.name.span(), self.payload(number, handler)));
        let ports = declared.chain(joins).enumerate().map(|(number, (place, payload))| {
            let p = self.p;
            let self_type = &self.parsed.self_type;
            let (impl_generics, _, where_clause) = self.impl_for();
            let payload = at(place, quote! { type Payload = #payload; });
            quote! {
                #[automatically_derived]
                impl #impl_generics #p::EventPort<#number> for #self_type #where_clause {
                    #payload
                }
            }
        });
        ports.collect()
    }

    /// Where a live event's sink is in the `Emit`. Who takes its payload may be in another thread, whatever engine runs
    /// the job; that is asked here, where the payload is written.
    pub(super) fn live_port(&self, number: usize, sink: usize, event: &Event) -> TokenStream {
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

    pub(super) fn slot_port(&self, number: usize, model: &Model) -> TokenStream {
        let p = self.p;
        let (handler, events) = (&model.handlers[number], &model.events);
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.impl_for();
        let payload = self.payload(number, handler);
        let handover = self.handover(handler);
        // Where an error about the payload, or about the state, is to stand: nothing of ours among its tokens.
        let payload_at = handler.payload_span();
        let payload_type = at(payload_at, quote! { type Payload = #payload; });
        let codec = match handler.kind {
            Kind::Join { .. } => self.parts_codec(number, handler),
            _ => at(payload_at, quote! { <#payload as #p::Saves>::codec() }),
        };
        let saved = match handler.kind {
            Kind::Join { .. } => TokenStream::new(),
            _ => {
                let saved = at(payload_at, quote! { <#payload as #p::Saves>::SAVED });
                quote! { const SAVED: usize = #saved; }
            }
        };
        let keeps = handler.keeps();
        let keep = match (keeps, &handler.kind) {
            // A join clones what it has brought together, and not what arrives.
            (false, _) | (_, Kind::Join { .. }) => {
                quote! { ::core::unreachable!("only a payload that is kept is cloned") }
            }
            (true, Kind::Slot { .. }) if handler.takes() != Takes::One => {
                let keep = at(payload_at, quote! { <#p::InSlot as #p::Clones<#payload>>::clone() });
                quote! { #keep(payload) }
            }
            (true, _) => {
                // Not called in place: the error would be about the argument, which is ours.
                let keep = at(payload_at, quote! { #p::keep::<#payload> });
                quote! { let keep = #keep; keep(payload) }
            }
        };
        let undo = match (handler.exclusive, handler.is_undoable()) {
            (false, _) => quote!(Untouched),
            (true, true) => quote!(PutBack),
            (true, false) => quote!(Exposed),
        };
        // That the state cannot be put back is told at one of the handlers: errors that are alike in all are one for the compiler.
        let is_put_back = |handler: &Handler| handler.exclusive && handler.is_undoable();
        let undone = model.handlers.iter().find(|first| is_put_back(first) && is_put_back(handler));
        let undo = at(undone.unwrap_or(handler).name.span(), quote! { #p::#undo });
        let mode = self.mode(handler);
        let argument = self.argument(number, handler, &payload);
        let arrival = Ident::new("__arrival", Span::mixed_site());
        let this = match handler.exclusive {
            true => quote! { &mut Self },
            false => quote! { &Self },
        };
        let call_now = match (handler.waits, &handler.kind) {
            (Some(_), _) => quote! { ::core::unreachable!("an `async` handler is begun, and not called") },
            (None, Kind::Join { .. }) => self.call_join(handler, &arrival, events),
            (None, Kind::Source { .. } | Kind::Finish) => {
                let run = self.run(handler, &[], events);
                quote! { let () = #arrival; #run }
            }
            (None, Kind::Slot { .. }) if handler.takes() != Takes::One => {
                self.run(handler, &[quote! { #arrival }], events)
            }
            (None, Kind::Slot { .. }) => {
                let (open, given) = call::taken_apart(handler, &arrival);
                let run = self.run(handler, &given, events);
                quote! { #open #run }
            }
        };
        let waiting = handler.waits.map(|place| self.waiting(number, handler, place, &arrival, events));
        let folding = self.fold_port(number, handler);
        quote! {
            #[automatically_derived]
            impl #impl_generics #p::SlotPort<#number> for #self_type #where_clause {
                #payload_type
                type Handover = #handover;
                type Undo = #undo;
                const MODE: #p::SlotMode = #mode;
                const KEEPS: bool = #keeps;
                #saved

                fn codec() -> #p::Codec<Self::Payload> {
                    #codec
                }

                #[inline]
                fn keep(payload: &Self::Payload) -> Self::Payload {
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
            #folding
        }
    }

    fn handover(&self, handler: &Handler) -> TokenStream {
        let p = self.p;
        let merge_latest = handler.merge() == routilux_graph::Merge::Latest;
        match (&handler.kind, handler.takes()) {
            (Kind::Join { .. }, _) => quote! { #p::Joined },
            (Kind::Source { .. } | Kind::Finish, _) => quote! { #p::Called },
            (_, Takes::One) if handler.is_lent() => quote! { #p::Lent },
            (_, Takes::One) if handler.keeps() => quote! { #p::Kept },
            (_, Takes::One) => quote! { #p::GivenAway },
            (_, Takes::Slice) => quote! { #p::Appended },
            (_, Takes::All) if merge_latest => quote! { #p::Gathering<#p::Newest> },
            (_, Takes::All) => quote! { #p::Gathering<#p::Batch> },
            (_, Takes::Fold) => quote! { #p::Folded },
            (_, Takes::FoldOfAll) => quote! { #p::Gathering<#p::FoldOf> },
        }
    }

    /// What `call` is given.
    fn argument(&self, number: usize, handler: &Handler, payload: &TokenStream) -> TokenStream {
        let p = self.p;
        let acc = handler.fold().map(|(_, acc)| acc.to_token_stream()).unwrap_or_default();
        match (&handler.kind, handler.takes()) {
            (Kind::Join { .. }, _) => {
                quote! { #p::Pair<'_, <Self as #p::JoinPort<#number>>::Taken, #payload> }
            }
            (Kind::Source { .. } | Kind::Finish, _) => quote! { () },
            (_, Takes::One) if handler.is_lent() => quote! { &#payload },
            (_, Takes::One) => quote! { #payload },
            (_, Takes::Slice) => quote! { &[#payload] },
            (_, Takes::All) => quote! { ::std::vec::Vec<#payload> },
            (_, Takes::Fold) => quote! { &#acc },
            (_, Takes::FoldOfAll) => acc,
        }
    }

    fn mode(&self, handler: &Handler) -> TokenStream {
        let p = self.p;
        let alone = handler.is_alone();
        let (parallel, timeout, waits) = (handler.parallel, handler.timeout, handler.waits.is_some());
        let source = matches!(handler.kind, Kind::Source { .. }).then(|| quote! { source: true, });
        // A join has its own place for the latest of each parameter, and what it has brought together may wait for another attempt: none of
        // that is superseded on its way.
        let is_slot = matches!(handler.kind, Kind::Slot { .. });
        let latest =
            (is_slot && handler.takes() == Takes::One && handler.merge() == routilux_graph::Merge::Latest)
                .then(|| quote! { latest: true, });
        let when = (handler.when() != When::Each).then(|| {
            let when = self.when(handler.when());
            quote! { when: #when, }
        });
        let within = (handler.within() > 0).then(|| {
            let within = handler.within();
            quote! { within: #within, }
        });
        quote! {
            #p::SlotMode {
                alone: #alone, parallel: #parallel, timeout: #timeout, waits: #waits, #source #latest #when #within
                ..#p::SlotMode::PLAIN
            }
        }
    }

    pub(super) fn when(&self, when: When) -> TokenStream {
        let p = self.p;
        match when {
            When::Each => quote! { #p::When::Each },
            When::All => quote! { #p::When::All },
            When::Count(count) => quote! { #p::When::Count(#count) },
            When::Drained => quote! { #p::When::Drained },
        }
    }

    /// The future of an `async` handler.
    fn waiting(
        &self,
        number: usize,
        handler: &Handler,
        place: Span,
        arrival: &Ident,
        events: &[Event],
    ) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.impl_for();
        let payload = handler.payload();
        let (open, given) = call::taken_apart(handler, arrival);
        let run = self.run(handler, &given, events);
        let lasting = match handler.is_lent() {
            true => quote!(LentFor),
            false => quote!(KeptFor),
        };
        let deref = handler.is_lent().then(|| quote! { let #arrival = &*#arrival; });
        // The future has to be `Send`: if it is not, the error is on the handler's name.
        let handling = standing_at(
            handler.name.span(),
            quote! {
                #p::boxed(async move {
                    let ran = { #deref #open #run };
                    (emit, ran)
                })
            },
        );
        let needed = at(place, quote! { #p::needs_tokio!(); });
        // That the routine cannot is told once, beside `MARKED`.
        quote! {
            #needed

            #[automatically_derived]
            impl #impl_generics #p::AsyncPort<#number> for #self_type
            #where_clause, for<'__routilux> #self_type: #p::SyncFields
            {
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
        }
    }

    fn fold_port(&self, number: usize, handler: &Handler) -> Option<TokenStream> {
        let (fold, acc) = handler.fold()?;
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let (impl_generics, _, where_clause) = self.impl_for();
        let value = Ident::new("__arrival", Span::mixed_site());
        let parts = call::parts(handler.payload.len());
        let (open, given) = match parts.as_slice() {
            [] => (quote! { let () = #value; }, TokenStream::new()),
            [_] => (TokenStream::new(), quote! { , #value }),
            several => (quote! { let (#(#several),*) = #value; }, quote! { #(, #several)* }),
        };
        // Asked once for each fold, however many slots use it: the compiler tells the same only once.
        let ask = |asked: TokenStream| at(acc.span(), asked);
        let (start, codec) = (
            ask(quote! { <#acc as #p::StartsFold>::start() }),
            ask(quote! { <#acc as #p::SavesFold>::codec() }),
        );
        let keep = match handler.keeps() {
            true => {
                let keep = ask(quote! { <#p::InSlot as #p::Clones<#acc>>::clone() });
                quote! { #keep(acc) }
            }
            false => quote! { ::core::unreachable!("only a fold that is kept is cloned") },
        };
        Some(quote! {
            #[automatically_derived]
            impl #impl_generics #p::FoldPort<#number> for #self_type #where_clause {
                type Acc = #acc;

                fn start() -> Self::Acc {
                    #start
                }

                #[inline]
                fn fold(acc: &mut Self::Acc, #value: Self::Payload) {
                    #open
                    Self::#fold(acc #given)
                }

                fn keep_acc(acc: &Self::Acc) -> Self::Acc {
                    #keep
                }

                fn codec_acc() -> #p::Codec<Self::Acc> {
                    #codec
                }
            }
        })
    }

    /// Everything that is sent from one thread to another, part by part, so that an error names the part.
    pub(super) fn sent(&self, model: &Model) -> Vec<TokenStream> {
        let events = model.events.iter().map(Event::payload);
        let handlers = model.handlers.iter().flat_map(|handler| {
            let fold = handler.fold().map(|(_, acc)| acc.to_token_stream());
            let payload = match handler.kind {
                Kind::Join { .. } => handler.payload.iter().map(|param| param.ty.to_token_stream()).collect(),
                _ => vec![handler.payload()],
            };
            payload.into_iter().chain(fold)
        });
        events.chain(handlers).collect()
    }

    /// The name of the event that a join sends what it found no partner for to.
    pub(super) fn unpaired_variant(&self, handler: &Handler) -> Ident {
        event_variant(&format!("{}.unpaired", plain(&handler.name)))
    }
}

/// The owned types of a join's inputs.
pub(super) fn input_types(handler: &Handler) -> Vec<&Type> {
    handler.payload.iter().map(|param| &param.ty).collect()
}
