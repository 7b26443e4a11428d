//! What a flow becomes: a struct of its parameters; and, in the second stage, its routines by value, one enum of
//! deliveries with a variant for each connected slot, and a `match` that runs a delivery and routes what was
//! emitted.

use super::model::{From, Model, To};
use super::parse::{Header, Param};
use crate::diagnostic::{at, standing_at};
use crate::routine::plain;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use routilux_graph::{Merge, Source, Target, did_you_mean};
use std::collections::HashSet;
use syn::spanned::Spanned;

/// The first stage: what needs only the flow's own text.
pub(crate) fn shell(header: &Header) -> TokenStream {
    let Header { attrs, vis, name, params, .. } = header;
    let names: Vec<&Ident> = params.iter().map(|param| &param.name).collect();
    let types: Vec<_> = params.iter().map(|param| &param.ty).collect();
    let plain = plain(name);
    let new_doc = format!("The flow `{plain}`, with its parameters.");
    let default = params.is_empty().then(|| {
        quote! {
            #[automatically_derived]
            impl ::core::default::Default for #name {
                fn default() -> Self { Self::new() }
            }
        }
    });
    quote! {
        #(#attrs)*
        #[derive(::core::clone::Clone)]
        #vis struct #name { #(#names: #types,)* }

        #[allow(dead_code, clippy::too_many_arguments)]
        impl #name {
            #[doc = #new_doc]
            #vis fn new(#(#names: #types),*) -> Self {
                Self { #(#names),* }
            }
        }

        #default
    }
}

/// What a flow can do, once it is known to be one: where a routine type is not found there is no second stage, and one
/// error and not one at each of these.
fn methods(p: &TokenStream, header: &Header) -> TokenStream {
    let Header { vis, name, .. } = header;
    quote! {
        #[allow(dead_code)]
        impl #name {
            /// A new job of this flow, in this thread: its configuration is evaluated now.
            #vis fn job(&self) -> #p::Job<Self> {
                <Self as #p::Flow>::job(self)
            }

            /// Goes on with a saved job: on this flow's configuration and resources, and the saved state.
            #vis fn resume(&self, state: #p::JobState) -> #p::Result<#p::Job<Self>> {
                <Self as #p::Flow>::resume(self, state)
            }

            /// The flow as data.
            #vis fn graph() -> #p::Graph {
                <Self as #p::Flow>::graph()
            }
        }
    }
}

/// A slot of the flow, by routine and by its number in the routine.
struct SlotAt {
    routine: usize,
    number: usize,
    merge: Merge,
    waits: bool,
    connected: bool,
}

struct Flow<'a> {
    p: &'a TokenStream,
    header: &'a Header,
    model: &'a Model,
    slots: Vec<SlotAt>,
    inputs: Vec<Ident>,
    /// Those that ordinary events go to.
    outputs: Vec<Ident>,
    /// Those that live events go to.
    live_outputs: Vec<Ident>,
}

/// The second stage, for a flow without mistakes.
pub(crate) fn flow(p: &TokenStream, header: &Header, model: &Model) -> TokenStream {
    let methods = methods(p, header);
    let flow = Flow::new(p, header, model).expand();
    quote! { #methods #flow }
}

impl<'a> Flow<'a> {
    fn new(p: &'a TokenStream, header: &'a Header, model: &'a Model) -> Self {
        let mut flow = Flow {
            p,
            header,
            model,
            slots: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            live_outputs: Vec::new(),
        };
        let connected: HashSet<&routilux_graph::Port> = model
            .graph
            .connections
            .iter()
            .filter_map(|connection| match &connection.to {
                Target::Slot(port) => Some(port),
                _ => None,
            })
            .collect();
        for (r, routine) in model.graph.routines.iter().enumerate() {
            for (number, slot) in routine.slots.iter().enumerate() {
                let port = routilux_graph::Port::new(&routine.id, &slot.name);
                flow.slots.push(SlotAt {
                    routine: r,
                    number,
                    merge: slot.merge.clone(),
                    waits: slot.waits,
                    connected: connected.contains(&port),
                });
            }
        }
        let mut seen = HashSet::new();
        for (written, known) in model.connections.iter().zip(&model.graph.connections) {
            if let From::Input(name) = &written.from
                && !flow.inputs.contains(name)
            {
                flow.inputs.push(name.clone());
            }
            if let To::Output(name) = &written.to
                && seen.insert(name)
            {
                match is_live(&model.graph, &known.from) {
                    true => flow.live_outputs.push(name.clone()),
                    false => flow.outputs.push(name.clone()),
                }
            }
        }
        flow
    }

    /// The number of the routine in the flow, and of the event in the routine.
    fn event(&self, port: &routilux_graph::Port) -> (usize, usize) {
        let routines = &self.model.graph.routines;
        let routine = routines.iter().position(|routine| routine.id == port.routine).unwrap_or_default();
        let event = routines[routine].events.iter().position(|event| event.name == port.name);
        (routine, event.unwrap_or_default())
    }

    /// The number of the slot in the flow.
    fn slot(&self, port: &routilux_graph::Port) -> usize {
        let routines = &self.model.graph.routines;
        let found = self.slots.iter().position(|slot| {
            let routine = &routines[slot.routine];
            routine.id == port.routine && routine.slots[slot.number].name == port.name
        });
        found.unwrap_or_default()
    }

    fn slot_payload(&self, slot: usize) -> TokenStream {
        let p = self.p;
        let SlotAt { routine, number, .. } = self.slots[slot];
        let alias = self.routine_alias(routine);
        quote! { #p::SlotPayload<#alias, #number> }
    }

    fn event_payload(&self, (routine, event): (usize, usize)) -> TokenStream {
        let p = self.p;
        let alias = self.routine_alias(routine);
        quote! { #p::EventPayload<#alias, #event> }
    }

    /// `__R0`, standing where the user wrote the routine's type.
    fn routine_alias(&self, routine: usize) -> Ident {
        Ident::new(&format!("__R{routine}"), self.model.routines[routine].path.span())
    }

    fn connected(&self) -> impl Iterator<Item = (usize, &SlotAt)> {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.connected)
    }

    /// The connected slots that keep something between arrivals.
    fn keeping(&self) -> impl Iterator<Item = (usize, &SlotAt)> {
        self.connected().filter(|(_, slot)| slot.merge != Merge::Override)
    }

    fn expand(&self) -> TokenStream {
        let p = self.p;
        let name = &self.header.name;
        let aliases = self.aliases();
        let cells = self.cells_struct();
        let delivery = self.delivery_enum();
        let outbound = self.outbound_struct();
        let routes = self.routes();
        let handles = self.handles();
        let flow_name = plain(name);
        let inputs = self.inputs_name();
        let outputs = self.outputs_name();
        let (report, result) = self.result();
        let report_struct = self.report_struct();
        let slots = self.slots.iter().map(|slot| {
            let routine = &self.model.graph.routines[slot.routine];
            let (id, slot) = (&routine.id, &routine.slots[slot.number].name);
            quote! { (#id, #slot) }
        });
        let placed = self.slots.iter().map(|slot| {
            let (alias, routine, number) = (self.routine_alias(slot.routine), slot.routine, slot.number);
            quote! { #p::PlacedSlot { routine: #routine, mode: <#alias as #p::SlotPort<#number>>::MODE } }
        });
        let ids = self.model.graph.routines.iter().map(|routine| &routine.id);
        let graph = self.graph();
        let make_cells = self.make_cells();
        let deliver = self.deliver();
        let data = self.data();
        let threaded = self.threaded();
        quote! {
            #[doc(hidden)]
            #[allow(
                non_camel_case_types, non_snake_case, private_interfaces, private_bounds, unreachable_pub, missing_docs, dead_code,
                unreachable_code, unreachable_patterns, unused_variables, unused_mut, uncommon_codepoints, clippy::all, clippy::pedantic
            )]
            const _: () = {
                #aliases
                #cells
                #delivery
                #outbound
                #report_struct
                #routes
                #handles

                #[automatically_derived]
                impl #p::Flow for #name {
                    type Report = #report;
                    type Inputs<E: #p::Entry<Self>> = #inputs<E>;
                    type Outputs<X: #p::Exit<Self>> = #outputs<X>;
                    type Cells = __Cells;
                    type Delivery = __Delivery;
                    type Outbound = __Outbound;
                    const NAME: &'static str = #flow_name;
                    const SLOTS: &'static [(&'static str, &'static str)] = &[#(#slots),*];
                    const PLACED: &'static [#p::PlacedSlot] = &[#(#placed),*];
                    const ROUTINES: &'static [&'static str] = &[#(#ids),*];
                    #result
                    #graph
                    #make_cells
                    fn inputs<E: #p::Entry<Self>>(entry: E) -> Self::Inputs<E> { #inputs(entry) }
                    fn outputs<X: #p::Exit<Self>>(exit: X) -> Self::Outputs<X> { #outputs(exit) }
                    #deliver
                    #data
                }

                #threaded
            };
        }
    }

    /// Asked where a job is started on threads, and not before.
    fn threaded(&self) -> TokenStream {
        let p = self.p;
        let name = &self.header.name;
        let routines = (0..self.model.routines.len()).map(|number| self.routine_alias(number));
        let slots = self.connected().map(|(number, _)| self.slot_payload(number));
        let outputs = self.outputs.iter().chain(&self.live_outputs).map(|output| self.output_payload(output));
        let result =
            self.returning().map(|(_, payload)| quote! { for<'__routilux> #payload: #p::SyncPayload });
        quote! {
            #[automatically_derived]
            impl #p::Threaded for #name
            where
                #(for<'__routilux> #routines: #p::ThreadSafe,)*
                #(for<'__routilux> #slots: #p::SendPayload,)*
                #(for<'__routilux> #outputs: #p::SendPayload,)*
                #result
            {}
        }
    }

    fn inputs_name(&self) -> Ident {
        format_ident!("InputsOf{}", plain(&self.header.name), span = Span::call_site())
    }

    fn outputs_name(&self) -> Ident {
        format_ident!("OutputsOf{}", plain(&self.header.name), span = Span::call_site())
    }

    /// The routine types and their configurations under names of ours, at the places of the user's.
    fn aliases(&self) -> TokenStream {
        let p = self.p;
        let aliases = self.model.routines.iter().enumerate().map(|(number, instance)| {
            let path = &instance.path;
            let alias = self.routine_alias(number);
            let configuration = Ident::new(&format!("__K{number}"), path.span());
            let events = format_ident!("__E{number}");
            let kinds = quote_spanned! { path.span()=>
                type #configuration = <#alias as #p::Fields>::Configuration;
                type #events = <#alias as #p::Routine>::Event;
            };
            quote! { type #alias = #path; #kinds }
        });
        aliases.collect()
    }

    fn cells_struct(&self) -> TokenStream {
        let p = self.p;
        let routines = (0..self.model.routines.len()).map(|number| {
            let (field, alias) = (format_ident!("r{number}"), self.routine_alias(number));
            quote! { #field: <#alias as #p::Routine>::Place }
        });
        let contents = self.keeping().map(|(number, slot)| {
            let (field, alias, in_routine) =
                (format_ident!("s{number}"), self.routine_alias(slot.routine), slot.number);
            quote! { #field: #p::Keeps<#p::Contents<#alias, #in_routine>> }
        });
        let live = self.live_outputs.iter().enumerate().map(|(number, output)| {
            let (field, payload) = (format_ident!("l{number}"), self.output_payload(output));
            quote! { #field: #p::LiveOutlet<#payload> }
        });
        quote! { pub struct __Cells { #(#routines,)* #(#contents,)* #(#live,)* } }
    }

    fn delivery_enum(&self) -> TokenStream {
        let variants = self.connected().map(|(number, _)| {
            let (variant, payload) = (format_ident!("S{number}"), self.slot_payload(number));
            quote! { #variant(#payload) }
        });
        quote! { pub enum __Delivery { #(#variants),* } }
    }

    /// The first connection to an output says its type.
    fn output_connection(&self, output: &Ident) -> Option<(usize, (usize, usize))> {
        self.model.connections.iter().zip(&self.model.graph.connections).enumerate().find_map(
            |(index, (written, known))| match (&written.to, &known.from) {
                (To::Output(name), Source::Event(port)) if name == output => Some((index, self.event(port))),
                _ => None,
            },
        )
    }

    fn output_payload(&self, output: &Ident) -> TokenStream {
        self.output_connection(output).map(|(_, event)| self.event_payload(event)).unwrap_or_default()
    }

    fn outbound_struct(&self) -> TokenStream {
        let p = self.p;
        let fields: Vec<Ident> = (0..self.outputs.len()).map(|number| format_ident!("o{number}")).collect();
        let types: Vec<TokenStream> = self.outputs.iter().map(|output| self.output_payload(output)).collect();
        // Where an output's type is no payload, the error stands at the output.
        let made = self.outputs.iter().zip(&types).map(|(output, ty)| {
            let codec = self.codec(ty, output.span());
            quote! { #p::Outlet::new({ #codec }) }
        });
        let (result, made_result) = match self.returning() {
            None => (TokenStream::new(), TokenStream::new()),
            Some((index, payload)) => {
                let codec = self.codec(&payload, self.end_of(index));
                (
                    quote! { result: #p::ResultSlot<#payload>, },
                    quote! { result: #p::ResultSlot::new({ #codec }), },
                )
            }
        };
        quote! {
            pub struct __Outbound { #(#fields: #p::Outlet<#types>,)* #result }

            impl ::core::default::Default for __Outbound {
                fn default() -> Self { Self { #(#fields: #made,)* #made_result } }
            }
        }
    }

    /// What saves a payload; if it is none, the error stands at `place`.
    fn codec(&self, payload: &TokenStream, place: Span) -> TokenStream {
        let p = self.p;
        let (name, saves) = (Ident::new("__Payload", place), Ident::new("__Saves", place));
        let codec = at(place, quote! { <#name as #saves>::codec() });
        quote! { type #name = #payload; use #p::Saves as #saves; #codec }
    }

    /// The connection that ends at `return`, and the type of what it carries.
    fn returning(&self) -> Option<(usize, TokenStream)> {
        let known = self.model.graph.connections.iter();
        known.enumerate().find_map(|(index, connection)| match (&connection.to, &connection.from) {
            (Target::Return, Source::Event(port)) => Some((index, self.event_payload(self.event(port)))),
            _ => None,
        })
    }

    fn report_name(&self) -> Ident {
        format_ident!("ReportOf{}", plain(&self.header.name), span = Span::call_site())
    }

    /// A report with the result in it. Not a type parameter of the flow: that would make a private routine's payload
    /// part of a public interface.
    fn report_struct(&self) -> TokenStream {
        let p = self.p;
        let Some((_, payload)) = self.returning() else { return TokenStream::new() };
        let name = self.report_name();
        let doc = format!("What a run of `{}` came to.", plain(&self.header.name));
        quote! {
            #[doc = #doc]
            #[must_use = "a report says whether the job completed, and holds its result"]
            pub struct #name {
                report: #p::Report,
                result: ::core::option::Option<::std::sync::Arc<#payload>>,
            }

            impl #name {
                /// The first value that came to `return`.
                ///
                /// # Errors
                /// `Error::NoResult`, with what still waits, if none came.
                pub fn result(&self) -> #p::Result<&#payload> {
                    #p::result_in(&self.report, &self.result)
                }
            }

            impl ::core::fmt::Debug for #name {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Debug::fmt(&self.report, f)
                }
            }

            impl ::core::clone::Clone for #name {
                fn clone(&self) -> Self {
                    Self { report: self.report.clone(), result: self.result.clone() }
                }
            }

            impl ::core::ops::Deref for #name {
                type Target = #p::Report;
                fn deref(&self) -> &#p::Report { &self.report }
            }
        }
    }

    /// The report's type, and the functions about the result.
    fn result(&self) -> (TokenStream, TokenStream) {
        let p = self.p;
        match self.returning() {
            Some(_) => {
                let name = self.report_name();
                let functions = quote! {
                    fn __result(outbound: &__Outbound) -> ::core::option::Option<&dyn #p::SavedResult> {
                        ::core::option::Option::Some(&outbound.result)
                    }
                    fn __result_mut(outbound: &mut __Outbound) -> ::core::option::Option<&mut dyn #p::SavedResult> {
                        ::core::option::Option::Some(&mut outbound.result)
                    }
                    fn __report(outbound: &__Outbound, report: #p::Report) -> Self::Report {
                        #name { report, result: outbound.result.share() }
                    }
                };
                (quote! { #name }, functions)
            }
            None => {
                let functions = quote! {
                    fn __result(_: &__Outbound) -> ::core::option::Option<&dyn #p::SavedResult> { ::core::option::Option::None }
                    fn __result_mut(_: &mut __Outbound) -> ::core::option::Option<&mut dyn #p::SavedResult> {
                        ::core::option::Option::None
                    }
                    fn __report(_: &__Outbound, report: #p::Report) -> #p::Report { report }
                };
                (quote! { #p::Report }, functions)
            }
        }
    }

    /// What a connection carries and what its target takes, as the authors of the routines wrote them.
    fn texts(&self, index: usize) -> Option<(&str, &str)> {
        let connection = &self.model.graph.connections[index];
        let routine = |id: &str| self.model.graph.routine(id);
        let sent = match &connection.from {
            Source::Event(port) => routine(&port.routine)?.event(&port.name)?.payload.as_str(),
            // An input has the type of its first slot.
            Source::Input(name) => {
                let first = self
                    .model
                    .graph
                    .connections
                    .iter()
                    .find(|other| other.from == Source::Input(name.clone()))?;
                self.slot_text(&first.to)?
            }
        };
        let taken = match &connection.to {
            Target::Slot(_) => self.slot_text(&connection.to)?,
            Target::Output(name) => {
                let first = self
                    .model
                    .graph
                    .connections
                    .iter()
                    .find(|other| other.to == Target::Output(name.clone()))?;
                match &first.from {
                    Source::Event(port) => routine(&port.routine)?.event(&port.name)?.payload.as_str(),
                    Source::Input(_) => return None,
                }
            }
            Target::Return => return None,
        };
        Some((sent, taken))
    }

    fn slot_text(&self, target: &Target) -> Option<&str> {
        match target {
            Target::Slot(port) => {
                Some(self.model.graph.routine(&port.routine)?.slot(&port.name)?.payload.as_str())
            }
            _ => None,
        }
    }

    /// Whether the two ends of a connection are written as different types. Those that are the same are left to the
    /// compiler's own check.
    fn differs(&self, index: usize) -> bool {
        self.texts(index).is_some_and(|(sent, taken)| sent != taken)
    }

    /// Where an error about a connection stands: at the name of the slot or output it ends at.
    fn end_of(&self, index: usize) -> Span {
        let last = self.model.connections[index].to_tokens.clone().into_iter().last();
        last.map_or(Span::call_site(), |token| token.span())
    }

    /// The value as the target takes it. Ends of different types have a trait of their own, for the message; every
    /// token of the call is the user's, so that the error is.
    fn fitted(&self, index: usize, value: TokenStream, sent: TokenStream, taken: TokenStream) -> TokenStream {
        let signature = |taken: TokenStream| quote! { fn fits(value: Self) -> #taken };
        self.fitting(index, value, sent, taken, signature)
    }

    /// The live outlet as one of what the event sends: a live event is put into its outlet where it is sent, so there the
    /// two ends have to be known to be the same.
    fn fitted_outlet(
        &self,
        index: usize,
        outlet: TokenStream,
        sent: TokenStream,
        taken: TokenStream,
    ) -> TokenStream {
        let p = self.p;
        let signature = |taken: TokenStream| {
            quote! { fn fits(value: &#p::LiveOutlet<#taken>) -> &#p::LiveOutlet<Self> }
        };
        self.fitting(index, outlet, sent, taken, signature)
    }

    /// `signature` says, for the type that the target takes, what is fitted; it is the identity where `Self` is that type.
    fn fitting(
        &self,
        index: usize,
        value: TokenStream,
        sent: TokenStream,
        taken: TokenStream,
        signature: impl Fn(TokenStream) -> TokenStream,
    ) -> TokenStream {
        if !self.differs(index) {
            return standing_at(self.end_of(index), value);
        }
        let connection = &self.model.graph.connections[index];
        let from = match &connection.from {
            Source::Input(_) => format!("`{}` takes", connection.from),
            Source::Event(_) => format!("`{}` sends", connection.from),
        };
        let to = match &connection.to {
            Target::Output(_) => format!("`{}` carries", connection.to),
            _ => format!("`{}` takes", connection.to),
        };
        let message = format!("{from} `{{Self}}`, but {to} `{{T}}`");
        let label = format!("{to} `{{T}}`");
        let place = self.end_of(index);
        let (sent_name, taken_name) = (Ident::new("__Sent", place), Ident::new("__Taken", place));
        let fits = Ident::new("ConnectsTo", place);
        let call = at(place, quote! { <#sent_name as #fits<#taken_name>>::fits });
        let (of_any, of_same) = (signature(quote!(T)), signature(quote!(T)));
        quote! {
            {
                #[diagnostic::on_unimplemented(
                    message = #message,
                    label = #label,
                    note = "the two ends of a connection have one type: put a routine between them that converts",
                )]
                trait #fits<T>: ::core::marker::Sized { #of_any; }
                #[diagnostic::do_not_recommend]
                impl<T> #fits<T> for T {
                    #[inline(always)]
                    #of_same { value }
                }
                type #sent_name = #sent;
                type #taken_name = #taken;
                #call(#value)
            }
        }
    }

    /// The statements that send `value` to the targets of the given connections, in their order.
    fn sends(&self, connections: &[usize], sent: &TokenStream, post: &Ident, place: Span) -> TokenStream {
        let value = Ident::new("__value", Span::mixed_site());
        let copies: Vec<Ident> =
            (1..connections.len()).map(|n| Ident::new(&format!("__copy{n}"), Span::mixed_site())).collect();
        // All copies first: if the user's `Clone` panics, no receiver has the event.
        let (aliased, copy_of) = self.copy_of(sent, place);
        let aliased = (!copies.is_empty()).then_some(aliased);
        let made = copies.iter().map(|copy| quote! { let #copy = #copy_of(&#value); });
        let values = copies.iter().chain([&value]);
        let sent_on = connections.iter().zip(values).map(|(&index, value)| {
            let known = &self.model.graph.connections[index];
            match &known.to {
                Target::Slot(port) => {
                    let slot = self.slot(port);
                    let variant = format_ident!("S{slot}");
                    let fitted =
                        self.fitted(index, value.to_token_stream(), sent.clone(), self.slot_payload(slot));
                    quote! { #post.send(__Delivery::#variant(#fitted)); }
                }
                Target::Output(_) => {
                    let To::Output(name) = &self.model.connections[index].to else {
                        return TokenStream::new();
                    };
                    let number = self.outputs.iter().position(|output| output == name).unwrap_or_default();
                    let field = format_ident!("o{number}");
                    let fitted =
                        self.fitted(index, value.to_token_stream(), sent.clone(), self.output_payload(name));
                    quote! { #post.outbound.#field.put(#fitted); }
                }
                Target::Return => quote! { #post.outbound.result.give(#value); },
            }
        });
        quote! { #aliased #(#made)* #(#sent_on)* }
    }

    /// The connections that begin at an event, in the order they are written.
    fn routes_of(&self, wanted: (usize, usize)) -> Vec<usize> {
        let known = self.model.graph.connections.iter().enumerate();
        known
            .filter(|(_, connection)| matches!(&connection.from, Source::Event(port) if self.event(port) == wanted))
            .map(|(index, _)| index)
            .collect()
    }

    /// One function for each routine: where its events go.
    fn routes(&self) -> TokenStream {
        let p = self.p;
        let flow = &self.header.name;
        let post = Ident::new("__post", Span::mixed_site());
        let routes = self.model.graph.routines.iter().enumerate().map(|(r, routine)| {
            let function = format_ident!("__route{r}");
            let alias = self.routine_alias(r);
            let arms = routine.events.iter().enumerate().map(|(e, event)| {
                let variant = event_ident(&event.name);
                let enumeration = format_ident!("__E{r}");
                let connections = self.routes_of((r, e));
                match connections.first() {
                    // A live event left where it was sent.
                    _ if event.live => quote! { #enumeration::#variant(_) => {} },
                    None => quote! { #enumeration::#variant(_) => {} },
                    Some(&first) => {
                        let place = self.model.connections[first].source_tokens().span();
                        let sends = self.sends(&connections, &self.event_payload((r, e)), &post, place);
                        let value = Ident::new("__value", Span::mixed_site());
                        quote! { #enumeration::#variant(#value) => { #sends } }
                    }
                }
            });
            quote! {
                #[inline]
                fn #function(event: <#alias as #p::Routine>::Event, #post: &mut #p::Post<#flow>) {
                    match event { #(#arms)* _ => {} }
                }
            }
        });
        routes.collect()
    }

    /// Whether the user's code runs while events of the routine are sent on: `Clone` where one has several receivers, `Drop`,
    /// if there is any, where one has none or is a further result.
    fn guard(&self, routine: usize) -> TokenStream {
        let events = self.model.graph.routines[routine].events.iter().enumerate();
        let connections: Vec<Vec<usize>> = events
            .filter(|(_, event)| !event.live)
            .map(|(number, _)| self.routes_of((routine, number)))
            .collect();
        let returns = |index: &usize| self.model.graph.connections[*index].to == Target::Return;
        let drops = connections.iter().any(|event| event.is_empty() || event.iter().any(returns));
        match (connections.iter().any(|event| event.len() > 1), drops) {
            (true, _) => quote! { true },
            (false, false) => quote! { false },
            (false, true) => {
                let events = format_ident!("__E{routine}");
                quote! { { ::core::mem::needs_drop::<#events>() } }
            }
        }
    }

    fn deliver(&self) -> TokenStream {
        let p = self.p;
        let arms = |contents_of: fn(&Ident) -> TokenStream, step: TokenStream, cells: TokenStream| {
            let arms = self.connected().map(|(number, slot)| {
                let SlotAt { routine, number: in_routine, ref merge, .. } = *slot;
                let (variant, field) = (format_ident!("S{number}"), format_ident!("s{number}"));
                let (cell, alias, route) = (
                    format_ident!("r{routine}"),
                    self.routine_alias(routine),
                    format_ident!("__route{routine}"),
                );
                let (slot, guarded) = (number as u32, self.guard(routine));
                let contents = match merge {
                    Merge::Override => quote! { #p::Nothing },
                    _ => contents_of(&field),
                };
                quote! {
                    __Delivery::#variant(payload) => #p::#step::<#alias, #in_routine, __Delivery, #guarded>(
                        #cells cells.#cell, #contents, payload, cx, #slot, __Delivery::#variant,
                        |event| #route(event, post),
                    ),
                }
            });
            arms.collect::<TokenStream>()
        };
        let begins = self.begins();
        let here = arms(|field| quote! { &mut cells.#field }, quote!(step_here), quote!(&mut));
        let shared = arms(|field| quote! { &cells.#field }, quote!(step_shared), quote!(&));
        quote! {
            #[inline]
            fn deliver(
                cells: &mut __Cells,
                delivery: __Delivery,
                cx: &#p::Context,
                post: &mut #p::Post<Self>,
            ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<__Delivery>>> {
                match delivery { #here }
            }

            fn deliver_shared(
                cells: &__Cells,
                delivery: __Delivery,
                cx: &#p::Context,
                post: &mut #p::Post<Self>,
            ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<__Delivery>>> {
                match delivery { #shared }
            }

            #begins
        }
    }

    /// How the `async` handlers are begun, if there are any.
    fn begins(&self) -> TokenStream {
        let p = self.p;
        let arms: Vec<TokenStream> = self
            .connected()
            .filter(|(_, slot)| slot.waits)
            .map(|(number, slot)| {
                let SlotAt { routine, number: in_routine, .. } = *slot;
                let variant = format_ident!("S{number}");
                let (cell, alias, route) = (
                    format_ident!("r{routine}"),
                    self.routine_alias(routine),
                    format_ident!("__route{routine}"),
                );
                let slot = number as u32;
                quote! {
                    __Delivery::#variant(payload) => ::core::result::Result::Ok(
                        #p::begin::<#alias, #in_routine, Self>(
                            &cells.#cell, payload, cx, #slot, __Delivery::#variant, #route,
                        ),
                    ),
                }
            })
            .collect();
        if arms.is_empty() {
            return TokenStream::new();
        }
        quote! {
            fn begin(
                cells: &__Cells,
                delivery: __Delivery,
                cx: #p::Context,
            ) -> ::core::result::Result<#p::Begun<Self>, __Delivery> {
                match delivery { #(#arms)* other => ::core::result::Result::Err(other) }
            }
        }
    }

    fn make_cells(&self) -> TokenStream {
        let p = self.p;
        let routines = self.model.routines.iter().enumerate().map(|(number, instance)| {
            let field = format_ident!("r{number}");
            let configuration = Ident::new(&format!("__K{number}"), instance.path.span());
            let given = &instance.configuration;
            let used = idents(given.clone());
            // Each routine has its own copy of the parameters that it names.
            let params = self.header.params.iter().filter(|param| used.contains(&param.name.to_string()));
            let params = params.map(|Param { name, ty }| {
                // Our `self`, where the user's type stands.
                let place = Span::call_site().located_at(ty.span());
                quote_spanned! { place=> let #name: #ty = ::core::clone::Clone::clone(&self.#name); }
            });
            let group = Group::new(proc_macro2::Delimiter::Brace, given.clone());
            let alias = self.routine_alias(number);
            quote! { #field: #p::place::<#alias>({ #(#params)* #configuration #group }) }
        });
        let contents = self.keeping().map(|(number, _)| {
            let field = format_ident!("s{number}");
            quote! { #field: ::core::default::Default::default() }
        });
        let cells = Ident::new("__cells", Span::mixed_site());
        let sinks = self.live_sinks(&cells);
        let live = (0..self.live_outputs.len()).map(|number| format_ident!("l{number}"));
        let live: Vec<Ident> = live.collect();
        let fields: Vec<Ident> =
            (0..self.model.routines.len()).map(|number| format_ident!("r{number}")).collect();
        let aliases = (0..fields.len()).map(|number| self.routine_alias(number));
        quote! {
            fn cells(&self) -> __Cells {
                let mut #cells = __Cells { #(#routines,)* #(#contents,)* #(#live: ::core::default::Default::default(),)* };
                #sinks
                #cells
            }

            fn close_live(cells: &__Cells) {
                #(cells.#live.close();)*
            }

            fn open_live(cells: &__Cells) {
                #(cells.#live.open();)*
            }

            fn reconfigure(cells: &__Cells, new: __Cells) {
                #(#p::reconfigure::<#aliases>(&cells.#fields, new.#fields);)*
            }
        }
    }

    /// The statements that lead the live events of the routines in `cells` to their outlets there.
    fn live_sinks(&self, cells: &Ident) -> TokenStream {
        let p = self.p;
        let mut sinks = TokenStream::new();
        for (r, routine) in self.model.graph.routines.iter().enumerate() {
            for (e, _) in routine.events.iter().enumerate().filter(|(_, event)| event.live) {
                let connections = self.routes_of((r, e));
                let sent = self.event_payload((r, e));
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
                        let copy = Ident::new("__copy", Span::mixed_site());
                        let made = quote! { #aliased let #copy: fn(&#sent) -> #sent = #copy_of; };
                        (made, outlets.iter().map(|outlet| quote! { (#outlet, #copy) }).collect())
                    }
                    _ => (TokenStream::new(), Vec::new()),
                };
                let (field, alias) = (format_ident!("r{r}"), self.routine_alias(r));
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
    fn live_outlet(&self, index: usize, cells: &Ident, sent: &TokenStream) -> TokenStream {
        let To::Output(name) = &self.model.connections[index].to else { return TokenStream::new() };
        let number = self.live_outputs.iter().position(|output| output == name).unwrap_or_default();
        let field = format_ident!("l{number}");
        self.fitted_outlet(index, quote! { &#cells.#field }, sent.clone(), self.output_payload(name))
    }

    /// What clones a payload that goes to several receivers; if it cannot, the error stands at `place`. First the
    /// statements that it needs.
    fn copy_of(&self, sent: &TokenStream, place: Span) -> (TokenStream, TokenStream) {
        let p = self.p;
        let [payload, receivers, fan_out] =
            ["__Payload", "__Receivers", "__FanOut"].map(|name| Ident::new(name, place));
        let aliased =
            quote! { type #payload = #sent; use #p::{FanOut as #fan_out, Receivers as #receivers}; };
        (aliased, at(place, quote! { <#receivers as #fan_out<#payload>>::copy }))
    }

    /// The handles for inputs and outputs: one method for each.
    fn handles(&self) -> TokenStream {
        let p = self.p;
        let flow = &self.header.name;
        let (inputs, outputs) = (self.inputs_name(), self.outputs_name());
        let post = Ident::new("__post", Span::mixed_site());
        let value = Ident::new("__value", Span::mixed_site());
        let input_methods = self.inputs.iter().map(|name| {
            let connections: Vec<usize> = self
                .model
                .connections
                .iter()
                .enumerate()
                .filter(|(_, written)| matches!(&written.from, From::Input(input) if input == name))
                .map(|(index, _)| index)
                .collect();
            let first = connections.iter().find_map(|index| match &self.model.graph.connections[*index].to {
                Target::Slot(port) => Some(self.slot(port)),
                _ => None,
            });
            let payload = self.slot_payload(first.unwrap_or_default());
            let sends = self.sends(&connections, &payload, &post, name.span());
            let text = plain(name);
            let doc = format!(
                "Sends to the input `{text}`.\n\n# Errors\n`Error::State` once the inputs are closed."
            );
            quote! {
                #[doc = #doc]
                #[inline]
                pub fn #name(&mut self, #value: #payload) -> #p::Result<()> {
                    #p::Entry::<#flow>::accept(&mut self.0, #text, |#post| { #sends })
                }
            }
        });
        let output_methods = self.outputs.iter().enumerate().map(|(number, name)| {
            let (field, payload) = (format_ident!("o{number}"), self.output_payload(name));
            let doc = format!("Takes what came out at `{}`, in order. What is not taken stays.", plain(name));
            quote! {
                #[doc = #doc]
                pub fn #name(self) -> <__X as #p::Exit<#flow>>::Output<#payload> {
                    #p::Exit::<#flow>::take(self.0, |outbound| &mut outbound.#field)
                }
            }
        });
        let live_methods = self.live_outputs.iter().enumerate().map(|(number, name)| {
            let (field, payload) = (format_ident!("l{number}"), self.output_payload(name));
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
        quote! {
            #[derive(::core::clone::Clone)]
            pub struct #inputs<__E>(__E);
            impl<__E: #p::Entry<#flow>> #inputs<__E> { #(#input_methods)* }
            pub struct #outputs<__X>(__X);
            impl<__X: #p::Exit<#flow>> #outputs<__X> { #(#output_methods)* #(#live_methods)* }
        }
    }

    fn graph(&self) -> TokenStream {
        let p = self.p;
        let name = plain(&self.header.name);
        let routines = self.model.graph.routines.iter().enumerate().map(|(number, routine)| {
            let (id, alias) = (&routine.id, self.routine_alias(number));
            quote! { #p::routine::<#alias>(#id) }
        });
        let port = |port: &routilux_graph::Port| {
            let (routine, name) = (&port.routine, &port.name);
            quote! { #p::Port::new(#routine, #name) }
        };
        let connections = self.model.graph.connections.iter().map(|connection| {
            let from = match &connection.from {
                Source::Input(name) => quote! { #p::Source::Input(::std::string::String::from(#name)) },
                Source::Event(event) => {
                    let port = port(event);
                    quote! { #p::Source::Event(#port) }
                }
            };
            let to = match &connection.to {
                Target::Slot(slot) => {
                    let port = port(slot);
                    quote! { #p::Target::Slot(#port) }
                }
                Target::Output(name) => quote! { #p::Target::Output(::std::string::String::from(#name)) },
                Target::Return => quote! { #p::Target::Return },
            };
            let feedback = connection.feedback;
            quote! { #p::Connection { feedback: #feedback, ..#p::Connection::new(#from, #to) } }
        });
        let ignored = self.model.graph.ignored.iter().map(port);
        quote! {
            fn graph() -> #p::Graph {
                #p::Graph {
                    name: ::std::string::String::from(#name),
                    routines: ::std::vec![#(#routines),*],
                    connections: ::std::vec![#(#connections),*],
                    ignored: ::std::vec![#(#ignored),*],
                    policies: ::std::vec::Vec::new(),
                }
            }
        }
    }

    /// The job as data: which slot a delivery goes to, and every part of the job by name.
    fn data(&self) -> TokenStream {
        let p = self.p;
        let connected: Vec<(usize, &SlotAt)> = self.connected().collect();
        let variants: Vec<Ident> = connected.iter().map(|(number, _)| format_ident!("S{number}")).collect();
        let numbers: Vec<usize> = connected.iter().map(|(number, _)| *number).collect();
        let aliases: Vec<Ident> =
            connected.iter().map(|(_, slot)| self.routine_alias(slot.routine)).collect();
        let in_routine: Vec<usize> = connected.iter().map(|(_, slot)| slot.number).collect();

        let ids: Vec<&String> = self.model.graph.routines.iter().map(|routine| &routine.id).collect();
        let cells: Vec<Ident> = (0..ids.len()).map(|number| format_ident!("r{number}")).collect();

        let keeping: Vec<(usize, &SlotAt)> = self.keeping().collect();
        let kept_numbers: Vec<usize> = keeping.iter().map(|(number, _)| *number).collect();
        let kept_fields: Vec<Ident> = keeping.iter().map(|(number, _)| format_ident!("s{number}")).collect();
        let kept_aliases: Vec<Ident> =
            keeping.iter().map(|(_, slot)| self.routine_alias(slot.routine)).collect();
        let kept_in_routine: Vec<usize> = keeping.iter().map(|(_, slot)| slot.number).collect();

        let outputs: Vec<String> = self.outputs.iter().map(plain).collect();
        let has_result = self.returning().map(|_| quote! { || !outbound.result.is_empty() });
        let merge_result = self.returning().map(|_| quote! { into.result.append(&mut from.result); });
        let outlets: Vec<Ident> = (0..outputs.len()).map(|number| format_ident!("o{number}")).collect();
        quote! {
            fn slot_of(delivery: &__Delivery) -> usize {
                match delivery { #(__Delivery::#variants(_) => #numbers,)* }
            }

            fn save_delivery(delivery: &__Delivery) -> ::core::result::Result<#p::Value, #p::ValueError> {
                match delivery { #(__Delivery::#variants(payload) => #p::save_payload::<#aliases, #in_routine>(payload),)* }
            }

            fn load_delivery(slot: usize, value: #p::Value) -> ::core::result::Result<__Delivery, #p::ValueError> {
                match slot {
                    #(#numbers => #p::load_payload::<#aliases, #in_routine>(value).map(__Delivery::#variants),)*
                    _ => ::core::result::Result::Err(#p::not_connected()),
                }
            }

            fn routines(cells: &__Cells) -> ::std::vec::Vec<(&'static str, &dyn #p::Saved)> {
                ::std::vec![#((#ids, &cells.#cells as &dyn #p::Saved)),*]
            }

            fn routines_mut(cells: &mut __Cells) -> ::std::vec::Vec<(&'static str, &mut dyn #p::Saved)> {
                ::std::vec![#((#ids, &mut cells.#cells as &mut dyn #p::Saved)),*]
            }

            const KEEPING: &'static [usize] = &[#(#kept_numbers),*];

            fn save_contents(cells: &__Cells, slot: usize) -> ::core::result::Result<#p::Value, #p::ValueError> {
                match slot {
                    #(#kept_numbers => cells.#kept_fields.with(|kept| #p::save_contents::<#kept_aliases, #kept_in_routine>(kept)),)*
                    _ => ::core::result::Result::Err(#p::not_connected()),
                }
            }

            fn load_contents(
                cells: &mut __Cells, slot: usize, value: #p::Value,
            ) -> ::core::result::Result<(), #p::ValueError> {
                match slot {
                    #(#kept_numbers => #p::load_contents::<#kept_aliases, #kept_in_routine>(cells.#kept_fields.get_mut(), value),)*
                    _ => ::core::result::Result::Err(#p::not_connected()),
                }
            }

            fn has_output(outbound: &__Outbound) -> bool {
                false #(|| !outbound.#outlets.is_empty())* #has_result
            }

            fn merge_outbound(into: &mut __Outbound, from: &mut __Outbound) {
                #(into.#outlets.append(&mut from.#outlets);)*
                #merge_result
            }

            fn outbound(outbound: &__Outbound) -> ::std::vec::Vec<(&'static str, &dyn #p::Saved)> {
                ::std::vec![#((#outputs, &outbound.#outlets as &dyn #p::Saved)),*]
            }

            fn outbound_mut(outbound: &mut __Outbound) -> ::std::vec::Vec<(&'static str, &mut dyn #p::Saved)> {
                ::std::vec![#((#outputs, &mut outbound.#outlets as &mut dyn #p::Saved)),*]
            }
        }
    }
}

/// After an error: the flow's name, inputs and outputs stay, so that their users have no errors of their own.
pub(crate) fn stub(p: &TokenStream, header: &Header, model: &Model) -> TokenStream {
    let flow = Flow::new(p, header, model);
    let name = &header.name;
    let (inputs, outputs) = (flow.inputs_name(), flow.outputs_name());
    let (input_names, report) = (&flow.inputs, flow.report_name());
    let (output_names, live_names) = (&flow.outputs, &flow.live_outputs);
    let text = plain(name);
    let methods = methods(p, header);
    quote! {
        #methods

        #[doc(hidden)]
        #[allow(unused_variables, dead_code, unreachable_code, unreachable_pub, missing_docs, clippy::all)]
        const _: () = {
            pub struct #inputs<E>(E);
            impl<E: #p::Entry<#name>> #inputs<E> {
                #(pub fn #input_names<T>(&mut self, value: T) -> #p::Result<()> { ::core::unreachable!() })*
            }
            #[must_use]
            #[derive(::core::fmt::Debug, ::core::clone::Clone)]
            pub struct #report(#p::Report);
            impl #report {
                pub fn result(&self) -> #p::Result<&#p::Stub> { ::core::unreachable!() }
            }
            impl ::core::ops::Deref for #report {
                type Target = #p::Report;
                fn deref(&self) -> &#p::Report { &self.0 }
            }
            pub struct #outputs<X>(X);
            impl<X: #p::Exit<#name>> #outputs<X> {
                #(pub fn #output_names(self) -> X::Output<#p::Stub> { ::core::unreachable!() })*
                #(pub fn #live_names(self) -> #p::LiveOutput<#p::Stub> { ::core::unreachable!() })*
            }
            impl #p::Flow for #name {
                type Report = #report;
                type Inputs<E: #p::Entry<Self>> = #inputs<E>;
                type Outputs<X: #p::Exit<Self>> = #outputs<X>;
                type Cells = ();
                type Delivery = ();
                type Outbound = ();
                const NAME: &'static str = #text;
                const SLOTS: &'static [(&'static str, &'static str)] = &[];
                const PLACED: &'static [#p::PlacedSlot] = &[];
                const ROUTINES: &'static [&'static str] = &[];
                fn graph() -> #p::Graph { ::core::unreachable!() }
                fn cells(&self) { ::core::unreachable!() }
                fn inputs<E: #p::Entry<Self>>(entry: E) -> Self::Inputs<E> { #inputs(entry) }
                fn outputs<X: #p::Exit<Self>>(exit: X) -> Self::Outputs<X> { #outputs(exit) }
                fn reconfigure(_: &(), _: ()) { ::core::unreachable!() }
                fn has_output(_: &()) -> bool { ::core::unreachable!() }
                fn merge_outbound(_: &mut (), _: &mut ()) { ::core::unreachable!() }
                fn deliver_shared(
                    _: &(), _: (), _: &#p::Context, _: &mut #p::Post<Self>,
                ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<()>>> { ::core::unreachable!() }
                fn deliver(
                    _: &mut (), _: (), _: &#p::Context, _: &mut #p::Post<Self>,
                ) -> ::core::result::Result<#p::Done, ::std::boxed::Box<#p::Undelivered<()>>> { ::core::unreachable!() }
                fn slot_of(_: &()) -> usize { ::core::unreachable!() }
                fn save_delivery(_: &()) -> ::core::result::Result<#p::Value, #p::ValueError> { ::core::unreachable!() }
                fn load_delivery(_: usize, _: #p::Value) -> ::core::result::Result<(), #p::ValueError> { ::core::unreachable!() }
                fn routines(_: &()) -> ::std::vec::Vec<(&'static str, &dyn #p::Saved)> { ::core::unreachable!() }
                fn routines_mut(_: &mut ()) -> ::std::vec::Vec<(&'static str, &mut dyn #p::Saved)> { ::core::unreachable!() }
                const KEEPING: &'static [usize] = &[];
                fn save_contents(_: &(), _: usize) -> ::core::result::Result<#p::Value, #p::ValueError> { ::core::unreachable!() }
                fn load_contents(_: &mut (), _: usize, _: #p::Value) -> ::core::result::Result<(), #p::ValueError> { ::core::unreachable!() }
                fn __result(_: &()) -> ::core::option::Option<&dyn #p::SavedResult> { ::core::unreachable!() }
                fn __result_mut(_: &mut ()) -> ::core::option::Option<&mut dyn #p::SavedResult> { ::core::unreachable!() }
                fn __report(_: &(), _: #p::Report) -> Self::Report { ::core::unreachable!() }
                fn outbound(_: &()) -> ::std::vec::Vec<(&'static str, &dyn #p::Saved)> { ::core::unreachable!() }
                fn outbound_mut(_: &mut ()) -> ::std::vec::Vec<(&'static str, &mut dyn #p::Saved)> { ::core::unreachable!() }
            }
            impl #p::Threaded for #name {}
        };
    }
}

/// Whether a connection begins at a live event, or at what is probably meant for one.
fn is_live(graph: &routilux_graph::Graph, from: &Source) -> bool {
    let Source::Event(port) = from else { return false };
    let Some(routine) = graph.routine(&port.routine) else { return false };
    let meant = || did_you_mean(&port.name, routine.events.iter().map(|event| event.name.as_str()));
    let event = routine.event(&port.name).or_else(|| routine.event(meant()?));
    event.is_some_and(|event| event.live)
}

/// The variant of an event. Raw, because what is a keyword differs between editions; to the compiler it is the same.
fn event_ident(name: &str) -> Ident {
    Ident::new_raw(name, Span::call_site())
}

/// Every name in the tokens.
fn idents(tokens: TokenStream) -> HashSet<String> {
    let mut names = HashSet::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => drop(names.insert(ident.to_string())),
            TokenTree::Group(group) => names.extend(idents(group.stream())),
            _ => {}
        }
    }
    names
}
