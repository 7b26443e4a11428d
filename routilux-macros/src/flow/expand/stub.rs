//! What stands for a flow with mistakes in it.

use super::super::model::Model;
use super::super::parse::Header;
use super::generics::Generics;
use super::{inputs_name, outputs_name, report_name};
use crate::routine::plain;
use proc_macro2::{Ident, TokenStream};
use quote::quote;

/// After an error: the flow's name, inputs and outputs stay, so that their users have no errors of their own.
///
/// `wrong` is a value that the compiler knows to be wrong. With it in their types, the values of the ports are so too, and
/// nothing that is done with them is an error.
pub(crate) fn stub(
    p: &TokenStream,
    header: &Header,
    model: &Model,
    wrong: Option<&TokenStream>,
) -> TokenStream {
    let (inputs, outputs, report) = (inputs_name(header), outputs_name(header), report_name(header));
    let mut input_names: Vec<&Ident> = model.inputs.iter().map(|input| &input.name).collect();
    add(&mut input_names, &model.mentions.inputs, &[]);
    let (live, ordinary): (Vec<_>, Vec<_>) =
        model.outputs.iter().partition(|output| model.leads_live(output.first));
    let [mut output_names, live_names] = [ordinary, live]
        .map(|outputs| outputs.into_iter().map(|output| &output.name).collect::<Vec<&Ident>>());
    add(&mut output_names, &model.mentions.outputs, &live_names);
    let text = plain(&header.name);
    let (any, taken, sent) = match wrong {
        Some(_) => {
            let wrong = quote! { #p::Asked<{ __WRONG }> };
            (None, wrong.clone(), wrong)
        }
        None => (Some(quote! { <__Any> }), quote! { __Any }, quote! { #p::Stub }),
    };
    let generics = Generics::of(&header.generics);
    let Generics { decl, listed, args, listed_args, clause, predicates, .. } = &generics;
    let name = &header.name;
    let name = quote! { #name #args };
    let wrong = wrong.map(|wrong| {
        quote! {
            const __WRONG: usize = #wrong;
            impl #decl #p::Wrong for #name #clause {
                const MISTAKES: usize = __WRONG;
            }
        }
    });
    let (phantom, made_phantom) = (generics.phantom_field(), generics.phantom_value());
    let wheres = (!predicates.is_empty()).then(|| quote! { where #(#predicates,)* });
    quote! {
        #[doc(hidden)]
        #[allow(unused_variables, dead_code, unreachable_code, unreachable_pub, missing_docs, clippy::all)]
        const _: () = {
            #wrong
            pub struct #inputs<__E #(, #listed)*>(__E #phantom) #wheres;
            impl<__E: #p::Entry<#name> #(, #listed)*> #inputs<__E #(, #listed_args)*> #clause {
                #(pub fn #input_names #any(&mut self, value: #taken) -> __E::Sent<#taken> { ::core::unreachable!() })*
                pub fn try_send(&mut self) -> #inputs<#p::Trying<'_, __E> #(, #listed_args)*> { ::core::unreachable!() }
            }
            #[must_use]
            #[derive(::core::fmt::Debug, ::core::clone::Clone)]
            pub struct #report(#p::Report);
            impl #report {
                pub fn result(&self) -> #p::Result<&#sent> { ::core::unreachable!() }
            }
            impl ::core::ops::Deref for #report {
                type Target = #p::Report;
                fn deref(&self) -> &#p::Report { &self.0 }
            }
            pub struct #outputs<__X #(, #listed)*>(__X #phantom) #wheres;
            impl<__X: #p::Exit<#name> #(, #listed)*> #outputs<__X #(, #listed_args)*> #clause {
                #(pub fn #output_names(self) -> __X::Output<#sent> { ::core::unreachable!() })*
                #(pub fn #live_names(self) -> #p::LiveOutput<#sent> { ::core::unreachable!() })*
            }
            impl #decl #p::Flow for #name #clause {
                type Report = #report;
                type Inputs<__E: #p::Entry<Self>> = #inputs<__E #(, #listed_args)*>;
                type Outputs<__X: #p::Exit<Self>> = #outputs<__X #(, #listed_args)*>;
                type Cells = ();
                type Delivery = ();
                type Outbound = ();
                type Ways = ();
                const NAME: &'static str = #text;
                const SLOT_COUNT: usize = 0;
                const OPERATES: bool = false;
                fn shaped(_: &mut #p::Within<'_>) { ::core::unreachable!() }
                fn graph() -> #p::Graph { ::core::unreachable!() }
                fn cells(&self) { ::core::unreachable!() }
                fn inputs<__E: #p::Entry<Self>>(entry: __E) -> Self::Inputs<__E> { #inputs(entry #made_phantom) }
                fn outputs<__X: #p::Exit<Self>>(exit: __X) -> Self::Outputs<__X> { #outputs(exit #made_phantom) }
                fn ways(_: &()) -> ::std::sync::Arc<()> { ::core::unreachable!() }
                fn reconfigure(_: &(), _: ()) { ::core::unreachable!() }
                fn has_output(_: &()) -> bool { ::core::unreachable!() }
                fn merge_outbound(_: &mut (), _: &mut ()) { ::core::unreachable!() }
                fn deliver_shared<__L: #p::Lift<Self>>(
                    _: &(), _: (), _: &#p::Context, _: &mut #p::Post<Self>, _: __L,
                ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<()>>> { ::core::unreachable!() }
                fn deliver<__L: #p::Lift<Self>>(
                    _: &mut (), _: (), _: &#p::Context, _: &mut #p::Post<Self>, _: __L,
                ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<()>>> { ::core::unreachable!() }
                fn slot_of(_: &()) -> usize { ::core::unreachable!() }
                fn save_delivery(_: &()) -> ::core::result::Result<#p::Value, #p::ValueError> { ::core::unreachable!() }
                fn load_delivery(_: usize, _: #p::Value) -> ::core::result::Result<(), #p::ValueError> { ::core::unreachable!() }
                fn routines(_: &()) -> ::std::vec::Vec<&dyn #p::Saved> { ::core::unreachable!() }
                fn routines_mut(_: &mut ()) -> ::std::vec::Vec<&mut dyn #p::Saved> { ::core::unreachable!() }
                fn save_contents(_: &(), _: usize) -> ::core::result::Result<#p::Value, #p::ValueError> { ::core::unreachable!() }
                fn load_contents(_: &mut (), _: usize, _: #p::Value) -> ::core::result::Result<(), #p::ValueError> { ::core::unreachable!() }
                fn __result(_: &()) -> ::core::option::Option<&dyn #p::SavedResult> { ::core::unreachable!() }
                fn __result_mut(_: &mut ()) -> ::core::option::Option<&mut dyn #p::SavedResult> { ::core::unreachable!() }
                fn __report(_: &(), _: #p::Report) -> Self::Report { ::core::unreachable!() }
                fn outbound(_: &()) -> ::std::vec::Vec<(&'static str, &dyn #p::Saved)> { ::core::unreachable!() }
                fn outbound_mut(_: &mut ()) -> ::std::vec::Vec<(&'static str, &mut dyn #p::Saved)> { ::core::unreachable!() }
            }
            impl #decl #p::Threaded for #name #clause {}
        };
    }
}

/// Adds the names that statements speak of which could not be read.
fn add<'m>(names: &mut Vec<&'m Ident>, mentioned: &'m [Ident], others: &[&Ident]) {
    for name in mentioned {
        let is_same = |known: &&Ident| plain(known) == plain(name);
        if !names.iter().any(is_same) && !others.iter().any(is_same) {
            names.push(name);
        }
    }
}
