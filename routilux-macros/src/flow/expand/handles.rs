//! The handles for inputs and outputs: one method for each. What an input does is a function, because a flow around this one
//! sends to it too.

use super::ends::Begin;
use super::{Flow, local};
use crate::routine::plain;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

impl Flow<'_> {
    /// Whether what is sent to an input needs the flow's ways. Plain ways need nothing.
    pub(super) fn input_needs_ways(&self, input: usize) -> bool {
        let mut connections = self.connections_from(Begin::Input(input)).into_iter();
        self.has_ways() && connections.any(|connection| self.is_operated(connection))
    }

    fn input_function(&self, input: usize) -> TokenStream {
        let p = self.p;
        let (post, value) = (local("__post"), local("__value"));
        let (flow, payload) = (self.own_type(), self.input_type(input));
        let ways = self.input_needs_ways(input).then(|| {
            let (ways, ways_type) = (self.ways_here(), self.ways_type());
            quote! { #ways: &#ways_type, }
        });
        let (decl, clause) = (&self.generics.decl, &self.generics.clause);
        let function = format_ident!("__in{input}");
        let place = self.model.inputs[input].name.span();
        let sends = self.sends(
            &self.connections_from(Begin::Input(input)),
            Begin::Input(input),
            &value,
            &post,
            place,
        );
        quote! {
            #[inline]
            fn #function #decl(
                #value: #payload, #ways #post: &mut #p::Post<#flow>,
            ) -> ::core::result::Result<(), #p::Fault> #clause {
                #sends
                ::core::result::Result::Ok(())
            }
        }
    }

    pub(super) fn handles(&self) -> TokenStream {
        let p = self.p;
        let flow = self.own_type();
        let (inputs, outputs) = (self.inputs_name(), self.outputs_name());
        let numbers = 0..self.model.inputs.len();
        let functions = numbers.clone().map(|input| self.input_function(input));
        let input_methods = numbers.map(|input| {
            let (name, function) = (&self.model.inputs[input].name, format_ident!("__in{input}"));
            let (value, payload) = (local("__value"), self.input_type(input));
            let text = plain(name);
            let doc = format!(
                "Sends to the input `{text}`.\n\n# Errors\n`Error::State` once the inputs are closed."
            );
            let ways = self.input_needs_ways(input).then(|| quote! { &<#flow as #p::Flow>::ways(cells), });
            quote! {
                #[doc = #doc]
                #[inline]
                pub fn #name(&mut self, #value: #payload) -> <__E as #p::Entry<#flow>>::Sent<#payload> {
                    #p::Entry::<#flow>::accept(&mut self.0, #text, #value, |value, cells, post| {
                        #function(value, #ways post)
                    })
                }
            }
        });
        let output_methods = self.outputs.iter().enumerate().map(|(number, output)| {
            let name = &self.model.outputs[*output].name;
            let (field, payload) = (format_ident!("o{number}"), self.output_type(*output));
            let doc = format!("Takes what came out at `{}`, in order. What is not taken stays.", plain(name));
            quote! {
                #[doc = #doc]
                pub fn #name(self) -> <__X as #p::Exit<#flow>>::Output<#payload> {
                    #p::Exit::<#flow>::take(self.0, |outbound| &mut outbound.#field)
                }
            }
        });
        let live_methods = self.live_outputs.iter().enumerate().map(|(number, output)| {
            let name = &self.model.outputs[*output].name;
            let (field, payload) = (format_ident!("l{number}"), self.output_type(*output));
            let doc = format!(
                "Receives what leaves live at `{}` from now on, while the job runs, in whichever thread.",
                plain(name)
            );
            quote! {
                #[doc = #doc]
                pub fn #name(self) -> #p::LiveOutput<#payload> {
                    #p::Exit::<#flow>::live(self.0, |cells| &cells.#field)
                }
            }
        });
        let (params, args, clause) =
            (&self.generics.listed, &self.generics.listed_args, &self.generics.clause);
        let (phantom, made_phantom) = (self.generics.phantom_field(), self.generics.phantom_value());
        let predicates = &self.generics.predicates;
        let wheres = (!predicates.is_empty()).then(|| quote! { where #(#predicates,)* });
        let clone = match self.generics.is_empty() {
            true => (quote! { #[derive(::core::clone::Clone)] }, TokenStream::new()),
            false => (
                TokenStream::new(),
                quote! {
                    impl<__E: ::core::clone::Clone, #(#params),*> ::core::clone::Clone for #inputs<__E, #(#args),*> #clause {
                        fn clone(&self) -> Self { #inputs(::core::clone::Clone::clone(&self.0) #made_phantom) }
                    }
                },
            ),
        };
        let (derived, cloned) = clone;
        quote! {
            #(#functions)*

            #derived
            pub struct #inputs<__E #(, #params)*>(__E #phantom) #wheres;
            #cloned
            impl<__E: #p::Entry<#flow> #(, #params)*> #inputs<__E #(, #args)*> #clause {
                #(#input_methods)*

                /// The same inputs, but what would have to wait for room comes back.
                pub fn try_send(&mut self) -> #inputs<#p::Trying<'_, __E> #(, #args)*> {
                    #inputs(#p::Trying(&mut self.0) #made_phantom)
                }
            }
            pub struct #outputs<__X #(, #params)*>(__X #phantom) #wheres;
            impl<__X: #p::Exit<#flow> #(, #params)*> #outputs<__X #(, #args)*> #clause {
                #(#output_methods)* #(#live_methods)*
            }
        }
    }
}
