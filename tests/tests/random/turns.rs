//! Whose turn it may be: sources have to wait for room, what came over a connection for the next attempt at what came over it before,
//! and of what waits for a slot that takes the latest only the newest is handled.

use crate::view::{View, Waiting};
use serde_json::Value;
use tests::random::plan::Role;
use tests::tokens::Record;

/// Over which connection of its slot it came, where that is known.
fn connection(payload: &Value) -> Option<u64> {
    match payload {
        Value::Array(values) => values[0].as_u64(),
        other => other["of"]["connection"].as_u64(),
    }
}

/// The steps after the `before`th are those whose turn it was.
pub(crate) fn check(view: &View<'_>, record: &Record, before: usize) {
    for run in &record.runs[before..] {
        let name = format!("{}.{}", run.routine, run.slot);
        let (node, port) = view.slot(&name);
        let known = view.plan.port(node, port);
        if matches!(known.role, Role::Source | Role::Started) {
            let is_source = |waiting: &&Waiting| {
                let (node, port) = view.slot(&waiting.to);
                matches!(view.plan.port(node, port).role, Role::Source | Role::Started)
            };
            let others = view.waiting.iter().filter(|waiting| !is_source(waiting)).count();
            // Some of it may be superseded before that.
            let supersedes = view.plan.nodes.iter().any(|node| node.kind.name == "Newest");
            assert!(
                supersedes || others < view.plan.capacity,
                "`{name}` was called while {others} others waited, with room for {}",
                view.plan.capacity
            );
        }
        // What leaves later, and is due in this step, is not known by its id.
        let Some(its) = view.waiting.iter().find(|waiting| waiting.id == run.delivery) else { continue };
        let Some(over) = connection(&its.payload) else { continue };
        let same = |id: u64, to: &str, payload: &Value| {
            id != its.id && to == its.to && connection(payload) == Some(over)
        };
        if known.supersedes() && !known.gathers() {
            let newer = view
                .waiting
                .iter()
                .find(|waiting| waiting.id > its.id && same(waiting.id, &waiting.to, &waiting.payload));
            assert!(newer.is_none(), "`{name}` #{} was handled, and {newer:?} is newer", its.id);
            continue;
        }
        for later in view.data["later"].as_array().unwrap() {
            let retry = &later["what"]["retry"];
            let delivery = &retry["delivery"];
            if retry["in_order"] == true
                && same(
                    delivery["id"].as_u64().unwrap(),
                    delivery["to"].as_str().unwrap(),
                    &delivery["payload"],
                )
            {
                panic!("`{name}` #{} was handled, and waits for the next attempt at {delivery}", its.id);
            }
        }
    }
}
