//! The routine's ports as fields, for the flows that an editor looks at: see `editor` of the crate routilux. The fields have
//! the names and docs of the functions, so that an editor finds the one from the other.

use super::Routine;
use super::join::speaks_of;
use super::port::input_types;
use crate::routine::model::{Event, Handler, Kind, Model, input_name, plain};
use crate::routine::parse::Item;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::Attribute;

impl Routine<'_> {
    pub(super) fn editor(&self, model: &Model) -> TokenStream {
        let p = self.p;
        let self_type = &self.parsed.self_type;
        let generics = &self.parsed.generics;
        let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
        let name = plain(self.name);
        let of = |what: &str| format_ident!("{what}Of{name}", span = Span::call_site());
        let (events, slots) = (of("Events"), of("Slots"));
        let event_fields = model.events.iter().map(|Event { name, docs, .. }| (name, docs.clone()));
        let event_types = model.events.iter().map(Event::payload);
        let event_fields = event_fields.zip(event_types).map(|((name, docs), ty)| {
            quote! { #(#docs)* pub #name: #ty, }
        });
        // What leaves a handler beside events: its failures, and what a join has found no partner for.
        let mut besides = Vec::new();
        let mut beside_fields = Vec::new();
        for (number, handler) in model.handlers.iter().enumerate() {
            let Some(leaving) = self.leaving(number, handler) else { continue };
            let unused = self.unused(&leaving);
            let (besides_of, name) = (of(&format!("Besides{number}")), &handler.name);
            beside_fields.push(quote! {
                /// What leaves it beside events.
                pub #name: #besides_of #ty_generics,
            });
            besides.push(quote! {
                pub struct #besides_of #generics #where_clause { #leaving #unused }
            });
        }
        let mut fallible = model.handlers.iter().filter(|handler| handler.is_fallible());
        let error = match (fallible.next(), fallible.next()) {
            (Some(one), None) => Some(self.error(one)),
            _ => None,
        };
        let mut inputs = Vec::new();
        let slot_fields = model.handlers.iter().enumerate().map(|(number, handler)| {
            let (name, docs) = (&handler.name, self.docs(&handler.name));
            let ty = match &handler.kind {
                Kind::Slot { .. } => handler.payload(),
                Kind::Source { .. } => quote! { #p::editor::Source },
                Kind::Finish => quote! { #p::editor::Finish },
                Kind::Join { inputs: names, .. } => {
                    let inputs_of = of(&format!("Inputs{number}"));
                    let names = names.iter().map(|name| match name.to_string().starts_with("r#") {
                        true => name.clone(),
                        false => Ident::new(&input_name(name), name.span()),
                    });
                    let types = input_types(handler);
                    let fields = quote! { #(pub #names: #types,)* };
                    let unused = self.unused(&fields);
                    inputs.push(quote! { pub struct #inputs_of #generics #where_clause { #fields #unused } });
                    quote! { #inputs_of #ty_generics }
                }
            };
            quote! { #(#docs)* pub #name: #ty, }
        });
        let slot_fields: TokenStream = slot_fields.collect();
        let event_fields = quote! { #(#event_fields)* #(#beside_fields)* #error };
        let (events_unused, slots_unused) = (self.unused(&event_fields), self.unused(&slot_fields));
        quote! {
            #[allow(warnings, clippy::all, clippy::pedantic)]
            const _: () = {
                pub struct #events #generics #where_clause { #event_fields #events_unused }
                pub struct #slots #generics #where_clause { #slot_fields #slots_unused }
                #(#besides)*
                #(#inputs)*
                impl #impl_generics #p::editor::Named for #self_type #where_clause {
                    type Configuration = <Self as #p::Fields>::Configuration;
                    type Events = #events #ty_generics;
                    type Slots = #slots #ty_generics;
                }
            };
        }
    }

    fn leaving(&self, number: usize, handler: &Handler) -> Option<TokenStream> {
        let error = handler.is_fallible().then(|| self.error(handler));
        let unpaired = (handler.within() > 0).then(|| {
            let ty = self.parts_type(number, handler);
            quote! {
                /// What has found no partner in time.
                pub unpaired: #ty,
            }
        });
        (error.is_some() || unpaired.is_some()).then(|| quote! { #error #unpaired })
    }

    /// A field for the type parameters, if the others do not speak of all of them: it is one that is no port.
    fn unused(&self, fields: &TokenStream) -> Option<TokenStream> {
        let mut params = self.parsed.generics.type_params();
        let used = params.all(|param| speaks_of(fields.clone(), &param.ident));
        let (private, marker) = (Ident::new("__routilux", Span::call_site()), self.marker());
        (!used).then(|| quote! { #private: #marker })
    }

    fn error(&self, handler: &Handler) -> TokenStream {
        let (p, payload) = (self.p, handler.payload());
        quote! {
            /// What has failed for good.
            pub error: #p::Failure<#payload>,
        }
    }

    /// Of the user's function of that name.
    fn docs(&self, name: &Ident) -> Vec<&Attribute> {
        let functions = self.parsed.items.iter().filter_map(|item| match item {
            Item::Function(function) if function.signature.ident == *name => Some(function),
            _ => None,
        });
        let attrs = functions.flat_map(|function| &function.attrs);
        attrs.filter(|attr| attr.path().is_ident("doc")).collect()
    }
}
