//! Turns what the graph's checks find into errors on the user's tokens, and leaves out what only follows from a
//! statement that could not be read.

use super::model::{From, Model, To};
use super::parse::Port;
use crate::diagnostic::{Diagnostics, place, warning};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use routilux_graph::{Kind, Part, Place, Problem, Severity};

/// Adds the errors, and returns the warnings.
pub(crate) fn check(model: &Model, diagnostics: &mut Diagnostics) -> TokenStream {
    if model.has_broken_routine {
        return TokenStream::new();
    }
    let mut warnings = TokenStream::new();
    for problem in routilux_graph::check(&model.graph) {
        if follows_from_broken(model, &problem.kind) {
            continue;
        }
        let tokens = tokens_at(model, problem.place);
        match problem.severity {
            Severity::Error => diagnostics.error(tokens, message(model, &problem), &problem.help),
            Severity::Warning => {
                let name = match &problem.kind {
                    Kind::Undelivered(_) => "event_leads_nowhere",
                    _ => "routine_never_reached",
                };
                if let Some(token) = tokens.into_iter().next() {
                    warnings.extend(warning(&token, name, &problem.message, &problem.help));
                }
            }
        }
    }
    warnings
}

fn follows_from_broken(model: &Model, kind: &Kind) -> bool {
    let mentions = &model.mentions;
    match kind {
        Kind::Unconnected(port) | Kind::Undelivered(port) => {
            mentions.ports.iter().any(|(routine, name)| *routine == port.routine && *name == port.name)
        }
        Kind::UnknownRoutine(id) => mentions.ids.contains(id),
        Kind::NoWayIn => mentions.input,
        Kind::NoCycle => !mentions.ports.is_empty(),
        _ => false,
    }
}

fn message(model: &Model, problem: &Problem) -> String {
    let first =
        problem.first.map(|first| tokens_at(model, first)).and_then(|tokens| tokens.into_iter().next());
    match first.and_then(|token: TokenTree| place(token.span())) {
        Some((line, _)) => format!("{} (first on line {line})", problem.message),
        None => problem.message.clone(),
    }
}

fn tokens_at(model: &Model, place: Place) -> TokenStream {
    match place {
        Place::Flow => model.name.to_token_stream(),
        Place::Routine(index) => model.routines[index].id.to_token_stream(),
        Place::From(index, part) => match &model.connections[index].from {
            From::Event(port) => part_of(port, part),
            From::Input(name) => name.to_token_stream(),
        },
        Place::To(index, Part::Whole) => model.connections[index].to_tokens.clone(),
        Place::To(index, part) => match &model.connections[index].to {
            To::Slot(port) => part_of(port, part),
            To::Output(_) | To::Return => model.connections[index].to_tokens.clone(),
        },
        Place::Connection(index) => {
            let connection = &model.connections[index];
            let mut tokens = connection.source_tokens();
            tokens.extend(connection.to_tokens.clone());
            tokens
        }
        Place::Ignored(index, part) => part_of(&model.ignored[index], part),
        Place::Policy(..) | Place::PolicyTo(..) => model.name.to_token_stream(),
    }
}

fn part_of(port: &Port, part: Part) -> TokenStream {
    match part {
        Part::Routine => port.routine.to_token_stream(),
        Part::Port => port.name.to_token_stream(),
        Part::Whole => port.tokens.clone(),
    }
}
