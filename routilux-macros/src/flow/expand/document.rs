//! What rustdoc shows of a flow: its picture, and what it is made of.

use super::super::model::{Model, Typed};
use super::super::ports::macro_path;
use crate::bounds;
use crate::document::{code, section};
use crate::routine::plain;
use crate::text;
use routilux_graph::{Source, Target};

/// For the struct.
pub(super) fn picture(model: &Model) -> String {
    let mut graph = model.graph.clone();
    for (routine, instance) in graph.routines.iter_mut().zip(&model.routines) {
        // With what its type parameters are.
        if !bounds::arguments(&instance.path).is_empty() {
            routine.type_name = text::of(&instance.path);
        }
    }
    format!("\n\n{}\n\n", graph.to_rustdoc_svg())
}

/// For its `impl` block.
pub(super) fn parts(model: &Model) -> String {
    let inputs = rows(&model.inputs, |name| {
        let is_it = |from: &Source| matches!(from, Source::Input(input) if input == name);
        let first = model.graph.connections.iter().find(|connection| is_it(&connection.from))?;
        match &first.to {
            Target::Slot(slot) => taken(model, &slot.routine, &slot.name),
            Target::Output(_) | Target::Return => None,
        }
    });
    let sent = |is_it: &dyn Fn(&Target) -> bool| {
        let first = model.graph.connections.iter().find(|connection| is_it(&connection.to))?;
        match &first.from {
            Source::Event(event) => {
                let routine = model.graph.routine(&event.routine)?;
                let sent = routine.event(&event.name).map(|event| event.payload.clone());
                let failed = routine.error_of(&event.name);
                sent.or_else(|| failed.map(|slot| format!("Failure<{}>", routine.slots[slot].payload)))
            }
            Source::Input(_) => None,
        }
    };
    let outputs =
        rows(&model.outputs, |name| sent(&|to| matches!(to, Target::Output(output) if output == name)));
    let result = rows(model.result.as_slice(), |_| sent(&|to| *to == Target::Return));
    let routines = model.routines.iter().zip(&model.graph.routines).map(|(instance, routine)| {
        let (written, target) = (text::of(&instance.path), text::of(macro_path(&instance.path)));
        let ty = format!("[{}](struct@{})", code(&written), target.replace(' ', ""));
        let what = if routine.inner.is_some() { "a flow" } else { "" };
        vec![code(&routine.id), ty, what.to_owned()]
    });
    let routines: Vec<Vec<String>> = routines.collect();
    let connections = model.graph.connections.iter().map(|connection| format!("{connection};\n"));
    let policies = model.graph.policies.iter().map(|policy| format!("{policy};\n"));
    let lines: String = connections.chain(policies).collect();
    let mut parts = section("Inputs", &["input", "takes"], &inputs);
    parts += &section("Outputs", &["output", "carries"], &outputs);
    parts += &section("Result", &["", "type"], &result);
    parts += &section("Routines", &["routine", "type", ""], &routines);
    parts + &format!("\n# Connections\n\n```text\n{}```\n", lines.replace("```", "'''"))
}

fn rows(ports: &[Typed], ty: impl Fn(&str) -> Option<String>) -> Vec<Vec<String>> {
    let row = |port: &Typed| {
        let name = plain(&port.name);
        let ty = port.ty.as_ref().map(text::of).or_else(|| ty(&name)).unwrap_or_default();
        vec![code(&name), code(&ty)]
    };
    ports.iter().map(row).collect()
}

fn taken(model: &Model, routine: &str, slot: &str) -> Option<String> {
    let routine = model.graph.routine(routine)?;
    let (number, param) = routine.port(slot)?;
    let slot = &routine.slots[number];
    Some(match param {
        Some(param) => slot.params[param].payload.clone(),
        None => slot.payload.clone(),
    })
}
