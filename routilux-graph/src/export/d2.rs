//! The flow in D2: a table with a row for each slot and event of a routine, a container for a flow in it.

use super::scope::{Scope, Spot};
use crate::layout::text::{fit, line};
use crate::model::Graph;
use crate::sketch::{Kind, Node, Pin, Style};
use std::collections::HashSet;
use std::fmt::{self, Write};

impl Graph {
    /// The flow in D2. A flow in this flow is a container, if its inside is known.
    ///
    /// ```
    /// use routilux_graph::{Connection, Graph, Port, Routine, Slot, Source, Target};
    ///
    /// let mut print = Routine::new("print", "Print");
    /// print.slots.push(Slot::new("text", "String"));
    /// let mut graph = Graph::new("Hello");
    /// graph.routines.push(print);
    /// graph.connections.push(Connection::new(
    ///     Source::Input("text".into()),
    ///     Target::Slot(Port::new("print", "text")),
    /// ));
    /// assert!(graph.to_d2().contains("in_text -> print.\"→ text\""));
    /// ```
    pub fn to_d2(&self) -> String {
        let mut d2 = String::from("direction: right\n");
        // A `String` takes all that is written to it.
        let _ = scope(&mut d2, &Scope::of(self), 0);
        d2
    }
}

fn scope(out: &mut String, scope_: &Scope<'_>, depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for (number, node) in scope_.sketch.nodes.iter().enumerate() {
        let id = &scope_.ids[number];
        let label = format!("{}: {}", line(&node.name), line(&node.type_name));
        match &scope_.inner[number] {
            Some(inner) => {
                writeln!(out, "{indent}{id}: {} {{", Quoted(&label))?;
                scope(out, inner, depth + 1)?;
                writeln!(out, "{indent}}}")?;
            }
            None if node.kind.is_end() => {
                let name = Quoted(&node.name);
                writeln!(out, "{indent}{id}: {name} {{shape: oval; style.stroke: \"#2563b8\"}}")?;
            }
            None => {
                writeln!(out, "{indent}{id}: {} {{", Quoted(&label))?;
                writeln!(out, "{indent}  shape: sql_table")?;
                match node.kind {
                    Kind::Unknown => writeln!(out, "{indent}  style.stroke: \"#c2403c\"")?,
                    Kind::Flow => writeln!(out, "{indent}  style.stroke-width: 4")?,
                    _ => {}
                }
                rows(out, node, &indent)?;
                writeln!(out, "{indent}}}")?;
            }
        }
    }
    for link in &scope_.sketch.links {
        let (from, to) = (scope_.from(link.from), scope_.to(link.to));
        // From a row to one of the same table there is no arrow in D2: that one is of the table.
        let rows = link.from.0 != link.to.0;
        write!(out, "{indent}{} -> {}", End(&from, rows, event_row), End(&to, rows, slot_row))?;
        if !link.label.is_empty() {
            write!(out, ": {}", Quoted(&link.label))?;
        }
        out.push_str(match link.style {
            Style::Plain => "\n",
            Style::Feedback => " {style.stroke-dash: 4}\n",
            Style::Error => " {style.stroke: \"#c2403c\"}\n",
        });
    }
    Ok(())
}

/// The slots, then the events: a row each, also where two have the same name by mistake.
fn rows(out: &mut String, node: &Node<'_>, indent: &str) -> fmt::Result {
    let mut seen = HashSet::new();
    let ins = node.ins.iter().map(|pin| (slot_row(&pin.name), pin));
    let outs = node.outs.iter().map(|pin| (event_row(&pin.name), pin));
    for (row, Pin { payload, note, .. }) in ins.chain(outs) {
        if !seen.insert(row.to_lowercase()) {
            continue;
        }
        write!(out, "{indent}  {}: {}", Quoted(&row), Quoted(payload))?;
        if !note.is_empty() {
            write!(out, " {{constraint: {}}}", Quoted(note))?;
        }
        out.push('\n');
    }
    Ok(())
}

fn slot_row(name: &str) -> String {
    format!("→ {}", key(name))
}

fn event_row(name: &str) -> String {
    format!("{} →", key(name))
}

/// The name of a row is a key, and D2 takes none that is longer than 518 bytes.
fn key(name: &str) -> String {
    fit(&line(name), 1.0, 60.0)
}

struct End<'a>(&'a Spot<'a>, bool, fn(&str) -> String);

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let End(spot, rows, row) = self;
        f.write_str(&spot.path.join("."))?;
        if spot.pin.is_some() && *rows {
            write!(f, ".{}", Quoted(&row(spot.name)))?;
        }
        Ok(())
    }
}

/// A text in quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in line(self.0).chars() {
            if matches!(c, '"' | '\\' | '$') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}
