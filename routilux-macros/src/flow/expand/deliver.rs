//! The deliveries of a flow, and the `match` that runs one.

use super::{Flow, local};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use routilux_graph::Role;

impl Flow<'_> {
    pub(super) fn delivery_enum(&self) -> TokenStream {
        let p = self.p;
        let variants = self.reached().map(|(number, slot)| {
            let (variant, parcel) = (format_ident!("S{number}"), self.parcel_type(number));
            match slot.has_connection() {
                false => quote! { #variant(#parcel) },
                true => quote! { #variant(#parcel, ::core::primitive::u16) },
            }
        });
        let flows = (0..self.inner.len()).map(|inner| {
            let (variant, flow) = (format_ident!("I{inner}"), self.inner_type(inner));
            quote! { #variant(<#flow as #p::Flow>::Delivery) }
        });
        let unused = (!self.generics.is_empty()).then(|| {
            let phantom = self.generics.phantom_field();
            quote! { __Unused(::core::convert::Infallible #phantom) }
        });
        let variants = variants.chain(flows).chain(unused);
        let (decl, clause) = (&self.generics.decl, &self.generics.clause);
        quote! { pub enum __Delivery #decl #clause { #(#variants),* } }
    }

    /// For a `match` over a delivery: a variant that no delivery has.
    pub(super) fn unused_arm(&self) -> TokenStream {
        match self.generics.is_empty() {
            true => TokenStream::new(),
            false => quote! { __Delivery::__Unused(never, _) => match never {}, },
        }
    }

    /// The same for a reference.
    pub(super) fn unused_ref_arm(&self) -> TokenStream {
        match self.generics.is_empty() {
            true => TokenStream::new(),
            false => quote! { __Delivery::__Unused(never, _) => match *never {}, },
        }
    }

    /// What makes a delivery of a parcel to a slot, in a function or an arm that knows its `connection`.
    pub(super) fn wrap(&self, slot: usize) -> TokenStream {
        let variant = format_ident!("S{slot}");
        match self.slots[slot].has_connection() {
            false => quote! { __Delivery::#variant },
            true => quote! { move |parcel| __Delivery::#variant(parcel, connection) },
        }
    }

    /// A delivery without a payload, to a source or a finish.
    pub(super) fn empty_delivery(&self, slot: usize) -> TokenStream {
        let variant = format_ident!("S{slot}");
        match self.slots[slot].has_connection() {
            false => quote! { __Delivery::#variant(()) },
            true => quote! { __Delivery::#variant((), 0) },
        }
    }

    /// The pattern of a delivery to a slot, with its `parcel`.
    pub(super) fn pattern(&self, slot: usize, parcel: &Ident) -> TokenStream {
        let variant = format_ident!("S{slot}");
        match self.slots[slot].has_connection() {
            false => quote! { __Delivery::#variant(#parcel) },
            true => quote! { __Delivery::#variant(#parcel, connection) },
        }
    }

    pub(super) fn deliver(&self) -> TokenStream {
        let p = self.p;
        let (cells_type, delivery_type) = (self.generated("__Cells"), self.generated("__Delivery"));
        let (here, shared) = match self.has_ways() {
            true => (quote! { &**cells.ways.get_mut() }, quote! { Self::ways(cells) }),
            false => (quote! { () }, quote! { () }),
        };
        let here = self.delivery_arms(&Stage { step: "step_here", by: quote! { &mut }, ways: here });
        let shared = self.delivery_arms(&Stage { step: "step_shared", by: quote! { & }, ways: shared });
        let rest =
            [self.begins(), self.starts(), self.closing(), self.connection_of(), self.ways_functions()];
        quote! {
            #[inline]
            fn deliver<__L: #p::Lift<Self>>(
                cells: &mut #cells_type,
                delivery: #delivery_type,
                cx: &#p::Context,
                post: &mut #p::Post<Self>,
                mut lift: __L,
            ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<#delivery_type>>> {
                match delivery { #here }
            }

            fn deliver_shared<__L: #p::Lift<Self>>(
                cells: &#cells_type,
                delivery: #delivery_type,
                cx: &#p::Context,
                post: &mut #p::Post<Self>,
                mut lift: __L,
            ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<#delivery_type>>> {
                match delivery { #shared }
            }

            #(#rest)*
        }
    }

    fn delivery_arms(&self, stage: &Stage) -> TokenStream {
        let p = self.p;
        let Stage { step, by, ways } = stage;
        let step = Ident::new(step, proc_macro2::Span::call_site());
        let parcel = local("parcel");
        let own = self.reached().map(|(number, slot)| {
            let (routine, in_routine) = (slot.routine, slot.number);
            let (cell, alias) = (self.cell(routine), self.routine_type(routine));
            let (field, guarded, routed) =
                (format_ident!("s{number}"), self.ways_of(routine), self.routed(routine));
            let (before, route) = self.route(routine, ways.clone());
            let (pattern, wrap, slot_number) =
                (self.pattern(number, &parcel), self.wrap(number), number as u32);
            let contents = match slot.keeps() {
                false => quote! { #p::Nothing },
                true => quote! { #by cells.#field },
            };
            let run = quote! {
                #p::#step::<Self, #alias, #in_routine, #guarded, #routed>(
                    #by cells.#cell, #contents, #parcel, cx, #slot_number, #wrap, post, #route, lift,
                )
            };
            match before.is_empty() {
                true => quote! { #pattern => #run, },
                false => quote! { #pattern => { #before #run } },
            }
        });
        let flows = (0..self.inner.len()).map(|inner| self.inner_arm(inner, step == "step_shared", by, ways));
        let unused = self.unused_arm();
        quote! { #(#own)* #(#flows)* #unused }
    }

    /// How the `async` handlers are begun, if there are any.
    fn begins(&self) -> TokenStream {
        let p = self.p;
        let parcel = local("payload");
        let own = self.reached().filter(|(_, slot)| slot.port.waits).map(|(number, slot)| {
            let (routine, in_routine) = (slot.routine, slot.number);
            let (cell, alias, slot_number) = (self.cell(routine), self.routine_type(routine), number as u32);
            let (before, route) = self.route(routine, self.ways_of_cells());
            let moved = (!before.is_empty()).then(|| quote! { move });
            let (pattern, wrap) = (self.pattern(number, &parcel), self.wrap(number));
            quote! {
                #pattern => {
                    #before
                    ::core::result::Result::Ok(
                        #p::begin::<#alias, #in_routine, Self, _>(
                            &cells.#cell, #parcel, cx, #slot_number, #wrap, #moved #route,
                        ),
                    )
                }
            }
        });
        let flows = (0..self.inner.len())
            .filter(|inner| self.inner_waits(*inner))
            .map(|inner| self.inner_begin(inner));
        let arms: Vec<TokenStream> = own.chain(flows).collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        let (cells_type, delivery_type) = (self.generated("__Cells"), self.generated("__Delivery"));
        quote! {
            fn begin(
                cells: &#cells_type,
                delivery: #delivery_type,
                cx: #p::Context,
            ) -> ::core::result::Result<#p::Begun<Self>, #delivery_type> {
                match delivery { #(#arms)* other => ::core::result::Result::Err(other) }
            }
        }
    }

    /// What arms the sources that start by themselves.
    fn starts(&self) -> TokenStream {
        let p = self.p;
        let started = |role: Role| matches!(role, Role::Source { start: true });
        let own =
            self.slots.iter().enumerate().filter(|(_, slot)| started(slot.port.role)).map(|(number, _)| {
                let delivery = self.empty_delivery(number);
                quote! { post.send(#delivery); }
            });
        let flows = (0..self.inner.len()).map(|inner| {
            let (field, flow) = (format_ident!("i{inner}"), self.inner_type(inner));
            let variant = format_ident!("I{inner}");
            quote! {
                let mut inner = post.outbound.#field.take();
                <#flow as #p::Flow>::start(&mut inner);
                while let ::core::option::Option::Some(delivery) = inner.next_inner() {
                    post.send(__Delivery::#variant(delivery));
                }
                post.outbound.#field.put(inner);
            }
        });
        let started: Vec<TokenStream> = own.chain(flows).collect();
        if started.is_empty() {
            return TokenStream::new();
        }
        quote! { fn start(post: &mut #p::Post<Self>) { #(#started)* } }
    }

    /// Word to the slots that run when nothing more can come.
    fn closing(&self) -> TokenStream {
        let p = self.p;
        let own = self.reached().filter(|(_, slot)| slot.closes()).map(|(number, slot)| {
            let (alias, in_routine) = (self.routine_type(slot.routine), slot.number);
            let wrap = match slot.has_connection() {
                false => self.wrap(number),
                true => {
                    let variant = format_ident!("S{number}");
                    quote! { |parcel| __Delivery::#variant(parcel, 0) }
                }
            };
            quote! { #number => #p::closing::<#alias, #in_routine>().map(#wrap), }
        });
        let flows = self.inner_slot_arms(|inner, flow, slot| {
            let variant = format_ident!("I{inner}");
            quote! { <#flow as #p::Flow>::closing(#slot).map(__Delivery::#variant) }
        });
        let arms: Vec<TokenStream> = own.chain(flows).collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        let delivery_type = self.generated("__Delivery");
        quote! {
            fn closing(slot: usize) -> ::core::option::Option<#delivery_type> {
                match slot { #(#arms)* _ => ::core::option::Option::None }
            }
        }
    }

    /// Over which of its slot's connections a delivery came.
    fn connection_of(&self) -> TokenStream {
        let p = self.p;
        let own = self.reached().filter_map(|(number, slot)| {
            let variant = format_ident!("S{number}");
            match (slot.gathers(), slot.has_connection()) {
                (true, _) => Some(quote! { __Delivery::#variant(arrival) => arrival.connection(), }),
                (false, true) => Some(quote! { __Delivery::#variant(_, connection) => *connection, }),
                (false, false) => None,
            }
        });
        let flows = (0..self.inner.len()).map(|inner| {
            let (variant, flow) = (format_ident!("I{inner}"), self.inner_type(inner));
            quote! { __Delivery::#variant(delivery) => <#flow as #p::Flow>::connection_of(delivery), }
        });
        let arms: Vec<TokenStream> = own.chain(flows).collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        let delivery_type = self.generated("__Delivery");
        quote! {
            fn connection_of(delivery: &#delivery_type) -> u16 {
                match delivery { #(#arms)* _ => 0 }
            }
        }
    }
}

/// One of the two ways that a delivery is run: by a thread that has the job to itself, and next to others.
struct Stage {
    step: &'static str,
    by: TokenStream,
    ways: TokenStream,
}
