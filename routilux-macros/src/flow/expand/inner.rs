//! Flows in a flow: how their deliveries are run, how what comes out of them goes on, and what a flow offers to be one of
//! them itself.

use super::ends::{Begin, Pinned};
use super::{Flow, Node, local};
use crate::routine::plain;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

impl Flow<'_> {
    /// Whether there are `async` handlers in a flow.
    pub(super) fn inner_waits(&self, inner: usize) -> bool {
        self.model.waits[self.inner[inner]]
    }

    /// The arms of a `match` over the numbers of slots, for those of the flows. `body` is given the flow's number, its type and
    /// the number of the slot in it.
    pub(super) fn inner_slot_arms<'s>(
        &'s self,
        body: impl Fn(usize, &TokenStream, &TokenStream) -> TokenStream + 's,
    ) -> impl Iterator<Item = TokenStream> + 's {
        (0..self.inner.len()).map(move |inner| {
            let (flow, offset) = (self.inner_type(inner), self.offset(inner));
            let end = self.offset(inner + 1);
            let slot = quote! { (slot - #offset) };
            let body = body(inner, &flow, &slot);
            quote! { slot if slot >= #offset && slot < #end => { #body } }
        })
    }

    /// Runs a delivery of a flow, and takes what comes of it before the step has ended.
    pub(super) fn inner_arm(
        &self,
        inner: usize,
        is_shared: bool,
        by: &TokenStream,
        ways: &TokenStream,
    ) -> TokenStream {
        let p = self.p;
        let (field, variant, lift) =
            (format_ident!("i{inner}"), format_ident!("I{inner}"), format_ident!("__lift{inner}"));
        let (flow, offset) = (self.inner_type(inner), self.offset(inner));
        let deliver = match is_shared {
            false => quote! { deliver },
            true => quote! { deliver_shared },
        };
        quote! {
            __Delivery::#variant(delivery) => {
                let __ways = #ways;
                let mut scratch = post.outbound.#field.take();
                let delivered = <#flow as #p::Flow>::#deliver(
                    #by cells.#field, delivery, cx, &mut scratch,
                    |scratch: &mut #p::Post<#flow>| {
                        #lift(scratch, &__ways, post)?;
                        lift.lift(post)
                    },
                );
                let delivered = match delivered {
                    ::core::result::Result::Ok(done) => {
                        // What is counted after the step.
                        #p::lifted(&mut scratch, post, #offset as u32, __Delivery::#variant);
                        post.outbound.#field.put(scratch);
                        ::core::result::Result::Ok(done.within(#offset as u32))
                    }
                    ::core::result::Result::Err(undelivered) => {
                        scratch.undo();
                        ::core::result::Result::Err(::std::boxed::Box::new(
                            undelivered.within(#offset as u32, __Delivery::#variant),
                        ))
                    }
                };
                delivered
            }
        }
    }

    pub(super) fn inner_begin(&self, inner: usize) -> TokenStream {
        let p = self.p;
        let (field, variant, lift) =
            (format_ident!("i{inner}"), format_ident!("I{inner}"), format_ident!("__lift{inner}"));
        let (flow, offset) = (self.inner_type(inner), self.offset(inner));
        quote! {
            __Delivery::#variant(delivery) => match <#flow as #p::Flow>::begin(&cells.#field, delivery, cx) {
                ::core::result::Result::Ok(begun) => {
                    let __ways = Self::ways(cells);
                    ::core::result::Result::Ok(begun.within(
                        #offset as u32,
                        __Delivery::#variant,
                        move |scratch: &mut #p::Post<#flow>, post: &mut #p::Post<Self>| #lift(scratch, &__ways, post),
                    ))
                }
                ::core::result::Result::Err(delivery) => {
                    ::core::result::Result::Err(__Delivery::#variant(delivery))
                }
            },
        }
    }

    /// The statement that sends a value into a flow.
    pub(super) fn enter(&self, inner: usize, input: usize, value: TokenStream, post: &Ident) -> TokenStream {
        let p = self.p;
        let (field, lift) = (format_ident!("i{inner}"), format_ident!("__lift{inner}"));
        let (flow, ways) = (self.inner_type(inner), self.ways_here());
        let scratch = local("__scratch");
        quote! {
            let mut #scratch = #post.outbound.#field.take();
            let entered = <#flow as #p::InPort<#input>>::enter(&#ways.#field, #value, &mut #scratch);
            let entered = entered.and_then(|()| #lift(&mut #scratch, #ways, #post));
            if let ::core::result::Result::Err(fault) = entered {
                #scratch.undo();
                return ::core::result::Result::Err(fault);
            }
            #post.outbound.#field.put(#scratch);
        }
    }

    /// One function for each flow: takes what it has sent, and sends on what came out of it.
    pub(super) fn lifts(&self) -> TokenStream {
        (0..self.inner.len()).map(|inner| self.lift(inner)).collect()
    }

    fn lift(&self, inner: usize) -> TokenStream {
        let p = self.p;
        let (lift, variant) = (format_ident!("__lift{inner}"), format_ident!("I{inner}"));
        let (flow, own, offset) = (self.inner_type(inner), self.own_type(), self.offset(inner));
        let (decl, clause, ways_type) = (&self.generics.decl, &self.generics.clause, self.ways_reference());
        let (scratch, ways, post, value) =
            (local("__scratch"), self.ways_here(), local("__post"), local("__value"));
        let events = self.model.graph.routines[self.inner[inner]].events.iter().enumerate();
        let outs = events.filter(|(_, event)| !event.live).map(|(e, _)| {
            let connections = self.connections_from(Begin::Out(inner, e));
            let sends = match connections.first() {
                None => TokenStream::new(),
                Some(&first) => {
                    self.sends(&connections, Begin::Out(inner, e), &value, &post, self.place_of(first))
                }
            };
            quote! {
                while let ::core::option::Option::Some(#value) =
                    <#flow as #p::OutPort<#e>>::next(&mut #scratch.outbound)
                {
                    #sends
                }
            }
        });
        quote! {
            fn #lift #decl(
                #scratch: &mut #p::Post<#flow>,
                #ways: #ways_type,
                #post: &mut #p::Post<#own>,
            ) -> ::core::result::Result<(), #p::Fault> #clause {
                while let ::core::option::Option::Some(delivery) = #scratch.next_inner() {
                    #post.send(__Delivery::#variant(delivery));
                }
                #(#outs)*
                #scratch.lift_rest(#post, #offset as u32, __Delivery::#variant, |scratch, post| #lift(scratch, #ways, post))
            }
        }
    }

    /// What a flow has to offer to be an instance in another one: its inputs and its outputs by number.
    pub(super) fn flow_ports(&self) -> TokenStream {
        let names = self.model.graph.inputs();
        let inputs = names.iter().enumerate().filter_map(|(k, name)| {
            let input = self.model.inputs.iter().position(|input| plain(&input.name) == *name)?;
            let (p, ways_type, function) = (self.p, self.ways_type(), format_ident!("__in{input}"));
            let given = self.input_needs_ways(input).then(|| quote! { ways, });
            let enter = quote! {
                fn enter(
                    ways: &#ways_type, value: Self::Payload, post: &mut #p::Post<Self>,
                ) -> ::core::result::Result<(), #p::Fault> {
                    #function(value, #given post)
                }
            };
            Some(self.flow_port(Pinned::Input(input), quote! { #p::InPort<#k> }, enter))
        });
        let names = self.model.graph.outputs();
        let outputs = names.iter().enumerate().filter_map(|(k, name)| {
            let p = self.p;
            let output = self.model.outputs.iter().position(|output| plain(&output.name) == *name);
            let live = output.and_then(|output| self.live_outputs.iter().position(|live| *live == output));
            if let (Some(output), Some(live)) = (output, live) {
                let (cells_type, field) = (self.generated("__Cells"), format_ident!("l{live}"));
                let outlet = quote! {
                    fn outlet(cells: &#cells_type) -> &#p::LiveOutlet<Self::Payload> { &cells.#field }
                };
                return Some(self.flow_port(Pinned::Output(output), quote! { #p::LiveOutPort<#k> }, outlet));
            }
            let (port, field) = match output {
                Some(output) => {
                    let number = self.outputs.iter().position(|known| *known == output)?;
                    (Pinned::Output(output), format_ident!("o{number}"))
                }
                None => (Pinned::Result, format_ident!("result")),
            };
            let outbound_type = self.generated("__Outbound");
            let next = quote! {
                fn next(outbound: &mut #outbound_type) -> ::core::option::Option<Self::Payload> {
                    outbound.#field.pop()
                }
            };
            Some(self.flow_port(port, quote! { #p::OutPort<#k> }, next))
        });
        quote! { #(#inputs)* #(#outputs)* }
    }

    pub(super) fn flow_port(&self, port: Pinned, of: TokenStream, function: TokenStream) -> TokenStream {
        let payload = Ident::new("__Payload", Span::call_site());
        let (flow, (bound, ty)) = (self.own_type(), self.pinned(port, &payload));
        let (params, predicates) = (&self.generics.listed, &self.generics.predicates);
        // Nothing is to be pinned where the type is written.
        let (payload, bound) = match bound.is_empty() {
            true => (None, None),
            false => (Some(quote! { #payload: 'static, }), Some(quote! { #bound, })),
        };
        quote! {
            #[automatically_derived]
            impl<#payload #(#params),*> #of for #flow where #bound #(#predicates,)* {
                type Payload = #ty;
                #function
            }
        }
    }

    /// Its parameters as a struct of its own name, as an instance gives them: the compiler's messages about one that is missing,
    /// unknown or mistyped are in the user's words.
    pub(super) fn given(&self) -> TokenStream {
        let p = self.p;
        let name = &self.header.name;
        let (decl, args, clause) = (&self.generics.decl, &self.generics.args, &self.generics.clause);
        let own = self.own_type();
        let (outer, outer_type) = self.generics.alias("__RoutiluxOuter", Span::call_site(), &own);
        let names: Vec<&Ident> = self.header.params.iter().map(|param| &param.name).collect();
        let types: Vec<&syn::Type> = self.header.params.iter().map(|param| &param.ty).collect();
        // That of a generic flow has the types as parameters, so that each is used.
        let fields: Vec<Ident> = (0..names.len()).map(|number| format_ident!("__F{number}")).collect();
        let (declared, parameters) = match args.is_empty() {
            true => (quote! { pub struct #name { #(pub #names: #types,)* } }, quote! { #name }),
            false => (
                quote! { pub struct #name<#(#fields),*> { #(pub #names: #fields,)* } },
                quote! { #name<#(#types),*> },
            ),
        };
        quote! {
            #outer
            const _: () = {
                #declared

                #[automatically_derived]
                impl #decl #p::Given for #outer_type #clause {
                    type Parameters = #parameters;
                    fn given(parameters: Self::Parameters) -> Self {
                        Self::new(#(parameters.#names),*)
                    }
                }
            };
        }
    }

    /// The flow's number, where a routine of the graph is one.
    pub(super) fn as_inner(&self, routine: usize) -> Option<usize> {
        match self.nodes[routine] {
            Node::Inner(inner) => Some(inner),
            Node::Own(_) => None,
        }
    }
}
