//! Where the events of each routine go: one function for each routine.

use super::ends::Begin;
use super::{Flow, Node, local};
use crate::routine::event_variant;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use routilux_graph::{Role, Target};

impl Flow<'_> {
    /// Whether the ways of a routine's events have code of the user's on them that can fail, or lead into a flow.
    pub(super) fn routes_are_operated(&self, routine: usize) -> bool {
        let events = self.model.graph.routines[routine].events.iter().enumerate();
        let mut ways = events
            .filter(|(_, event)| !event.live)
            .flat_map(|(event, _)| self.connections_from(Begin::Event(routine, event)));
        ways.any(|connection| self.is_operated(connection))
    }

    pub(super) fn routes(&self) -> TokenStream {
        let own = (0..self.nodes.len()).filter(|routine| matches!(self.nodes[*routine], Node::Own(_)));
        own.map(|routine| self.routes_of(routine)).collect()
    }

    fn routes_of(&self, r: usize) -> TokenStream {
        let p = self.p;
        let routine = &self.model.graph.routines[r];
        let (post, value) = (local("__post"), local("__value"));
        let function = format_ident!("__route{r}");
        let alias = self.routine_type(r);
        let enumeration = format_ident!("__E{r}");
        let arms = routine.events.iter().enumerate().map(|(e, event)| {
            let variant = event_variant(&event.name);
            let connections = self.connections_from(Begin::Event(r, e));
            match connections.first() {
                // A live event left where it was sent.
                _ if event.live => quote! { #enumeration::#variant(_) => {} },
                None => quote! { #enumeration::#variant(_) => {} },
                Some(&first) => {
                    let place = self.place_of(first);
                    let sends = self.sends(&connections, Begin::Event(r, e), &value, &post, place);
                    quote! { #enumeration::#variant(#value) => { #sends } }
                }
            }
        });
        // A handler arms a source by an event of its name.
        let sources = self.slots.iter().enumerate();
        let sources =
            sources.filter(|(_, slot)| slot.routine == r && matches!(slot.port.role, Role::Source { .. }));
        let sources = sources.map(|(number, slot)| {
            let (variant, delivery) = (event_variant(&slot.port.name), self.empty_delivery(number));
            quote! { #enumeration::#variant(_) => #post.send(#delivery), }
        });
        let (decl, clause, flow) = (&self.generics.decl, &self.generics.clause, self.own_type());
        let (returns, ways, done) = match self.routes_are_operated(r) {
            false => (TokenStream::new(), TokenStream::new(), TokenStream::new()),
            true => {
                let (ways, ways_type) = (self.ways_here(), self.ways_reference());
                (
                    quote! { -> ::core::result::Result<(), #p::Fault> },
                    quote! { #ways: #ways_type, },
                    quote! { ::core::result::Result::Ok(()) },
                )
            }
        };
        let event = local("__event");
        quote! {
            #[inline]
            fn #function #decl(#event: <#alias as #p::Routine>::Event, #ways #post: &mut #p::Post<#flow>) #returns #clause {
                match #event { #(#arms)* #(#sources)* _ => {} }
                #done
            }
        }
    }

    /// Ways for a function that has operators in it; where they need nothing, nothing is there.
    pub(super) fn ways_reference(&self) -> TokenStream {
        let ways = self.ways_type();
        quote! { &#ways }
    }

    /// The route of a routine, for a step, in a function that has `cells`: the statements before it, and the closure.
    pub(super) fn route(&self, routine: usize, ways: TokenStream) -> (TokenStream, TokenStream) {
        let function = format_ident!("__route{routine}");
        match self.routes_are_operated(routine) {
            false => (TokenStream::new(), quote! { #function }),
            true => {
                (quote! { let __ways = #ways; }, quote! { |event, post| #function(event, &__ways, post) })
            }
        }
    }

    /// What the routes of a routine come to.
    pub(super) fn routed(&self, routine: usize) -> TokenStream {
        let p = self.p;
        match self.routes_are_operated(routine) {
            false => quote! { () },
            true => quote! { ::core::result::Result<(), #p::Fault> },
        }
    }

    /// Whether the user's code runs while events of the routine are sent on: operators; `Clone` where one has several receivers, `Drop`,
    /// if there is any, where one has none or is a further result.
    pub(super) fn ways_of(&self, routine: usize) -> TokenStream {
        let p = self.p;
        if self.routes_are_operated(routine) {
            return quote! { { #p::ways::OPERATED } };
        }
        let events = self.model.graph.routines[routine].events.iter().enumerate();
        let connections: Vec<Vec<usize>> = events
            .filter(|(_, event)| !event.live)
            .map(|(number, _)| self.connections_from(Begin::Event(routine, number)))
            .collect();
        let returns = |index: &usize| self.model.graph.connections[*index].to == Target::Return;
        let drops = connections.iter().any(|event| event.is_empty() || event.iter().any(returns));
        match (connections.iter().any(|event| event.len() > 1), drops) {
            (true, _) => quote! { { #p::ways::GUARDED } },
            (false, false) => quote! { { #p::ways::PLAIN } },
            // What depends on a type parameter is no constant.
            (false, true) if !self.generics.is_empty() => quote! { { #p::ways::GUARDED } },
            (false, true) => {
                let events: Ident = format_ident!("__E{routine}");
                quote! {
                    { if ::core::mem::needs_drop::<#events>() { #p::ways::GUARDED } else { #p::ways::PLAIN } }
                }
            }
        }
    }

    /// Whether any way of the flow has code of the user's on it that can fail, or leads into a flow.
    pub(super) fn operates(&self) -> bool {
        let mut connections = 0..self.model.connections.len();
        !self.inner.is_empty() || connections.any(|connection| self.is_operated(connection))
    }
}
