//! The flow as data.

use super::Flow;
use crate::routine::plain;
use proc_macro2::TokenStream;
use quote::quote;
use routilux_graph::{Port, Source, Subject, Target};

impl Flow<'_> {
    pub(super) fn graph(&self) -> TokenStream {
        let p = self.p;
        let name = plain(&self.header.name);
        let text = |text: &str| quote! { ::std::string::String::from(#text) };
        let routines = self.model.graph.routines.iter().enumerate().map(|(number, routine)| {
            let (id, alias) = (&routine.id, self.routine_type(number));
            match self.as_inner(number) {
                None => quote! { #p::routine::<#alias>(#id) },
                Some(_) => {
                    let takes = routine.slots.iter().map(|slot| &slot.payload);
                    let sends = routine.events.iter().map(|event| &event.payload);
                    quote! { #p::instance::<#alias>(#id, &[#(#takes),*], &[#(#sends),*]) }
                }
            }
        });
        let port = |port: &Port| {
            let (routine, name) = (&port.routine, &port.name);
            quote! { #p::Port::new(#routine, #name) }
        };
        let target = |to: &Target| match to {
            Target::Slot(slot) => {
                let port = port(slot);
                quote! { #p::Target::Slot(#port) }
            }
            Target::Output(name) => {
                let name = text(name);
                quote! { #p::Target::Output(#name) }
            }
            Target::Return => quote! { #p::Target::Return },
        };
        let some = |written: &Option<String>| match written {
            None => quote! { ::core::option::Option::None },
            Some(written) => {
                let written = text(written);
                quote! { ::core::option::Option::Some(#written) }
            }
        };
        let connections = self.model.graph.connections.iter().map(|connection| {
            let from = match &connection.from {
                Source::Input(name) => {
                    let name = text(name);
                    quote! { #p::Source::Input(#name) }
                }
                Source::Event(event) => {
                    let port = port(event);
                    quote! { #p::Source::Event(#port) }
                }
            };
            let to = target(&connection.to);
            let mut fields = TokenStream::new();
            if connection.feedback {
                fields.extend(quote! { feedback: true, });
            }
            if let Some(bound) = connection.bound {
                fields.extend(quote! { bound: ::core::option::Option::Some(#bound), });
            }
            if connection.converts {
                fields.extend(quote! { converts: true, });
            }
            if connection.guard.is_some() {
                let (guard, otherwise) = (some(&connection.guard), connection.otherwise);
                fields.extend(quote! { guard: #guard, otherwise: #otherwise, });
            }
            if connection.map.is_some() {
                let map = some(&connection.map);
                fields.extend(quote! { map: #map, });
            }
            quote! { #p::Connection { #fields ..#p::Connection::new(#from, #to) } }
        });
        let ignored = self.model.graph.ignored.iter().map(port);
        let policies = self.model.graph.policies.iter().map(|policy| {
            let of = match &policy.of {
                None => quote! { ::core::option::Option::None },
                Some(Subject::Routine(id)) => {
                    let id = text(id);
                    quote! { ::core::option::Option::Some(#p::Subject::Routine(#id)) }
                }
                Some(Subject::Slot(slot)) => {
                    let slot = port(slot);
                    quote! { ::core::option::Option::Some(#p::Subject::Slot(#slot)) }
                }
            };
            let (panic, guard, passes, text) = (policy.panic, some(&policy.guard), policy.passes, &policy.text);
            let to = policy.to.iter().map(target);
            quote! {
                #p::Policy {
                    panic: #panic, guard: #guard, to: ::std::vec![#(#to),*], passes: #passes, ..#p::Policy::new(#of, #text)
                }
            }
        });
        quote! {
            fn graph() -> #p::Graph {
                #p::Graph {
                    name: ::std::string::String::from(#name),
                    routines: ::std::vec![#(#routines),*],
                    connections: ::std::vec![#(#connections),*],
                    ignored: ::std::vec![#(#ignored),*],
                    policies: ::std::vec![#(#policies),*],
                }
            }
        }
    }
}
