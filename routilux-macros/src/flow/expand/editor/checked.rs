//! What an editor is shown of a flow without mistakes, beside what it is shown of any: what needs to know the ports.

use super::super::super::connect::TargetKind;
use super::super::super::model::{From, Model, To};
use super::super::super::parse::Header;
use super::super::super::policy::End;
use super::super::ends::Pinned;
use super::super::{Flow, Node};
use super::field;
use crate::editor;
use crate::routine::plain;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse_quote_spanned;
use syn::spanned::Spanned;

/// The user's expressions are in what `editor` writes: what is wrong in them is told once.
pub(crate) fn leave_code_to_editor(p: &TokenStream, model: &mut Model) {
    for instance in &mut model.routines {
        instance.configuration = quote! { ..#p::editor::never() };
    }
    let guards = model.policies.iter_mut().filter_map(|policy| policy.guard.as_mut());
    let ways = model.ways.iter_mut().flat_map(|way| {
        let maps = [Some(&mut way.then), way.otherwise.as_mut()].into_iter().flatten();
        way.guard.iter_mut().chain(maps.filter_map(|branch| branch.map.as_mut()))
    });
    for closure in guards.chain(ways) {
        let bar = closure.expr.inputs_begin.span();
        closure.expr = parse_quote_spanned! { bar=> |_| ::core::unreachable!() };
    }
}

/// What follows a flow without mistakes.
pub(crate) fn in_editor(p: &TokenStream, header: &Header, model: &Model) -> TokenStream {
    let known = Flow::new(p, header, model);
    let aliases = editor::unplaced(known.aliases(), TokenStream::new());
    let (outputs, methods) = (known.live_outputs_too(), known.methods());
    let (decl, clause) = (&known.generics.decl, &known.generics.clause);
    quote! {
        #[allow(warnings, clippy::all, clippy::pedantic)]
        const _: () = {
            #aliases
            #outputs
            fn __methods #decl() #clause { #methods }
        };
    }
}

impl Flow<'_> {
    /// The fields for outputs have their types from `OutPort`, those of live ones too.
    fn live_outputs_too(&self) -> TokenStream {
        let p = self.p;
        let names = self.model.graph.outputs();
        let ports = self.live_outputs.iter().filter_map(|output| {
            let k = names.iter().position(|name| plain(&self.model.outputs[*output].name) == *name)?;
            let next = quote! {
                fn next(_: &mut Self::Outbound) -> ::core::option::Option<Self::Payload> { ::core::option::Option::None }
            };
            Some(self.flow_port(Pinned::Output(*output), quote! { #p::OutPort<#k> }, next))
        });
        ports.collect()
    }

    /// The functions of the same names: of an event the method that emits it, of a slot its handler, of a flow's ports the methods of
    /// its handles. So the ones are found and renamed with the others.
    fn methods(&self) -> TokenStream {
        let p = self.p;
        let mut methods = TokenStream::new();
        let mut method = |routine: &Ident, names: &[Ident], is_event: bool| {
            let [name, more @ ..] = names else { return };
            let mut routines = self.model.graph.routines.iter();
            let Some(number) = routines.position(|known| known.id == plain(routine)) else { return };
            let ty = editor::unplaced(self.routine_type(number), TokenStream::new());
            // `join.parameter`, `slot.error`
            let is_event = is_event && more.is_empty();
            let events = &self.model.graph.routines[number].events;
            let known = || events.iter().any(|event| event.name == plain(name));
            if is_event && (plain(name) == "result" || !known()) {
                return;
            }
            let holder = match (self.nodes[number], is_event) {
                (Node::Own(_), true) => quote! { <#ty as #p::Routine>::Emit },
                (Node::Own(_), false) => ty,
                (Node::Inner(_), true) => quote! { <#ty as #p::Flow>::Outputs<&'static mut #p::Job<#ty>> },
                (Node::Inner(_), false) => quote! { <#ty as #p::Flow>::Inputs<&'static mut #p::Job<#ty>> },
            };
            let name = field(name);
            methods.extend(quote! { let _ = <#holder>::#name; });
        };
        for connection in &self.model.connections {
            if let From::Event(port) = &connection.from {
                method(&port.routine, &port.names, true);
            }
            if let To::Slot(port) = &connection.to {
                method(&port.routine, &port.names, false);
            }
        }
        for port in &self.model.ignored {
            method(&port.routine, &port.names, true);
        }
        for policy in &self.model.policies {
            if let Some(of) = &policy.of {
                method(&of.routine, &of.names, false);
            }
            let Some(End::To(targets)) = &policy.end else { continue };
            for target in targets {
                if let TargetKind::Slot { port, .. } = &target.kind {
                    method(&port.routine, &port.names, false);
                }
            }
        }
        methods
    }
}
