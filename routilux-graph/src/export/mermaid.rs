//! The flow as a flowchart of Mermaid. It knows no ports: the events and slots are named on the arrows. A flow in a flow is a
//! subgraph.

use super::scope::Scope;
use crate::layout::text::line;
use crate::model::Graph;
use crate::sketch::{Kind, Style};
use std::fmt::{self, Write};

impl Graph {
    /// The flow as a flowchart of Mermaid. A flow in this flow is a subgraph, if its inside is known.
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
    /// let chart = graph.to_mermaid();
    /// assert!(chart.starts_with("flowchart LR\n"));
    /// assert!(chart.contains("in_text -->|\"text\"| print"));
    /// ```
    pub fn to_mermaid(&self) -> String {
        let mut chart = String::from("flowchart LR\n");
        let mut styles = Vec::new();
        // A `String` takes all that is written to it.
        let _ = scope(&mut chart, &Scope::of(self), 1, &mut styles);
        chart.push_str("  classDef flow_end stroke:#2563b8\n");
        chart.push_str("  classDef unknown stroke:#c2403c,stroke-dasharray:4 3\n");
        for (number, style) in styles.iter().enumerate() {
            let _ = match style {
                Style::Error => writeln!(chart, "  linkStyle {number} stroke:#c2403c"),
                Style::Plain | Style::Feedback => Ok(()),
            };
        }
        chart
    }
}

/// `styles` takes the style of each link that is written: a chart counts them.
fn scope(out: &mut String, scope_: &Scope<'_>, depth: usize, styles: &mut Vec<Style>) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for (number, node) in scope_.sketch.nodes.iter().enumerate() {
        let id = &scope_.ids[number];
        let name = Escaped(&node.name);
        match (&scope_.inner[number], node.kind) {
            (Some(inner), _) => {
                writeln!(out, "{indent}subgraph {id}[\"{name}: {}\"]", Escaped(&node.type_name))?;
                scope(out, inner, depth + 1, styles)?;
                writeln!(out, "{indent}end")?;
            }
            (None, Kind::Input | Kind::Output | Kind::Return) => {
                writeln!(out, "{indent}{id}([\"{name}\"]):::flow_end")?;
            }
            (None, kind) => {
                let (open, close) = if kind == Kind::Flow { ("[[", "]]") } else { ("[", "]") };
                let class = if kind == Kind::Unknown { ":::unknown" } else { "" };
                let of_type = Escaped(&node.type_name);
                writeln!(out, "{indent}{id}{open}\"<b>{name}</b><br/>{of_type}\"{close}{class}")?;
            }
        }
    }
    for link in &scope_.sketch.links {
        let (from, to) = (scope_.from(link.from), scope_.to(link.to));
        let arrow = if link.style == Style::Feedback { "-.->" } else { "-->" };
        let ports: Vec<&str> = [from.name, to.name].into_iter().filter(|name| !name.is_empty()).collect();
        let ports = ports.join(" → ");
        let mut label = if ports.is_empty() { ports } else { Escaped(&ports).to_string() };
        if !link.label.is_empty() {
            write!(label, "<br/>{}", Escaped(&link.label))?;
        }
        let last = |path: &[&str]| path.last().copied().unwrap_or_default().to_owned();
        write!(out, "{indent}{} {arrow}", last(&from.path))?;
        if !label.is_empty() {
            write!(out, "|\"{label}\"|")?;
        }
        writeln!(out, " {}", last(&to.path))?;
        styles.push(link.style);
    }
    Ok(())
}

/// A text in a label, with the codes of Mermaid for what means something there.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = line(self.0);
        if text.trim().is_empty() {
            // A label of nothing is a mistake.
            return f.write_char(' ');
        }
        let mut before = ' ';
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let after = chars.peek().copied().unwrap_or(' ');
            match c {
                // Within a word it means nothing.
                '_' if before.is_alphanumeric() && after.is_alphanumeric() => f.write_char(c)?,
                '"' => f.write_str("#quot;")?,
                '<' => f.write_str("#lt;")?,
                '>' => f.write_str("#gt;")?,
                '&' => f.write_str("#amp;")?,
                '#' | '`' | '\\' | '%' | '*' | '_' | '~' | '$' | '[' | ']' | '{' | '}' => {
                    write!(f, "#{};", c as u32)?;
                }
                c => f.write_char(c)?,
            }
            before = c;
        }
        Ok(())
    }
}
