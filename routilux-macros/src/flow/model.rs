//! A flow as plain data beside the tokens it was written with: the graph for the checks, and for each part of it
//! where to point.

use super::parse::{Header, Instance, Mentions, Port, Source, Statement, Target, TargetKind};
use super::ports::{self, Table};
use crate::diagnostic::{Diagnostics, place};
use crate::routine::plain;
use crate::text;
use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use routilux_graph::{Connection, Graph, Routine};
use std::collections::HashMap;
use syn::Path;

pub(crate) struct Model {
    pub(crate) name: Ident,
    /// Parallel to `graph.routines`.
    pub(crate) routines: Vec<Instance>,
    /// Parallel to `graph.connections`.
    pub(crate) connections: Vec<Written>,
    /// Parallel to `graph.ignored`.
    pub(crate) ignored: Vec<Port>,
    pub(crate) graph: Graph,
    /// What statements that could not be read speak of.
    pub(crate) mentions: Mentions,
    /// Whether a routine's own mistakes hide its ports, so that the wiring cannot be checked.
    pub(crate) has_broken_routine: bool,
}

/// One connection as it is written.
pub(crate) struct Written {
    pub(crate) from: From,
    pub(crate) to: To,
    pub(crate) to_tokens: TokenStream,
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
    let paths = ports::distinct(&statements);
    let mut model = Model {
        name: header.name.clone(),
        routines: Vec::new(),
        connections: Vec::new(),
        ignored: Vec::new(),
        graph: Graph::new(plain(&header.name)),
        mentions: Mentions::default(),
        has_broken_routine: false,
    };
    let mut inputs: HashMap<String, Ident> = HashMap::new();
    for statement in statements {
        match statement {
            Statement::Instance(instance) => model.instance(*instance, &paths, &tables, diagnostics),
            Statement::Connect { from, to } => {
                if let Source::Input(name) = &from {
                    match inputs.get(&plain(name)) {
                        None => drop(inputs.insert(plain(name), name.clone())),
                        Some(first) => {
                            let line = place(first.span())
                                .map(|(line, _)| format!(" (first on line {line})"))
                                .unwrap_or_default();
                            let message = format!("the input `{name}` is there twice{line}");
                            let help = format!("name all its slots at once: `in {name} -> a.slot, b.slot;`");
                            diagnostics.error(name, message, help);
                            // Its targets count as connected.
                        }
                    }
                }
                to.into_iter().for_each(|target| model.connection(&from, target));
            }
            Statement::Ignore(port) => {
                model.graph.ignored.push(data(&port));
                model.ignored.push(port);
            }
            Statement::Broken { error, mentions } => {
                diagnostics.add(error);
                model.mentions.ports.extend(mentions.ports);
                model.mentions.ids.extend(mentions.ids);
                model.mentions.input |= mentions.input;
            }
        }
    }
    model
}

fn data(port: &Port) -> routilux_graph::Port {
    routilux_graph::Port::new(plain(&port.routine), plain(&port.name))
}

impl Model {
    fn instance(
        &mut self,
        instance: Instance,
        paths: &[Path],
        tables: &[Table],
        diagnostics: &mut Diagnostics,
    ) {
        let table = ports::table_of(paths, &instance.path).and_then(|number| tables.get(number));
        let (events, slots) = match table {
            Some(Table::Known { events, slots, .. }) => (events.clone(), slots.clone()),
            Some(Table::Broken { live }) => {
                self.has_broken_routine = true;
                (live.clone(), Vec::new())
            }
            None => {
                self.has_broken_routine = true;
                (Vec::new(), Vec::new())
            }
            Some(Table::OtherVersion) => {
                self.has_broken_routine = true;
                let name = text::of(&instance.path);
                let message = format!("`{name}` was made with another version of routilux");
                diagnostics.error(&instance.path, message, "let both crates depend on the same version");
                (Vec::new(), Vec::new())
            }
        };
        let type_name = match table {
            Some(Table::Known { type_name, .. }) => type_name.clone(),
            _ => text::of(&instance.path),
        };
        let routine = Routine { slots, events, ..Routine::new(plain(&instance.id), type_name) };
        self.graph.routines.push(routine);
        self.routines.push(instance);
    }

    fn connection(&mut self, from: &Source, target: Target) {
        let Target { kind, tokens } = target;
        let (from, source) = match from {
            Source::Input(name) => (From::Input(name.clone()), routilux_graph::Source::Input(plain(name))),
            Source::Event(port) => (From::Event(port.clone()), routilux_graph::Source::Event(data(port))),
        };
        let (to, target, feedback) = match kind {
            TargetKind::Slot { port, feedback } => {
                let target = routilux_graph::Target::Slot(data(&port));
                (To::Slot(port), target, feedback)
            }
            TargetKind::Output(name) => {
                let target = routilux_graph::Target::Output(plain(&name));
                (To::Output(name), target, false)
            }
            TargetKind::Return => (To::Return, routilux_graph::Target::Return, false),
        };
        self.graph.connections.push(Connection { feedback, ..Connection::new(source, target) });
        self.connections.push(Written { from, to, to_tokens: tokens });
    }
}
