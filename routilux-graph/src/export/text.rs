//! The flow as plain text for a terminal: each routine with its ports, and at each port what is at the other end.

use crate::layout::text::{fit, line, width};
use crate::model::Graph;
use crate::sketch::{Kind, Link, Node, Pin, Sketch};
use std::fmt::{self, Write};

/// How many columns a line has at most.
const COLUMNS: usize = 100;
/// Where what a port is connected to begins at the latest.
const LATEST: usize = 52;
/// At this size of the font, a usual character is one column wide.
const COLUMN: f64 = 1.0 / 0.61;

impl Graph {
    /// The flow as text for a terminal, at most 100 columns wide, without colours.
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
    /// assert_eq!(
    ///     graph.to_text(),
    ///     "flow Hello\n\
    ///      \n\
    ///      in text  ──▷ print.text\n\
    ///      \n\
    ///      print: Print\n\
    ///      └ slot  text: String  ◁── in text\n"
    /// );
    /// ```
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // A `String` takes all that is written to it.
        let _ = flow(&mut text, self, 0);
        text
    }
}

/// A port, and what is at the other ends of its links.
struct Row<'a> {
    what: &'static str,
    pin: &'a Pin,
    links: Vec<String>,
}

fn flow(out: &mut String, graph: &Graph, depth: usize) -> fmt::Result {
    let sketch = Sketch::of(graph);
    let mut into: Vec<Vec<&Link>> = vec![Vec::new(); sketch.nodes.len()];
    let mut out_of: Vec<Vec<&Link>> = vec![Vec::new(); sketch.nodes.len()];
    for link in &sketch.links {
        into[link.to.0].push(link);
        out_of[link.from.0].push(link);
    }
    tell(out, depth, &format!("flow {}", line(&graph.name)))?;
    // What comes in, the routines, and then what goes out, if it is no news.
    let inputs = sketch.nodes.iter().enumerate().filter(|(_, node)| node.kind == Kind::Input);
    for (number, (at, node)) in inputs.enumerate() {
        if number == 0 {
            out.push('\n');
        }
        let name = format!("in {}", line(&node.name));
        let ends: Vec<String> = out_of[at].iter().map(|link| leads(&sketch, link)).collect();
        ported(out, depth, &name, columns(&name).min(LATEST), "", &ends)?;
    }
    for (at, node) in sketch.nodes.iter().enumerate().filter(|(_, node)| !node.kind.is_end()) {
        out.push('\n');
        let what = match node.kind {
            Kind::Flow => " (a flow)",
            Kind::Unknown => " (there is no such routine)",
            _ => "",
        };
        tell(out, depth, &format!("{}: {}{what}", line(&node.name), line(&node.type_name)))?;
        routine(out, depth, node, &rows(&sketch, node, &into[at], &out_of[at]))?;
        if let Some(inner) = node.inner {
            out.push('\n');
            flow(out, inner, depth + 1)?;
        }
    }
    for (number, policy) in graph.policies.iter().enumerate() {
        if number == 0 {
            out.push('\n');
        }
        tell(out, depth, &line(&policy.to_string()))?;
    }
    Ok(())
}

fn rows<'a>(sketch: &Sketch<'_>, node: &'a Node<'_>, into: &[&Link], out_of: &[&Link]) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let mut ends: Vec<Vec<String>> = vec![Vec::new(); node.ins.len()];
    for link in into {
        ends[link.to.1].push(comes(sketch, link));
    }
    rows.extend(node.ins.iter().zip(ends).map(|(pin, links)| Row { what: "slot", pin, links }));
    let mut ends: Vec<Vec<String>> = vec![Vec::new(); node.outs.len()];
    for link in out_of {
        ends[link.from.1].push(leads(sketch, link));
    }
    rows.extend(node.outs.iter().zip(ends).map(|(pin, links)| {
        let what = if pin.error { "error" } else { "event" };
        Row { what, pin, links }
    }));
    rows
}

fn routine(out: &mut String, depth: usize, node: &Node<'_>, rows: &[Row<'_>]) -> fmt::Result {
    let wide = if node.outs.is_empty() { 4 } else { 5 };
    let texts: Vec<String> = rows
        .iter()
        .map(|Row { what, pin, .. }| {
            let payload =
                if pin.payload.is_empty() { String::new() } else { format!(": {}", line(&pin.payload)) };
            let note = if pin.note.is_empty() { String::new() } else { format!(" ({})", line(&pin.note)) };
            let name = line(&pin.name);
            let text = format!("{what:wide$}  {name}{payload}");
            // A note is short, and says more than the end of a type.
            let room = LATEST - 2 - columns(&note).min(LATEST / 2);
            format!("{}{note}", shorten(&text, room))
        })
        .collect();
    let widest = texts.iter().map(|text| columns(text)).max().unwrap_or(0) + 2;
    for (number, (row, text)) in rows.iter().zip(&texts).enumerate() {
        let last = number + 1 == rows.len();
        let (branch, on) = if last { ("└ ", "  ") } else { ("├ ", "│ ") };
        ported(out, depth, &format!("{branch}{text}"), widest, on, &row.links)?;
    }
    Ok(())
}

/// A port, and beside it what it is connected to, below each other.
fn ported(out: &mut String, depth: usize, port: &str, at: usize, on: &str, links: &[String]) -> fmt::Result {
    if links.is_empty() {
        return tell(out, depth, port);
    }
    for (number, link) in links.iter().enumerate() {
        let port = if number == 0 { shorten(port, LATEST) } else { on.to_owned() };
        let space = " ".repeat(at.saturating_sub(columns(&port)) + 2);
        tell(out, depth, &format!("{port}{space}{link}"))?;
    }
    Ok(())
}

fn leads(sketch: &Sketch<'_>, link: &Link) -> String {
    let to = name(&sketch.nodes[link.to.0], &sketch.nodes[link.to.0].ins[link.to.1]);
    format!("──▷ {to}{}", label(link))
}

fn comes(sketch: &Sketch<'_>, link: &Link) -> String {
    let from = name(&sketch.nodes[link.from.0], &sketch.nodes[link.from.0].outs[link.from.1]);
    format!("◁── {from}{}", label(link))
}

fn label(link: &Link) -> String {
    if link.label.is_empty() { String::new() } else { format!("  {}", line(&link.label)) }
}

fn name(node: &Node<'_>, pin: &Pin) -> String {
    match node.kind {
        Kind::Input => format!("in {}", line(&node.name)),
        Kind::Output => format!("out {}", line(&node.name)),
        Kind::Return => "return".into(),
        Kind::Routine | Kind::Flow | Kind::Unknown => format!("{}.{}", line(&node.name), line(&pin.name)),
    }
}

/// Writes a line as far within as its flow is, without spaces at its end.
fn tell(out: &mut String, depth: usize, text: &str) -> fmt::Result {
    // However deep a flow is, half of the line is left.
    let indent = (4 * depth).min(COLUMNS / 2);
    writeln!(out, "{:indent$}{}", "", shorten(text, COLUMNS - indent).trim_end())
}

fn shorten(text: &str, columns: usize) -> String {
    fit(text, COLUMN, columns as f64 + 0.01)
}

fn columns(text: &str) -> usize {
    (width(text, COLUMN) - 0.01).ceil() as usize
}
