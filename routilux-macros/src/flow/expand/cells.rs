//! The cells of a job: its routines and the flows in it, what its slots keep, and where its live events go.

use super::super::model::To;
use super::super::parse::Param;
use super::ends::Begin;
use super::{Flow, Node, local, names};
use crate::routine::plain;
use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

impl Flow<'_> {
    /// The field of a routine, or of a flow.
    pub(super) fn cell(&self, routine: usize) -> Ident {
        match self.nodes[routine] {
            Node::Own(_) => format_ident!("r{routine}"),
            Node::Inner(inner) => format_ident!("i{inner}"),
        }
    }

    pub(super) fn cells_struct(&self) -> TokenStream {
        let p = self.p;
        let routines = (0..self.nodes.len()).map(|number| {
            let (field, alias) = (self.cell(number), self.routine_type(number));
            match self.nodes[number] {
                Node::Own(_) => quote! { #field: <#alias as #p::Routine>::Place },
                Node::Inner(_) => quote! { #field: <#alias as #p::Flow>::Cells },
            }
        });
        let contents = self.keeping().map(|(number, slot)| {
            let (field, alias, in_routine) =
                (format_ident!("s{number}"), self.routine_type(slot.routine), slot.number);
            quote! { #field: #p::Keeps<#p::Contents<#alias, #in_routine>> }
        });
        let live = self.live_outputs.iter().enumerate().map(|(number, output)| {
            let (field, payload) = (format_ident!("l{number}"), self.output_type(*output));
            quote! { #field: #p::LiveOutlet<#payload> }
        });
        let ways = self.has_ways().then(|| {
            let ways = self.ways_type();
            quote! { ways: #p::Keeps<::std::sync::Arc<#ways>>, }
        });
        let (decl, clause) = (&self.generics.decl, &self.generics.clause);
        let (phantom, _) = self.generics.phantom();
        quote! { pub struct __Cells #decl #clause { #(#routines,)* #(#contents,)* #(#live,)* #ways #phantom } }
    }

    pub(super) fn make_cells(&self) -> TokenStream {
        let p = self.p;
        let numbers = 0..self.nodes.len();
        let fields: Vec<Ident> = numbers.clone().map(|number| self.cell(number)).collect();
        let routines = numbers.clone().map(|number| self.made(number));
        let contents = self.keeping().map(|(number, _)| format_ident!("s{number}"));
        let contents: Vec<Ident> = contents.collect();
        let cells = local("__cells");
        let sinks = self.live_sinks(&cells);
        let live: Vec<Ident> =
            (0..self.live_outputs.len()).map(|number| format_ident!("l{number}")).collect();
        let made_live = self.live_outputs.iter().map(|output| self.made_live_outlet(*output));
        let made_live: Vec<TokenStream> = made_live.collect();
        let (before, made_ways) = self.made_ways();
        let (_, made_phantom) = self.generics.phantom();
        let reconfigured = numbers.map(|number| {
            let (field, alias) = (self.cell(number), self.routine_type(number));
            match self.nodes[number] {
                Node::Own(_) => quote! { #p::reconfigure::<#alias>(&cells.#field, new.#field); },
                Node::Inner(_) => quote! { <#alias as #p::Flow>::reconfigure(&cells.#field, new.#field); },
            }
        });
        let (taken_over, mutable) = (self.ways_taken_over(), self.has_ways().then(|| quote! { mut }));
        let inner: Vec<Ident> = (0..self.inner.len()).map(|inner| format_ident!("i{inner}")).collect();
        let flows: Vec<TokenStream> = (0..self.inner.len()).map(|inner| self.inner_type(inner)).collect();
        let cells_type = self.generated("__Cells");
        // The cells of flows are made first: what their ways need is in ours.
        let (flows_first, routines): (Vec<_>, Vec<_>) = fields
            .iter()
            .zip(routines)
            .enumerate()
            .partition(|(number, _)| matches!(self.nodes[*number], Node::Inner(_)));
        let flows_first: Vec<TokenStream> = flows_first
            .into_iter()
            .map(|(_, (field, made))| {
                let made_as = local(&field.to_string());
                quote! { let #made_as = #made; }
            })
            .collect();
        let routines: Vec<TokenStream> =
            routines.into_iter().map(|(_, (field, made))| quote! { #field: #made, }).collect();
        let made_inner: Vec<TokenStream> = inner
            .iter()
            .map(|field| {
                let made_as = local(&field.to_string());
                quote! { #field: #made_as, }
            })
            .collect();
        quote! {
            fn cells(&self) -> #cells_type {
                #(#flows_first)*
                #before
                let mut #cells = __Cells {
                    #(#routines)*
                    #(#contents: ::core::default::Default::default(),)*
                    #(#live: #made_live,)*
                    #made_ways
                    #made_phantom
                    #(#made_inner)*
                };
                #sinks
                #cells
            }

            fn close_live(cells: &#cells_type) {
                #(cells.#live.close();)*
                #(<#flows as #p::Flow>::close_live(&cells.#inner);)*
            }

            fn open_live(cells: &#cells_type) {
                #(cells.#live.open();)*
                #(<#flows as #p::Flow>::open_live(&cells.#inner);)*
            }

            fn reconfigure(cells: &#cells_type, #mutable new: #cells_type) {
                #taken_over
                #(#reconfigured)*
            }
        }
    }

    /// A routine, or the cells of a flow, with the configuration that is given.
    fn made(&self, number: usize) -> TokenStream {
        let p = self.p;
        let instance = &self.model.routines[number];
        let path = &instance.path;
        let configuration = Ident::new(&format!("__K{number}"), path.span());
        let args = self.generics.args_in(&quote! { #path });
        let turbofish = (!args.is_empty()).then(|| quote! { :: #args });
        let given = &instance.configuration;
        let used = names(given.clone());
        // Each routine has its own copy of the parameters that it names.
        let params = self.header.params.iter().filter(|param| used.contains(&plain(&param.name)));
        let params = params.map(|Param { name, ty, .. }| {
            // Our `self`, where the user's type stands.
            let place = Span::call_site().located_at(ty.span());
            quote_spanned! { place=> let #name: #ty = ::core::clone::Clone::clone(&self.#name); }
        });
        // The compiler only suggests a field where all of it stands in the user's text.
        let mut group = Group::new(proc_macro2::Delimiter::Brace, given.clone());
        group.set_span(path.span());
        let alias = self.routine_type(number);
        match self.nodes[number] {
            Node::Own(_) => quote! { #p::place::<#alias>({ #(#params)* #configuration #turbofish #group }) },
            Node::Inner(_) => quote! {
                <#alias as #p::Flow>::cells(
                    &<#alias as #p::Given>::given({ #(#params)* #configuration #turbofish #group }),
                )
            },
        }
    }

    /// An outlet for live events: of a flow in this one it is that flow's own.
    fn made_live_outlet(&self, output: usize) -> TokenStream {
        let p = self.p;
        match self.live_out_of(output) {
            None => quote! { ::core::default::Default::default() },
            Some((inner, event)) => {
                let (flow, cells) = (self.inner_type(inner), local(&format!("i{inner}")));
                quote! { <#flow as #p::LiveOutPort<#event>>::outlet(&#cells).share() }
            }
        }
    }

    /// The live output of a flow in this one that an output is.
    fn live_out_of(&self, output: usize) -> Option<(usize, usize)> {
        match self.model.outputs[output].first {
            super::By::Connection(first) => match self.begin(first) {
                Begin::Out(inner, event) => Some((inner, event)),
                _ => None,
            },
            super::By::Policy(_) => None,
        }
    }

    /// The statements that lead the live events of the routines in `cells` to their outlets there.
    fn live_sinks(&self, cells: &Ident) -> TokenStream {
        let p = self.p;
        let mut sinks = TokenStream::new();
        for (r, routine) in self.model.graph.routines.iter().enumerate() {
            if let Node::Inner(_) = self.nodes[r] {
                continue;
            }
            for (e, _) in routine.events.iter().enumerate().filter(|(_, event)| event.live) {
                let connections = self.connections_from(Begin::Event(r, e));
                let sent = self.sent(Begin::Event(r, e));
                let mut outlets: Vec<TokenStream> =
                    connections.iter().map(|&index| self.live_outlet(index, cells, &sent)).collect();
                let last = match outlets.pop() {
                    Some(last) => quote! { ::core::option::Option::Some(#last) },
                    None => quote! { ::core::option::Option::None },
                };
                let (copy, copies) = match connections.first() {
                    Some(&first) if !outlets.is_empty() => {
                        let place = self.model.connections[first].source_tokens().span();
                        let (aliased, copy_of) = self.copy_of(&sent, place);
                        let copy = local("__copy");
                        let made = quote! { #aliased let #copy: fn(&#sent) -> #sent = #copy_of; };
                        (made, outlets.iter().map(|outlet| quote! { (#outlet, #copy) }).collect())
                    }
                    _ => (TokenStream::new(), Vec::new()),
                };
                let (field, alias) = (self.cell(r), self.routine_type(r));
                sinks.extend(quote! {
                    {
                        #copy
                        let sink = #p::LiveSink::<#sent>::leading_to(::std::vec![#(#copies),*], #last);
                        *#p::live_sink::<#alias, #e>(&mut #cells.#field) = sink;
                    }
                });
            }
        }
        sinks
    }

    /// The outlet that a connection from a live event ends at.
    fn live_outlet(&self, connection: usize, cells: &Ident, sent: &TokenStream) -> TokenStream {
        let To::Output(name) = &self.model.connections[connection].to else { return TokenStream::new() };
        let is_it = |output: &usize| plain(&self.model.outputs[*output].name) == plain(name);
        let number = self.live_outputs.iter().position(is_it).unwrap_or_default();
        let (field, taken) = (format_ident!("l{number}"), self.taken(self.end(connection)));
        self.fitted_outlet(connection, quote! { &#cells.#field }.to_token_stream(), sent, &taken)
    }
}
