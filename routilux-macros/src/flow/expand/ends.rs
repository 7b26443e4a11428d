//! Where connections begin and end, with the types and the texts of both.

use super::super::conversions;
use super::super::model::By;
use super::{Flow, Node, SlotAt};
use crate::text;
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use routilux_graph::{Source, Target};

/// Where a connection begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    Input(usize),
    /// The routine in the graph, and the event in the routine.
    Event(usize, usize),
    /// The flow, and its output.
    Out(usize, usize),
    /// The slot whose deliveries may fail.
    Error(usize),
}

/// Where a connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Slot(usize),
    /// The slot of a join, and the parameter.
    Param(usize, usize),
    /// The flow, and its input.
    In(usize, usize),
    Output(usize),
    Return,
}

/// A port of the flow itself.
#[derive(Clone, Copy)]
pub(super) enum Pinned {
    Input(usize),
    Output(usize),
    Result,
}

/// The two ends of a way, as an error about them tells of them.
pub(super) struct Fit {
    /// "`tok.word` sends", "`count.word` takes".
    pub(super) from: String,
    pub(super) to: String,
    /// What to do where they differ.
    pub(super) note: String,
    /// How to write it where the one is known to be made of the other: `tok.word => count.word`.
    pub(super) converted: Option<String>,
    pub(super) sent: String,
    pub(super) taken: String,
    /// Where the error stands: at the name that the way ends at.
    pub(super) place: Span,
}

impl Fit {
    /// Whether the two ends are written as different types. Those that are the same are left to the compiler's own check.
    pub(super) fn differs(&self) -> bool {
        self.sent.is_empty() || self.taken.is_empty() || self.sent != self.taken
    }
}

impl Flow<'_> {
    pub(super) fn begin(&self, connection: usize) -> Begin {
        self.begins[connection]
    }

    pub(super) fn end(&self, connection: usize) -> End {
        self.ends[connection]
    }

    /// Where the connection of that number begins.
    pub(super) fn found_begin(&self, connection: usize) -> Begin {
        match &self.model.graph.connections[connection].from {
            Source::Input(name) => {
                let inputs = &self.model.inputs;
                let input = inputs.iter().position(|input| crate::routine::plain(&input.name) == *name);
                Begin::Input(input.unwrap_or_default())
            }
            Source::Event(port) => {
                let routines = &self.model.graph.routines;
                let r = routines.iter().position(|routine| routine.id == port.routine).unwrap_or_default();
                let event = routines[r].events.iter().position(|event| event.name == port.name);
                match (event, self.nodes[r]) {
                    (Some(event), Node::Own(_)) => Begin::Event(r, event),
                    (Some(event), Node::Inner(k)) => Begin::Out(k, event),
                    (None, _) => {
                        let number = routines[r].error_of(&port.name).unwrap_or_default();
                        Begin::Error(self.slot_number(r, number))
                    }
                }
            }
        }
    }

    pub(super) fn end_at(&self, target: &Target) -> End {
        match target {
            Target::Slot(port) => {
                let routines = &self.model.graph.routines;
                let r = routines.iter().position(|routine| routine.id == port.routine).unwrap_or_default();
                let (number, param) = routines[r].port(&port.name).unwrap_or_default();
                match (self.nodes[r], param) {
                    (Node::Inner(k), _) => End::In(k, number),
                    (Node::Own(_), None) => End::Slot(self.slot_number(r, number)),
                    (Node::Own(_), Some(param)) => End::Param(self.slot_number(r, number), param),
                }
            }
            Target::Output(name) => {
                let outputs = &self.model.outputs;
                let output = outputs.iter().position(|output| crate::routine::plain(&output.name) == *name);
                End::Output(output.unwrap_or_default())
            }
            Target::Return => End::Return,
        }
    }

    /// The number of a port among those of the flow.
    fn slot_number(&self, routine: usize, number: usize) -> usize {
        let found = self.slots.iter().position(|slot| slot.routine == routine && slot.number == number);
        found.unwrap_or_default()
    }

    /// The connections that begin there, in the order they are written.
    pub(super) fn connections_from(&self, begin: Begin) -> Vec<usize> {
        (0..self.model.connections.len()).filter(|connection| self.begin(*connection) == begin).collect()
    }

    /// What ends at a slot, or at an input of a join: connections first, then the targets of policies.
    pub(super) fn ways_to(&self, slot: usize) -> Vec<Way> {
        let is_it = |end: End| matches!(end, End::Slot(it) | End::Param(it, _) if it == slot);
        let connections = (0..self.model.connections.len()).filter(|number| is_it(self.end(*number)));
        let mut ways: Vec<Way> = connections.map(Way::Connection).collect();
        for (policy, known) in self.model.graph.policies.iter().enumerate() {
            let targets = known.to.iter().enumerate();
            let targets = targets.filter(|(_, target)| is_it(self.end_at(target)));
            ways.extend(targets.map(|(target, _)| Way::Policy(policy, target)));
        }
        ways
    }

    pub(super) fn slot_payload(&self, slot: usize) -> TokenStream {
        let p = self.p;
        let SlotAt { routine, number, .. } = self.slots[slot];
        let alias = self.routine_type(routine);
        quote! { #p::SlotPayload<#alias, #number> }
    }

    /// What an error wire of the slot carries: of a join, what it has brought together.
    pub(super) fn failed_payload(&self, slot: usize) -> TokenStream {
        let p = self.p;
        let SlotAt { routine, number, .. } = self.slots[slot];
        let alias = self.routine_type(routine);
        quote! { #p::FailedPayload<#alias, #number> }
    }

    /// What travels to a slot.
    pub(super) fn parcel_type(&self, slot: usize) -> TokenStream {
        let p = self.p;
        let SlotAt { routine, number, .. } = self.slots[slot];
        let alias = self.routine_type(routine);
        quote! { #p::Parcel<#alias, #number> }
    }

    /// The type of what is sent.
    pub(super) fn sent(&self, begin: Begin) -> TokenStream {
        let p = self.p;
        match begin {
            Begin::Input(input) => self.input_type(input),
            Begin::Event(routine, event) => {
                let alias = self.routine_type(routine);
                quote! { #p::EventPayload<#alias, #event> }
            }
            Begin::Out(inner, event) => {
                let flow = self.inner_type(inner);
                match self.inner_event(inner, event).live {
                    true => quote! { <#flow as #p::LiveOutPort<#event>>::Payload },
                    false => quote! { <#flow as #p::OutPort<#event>>::Payload },
                }
            }
            Begin::Error(slot) => {
                let payload = self.failed_payload(slot);
                quote! { #p::Failure<#payload> }
            }
        }
    }

    /// The type of what is taken.
    pub(super) fn taken(&self, end: End) -> TokenStream {
        let p = self.p;
        match end {
            End::Slot(slot) => self.slot_payload(slot),
            End::Param(slot, param) => {
                let SlotAt { routine, number, .. } = self.slots[slot];
                let alias = self.routine_type(routine);
                quote! { <#alias as #p::JoinParam<#param, #number>>::Value }
            }
            End::In(inner, input) => {
                let flow = self.inner_type(inner);
                quote! { <#flow as #p::InPort<#input>>::Payload }
            }
            End::Output(output) => self.output_type(output),
            End::Return => self.result_type().unwrap_or_default(),
        }
    }

    /// A payload as the associated type of a public trait, which may not name a private routine: it is a type parameter of
    /// the implementation, and the bound there says what it is. First that bound, then the type.
    pub(super) fn pinned(&self, port: Pinned, payload: &Ident) -> (TokenStream, TokenStream) {
        let p = self.p;
        let of = |bound: TokenStream| (bound, quote! { #payload });
        let by_begin = |begin: Begin| match begin {
            Begin::Input(input) => self.pinned(Pinned::Input(input), payload),
            Begin::Event(routine, event) => {
                let alias = self.routine_type(routine);
                of(quote! { #alias: #p::EventPort<#event, Payload = #payload> })
            }
            Begin::Out(inner, event) => {
                let flow = self.inner_type(inner);
                match self.inner_event(inner, event).live {
                    true => of(quote! { #flow: #p::LiveOutPort<#event, Payload = #payload> }),
                    false => of(quote! { #flow: #p::OutPort<#event, Payload = #payload> }),
                }
            }
            Begin::Error(slot) => {
                let (alias, number) = (self.routine_type(self.slots[slot].routine), self.slots[slot].number);
                let bound = quote! {
                    <#alias as #p::SlotPort<#number>>::Handover: #p::Handover<#alias, #number, Failed = #payload>
                };
                (bound, quote! { #p::Failure<#payload> })
            }
        };
        let by = |by: Option<By>| match by {
            Some(By::Connection(connection)) => by_begin(self.begin(connection)),
            Some(By::Policy(policy)) => match self.diverted_by(policy).first() {
                Some(slot) => by_begin(Begin::Error(*slot)),
                None => (TokenStream::new(), quote! { () }),
            },
            None => (TokenStream::new(), quote! { () }),
        };
        let written = |ty: &syn::Type| (TokenStream::new(), quote! { #ty });
        match port {
            Pinned::Input(input) => {
                let input = &self.model.inputs[input];
                match (&input.ty, input.typed_by) {
                    (Some(ty), _) => written(ty),
                    (None, Some(By::Connection(connection))) => match self.end(connection) {
                        End::Slot(slot) => {
                            let (alias, number) =
                                (self.routine_type(self.slots[slot].routine), self.slots[slot].number);
                            of(quote! { #alias: #p::SlotPort<#number, Payload = #payload> })
                        }
                        End::Param(slot, param) => {
                            let (alias, number) =
                                (self.routine_type(self.slots[slot].routine), self.slots[slot].number);
                            of(quote! { #alias: #p::JoinParam<#param, #number, Value = #payload> })
                        }
                        End::In(inner, input) => {
                            let flow = self.inner_type(inner);
                            of(quote! { #flow: #p::InPort<#input, Payload = #payload> })
                        }
                        End::Output(output) => self.pinned(Pinned::Output(output), payload),
                        End::Return => self.pinned(Pinned::Result, payload),
                    },
                    (None, _) => (TokenStream::new(), quote! { () }),
                }
            }
            Pinned::Output(output) => {
                let output = &self.model.outputs[output];
                output.ty.as_ref().map_or_else(|| by(output.typed_by), written)
            }
            Pinned::Result => match &self.model.result {
                Some(result) => result.ty.as_ref().map_or_else(|| by(result.typed_by), written),
                None => (TokenStream::new(), quote! { () }),
            },
        }
    }

    pub(super) fn inner_event(&self, inner: usize, event: usize) -> &routilux_graph::Event {
        &self.model.graph.routines[self.inner[inner]].events[event]
    }

    pub(super) fn input_type(&self, input: usize) -> TokenStream {
        let input = &self.model.inputs[input];
        match (&input.ty, input.typed_by) {
            (Some(ty), _) => quote! { #ty },
            (None, Some(By::Connection(connection))) => self.taken(self.end(connection)),
            (None, _) => TokenStream::new(),
        }
    }

    pub(super) fn output_type(&self, output: usize) -> TokenStream {
        let output = &self.model.outputs[output];
        match (&output.ty, output.typed_by) {
            (Some(ty), _) => quote! { #ty },
            (None, Some(by)) => self.type_by(by),
            (None, None) => TokenStream::new(),
        }
    }

    /// The type of the result, where the flow has one.
    pub(super) fn result_type(&self) -> Option<TokenStream> {
        let result = self.model.result.as_ref()?;
        Some(match (&result.ty, result.typed_by) {
            (Some(ty), _) => quote! { #ty },
            (None, Some(by)) => self.type_by(by),
            (None, None) => TokenStream::new(),
        })
    }

    fn type_by(&self, by: By) -> TokenStream {
        match by {
            By::Connection(connection) => self.sent(self.begin(connection)),
            By::Policy(policy) => match self.diverted_by(policy).first() {
                Some(slot) => self.sent(Begin::Error(*slot)),
                // Nothing goes that way.
                None => quote! { () },
            },
        }
    }

    /// What is sent, as the authors of the routines wrote it; empty where that is not known.
    pub(super) fn sent_text(&self, begin: Begin) -> String {
        match begin {
            Begin::Input(input) => {
                let input = &self.model.inputs[input];
                match (&input.ty, input.typed_by) {
                    (Some(ty), _) => text::of(ty),
                    (None, Some(By::Connection(connection))) => self.taken_text(self.end(connection)),
                    (None, _) => String::new(),
                }
            }
            Begin::Event(routine, event) => self.model.graph.routines[routine].events[event].payload.clone(),
            Begin::Out(inner, event) => self.inner_event(inner, event).payload.clone(),
            Begin::Error(slot) => format!("Failure<{}>", self.slots[slot].port.payload),
        }
    }

    pub(super) fn taken_text(&self, end: End) -> String {
        let typed = |typed: &super::super::model::Typed| match (&typed.ty, typed.typed_by) {
            (Some(ty), _) => text::of(ty),
            (None, Some(By::Connection(connection))) => self.sent_text(self.begin(connection)),
            (None, _) => String::new(),
        };
        match end {
            End::Slot(slot) => self.slots[slot].port.payload.clone(),
            End::Param(slot, param) => self.slots[slot].port.params[param].payload.clone(),
            End::In(inner, input) => {
                self.model.graph.routines[self.inner[inner]].slots[input].payload.clone()
            }
            End::Output(output) => typed(&self.model.outputs[output]),
            End::Return => self.model.result.as_ref().map(typed).unwrap_or_default(),
        }
    }

    /// The ends of a connection whose payload goes as it is, or is converted.
    pub(super) fn fit(&self, connection: usize) -> Fit {
        let begin = self.begin(connection);
        let from = &self.model.graph.connections[connection].from;
        let does = match begin {
            Begin::Input(_) => "takes",
            _ => "sends",
        };
        let sent = self.sent_text(begin);
        let to = &self.model.graph.connections[connection].to;
        let place = self.end_of(connection);
        let fit = self.fit_of((format!("`{from}` {does}"), sent), to, String::new(), place);
        if self.model.is_live(connection) {
            let note =
                "the two ends of a connection have one type, and a live event goes as it is".to_owned();
            return Fit { note, ..fit };
        }
        let written = format!("{from} => {to}");
        match conversions::is_known(&fit.sent, &fit.taken) {
            true => Fit { note: "`=>` converts with `From`".to_owned(), converted: Some(written), ..fit },
            false => Fit {
                note: format!(
                    "the two ends of a connection have one type: where there is a `From`, write `{written}`; or map it with a closure, `-> |e| .. ->`"
                ),
                ..fit
            },
        }
    }

    pub(super) fn fit_of(
        &self,
        (from, sent): (String, String),
        to: &Target,
        note: String,
        place: Span,
    ) -> Fit {
        let does = match to {
            Target::Output(_) => "carries",
            Target::Return => "takes",
            Target::Slot(_) => "takes",
        };
        let (to, taken) = (format!("`{to}` {does}"), self.taken_text(self.end_at(to)));
        Fit { from, to, note, converted: None, sent, taken, place }
    }

    /// Where an error about a connection stands: at the name of the slot or output it ends at.
    pub(super) fn end_of(&self, connection: usize) -> Span {
        use super::super::model::To;
        let written = &self.model.connections[connection];
        let last = match &written.to {
            To::Output(name) => return name.span(),
            To::Slot(port) => port.tokens.clone().into_iter().last(),
            To::Return => written.to_tokens.clone().into_iter().next(),
        };
        last.map_or(Span::call_site(), |token| token.span())
    }
}

/// What leads to a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Connection(usize),
    /// The policy, and which of its targets.
    Policy(usize, usize),
}
