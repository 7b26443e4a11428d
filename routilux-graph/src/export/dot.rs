//! The flow in DOT, the language of Graphviz: a table with a port for each slot and event of a routine, a cluster for a flow
//! in it.

use super::scope::{Scope, Spot};
use crate::layout::text::{fit, line};
use crate::model::Graph;
use crate::sketch::{Kind, Node, Pin, Style};
use std::fmt::{self, Write};

impl Graph {
    /// The flow in DOT, the language of Graphviz. A flow in this flow is a cluster, if its inside is known.
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
    /// assert!(graph.to_dot().contains("in_text:e -> print:i0:w"));
    /// ```
    pub fn to_dot(&self) -> String {
        let mut dot = String::new();
        // A `String` takes all that is written to it.
        let _ = write(&mut dot, self);
        dot
    }
}

fn write(out: &mut String, graph: &Graph) -> fmt::Result {
    writeln!(out, "digraph {} {{", Quoted(&graph.name))?;
    out.push_str("  rankdir=LR;\n");
    out.push_str("  node [shape=plain, fontname=\"monospace\", fontsize=11];\n");
    out.push_str("  edge [fontname=\"monospace\", fontsize=10, color=\"#6a737d\"];\n");
    scope(out, &Scope::of(graph), 1)?;
    out.push_str("}\n");
    Ok(())
}

fn scope(out: &mut String, scope_: &Scope<'_>, depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for (number, node) in scope_.sketch.nodes.iter().enumerate() {
        let id = &scope_.ids[number];
        match &scope_.inner[number] {
            Some(inner) => {
                writeln!(out, "{indent}subgraph cluster_{id} {{")?;
                let label = format!("{}: {}", line(&node.name), line(&node.type_name));
                writeln!(out, "{indent}  label={}; fontname=\"monospace\";", Quoted(&label))?;
                // What leads to a cluster leads to a point in it, where the flow has no such input.
                writeln!(out, "{indent}  {id} [shape=point, style=invis];")?;
                scope(out, inner, depth + 1)?;
                writeln!(out, "{indent}}}")?;
            }
            None if node.kind.is_end() => {
                let label = Quoted(&node.name);
                writeln!(
                    out,
                    "{indent}{id} [shape=cds, margin=\"0.15,0.08\", color=\"#2563b8\", label={label}];"
                )?;
            }
            None => writeln!(out, "{indent}{id} [label=<{}>];", table(node)?)?,
        }
    }
    for link in &scope_.sketch.links {
        let (from, to) = (scope_.from(link.from), scope_.to(link.to));
        write!(out, "{indent}{} -> {}", End(&from, "o", "e"), End(&to, "i", "w"))?;
        let mut attributes = Vec::new();
        if !link.label.is_empty() {
            attributes.push(format!("label={}", Quoted(&link.label)));
        }
        match link.style {
            Style::Plain => {}
            Style::Feedback => attributes.push("style=dashed, color=\"#2563b8\"".into()),
            Style::Error => attributes.push("color=\"#c2403c\"".into()),
        }
        if !attributes.is_empty() {
            write!(out, " [{}]", attributes.join(", "))?;
        }
        out.push_str(";\n");
    }
    Ok(())
}

/// A routine as a table: its name and type, then its slots to the left and its events to the right.
fn table(node: &Node<'_>) -> Result<String, fmt::Error> {
    let mut out = String::new();
    let border = match node.kind {
        Kind::Flow => "BORDER=\"3\"",
        Kind::Unknown => "BORDER=\"1\" STYLE=\"DASHED\" COLOR=\"#c2403c\"",
        _ => "BORDER=\"1\" COLOR=\"#8b949e\"",
    };
    write!(out, "<TABLE {border} CELLBORDER=\"0\" CELLSPACING=\"0\" CELLPADDING=\"4\">")?;
    write!(out, "<TR><TD COLSPAN=\"2\" BGCOLOR=\"#f3f5f8\">{}", Html("B", &node.name))?;
    write!(out, "<BR/>{}</TD></TR>", Html("I", &node.type_name))?;
    for row in 0..node.ins.len().max(node.outs.len()) {
        out.push_str("<TR>");
        cell(&mut out, "i", "LEFT", row, &node.ins)?;
        cell(&mut out, "o", "RIGHT", row, &node.outs)?;
        out.push_str("</TR>");
    }
    out.push_str("</TABLE>");
    Ok(out)
}

fn cell(out: &mut String, side: &str, align: &str, row: usize, pins: &[Pin]) -> fmt::Result {
    let Some(pin) = pins.get(row) else {
        out.push_str("<TD></TD>");
        return Ok(());
    };
    let payload = if pin.payload.is_empty() { String::new() } else { format!(": {}", pin.payload) };
    let text = format!("{}{payload}", pin.name);
    write!(out, "<TD PORT=\"{side}{row}\" ALIGN=\"{align}\">{}", Html("", &text))?;
    if !pin.note.is_empty() {
        write!(out, "<BR ALIGN=\"{align}\"/>{}<BR ALIGN=\"{align}\"/>", Html("I", &pin.note))?;
    }
    out.push_str("</TD>");
    Ok(())
}

struct End<'a>(&'a Spot<'a>, &'a str, &'a str);

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let End(spot, side, compass) = self;
        f.write_str(spot.path.last().copied().unwrap_or_default())?;
        spot.pin.map_or(Ok(()), |pin| write!(f, ":{side}{pin}"))?;
        write!(f, ":{compass}")
    }
}

/// A text in quotes, in which a backslash means nothing special.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = line(self.0).replace('\\', "\\\\").replace('"', "\\\"");
        write!(f, "\"{text}\"")
    }
}

/// A text in a label that is HTML, in an element if one is named. An empty element is a mistake there.
struct Html<'a>(&'a str, &'a str);

impl fmt::Display for Html<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Html(element, text) = self;
        // Where boxes are very wide Graphviz loses edges.
        let text = fit(&line(text), 1.0, 60.0);
        let text =
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        match (text.trim().is_empty(), element.is_empty()) {
            (true, _) => f.write_str(" "),
            (false, true) => f.write_str(&text),
            (false, false) => write!(f, "<{element}>{text}</{element}>"),
        }
    }
}
