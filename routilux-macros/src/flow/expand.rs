//! What a flow becomes: a struct of its parameters; and, in the second stage, its routines by value, one enum of
//! deliveries with a variant for each slot that something arrives at, and a `match` that runs a delivery and routes
//! what was emitted. A flow in it is a part like a routine: its cells are in the cells, its deliveries in a variant.

mod cells;
mod deliver;
mod document;
mod editor;
mod ends;
mod generics;
mod graph;
mod handles;
mod inner;
mod outbound;
mod policies;
mod routes;
mod saved;
mod sends;
mod shell;
mod stub;
mod ways;

pub(crate) use editor::{editor, in_editor, is_completed, leave_code_to_editor};
pub(crate) use shell::{documented_shell, plain_shell, shell};
pub(crate) use stub::stub;

use super::model::{By, Model};
use super::parse::Header;
use crate::bounds;
use crate::routine::plain;
use ends::{Begin, End};
use generics::Generics;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use routilux_graph::{Merge, Role, Slot, Subject, When};
use std::collections::HashSet;
use syn::spanned::Spanned;

/// A flow without mistakes, as far as it is the same for all that is generated.
struct Flow<'a> {
    /// The path of what generated code talks to.
    p: &'a TokenStream,
    header: &'a Header,
    model: &'a Model,
    generics: Generics,
    /// By routine of the graph.
    nodes: Vec<Node>,
    /// The ports of its own routines, numbered as the engines do.
    slots: Vec<SlotAt<'a>>,
    /// The routines of the graph that are flows.
    inner: Vec<usize>,
    /// Where the connections begin, and where they end.
    begins: Vec<Begin>,
    ends: Vec<End>,
    /// The outputs that ordinary events go to, and those that live ones go to.
    outputs: Vec<usize>,
    live_outputs: Vec<usize>,
    wires: Vec<Wire>,
    /// The parameters that closures name.
    shared: Vec<usize>,
    /// The connections that may be taken so many times.
    bounds: Vec<usize>,
}

/// What a routine of the graph is.
#[derive(Clone, Copy)]
enum Node {
    /// A routine: its number among those of the flow.
    Own(usize),
    /// A flow: its number among those in the flow.
    Inner(usize),
}

/// A port of one of the flow's own routines.
struct SlotAt<'a> {
    /// The number of the routine in the graph.
    routine: usize,
    /// The number of the port in the routine.
    number: usize,
    port: &'a Slot,
    /// Whether anything can be on its way there.
    reached: bool,
    /// Whether a delivery that waits for its next attempt holds up others.
    in_order: bool,
}

/// A way that what failed goes.
#[derive(Clone, Copy)]
enum Wire {
    /// The error event of a slot.
    Slot(usize),
    /// The targets of a policy.
    Policy(usize),
}

impl SlotAt<'_> {
    /// Whether the slot keeps something between arrivals.
    fn keeps(&self) -> bool {
        match self.port.role {
            Role::Join => true,
            Role::Source { .. } | Role::Finish => false,
            Role::Handler => {
                self.port.when != When::Each || matches!(self.port.merge, Merge::Append | Merge::Fold(_))
            }
        }
    }

    /// Whether what travels to it says over which connection it came.
    fn gathers(&self) -> bool {
        self.port.role == Role::Join || (self.port.role == Role::Handler && self.port.when != When::Each)
    }

    /// Whether that has to be said beside it.
    fn has_connection(&self) -> bool {
        let is_latest = self.port.role == Role::Handler && self.port.merge == Merge::Latest;
        !self.gathers() && (is_latest || self.in_order)
    }

    /// Whether it may run when nothing can come any more.
    fn closes(&self) -> bool {
        match self.port.role {
            Role::Finish => true,
            Role::Source { .. } => false,
            Role::Join => self.port.within,
            Role::Handler => matches!(self.port.when, When::Drained | When::Count(_)),
        }
    }
}

/// The second stage, for a flow without mistakes.
pub(crate) fn flow(p: &TokenStream, header: &Header, model: &Model) -> TokenStream {
    Flow::new(p, header, model).expand()
}

impl<'a> Flow<'a> {
    fn new(p: &'a TokenStream, header: &'a Header, model: &'a Model) -> Self {
        let mut flow = Flow {
            p,
            header,
            model,
            generics: Generics::of(&header.generics),
            nodes: Vec::new(),
            slots: Vec::new(),
            inner: Vec::new(),
            begins: Vec::new(),
            ends: Vec::new(),
            outputs: Vec::new(),
            live_outputs: Vec::new(),
            wires: Vec::new(),
            shared: Vec::new(),
            bounds: Vec::new(),
        };
        for (r, routine) in model.graph.routines.iter().enumerate() {
            if routine.inner.is_some() {
                flow.nodes.push(Node::Inner(flow.inner.len()));
                flow.inner.push(r);
                continue;
            }
            flow.nodes.push(Node::Own(r - flow.inner.len()));
            for (number, port) in routine.slots.iter().enumerate() {
                flow.slots.push(SlotAt { routine: r, number, port, reached: false, in_order: false });
            }
        }
        let connections = 0..model.connections.len();
        flow.begins = connections.clone().map(|connection| flow.found_begin(connection)).collect();
        flow.ends =
            connections.map(|connection| flow.end_at(&model.graph.connections[connection].to)).collect();
        for number in 0..flow.slots.len() {
            flow.slots[number].reached = flow.is_reached(number);
            let retries = |policy: usize| {
                flow.model.policies[policy].retry.as_ref().is_some_and(|retry| retry.in_order)
            };
            flow.slots[number].in_order =
                (0..model.policies.len()).any(|policy| retries(policy) && flow.concerns(policy, number));
        }
        for (number, output) in model.outputs.iter().enumerate() {
            match output.first {
                By::Connection(first) if model.is_live(first) => flow.live_outputs.push(number),
                _ => flow.outputs.push(number),
            }
        }
        let has_wire = |slot: &usize| !flow.connections_from(Begin::Error(*slot)).is_empty();
        let wires = (0..flow.slots.len()).filter(has_wire).map(Wire::Slot);
        let targets = |policy: &usize| !model.graph.policies[*policy].to.is_empty();
        flow.wires = wires.chain((0..model.policies.len()).filter(targets).map(Wire::Policy)).collect();
        let ways = model.ways.iter().flat_map(|way| {
            let branches = [Some(&way.then), way.otherwise.as_ref()].into_iter().flatten();
            way.guard.iter().chain(branches.filter_map(|branch| branch.map.as_ref()))
        });
        let closures = ways.chain(model.policies.iter().filter_map(|policy| policy.guard.as_ref()));
        let named: HashSet<String> = closures.flat_map(|closure| names(quote! { #closure })).collect();
        let params = header.params.iter().enumerate();
        flow.shared = params
            .filter(|(_, param)| named.contains(&plain(&param.name)))
            .map(|(number, _)| number)
            .collect();
        let known = model.graph.connections.iter().enumerate();
        flow.bounds = known.filter(|(_, known)| known.bound.is_some()).map(|(number, _)| number).collect();
        flow
    }

    /// Whether anything can be on its way to a slot. A source can be armed, and what runs when nothing more can come does so
    /// without a connection too.
    fn is_reached(&self, slot: usize) -> bool {
        let port = self.slots[slot].port;
        let own = match port.role {
            Role::Source { .. } | Role::Finish => true,
            Role::Join => false,
            Role::Handler => port.when == When::Drained,
        };
        own || !self.ways_to(slot).is_empty()
    }

    /// Whether a policy is about a slot.
    fn concerns(&self, policy: usize, slot: usize) -> bool {
        let SlotAt { routine, port, .. } = &self.slots[slot];
        let routine = &self.model.graph.routines[*routine];
        match &self.model.graph.policies[policy].of {
            None => true,
            Some(Subject::Routine(id)) => *id == routine.id,
            Some(Subject::Slot(of)) => of.routine == routine.id && of.name == port.name,
        }
    }

    /// The slots that something can be on its way to.
    fn reached(&self) -> impl Iterator<Item = (usize, &SlotAt<'a>)> {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.reached)
    }

    /// Those of them that keep something between arrivals.
    fn keeping(&self) -> impl Iterator<Item = (usize, &SlotAt<'a>)> {
        self.reached().filter(|(_, slot)| slot.keeps())
    }

    /// The flow's own type.
    fn own_type(&self) -> TokenStream {
        self.named(&self.header.name)
    }

    /// A type of the flow's with the flow's type parameters.
    fn named(&self, name: &Ident) -> TokenStream {
        let args = &self.generics.args;
        quote! { #name #args }
    }

    /// A generated type of that name.
    fn generated(&self, name: &str) -> TokenStream {
        self.named(&Ident::new(name, Span::call_site()))
    }

    /// `__R0`, standing where the user wrote the routine's type, with the type parameters that are in it.
    fn routine_type(&self, routine: usize) -> TokenStream {
        self.alias_of("__R", routine)
    }

    /// `__F0`: the flow that is an instance.
    fn inner_type(&self, inner: usize) -> TokenStream {
        self.routine_type(self.inner[inner])
    }

    fn alias_of(&self, prefix: &str, routine: usize) -> TokenStream {
        let path = &self.model.routines[routine].path;
        let alias = Ident::new(&format!("{prefix}{routine}"), path.span());
        let args = self.generics.args_in(&quote! { #path });
        quote! { #alias #args }
    }

    fn inputs_name(&self) -> Ident {
        inputs_name(self.header)
    }

    fn outputs_name(&self) -> Ident {
        outputs_name(self.header)
    }

    fn report_name(&self) -> Ident {
        report_name(self.header)
    }

    /// Where the slots of the flow of that number begin.
    fn offset(&self, inner: usize) -> TokenStream {
        let own = self.slots.len();
        let p = self.p;
        let before = (0..inner).map(|before| self.inner_type(before));
        quote! { (#own #(+ <#before as #p::Flow>::SLOT_COUNT)*) }
    }

    fn expand(&self) -> TokenStream {
        let p = self.p;
        let flow = self.own_type();
        let (decl, clause) = (&self.generics.decl, &self.generics.clause);
        let items = [
            self.aliases(),
            self.cells_struct(),
            self.ways_struct(),
            self.delivery_enum(),
            self.outbound_struct(),
            self.report_struct(),
            self.routes(),
            self.lifts(),
            self.wire_functions(),
            self.handles(),
            self.flow_ports(),
            self.given(),
        ];
        let flow_name = plain(&self.header.name);
        let (inputs, outputs) = (self.inputs_name(), self.outputs_name());
        let args = &self.generics.listed_args;
        let (report, result) = self.result();
        let cells_type = self.generated("__Cells");
        let delivery_type = self.generated("__Delivery");
        let outbound_type = self.generated("__Outbound");
        let ways_type = self.ways_type();
        let (slot_count, operates, wire_count) =
            (self.offset(self.inner.len()), self.operates(), self.wire_count());
        let phantom = self.generics.phantom_value();
        let functions = [
            self.shaped(),
            result,
            self.graph(),
            self.make_cells(),
            self.deliver(),
            self.saved(),
            self.policy_functions(),
        ];
        let threaded = self.threaded();
        quote! {
            #[doc(hidden)]
            #[allow(
                non_camel_case_types, non_snake_case, private_interfaces, private_bounds, unreachable_pub, missing_docs, dead_code,
                unreachable_code, unreachable_patterns, unused_variables, unused_mut, uncommon_codepoints, clippy::all, clippy::pedantic
            )]
            const _: () = {
                #(#items)*

                #[automatically_derived]
                impl #decl #p::Flow for #flow #clause {
                    type Report = #report;
                    type Inputs<__E: #p::Entry<Self>> = #inputs<__E #(, #args)*>;
                    type Outputs<__X: #p::Exit<Self>> = #outputs<__X #(, #args)*>;
                    type Cells = #cells_type;
                    type Delivery = #delivery_type;
                    type Outbound = #outbound_type;
                    type Ways = #ways_type;
                    const NAME: &'static str = #flow_name;
                    const SLOT_COUNT: usize = #slot_count;
                    const OPERATES: bool = #operates;
                    const WIRE_COUNT: u16 = #wire_count;
                    fn inputs<__E: #p::Entry<Self>>(entry: __E) -> Self::Inputs<__E> { #inputs(entry #phantom) }
                    fn outputs<__X: #p::Exit<Self>>(exit: __X) -> Self::Outputs<__X> { #outputs(exit #phantom) }
                    #(#functions)*
                }

                #threaded
            };
        }
    }

    /// Its routines and slots, and those of the flows in it.
    fn shaped(&self) -> TokenStream {
        let p = self.p;
        let routines = &self.model.graph.routines;
        let slots = self.slots.iter().map(|slot| {
            let (id, slot) = (&routines[slot.routine].id, &slot.port.name);
            quote! { (#id, #slot) }
        });
        let placed = self.slots.iter().map(|slot| {
            let (alias, number, in_order) = (self.routine_type(slot.routine), slot.number, slot.in_order);
            let routine = match self.nodes[slot.routine] {
                Node::Own(own) => own,
                Node::Inner(_) => 0,
            };
            quote! {
                #p::PlacedSlot { routine: #routine, mode: <#alias as #p::SlotPort<#number>>::MODE, in_order: #in_order }
            }
        });
        let own = routines.iter().filter(|routine| routine.inner.is_none()).map(|routine| &routine.id);
        let keeping = self.keeping().map(|(number, _)| number);
        let inner = self.inner.iter().enumerate().map(|(k, routine)| {
            let (id, ty) = (&routines[*routine].id, self.inner_type(k));
            let in_order =
                self.rows_about_inner(k).any(|row| row.retry.as_ref().is_some_and(|retry| retry.in_order));
            quote! { within.inner::<#ty>(#id, #in_order); }
        });
        // A flow with type parameters has no static of its own.
        let shape = self.generics.is_empty().then(|| {
            quote! {
                fn shape() -> &'static #p::Shape {
                    static SHAPE: ::std::sync::OnceLock<#p::Shape> = ::std::sync::OnceLock::new();
                    SHAPE.get_or_init(#p::Shape::of::<Self>)
                }
            }
        });
        quote! {
            #shape

            fn shaped(within: &mut #p::Within<'_>) {
                within.own(&[#(#own),*], &[#(#slots),*], &[#(#placed),*], &[#(#keeping),*]);
                #(#inner)*
            }
        }
    }

    /// Asked where a job is started on threads, and not before.
    fn threaded(&self) -> TokenStream {
        let p = self.p;
        let flow = self.own_type();
        let decl = &self.generics.decl;
        let given = &self.generics.predicates;
        let own = (0..self.nodes.len()).filter(|number| matches!(self.nodes[*number], Node::Own(_)));
        let routines = own.map(|number| self.routine_type(number));
        let flows = (0..self.inner.len()).map(|number| self.inner_type(number));
        let mut payloads: Vec<TokenStream> = Vec::new();
        for (number, slot) in self.reached() {
            payloads.push(self.slot_payload(number));
            let (alias, port) = (self.routine_type(slot.routine), slot.number);
            if matches!(slot.port.merge, Merge::Fold(_)) {
                payloads.push(quote! { <#alias as #p::FoldPort<#port>>::Acc });
            }
            for param in 0..slot.port.params.len() {
                payloads.push(self.taken(End::Param(number, param)));
            }
        }
        payloads.extend((0..self.model.outputs.len()).map(|output| self.output_type(output)));
        let result = self.result_type().map(|payload| quote! { for<'__routilux> #payload: #p::SyncPayload, });
        let params = self.shared.iter().map(|param| &self.header.params[*param].ty);
        quote! {
            #[doc(hidden)]
            #[automatically_derived]
            impl #decl #p::Threaded for #flow
            where
                #(#given,)*
                #(for<'__routilux> #routines: #p::ThreadSafe,)*
                #(for<'__routilux> #flows: #p::Threaded,)*
                #(for<'__routilux> #payloads: #p::SendPayload,)*
                #(for<'__routilux> #params: #p::SharedParam,)*
                #result
            {}
        }
    }

    /// The routine types and their configurations under names of ours, at the places of the user's.
    fn aliases(&self) -> TokenStream {
        let p = self.p;
        let aliases = self.model.routines.iter().enumerate().map(|(number, instance)| {
            let path = &instance.path;
            let [routine, configuration, events] =
                ["__R", "__K", "__E"].map(|prefix| self.alias_of(prefix, number));
            let trait_place = path.span();
            match self.nodes[number] {
                Node::Own(_) => {
                    let kinds = quote::quote_spanned! { trait_place=>
                        type #configuration = <#routine as #p::Fields>::Configuration;
                        type #events = <#routine as #p::Routine>::Event;
                    };
                    // A constant has no type parameters in it.
                    let sound = match bounds::arguments(path).is_empty() {
                        true => quote! { <#p::Asked<{ <#path as #p::Routine>::MARKED }> as #p::Sound<#path>>::Routine },
                        false => path.to_token_stream(),
                    };
                    quote! { type #routine = #sound; #kinds }
                }
                Node::Inner(_) => {
                    let given = quote::quote_spanned! { trait_place=>
                        type #configuration = <#routine as #p::Given>::Parameters;
                    };
                    quote! { type #routine = #path; #given }
                }
            }
        });
        aliases.collect()
    }
}

fn inputs_name(header: &Header) -> Ident {
    format_ident!("InputsOf{}", plain(&header.name), span = Span::call_site())
}

fn outputs_name(header: &Header) -> Ident {
    format_ident!("OutputsOf{}", plain(&header.name), span = Span::call_site())
}

fn report_name(header: &Header) -> Ident {
    format_ident!("ReportOf{}", plain(&header.name), span = Span::call_site())
}

/// A local of ours that the user's closures do not see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// Every name in the tokens, without `r#`, and those in texts that are formatted: `"{name}"`.
fn names(tokens: TokenStream) -> HashSet<String> {
    let mut names = HashSet::new();
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => drop(names.insert(plain(&ident))),
            TokenTree::Group(group) => names.extend(self::names(group.stream())),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let formatted = text.split('{').skip(1).map(|after| {
                    let end = after.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(after.len());
                    after[..end].to_owned()
                });
                names.extend(formatted);
            }
            TokenTree::Punct(_) => {}
        }
    }
    names
}
