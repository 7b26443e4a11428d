//! A flow with the flows in it, for formats that draw one inside the other. Each node has an id of letters, digits and `_`, which
//! every format takes as it is; what the names look like is said in labels.

use crate::model::Graph;
use crate::sketch::{Kind, Sketch};
use std::collections::{HashMap, HashSet};

/// Flows that are deeper within than this are boxes.
const DEEP: usize = 20;

pub(super) struct Scope<'g> {
    pub(super) sketch: Sketch<'g>,
    /// By node.
    pub(super) ids: Vec<String>,
    pub(super) inner: Vec<Option<Scope<'g>>>,
    /// By node of the kind and the name: the inputs and outputs of this flow.
    ends: HashMap<(bool, String), usize>,
}

/// The end of a link.
pub(super) struct Spot<'s> {
    /// The ids of the flows that it is in, then that of the node.
    pub(super) path: Vec<&'s str>,
    /// Which pin of a box, where it ends at one.
    pub(super) pin: Option<usize>,
    /// What it is called there.
    pub(super) name: &'s str,
}

impl<'g> Scope<'g> {
    pub(super) fn of(graph: &'g Graph) -> Self {
        Scope::within(graph, "", &mut HashSet::new(), 0)
    }

    fn within(graph: &'g Graph, prefix: &str, used: &mut HashSet<String>, depth: usize) -> Self {
        let sketch = Sketch::of(graph);
        let mut ids = Vec::with_capacity(sketch.nodes.len());
        let mut inner = Vec::with_capacity(sketch.nodes.len());
        let mut ends = HashMap::new();
        for (number, node) in sketch.nodes.iter().enumerate() {
            let kind = match node.kind {
                Kind::Input => "in_",
                Kind::Output => "out_",
                Kind::Routine | Kind::Flow | Kind::Unknown | Kind::Return => "",
            };
            let id = unused(format!("{prefix}{kind}{}", plain(&node.name)), used);
            let flow = node.inner.filter(|_| depth < DEEP);
            inner.push(flow.map(|flow| Scope::within(flow, &format!("{id}__"), used, depth + 1)));
            ids.push(id);
            match node.kind {
                Kind::Input => ends.insert((true, node.name.clone()), number),
                Kind::Output => ends.insert((false, node.name.clone()), number),
                Kind::Return => ends.insert((false, crate::ways::RESULT.to_owned()), number),
                Kind::Routine | Kind::Flow | Kind::Unknown => None,
            };
        }
        Scope { sketch, ids, inner, ends }
    }

    /// Where a link begins.
    pub(super) fn from(&self, (node, pin): (usize, usize)) -> Spot<'_> {
        self.spot(node, pin, false)
    }

    /// Where a link ends.
    pub(super) fn to(&self, (node, pin): (usize, usize)) -> Spot<'_> {
        self.spot(node, pin, true)
    }

    /// In a flow that is drawn with its inside a link ends at the input there, and begins at the output.
    fn spot(&self, node: usize, pin: usize, into: bool) -> Spot<'_> {
        let drawn = &self.sketch.nodes[node];
        let name = if into { &drawn.ins[pin].name } else { &drawn.outs[pin].name };
        let mut path = vec![self.ids[node].as_str()];
        let Some(inner) = &self.inner[node] else {
            return Spot { path, pin: (!drawn.kind.is_end()).then_some(pin), name };
        };
        // One that has no such end leaves the flow as a whole.
        path.extend(inner.ends.get(&(into, name.clone())).map(|end| inner.ids[*end].as_str()));
        Spot { path, pin: None, name }
    }
}

/// A name with `_` for what is no letter or digit of ASCII.
fn plain(name: &str) -> String {
    let plain = name.chars().take(40).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let plain: String = plain.collect();
    if plain.starts_with(|c: char| c.is_ascii_alphabetic()) { plain } else { format!("r_{plain}") }
}

/// The id, or another one if it is used or means something in one of the formats.
fn unused(id: String, used: &mut HashSet<String>) -> String {
    let wanted = if RESERVED.contains(&id.to_lowercase().as_str()) { format!("{id}_") } else { id };
    let mut id = wanted.clone();
    let mut number = 2;
    // Some formats take `a` and `A` for the same.
    while !used.insert(id.to_lowercase()) {
        id = format!("{wanted}_{number}");
        number += 1;
    }
    id
}

/// Words of DOT, Mermaid and D2.
const RESERVED: [&str; 64] = [
    "accdescr",
    "acctitle",
    "bottom",
    "call",
    "class",
    "classdef",
    "classes",
    "click",
    "constraint",
    "default",
    "desc",
    "digraph",
    "direction",
    "edge",
    "end",
    "false",
    "fill",
    "filled",
    "flowchart",
    "flowchart-elk",
    "font",
    "graph",
    "grid",
    "height",
    "href",
    "icon",
    "interpolate",
    "label",
    "layers",
    "left",
    "level",
    "link",
    "linkstyle",
    "md",
    "near",
    "node",
    "null",
    "opacity",
    "parent",
    "right",
    "scenarios",
    "shadow",
    "shape",
    "source",
    "steps",
    "strict",
    "stroke",
    "style",
    "subgraph",
    "suspend",
    "target",
    "text",
    "title",
    "tooltip",
    "top",
    "true",
    "unsuspend",
    "vars",
    "width",
    "xor",
    "animated",
    "bold",
    "italic",
    "underline",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_and_each_its_own() {
        let mut used = HashSet::new();
        let mut id = |name: &str| unused(plain(name), &mut used);
        assert_eq!(id("reader"), "reader");
        assert_eq!(id("Reader"), "Reader_2");
        assert_eq!(id("end"), "end_");
        assert_eq!(id("größe"), "gr__e");
        assert_eq!(id("語"), "r__");
        assert_eq!(id(""), "r_");
        assert_eq!(id("3"), "r_3");
    }
}
