//! What leaves a flow: what waits at its outputs, and its result, which is in the report. A flow in it leaves what it has sent
//! until the step takes it on.

use super::super::model::{By, Typed};
use super::ends::Begin;
use super::{Flow, SlotAt};
use crate::bounds;
use crate::diagnostic::at;
use crate::routine::plain;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

impl Flow<'_> {
    pub(super) fn outbound_struct(&self) -> TokenStream {
        let p = self.p;
        let fields: Vec<Ident> = (0..self.outputs.len()).map(|number| format_ident!("o{number}")).collect();
        let types: Vec<TokenStream> = self.outputs.iter().map(|output| self.output_type(*output)).collect();
        // Where an output's type is no payload, the error stands at the output.
        let made = self.outputs.iter().zip(&types).map(|(output, ty)| {
            let output = &self.model.outputs[*output];
            let codec = self.codec(&self.asked_as(output, ty), self.asked_at(output));
            quote! { #p::Outlet::new({ #codec }) }
        });
        let (result, made_result) = match self.result_type().zip(self.model.result.as_ref()) {
            None => (TokenStream::new(), TokenStream::new()),
            Some((payload, result)) => {
                let codec = self.codec(&payload, result.name.span());
                (
                    quote! { result: #p::ResultSlot<#payload>, },
                    quote! { result: #p::ResultSlot::new({ #codec }), },
                )
            }
        };
        let inner: Vec<Ident> = (0..self.inner.len()).map(|inner| format_ident!("i{inner}")).collect();
        let flows = (0..self.inner.len()).map(|inner| self.inner_type(inner));
        let (phantom, made_phantom) = self.generics.phantom();
        let (decl, clause, outbound) =
            (&self.generics.decl, &self.generics.clause, self.generated("__Outbound"));
        quote! {
            pub struct __Outbound #decl #clause {
                #(#fields: #p::Outlet<#types>,)* #result #(#inner: #p::Scratch<#flows>,)* #phantom
            }

            impl #decl ::core::default::Default for #outbound #clause {
                fn default() -> Self {
                    Self {
                        #(#fields: #made,)* #made_result
                        #(#inner: ::core::default::Default::default(),)* #made_phantom
                    }
                }
            }
        }
    }

    /// What begins the connection that an output has its type from.
    fn typed_at(&self, output: &Typed) -> Option<Begin> {
        match (&output.ty, output.typed_by) {
            (None, Some(By::Connection(connection))) => Some(self.begin(connection)),
            _ => None,
        }
    }

    /// The payload's type as it is asked for. Of a failure it is told at its slot that the payload cannot be saved.
    fn asked_as(&self, output: &Typed, ty: &TokenStream) -> TokenStream {
        let p = self.p;
        let Some(Begin::Error(slot)) = self.typed_at(output) else { return ty.clone() };
        let SlotAt { routine, number, .. } = &self.slots[slot];
        // A constant has no type parameters in it.
        if !bounds::arguments(&self.model.routines[*routine].path).is_empty() {
            return ty.clone();
        }
        let routine = self.routine_type(*routine);
        quote! { <#p::Asked<{ <#routine as #p::SlotPort<#number>>::SAVED }> as #p::Sound<#ty>>::Routine }
    }

    /// Where the payload of an output is asked for: where an event goes to several, at the first. Errors that are alike are one for the
    /// compiler.
    fn asked_at(&self, output: &Typed) -> Span {
        let mut outputs = self.outputs.iter().map(|output| &self.model.outputs[*output]);
        let first = outputs
            .find(|first| self.typed_at(first).is_some() && self.typed_at(first) == self.typed_at(output));
        first.unwrap_or(output).name.span()
    }

    /// What saves a payload; if it is none, the error stands at `place`.
    fn codec(&self, payload: &TokenStream, place: Span) -> TokenStream {
        let p = self.p;
        let saves = Ident::new("__Saves", place);
        let (alias, name) = self.generics.alias("__Payload", place, payload);
        let codec = at(place, quote! { <#name as #saves>::codec() });
        quote! { #alias use #p::Saves as #saves; #codec }
    }

    /// A report with the result in it. Not a type parameter of the flow: that would make a private routine's payload
    /// part of a public interface.
    pub(super) fn report_struct(&self) -> TokenStream {
        let p = self.p;
        let Some(payload) = self.result_type() else { return TokenStream::new() };
        let name = self.report_name();
        let doc = format!("What a run of `{}` came to.", plain(&self.header.name));
        let (decl, clause, report) = (&self.generics.decl, &self.generics.clause, self.named(&name));
        let (phantom, made_phantom) = self.generics.phantom();
        quote! {
            #[doc = #doc]
            #[must_use = "a report says whether the job completed, and holds its result"]
            pub struct #name #decl #clause {
                report: #p::Report,
                result: ::core::option::Option<::std::sync::Arc<#payload>>,
                #phantom
            }

            impl #decl #report #clause {
                /// The first value that came to `return`.
                ///
                /// # Errors
                /// `Error::NoResult`, with what still waits, if none came.
                pub fn result(&self) -> #p::Result<&#payload> {
                    #p::result_in(&self.report, &self.result)
                }
            }

            impl #decl ::core::fmt::Debug for #report #clause {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Debug::fmt(&self.report, f)
                }
            }

            impl #decl ::core::clone::Clone for #report #clause {
                fn clone(&self) -> Self {
                    Self { report: self.report.clone(), result: self.result.clone(), #made_phantom }
                }
            }

            impl #decl ::core::ops::Deref for #report #clause {
                type Target = #p::Report;
                fn deref(&self) -> &#p::Report { &self.report }
            }
        }
    }

    /// The report's type, and the functions about the result.
    pub(super) fn result(&self) -> (TokenStream, TokenStream) {
        let p = self.p;
        let outbound = self.generated("__Outbound");
        if self.result_type().is_none() {
            let functions = quote! {
                fn __result(_: &#outbound) -> ::core::option::Option<&dyn #p::SavedResult> { ::core::option::Option::None }
                fn __result_mut(_: &mut #outbound) -> ::core::option::Option<&mut dyn #p::SavedResult> {
                    ::core::option::Option::None
                }
                fn __report(_: &#outbound, report: #p::Report) -> #p::Report { report }
            };
            return (quote! { #p::Report }, functions);
        }
        let name = self.report_name();
        let (_, made_phantom) = self.generics.phantom();
        let functions = quote! {
            fn __result(outbound: &#outbound) -> ::core::option::Option<&dyn #p::SavedResult> {
                ::core::option::Option::Some(&outbound.result)
            }
            fn __result_mut(outbound: &mut #outbound) -> ::core::option::Option<&mut dyn #p::SavedResult> {
                ::core::option::Option::Some(&mut outbound.result)
            }
            fn __report(outbound: &#outbound, report: #p::Report) -> Self::Report {
                #name { report, result: outbound.result.share(), #made_phantom }
            }
        };
        (self.named(&name), functions)
    }
}
