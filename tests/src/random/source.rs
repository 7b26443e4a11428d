//! A random flow as the text of a `flow!`.

use super::plan::{Action, Branch, End, From, Loop, Node, Plan, Row, Statement, Takes, To};
use std::fmt::Write;

/// The flow, under this name.
pub fn text(plan: &Plan, name: &str) -> String {
    let mut text = format!(
        "flow! {{\n    /// Of seed {}.\n    #[allow(deprecated)]\n    pub flow {name}(log: Log) {{\n",
        plan.seed
    );
    for &number in &plan.order {
        let Node { kind, fails, many, pause, .. } = &plan.nodes[number];
        let _ = writeln!(
            text,
            "        r{number}: {} {{ site: log.site({number}, [{many}, {pause}], Fails {{ one_in: {}, times: {}, panics: {} }}) }};",
            kind.name, fails.one_in, fails.times, fails.panics
        );
    }
    text.push('\n');
    for statement in &plan.statements {
        let _ = writeln!(text, "        {};", written(plan, statement));
    }
    for (number, node) in plan.nodes.iter().enumerate() {
        for (event, name) in node.kind.events.iter().enumerate() {
            let from = From::Event { node: number, event };
            if !plan.statements.iter().any(|statement| statement.from == from) {
                let _ = writeln!(text, "        ignore r{number}.{name};");
            }
        }
        for (port, to) in node.diverts.iter().enumerate() {
            if let (Some(to), true) = (to, node.wired[port]) {
                let port = node.kind.ports[port].name;
                let _ = writeln!(text, "        r{number}.{port}.error -> {};", target(plan, to));
            }
        }
        for row in &node.rows {
            let _ = writeln!(text, "        {};", row_of(plan, number, row));
        }
    }
    if let Some(default) = &plan.default {
        let _ = writeln!(text, "        on error {};", action(plan, default));
    }
    text.push_str("    }\n}\n");
    text
}

fn written(plan: &Plan, statement: &Statement) -> String {
    let Statement { from, guard, then, otherwise } = statement;
    let mut text = match *from {
        From::Input(number) => format!("in x{number}: Token"),
        From::Event { node, event } => format!("r{node}.{}", plan.nodes[node].kind.events[event]),
    };
    if let Some(guard) = guard {
        let _ = write!(text, " if |e| e.passes({}, {})", guard.one_of, guard.which);
    }
    text += &branch(plan, *from, then);
    if let Some(otherwise) = otherwise {
        text += "; else";
        text += &branch(plan, *from, otherwise);
    }
    text
}

fn branch(plan: &Plan, from: From, branch: &Branch) -> String {
    let is_wrapped = branch.to.iter().any(|to| match to {
        To::Slot { node, port, .. } => plan.port(*node, *port).takes == Takes::Wrapped,
        _ => false,
    });
    let value = if matches!(from, From::Event { event: 2, .. }) { "e.token()" } else { "e" };
    let to: Vec<String> = branch.to.iter().map(|to| target(plan, to)).collect();
    let to = to.join(", ");
    match (branch.map, is_wrapped) {
        (None, false) => format!(" -> {to}"),
        (None, true) => format!(" => {to}"),
        (Some(map), false) => format!(" -> |e| {value}.mapped({map}) -> {to}"),
        (Some(map), true) => format!(" -> |e| Wrapped::from({value}.mapped({map})) -> {to}"),
    }
}

fn target(plan: &Plan, to: &To) -> String {
    match to {
        To::Out(number) => format!("out o{number}"),
        To::Letters => "out letters".to_owned(),
        To::Pairs => "out pairs".to_owned(),
        To::Unpaired => "out unpaired".to_owned(),
        To::Return => "return".to_owned(),
        To::Slot { node, port, param, back } => {
            let port = plan.port(*node, *port);
            let mark = match back {
                None => String::new(),
                Some(Loop::Unbounded) => "loop ".to_owned(),
                Some(Loop::Bounded(most)) => format!("loop({most}) "),
            };
            let param = param.map_or(String::new(), |param| format!(".{}", port.params[param]));
            format!("{mark}r{node}.{}{param}", port.name)
        }
    }
}

fn row_of(plan: &Plan, node: usize, row: &Row) -> String {
    let what = if row.panic { "panic" } else { "error" };
    let port = row.port.map_or(String::new(), |port| format!(".{}", plan.port(node, port).name));
    let guard = if row.hard { " if |e| is_hard(e)" } else { "" };
    format!("on {what} of r{node}{port}{guard} {}", action(plan, &row.action))
}

fn action(plan: &Plan, action: &Action) -> String {
    let mut parts = Vec::new();
    if let Some(retry) = action.retry {
        let mut text = format!("retry({}", retry.times);
        if retry.delay > 0 {
            let _ = write!(text, ", {}ms", retry.delay);
            if retry.grows {
                text += ", x1.5, max 12ms";
            }
        }
        if retry.in_order {
            text += ", in_order";
        }
        parts.push(text + ")");
        if action.end.is_some() {
            parts.push("then".to_owned());
        }
    }
    match &action.end {
        Some(End::Skip) => parts.push("skip".to_owned()),
        Some(End::To(to)) => parts.push(format!("-> {}", target(plan, to))),
        None => {}
    }
    parts.join(" ")
}
