//! Turns what the graph's checks find into errors on the user's tokens, and leaves out what only follows from a
//! statement that could not be read.

use super::connect::{Port, Target, TargetKind};
use super::model::{By, From, Model, To, Typed};
use super::parse::Header;
use super::policy::{End, Of};
use crate::bounds;
use crate::diagnostic::{Diagnostics, place, warning};
use crate::owned;
use crate::routine::plain;
use crate::text;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use routilux_graph::{Code, Connection, Part, Place, Problem, Severity, Source, Subject};
use syn::GenericArgument;

/// Adds the errors, and returns the warnings.
pub(crate) fn check(header: &Header, model: &Model, diagnostics: &mut Diagnostics) -> TokenStream {
    bounds(header, model, diagnostics);
    types(header, model, diagnostics);
    live(model, diagnostics);
    diverted(model, diagnostics);
    shared_live(model, diagnostics);
    let mut warnings = TokenStream::new();
    for problem in routilux_graph::check(&model.graph) {
        if follows_from_broken(model, &problem) || is_about_broken_routine(model, &problem) {
            continue;
        }
        let tokens = tokens_at(model, problem.place);
        match problem.severity {
            Severity::Error => {
                diagnostics.error(problem.code, tokens, message(model, &problem), &problem.help)
            }
            Severity::Warning => {
                let name = match problem.code {
                    Code::EventLeadsNowhere => "event_leads_nowhere",
                    Code::JoinMayStarve => "join_may_wait_for_ever",
                    Code::EndlessCycle => "cycle_never_ends",
                    _ => "routine_never_reached",
                };
                if let Some(token) = tokens.into_iter().next() {
                    warnings.extend(warning(problem.code, &token, name, &problem.message, &problem.help));
                }
            }
        }
    }
    warnings
}

/// The ports of a routine with mistakes of its own are not known, and so not what leads where.
fn is_about_broken_routine(model: &Model, problem: &Problem) -> bool {
    if model.broken.is_empty() {
        return false;
    }
    let is_broken = |id: &str| model.broken.iter().any(|broken| broken == id);
    let from = |index: usize| match &model.graph.connections[index].from {
        Source::Event(port) => is_broken(&port.routine),
        Source::Input(_) => false,
    };
    let to = |index: usize| match &model.graph.connections[index].to {
        routilux_graph::Target::Slot(port) => is_broken(&port.routine),
        _ => false,
    };
    let of = |index: usize| match &model.graph.policies[index].of {
        Some(Subject::Routine(id)) => is_broken(id),
        Some(Subject::Slot(port)) => is_broken(&port.routine),
        None => false,
    };
    match problem.place {
        // A way through such a routine is not known: neither where it leads nor that there is none.
        _ if problem.severity == Severity::Warning => true,
        Place::Flow => true,
        _ if matches!(problem.code, Code::NoCycle | Code::UnmarkedCycle | Code::DrainedDownstream) => true,
        Place::Routine(index) => is_broken(&model.graph.routines[index].id),
        Place::From(index, _) => from(index),
        Place::To(index, _) => to(index),
        Place::Connection(index) => from(index) || to(index),
        Place::Ignored(index, _) => is_broken(&model.graph.ignored[index].routine),
        Place::Policy(index, _) => of(index),
        Place::PolicyTo(index, target, _) => match &model.graph.policies[index].to[target] {
            routilux_graph::Target::Slot(port) => is_broken(&port.routine),
            _ => false,
        },
    }
}

fn follows_from_broken(model: &Model, problem: &Problem) -> bool {
    let mentions = &model.mentions;
    match (problem.code, &problem.port) {
        (Code::UnknownRoutine, Some(port)) => mentions.ids.contains(&port.routine),
        (Code::NoWayIn, _) => mentions.input || mentions.instance,
        (Code::NoCycle, _) => !mentions.ports.is_empty(),
        (_, Some(port)) if mentions.alone.contains(&port.routine) => true,
        (_, Some(port)) => {
            mentions.ports.iter().any(|(routine, name)| *routine == port.routine && *name == port.name)
        }
        (_, None) => false,
    }
}

/// The type parameters have the bounds that the types they are given to ask for, as far as that can be told from their text.
fn bounds(header: &Header, model: &Model, diagnostics: &mut Diagnostics) {
    let mut told: Vec<&Ident> = Vec::new();
    let mut tell = |param: &'_ Ident, tokens: TokenStream, what: String, needs: &[String]| {
        let has = bounds::of(&header.generics, param);
        let missing = bounds::missing(&has, needs);
        if missing.is_empty() {
            return false;
        }
        let (flow, missing) = (&header.name, missing.join(" + "));
        let all = has.iter().map(String::as_str).chain([missing.as_str()]).collect::<Vec<_>>().join(" + ");
        let help = format!("write `flow {flow}<{param}: {all}>`");
        diagnostics.error(Code::MissingBound, tokens, format!("{what} `{param}: {missing}`"), help);
        true
    };
    for (instance, bounds) in model.routines.iter().zip(&model.bounds) {
        let arguments = bounds::arguments(&instance.path);
        for (argument, needs) in arguments.into_iter().zip(bounds) {
            let Some(param) = bounds::param_of(&header.generics, argument) else { continue };
            let what = format!("`{}` needs", text::of(&instance.path));
            if !told.contains(&param) && tell(param, argument.to_token_stream(), what, needs) {
                told.push(param);
            }
        }
    }
    for given in &header.params {
        let argument = GenericArgument::Type(given.ty.clone());
        let Some(param) = bounds::param_of(&header.generics, &argument) else { continue };
        let what = format!("each job has its own copy of the parameter `{}`, which needs", given.name);
        if !told.contains(&param) && tell(param, given.ty.to_token_stream(), what, &["Clone".to_owned()]) {
            told.push(param);
        }
    }
}

/// A live event is put where it goes while its handler runs: nothing of the user's can be on the way.
fn live(model: &Model, diagnostics: &mut Diagnostics) {
    for (index, known) in model.graph.connections.iter().enumerate() {
        let operator = match known {
            _ if !model.is_live(index) => continue,
            Connection { guard: Some(_), .. } => "decide in its handler",
            Connection { map: Some(_), .. } => "map it in its handler",
            Connection { converts: true, .. } => "convert it in its handler, and write `->`",
            _ => continue,
        };
        let message = format!("`{}` is a live event, which goes as it is", known.from);
        diagnostics.error(Code::LiveOperator, model.connections[index].source_tokens(), message, operator);
    }
}

/// A live output of a flow in this one is an output of this one, the same: it goes to no second one, and nothing else goes there.
fn shared_live(model: &Model, diagnostics: &mut Diagnostics) {
    let connections = &model.graph.connections;
    let is_inner = |known: &Connection| match &known.from {
        Source::Event(port) => {
            model.graph.routine(&port.routine).is_some_and(|routine| routine.inner.is_some())
        }
        Source::Input(_) => false,
    };
    for (index, known) in connections.iter().enumerate() {
        let routilux_graph::Target::Output(_) = known.to else { continue };
        for (first, earlier) in connections[..index].iter().enumerate() {
            let are_live = model.is_live(index) && model.is_live(first);
            let name = match (known.from == earlier.from, known.to == earlier.to) {
                (true, false) if are_live && is_inner(known) => &known.from,
                (false, true) if are_live && is_inner(known) => &known.from,
                (false, true) if are_live && is_inner(earlier) => &earlier.from,
                _ => continue,
            };
            let message =
                format!("`{name}` is a live output of a flow: it goes to one `out`, which is its own");
            let help = "give each an `out` of its own, and remove a second one";
            diagnostics.error(Code::LiveShared, &model.connections[index].to_tokens, message, help);
            break;
        }
    }
}

/// What fails in a flow is of several types, and which is its own.
fn diverted(model: &Model, diagnostics: &mut Diagnostics) {
    for (policy, known) in model.policies.iter().zip(&model.graph.policies) {
        let (Some(Subject::Routine(id)), Some(End::To(targets))) = (&known.of, &policy.end) else { continue };
        let is_flow = model.graph.routine(id).is_some_and(|routine| routine.inner.is_some());
        if let (true, Some(target)) = (is_flow, targets.first()) {
            let help = format!(
                "write `skip`, `stop` or `retry(..)`; or let the flow have an `out` for what fails in it, `{id}.failed -> ..`"
            );
            let message =
                format!("what fails in the flow `{id}` is its own: a policy outside cannot send it on");
            diagnostics.error(Code::DivertedFromOutside, &target.tokens, message, help);
        }
    }
}

/// Inputs, outputs and the result have a type: that of what they are connected to, or the one that is written.
fn types(header: &Header, model: &Model, diagnostics: &mut Diagnostics) {
    for param in &header.params {
        if let Some(ty) = &param.borrows
            && let Some(owned) = owned::owned(ty)
        {
            let help = format!("write `{owned}`, or `{}` for what is there for ever", text::of(&param.ty));
            diagnostics.error(Code::TypeShape, ty, "a flow owns its parameters", help);
        }
    }
    for typed in model.inputs.iter().chain(&model.outputs).chain(&model.result) {
        if let Some(ty) = &typed.ty
            && let Some((message, help)) = owned::mistake(ty)
        {
            diagnostics.error(Code::PayloadShape, ty, message, help);
        }
    }
    let untyped = |typed: &&Typed| typed.ty.is_none() && typed.typed_by.is_none();
    for input in model.inputs.iter().filter(untyped) {
        let name = &input.name;
        let (written, why) = hidden(model, input);
        let plain = format!("in {}", plain(name));
        let help = format!("write it: `{};`", written.replacen(&plain, &format!("{plain}: Type"), 1));
        diagnostics.error(Code::UntypedPort, name, format!("the input `{name}` has no type: {why}"), help);
    }
    for output in model.outputs.iter().filter(untyped) {
        let name = &output.name;
        let (written, why) = hidden(model, output);
        let help = format!("write it: `{written}: Type;`");
        diagnostics.error(Code::UntypedPort, name, format!("the output `{name}` has no type: {why}"), help);
    }
    if let Some(result) = model.result.iter().find(untyped) {
        let (written, why) = hidden(model, result);
        let help = format!("write it: `{written}: Type;`");
        diagnostics.error(Code::UntypedPort, &result.name, format!("the result has no type: {why}"), help);
    }
}

/// The first connection as it is written, and where the type would have to come from.
fn hidden(model: &Model, typed: &Typed) -> (String, &'static str) {
    let By::Connection(first) = typed.first else { return (String::new(), "") };
    let first = &model.graph.connections[first];
    let why = match (&first.map, first.converts) {
        (Some(_), _) => "it would come out of a closure",
        (None, true) => "it would come out of a conversion",
        (None, false) => "no slot says it",
    };
    (first.to_string(), why)
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
        Place::Policy(index, part) => {
            let policy = &model.policies[index];
            match (&policy.of, part) {
                (Some(of), Part::Routine) => of.routine.to_token_stream(),
                (Some(Of { tokens, .. }), Part::Port | Part::Parameter) if !tokens.is_empty() => {
                    tokens.clone()
                }
                _ => policy.tokens.clone(),
            }
        }
        Place::PolicyTo(index, target, part) => match &model.policies[index].end {
            Some(End::To(targets)) => match targets.get(target) {
                Some(Target { kind: TargetKind::Slot { port, .. }, .. }) if part != Part::Whole => {
                    part_of(port, part)
                }
                Some(target) => target.tokens.clone(),
                None => TokenStream::new(),
            },
            _ => TokenStream::new(),
        },
    }
}

fn part_of(port: &Port, part: Part) -> TokenStream {
    match part {
        Part::Routine => port.routine.to_token_stream(),
        Part::Port => port.name_tokens(),
        Part::Parameter => port.names.last().map(ToTokens::to_token_stream).unwrap_or_default(),
        Part::Whole => port.tokens.clone(),
    }
}
