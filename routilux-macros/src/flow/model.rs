//! A flow as plain data beside the tokens it was written with: the graph for the checks, and for each part of it
//! where to point.

use super::closure::Closure;
use super::connect::{self, Connect, Port, Source, Target, TargetKind};
use super::parameters;
use super::parse::{Header, Instance, Mentions, Statement};
use super::policy::{End, Policy};
use super::ports::{self, Table};
use crate::bounds;
use crate::diagnostic::{Diagnostics, place};
use crate::routine::plain;
use crate::text;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use routilux_graph::{Code, Connection, Event, Graph, Routine, Subject, did_you_mean};
use std::ops::Range;
use syn::{Path, Type};

pub(crate) struct Model {
    pub(crate) name: Ident,
    /// Parallel to `graph.routines`.
    pub(crate) routines: Vec<Instance>,
    /// Parallel to `graph.connections`.
    pub(crate) connections: Vec<Written>,
    /// The statements that the connections are written in.
    pub(crate) ways: Vec<Way>,
    /// Parallel to `graph.ignored`.
    pub(crate) ignored: Vec<Port>,
    /// Parallel to `graph.policies`.
    pub(crate) policies: Vec<Policy>,
    pub(crate) inputs: Vec<Typed>,
    pub(crate) outputs: Vec<Typed>,
    /// The first `return`.
    pub(crate) result: Option<Typed>,
    pub(crate) graph: Graph,
    /// Parallel to `graph.routines`: what its type arguments are bound by.
    pub(crate) bounds: Vec<Vec<Vec<String>>>,
    /// Parallel to `graph.routines`: whether it is a flow with `async` handlers in it.
    pub(crate) waits: Vec<bool>,
    /// What statements that could not be read speak of.
    pub(crate) mentions: Mentions,
    /// The ids of the routines whose own mistakes hide their ports, so that the wiring at them cannot be checked.
    pub(crate) broken: Vec<String>,
    /// One of those that is known to the compiler as wrong.
    wrong: Option<Path>,
}

/// One connection as it is written.
pub(crate) struct Written {
    pub(crate) from: From,
    pub(crate) to: To,
    pub(crate) to_tokens: TokenStream,
    /// The number of its statement.
    pub(crate) way: usize,
}

pub(crate) enum From {
    Input(Ident),
    Event(Port),
}

pub(crate) enum To {
    Slot(Port),
    Output(Ident),
    Return,
}

/// A statement: connections that begin at one place, and what decides between them.
pub(crate) struct Way {
    pub(crate) guard: Option<Closure>,
    pub(crate) then: Branch,
    pub(crate) otherwise: Option<Branch>,
}

pub(crate) struct Branch {
    pub(crate) converts: bool,
    pub(crate) map: Option<Closure>,
    /// The numbers of its connections.
    pub(crate) connections: Range<usize>,
}

/// An input, an output or the result.
pub(crate) struct Typed {
    pub(crate) name: Ident,
    pub(crate) ty: Option<Type>,
    /// The first whose other end has its type too: neither a map nor a conversion is on the way.
    pub(crate) typed_by: Option<By>,
    /// The first.
    pub(crate) first: By,
}

/// What leads to an output, or from an input.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Connection(usize),
    /// What failed goes there.
    Policy(usize),
}

impl Written {
    pub(crate) fn source_tokens(&self) -> TokenStream {
        match &self.from {
            From::Input(name) => name.to_token_stream(),
            From::Event(port) => port.tokens.clone(),
        }
    }
}

pub(crate) fn build(
    header: &Header,
    statements: Vec<Statement>,
    tables: Vec<Table>,
    diagnostics: &mut Diagnostics,
) -> Model {
    let paths = ports::distinct(&statements, &header.name);
    let mut model = Model {
        name: header.name.clone(),
        routines: Vec::new(),
        connections: Vec::new(),
        ways: Vec::new(),
        ignored: Vec::new(),
        policies: Vec::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        result: None,
        graph: Graph::new(plain(&header.name)),
        bounds: Vec::new(),
        waits: Vec::new(),
        mentions: Mentions::default(),
        broken: Vec::new(),
        wrong: None,
    };
    // What a name means may depend on a routine that is declared after it.
    let (instances, others): (Vec<_>, Vec<_>) =
        statements.into_iter().partition(|statement| matches!(statement, Statement::Instance(_)));
    for statement in instances.into_iter().chain(others) {
        match statement {
            Statement::Instance(instance) => model.instance(*instance, &paths, &tables, diagnostics),
            Statement::Connect(connect) => model.connect(*connect, diagnostics),
            Statement::Ignore(port) => {
                model.graph.ignored.push(data(&port));
                model.ignored.push(port);
            }
            Statement::Policy(policy) => model.policy(*policy, diagnostics),
            Statement::Broken { error, mentions } => {
                diagnostics.add(error);
                model.mentions.add(mentions);
            }
        }
    }
    model
}

fn data(port: &Port) -> routilux_graph::Port {
    routilux_graph::Port::new(plain(&port.routine), port.name())
}

/// "(first on line 7)", where that can be known.
fn first_on_line(span: Span) -> String {
    place(span).map(|(line, _)| format!(" (first on line {line})")).unwrap_or_default()
}

impl Model {
    fn instance(
        &mut self,
        instance: Instance,
        paths: &[Path],
        tables: &[Table],
        diagnostics: &mut Diagnostics,
    ) {
        let mut routine = Routine::new(plain(&instance.id), text::of(&instance.path));
        let (mut waits, mut bounds) = (false, Vec::new());
        match ports::table_of(paths, &instance.path).and_then(|number| tables.get(number)) {
            Some(Table::Known {
                type_name,
                events,
                slots,
                inner,
                waits: inner_waits,
                params,
                bounds: known,
            }) => {
                if inner.is_some() {
                    parameters::check(&instance.path, &instance.configuration, params, diagnostics);
                }
                waits = *inner_waits;
                bounds.clone_from(known);
                routine.type_name.clone_from(type_name);
                routine.events.clone_from(events);
                routine.slots.clone_from(slots);
                routine.inner.clone_from(inner);
            }
            Some(Table::Broken { live, wrong }) => {
                self.broken.push(plain(&instance.id));
                if *wrong && self.wrong.is_none() {
                    self.wrong = Some(instance.path.clone());
                }
                routine.events.clone_from(live);
            }
            None => {
                self.broken.push(plain(&instance.id));
                if ports::is_itself(&instance.path, &self.name) {
                    let message = format!("the flow `{}` cannot be a part of itself", self.graph.name);
                    let help = "what is to go round is a connection: `id.event -> loop id.slot;`";
                    diagnostics.error(Code::FlowInItself, &instance.path, message, help);
                }
            }
            Some(Table::OtherVersion) => {
                self.broken.push(plain(&instance.id));
                let name = text::of(&instance.path);
                let message = format!("`{name}` was made with another version of routilux");
                diagnostics.error(
                    Code::TwoVersions,
                    &instance.path,
                    message,
                    "let both crates depend on the same version",
                );
            }
        }
        self.graph.routines.push(routine);
        self.waits.push(waits);
        self.bounds.push(bounds);
        self.routines.push(instance);
    }

    fn connect(&mut self, connect: Connect, diagnostics: &mut Diagnostics) {
        let Connect { from, guard, then, otherwise } = connect;
        if let Source::Input { name, ty } = &from {
            match self.inputs.iter().find(|input| plain(&input.name) == plain(name)) {
                None => self.inputs.push(Typed {
                    name: name.clone(),
                    ty: ty.as_deref().cloned(),
                    typed_by: None,
                    first: By::Connection(self.connections.len()),
                }),
                Some(first) => {
                    let message =
                        format!("the input `{name}` is there twice{}", first_on_line(first.name.span()));
                    let help = format!("name all its slots at once: `in {name} -> a.slot, b.slot;`");
                    diagnostics.error(Code::DuplicateInput, name, message, help);
                    // Its targets count as connected.
                }
            }
        }
        let source = match &from {
            Source::Input { name, .. } => routilux_graph::Source::Input(plain(name)),
            Source::Event(port) => routilux_graph::Source::Event(self.resolved(port)),
        };
        let guard_text = guard.as_ref().map(|guard| guard.text.clone());
        let then = self.branch(&from, &source, guard_text.as_ref(), then, false, diagnostics);
        let otherwise = otherwise
            .map(|branch| self.branch(&from, &source, guard_text.as_ref(), branch, true, diagnostics));
        self.ways.push(Way { guard, then, otherwise });
    }

    fn branch(
        &mut self,
        from: &Source,
        source: &routilux_graph::Source,
        guard: Option<&String>,
        branch: connect::Branch,
        otherwise: bool,
        diagnostics: &mut Diagnostics,
    ) -> Branch {
        let connect::Branch { converts, map, to } = branch;
        let first = self.connections.len();
        for target in to {
            let Target { kind, tokens } = target;
            let mut known = Connection::new(source.clone(), graph_target(&kind));
            known.converts = converts;
            known.guard = guard.cloned();
            known.otherwise = otherwise;
            known.map = map.as_ref().map(|map| map.text.clone());
            if let TargetKind::Slot { feedback, bound, .. } = &kind {
                (known.feedback, known.bound) = (*feedback, *bound);
            }
            let index = self.connections.len();
            let is_plain = map.is_none() && !converts;
            if let (routilux_graph::Source::Input(name), true, true) =
                (source, is_plain, matches!(kind, TargetKind::Slot { .. }))
                && let Some(input) = self.inputs.iter_mut().find(|input| plain(&input.name) == *name)
            {
                input.typed_by.get_or_insert(By::Connection(index));
            }
            let to = match kind {
                TargetKind::Slot { port, .. } => To::Slot(port),
                TargetKind::Output { name, ty } => {
                    let is_told = !self.output(&name, ty, By::Connection(index), is_plain, diagnostics);
                    if is_told
                        && self.graph.connections.iter().any(|c| c.from == known.from && c.to == known.to)
                    {
                        // That it is there twice too is no mistake more.
                        continue;
                    }
                    To::Output(name)
                }
                TargetKind::Return { ty } => {
                    // A second one is told by the check.
                    self.result.get_or_insert_with(|| Typed {
                        name: Ident::new("result", end_of(&tokens)),
                        ty,
                        typed_by: is_plain.then_some(By::Connection(index)),
                        first: By::Connection(index),
                    });
                    To::Return
                }
            };
            let from = match from {
                Source::Input { name, .. } => From::Input(name.clone()),
                Source::Event(port) => From::Event(port.clone()),
            };
            self.graph.connections.push(known);
            self.connections.push(Written { from, to, to_tokens: tokens, way: self.ways.len() });
        }
        Branch { converts, map, connections: first..self.connections.len() }
    }

    /// Whether its type is the one that it has elsewhere.
    fn output(
        &mut self,
        name: &Ident,
        ty: Option<Type>,
        by: By,
        is_plain: bool,
        diagnostics: &mut Diagnostics,
    ) -> bool {
        let typed_by = is_plain.then_some(by);
        let Some(output) = self.outputs.iter_mut().find(|output| plain(&output.name) == plain(name)) else {
            self.outputs.push(Typed { name: name.clone(), ty, typed_by, first: by });
            return true;
        };
        output.typed_by = output.typed_by.or(typed_by);
        match (&output.ty, ty) {
            (Some(known), Some(ty)) if text::of(known) != text::of(&ty) => {
                let line = known.to_token_stream().into_iter().next();
                let line = line.map(|token| first_on_line(token.span())).unwrap_or_default();
                let message = format!("the output `{name}` has two types{line}");
                let help =
                    format!("write `out {name}: {}`, or give it an output of its own", text::of(known));
                diagnostics.error(Code::DuplicateOutput, ty, message, help);
                return false;
            }
            (Some(_), _) => {}
            (None, ty) => output.ty = ty,
        }
        true
    }

    /// A value that is wrong because a routine is; none where the flow's type parameters would be in it, which a constant may not
    /// have.
    pub(crate) fn wrong_by_routine(&self, p: &TokenStream, header: &Header) -> Option<TokenStream> {
        let path = self.wrong.as_ref()?;
        let is_param = |argument: &_| bounds::param_of(&header.generics, argument).is_some();
        (!bounds::arguments(path).into_iter().any(is_param))
            .then(|| quote! { <#path as #p::Wrong>::MISTAKES })
    }

    /// The flow as an instance in another one.
    pub(crate) fn as_instance(&self) -> Routine {
        let mut flow = self.graph.instance("");
        // A type that is written is the one that counts.
        let written = |known: &mut String, typed: Option<&Typed>| {
            if let Some(ty) = typed.and_then(|typed| typed.ty.as_ref()) {
                *known = text::of(ty);
            }
        };
        for slot in &mut flow.slots {
            written(&mut slot.payload, self.inputs.iter().find(|input| plain(&input.name) == slot.name));
        }
        for event in &mut flow.events {
            let output = self.outputs.iter().find(|output| plain(&output.name) == event.name);
            written(&mut event.payload, output.or(self.result.as_ref().filter(|_| event.name == "result")));
        }
        flow
    }

    /// Whether there are `async` handlers in it.
    pub(crate) fn has_waiting(&self) -> bool {
        let own = self.graph.routines.iter().flat_map(|routine| &routine.slots).any(|slot| slot.waits);
        own || self.waits.contains(&true)
    }

    /// The outputs that live events go to, or what is probably meant for one.
    pub(crate) fn live_outputs(&self) -> Vec<Event> {
        let live = self.outputs.iter().filter(|output| self.leads_live(output.first));
        live.map(|output| Event { live: true, ..Event::new(plain(&output.name), "") }).collect()
    }

    pub(crate) fn leads_live(&self, by: By) -> bool {
        match by {
            By::Connection(connection) => self.is_live(connection),
            By::Policy(_) => false,
        }
    }

    /// Whether a connection begins at a live event, or at what is probably meant for one.
    pub(crate) fn is_live(&self, connection: usize) -> bool {
        let routilux_graph::Source::Event(port) = &self.graph.connections[connection].from else {
            return false;
        };
        let Some(routine) = self.graph.routine(&port.routine) else { return false };
        let meant = || did_you_mean(&port.name, routine.events.iter().map(|event| event.name.as_str()));
        let event = routine.event(&port.name).or_else(|| routine.event(meant()?));
        event.is_some_and(|event| event.live)
    }

    /// The event that is meant: `tok.error` is `tok.line.error` where `line` is all of `tok` that can fail.
    fn resolved(&self, port: &Port) -> routilux_graph::Port {
        let mut known = data(port);
        if let Some(routine) = self.graph.routine(&known.routine)
            && routine.event(&known.name).is_none()
            && let Some(slot) = routine.error_of(&known.name)
        {
            known.name = format!("{}.error", routine.slots[slot].name);
        }
        known
    }

    fn policy(&mut self, policy: Policy, diagnostics: &mut Diagnostics) {
        let of = policy.of.as_ref().map(|of| match of.names.as_slice() {
            [] => Subject::Routine(plain(&of.routine)),
            names => {
                let name = names.iter().map(plain).collect::<Vec<_>>().join(".");
                Subject::Slot(routilux_graph::Port::new(plain(&of.routine), name))
            }
        });
        let mut known = routilux_graph::Policy::new(of, policy.text.clone());
        known.panic = policy.panic;
        known.guard = policy.guard.as_ref().map(|guard| guard.text.clone());
        known.passes =
            policy.end.is_none() && policy.retry.as_ref().is_some_and(|retry| retry.times.is_some());
        if let Some(End::To(targets)) = &policy.end {
            known.to = targets.iter().map(|target| graph_target(&target.kind)).collect();
            for target in targets {
                if let TargetKind::Output { name, ty } = &target.kind {
                    let by = By::Policy(self.policies.len());
                    self.output(name, ty.clone(), by, true, diagnostics);
                }
            }
        }
        self.graph.policies.push(known);
        self.policies.push(policy);
    }
}

fn graph_target(kind: &TargetKind) -> routilux_graph::Target {
    match kind {
        TargetKind::Slot { port, .. } => routilux_graph::Target::Slot(data(port)),
        TargetKind::Output { name, .. } => routilux_graph::Target::Output(plain(name)),
        TargetKind::Return { .. } => routilux_graph::Target::Return,
    }
}

fn end_of(tokens: &TokenStream) -> Span {
    tokens.clone().into_iter().next().map_or_else(Span::call_site, |token| token.span())
}
