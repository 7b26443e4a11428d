//! What stands in the columns: the nodes, a bend for each column that a link passes, and a label for each link that has
//! one. So links and labels have a place of their own, like boxes, and nothing is drawn over anything.

use super::boxes::{Shape, TINY};
use super::text::{fit, line, width};
use crate::sketch::{Sketch, Style};
use std::collections::HashMap;

/// A link over more columns than this goes around all boxes: bends in all of them would be many.
const FAR: usize = 24;
/// The room below a box for each link that leads from it to itself.
pub(crate) const OWN_TRACK: f64 = 24.0;
const MOST_LABEL: f64 = 150.0;
/// What a label has above and below its line of text, and at its sides.
pub(crate) const LABEL_HEIGHT: f64 = 16.0;
const LABEL_PAD: f64 = 4.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Node(usize),
    /// The label of a link.
    Label(usize),
    Bend,
}

/// What stands in a column.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) what: What,
    pub(crate) layer: usize,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A part of a link, from one column to the next. Links from one event share the parts they have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// How far down its ends are in their items.
    pub(crate) leaves: f64,
    pub(crate) enters: f64,
}

#[derive(Debug)]
pub(crate) struct Chains {
    /// The nodes first, by their numbers.
    pub(crate) items: Vec<Item>,
    pub(crate) wires: Vec<Wire>,
    /// By link: its wires, or nothing where it goes around the boxes.
    pub(crate) links: Vec<Option<Vec<usize>>>,
    /// By layer: its items.
    pub(crate) layers: Vec<Vec<usize>>,
    /// By layer: whether it has labels and bends only.
    pub(crate) of_labels: Vec<bool>,
    /// By link: what its label shows, and all of it where that is shortened.
    pub(crate) labels: Vec<(String, Option<String>)>,
}

/// How wide a label is with the room at its sides.
pub(crate) fn label_width(shown: &str) -> f64 {
    width(shown, TINY) + 2.0 * LABEL_PAD
}

pub(crate) fn chains(sketch: &Sketch<'_>, shapes: &[Shape], column: &[usize], back: &[bool]) -> Chains {
    let around: Vec<bool> = sketch
        .links
        .iter()
        .zip(back)
        .map(|(link, back)| *back || column[link.to.0] - column[link.from.0] > FAR)
        .collect();
    let labels: Vec<(String, Option<String>)> = sketch
        .links
        .iter()
        .map(|link| {
            let full = line(&link.label);
            let shown = fit(&full, TINY, MOST_LABEL);
            let full = (shown != full).then_some(full);
            (shown, full)
        })
        .collect();

    // Between two columns there is one more, if a label has to go there. A link that passes a column has its label on the bend.
    let columns = column.iter().map(|column| column + 1).max().unwrap_or(0);
    let mut labelled = vec![false; columns];
    for (number, link) in sketch.links.iter().enumerate() {
        let near = column[link.to.0] == column[link.from.0] + 1;
        labelled[column[link.from.0]] |= near && !around[number] && !labels[number].0.is_empty();
    }
    let mut first = Vec::with_capacity(columns);
    let mut of_labels = Vec::new();
    for has_label in &labelled {
        first.push(of_labels.len());
        of_labels.push(false);
        of_labels.extend(has_label.then_some(true));
    }

    let mut own = vec![0_usize; sketch.nodes.len()];
    for link in sketch.links.iter().filter(|link| link.from.0 == link.to.0) {
        own[link.from.0] += 1;
    }
    let items = sketch.nodes.iter().enumerate().map(|(number, _)| Item {
        what: What::Node(number),
        layer: first[column[number]],
        width: shapes[number].width,
        height: shapes[number].height + own[number] as f64 * OWN_TRACK,
    });
    let mut chains = Chains {
        items: items.collect(),
        wires: Vec::new(),
        links: Vec::with_capacity(sketch.links.len()),
        layers: Vec::new(),
        of_labels,
        labels,
    };
    let mut shared = Shared::default();
    for (number, link) in sketch.links.iter().enumerate() {
        let path = (!around[number]).then(|| {
            let label = &chains.labels[number].0;
            let label = (!label.is_empty()).then(|| label_width(label));
            let leaves = shapes[link.from.0].outs[link.from.1];
            let enters = shapes[link.to.0].ins[link.to.1];
            let key = (link.from.0, link.from.1, link.style == Style::Error);
            shared.path(&mut chains, key, link.to, (leaves, enters), label.map(|width| (number, width)))
        });
        chains.links.push(path);
    }
    chains.layers = vec![Vec::new(); chains.of_labels.len()];
    for (number, item) in chains.items.iter().enumerate() {
        chains.layers[item.layer].push(number);
    }
    chains
}

/// Where a link begins: the node, the pin, and whether it is one of errors.
type Key = (usize, usize, bool);

/// The parts that links share.
#[derive(Default)]
struct Shared {
    /// The bends of the links from one pin without labels, by layer.
    bends: HashMap<(Key, usize), usize>,
    /// A wire by its ends, and how far down it enters.
    wires: HashMap<(usize, usize, usize, usize), usize>,
}

impl Shared {
    fn path(
        &mut self,
        chains: &mut Chains,
        key: Key,
        to: (usize, usize),
        (leaves, enters): (f64, f64),
        label: Option<(usize, f64)>,
    ) -> Vec<usize> {
        let mut path = Vec::new();
        let (mut at, mut pin, mut leaves) = (key.0, key.1, leaves);
        let first = chains.items[key.0].layer + 1;
        let last = chains.items[to.0].layer;
        // Where a column of labels is passed, and the link passes another column too, the label may be in either.
        let on = (first..last).find(|layer| chains.of_labels[*layer]).unwrap_or(first);
        for layer in first..last {
            let Chains { items, .. } = chains;
            let next = match label {
                Some((link, width)) => {
                    let height = LABEL_HEIGHT;
                    items.push(if layer == on {
                        Item { what: What::Label(link), layer, width, height }
                    } else {
                        Item { what: What::Bend, layer, width: 0.0, height: 0.0 }
                    });
                    items.len() - 1
                }
                None => *self.bends.entry((key, layer)).or_insert_with(|| {
                    items.push(Item { what: What::Bend, layer, width: 0.0, height: 0.0 });
                    items.len() - 1
                }),
            };
            let enters = chains.items[next].height / 2.0;
            path.push(self.wire(chains, (at, pin), (next, 0), (leaves, enters)));
            (at, pin, leaves) = (next, 0, enters);
        }
        path.push(self.wire(chains, (at, pin), to, (leaves, enters)));
        path
    }

    fn wire(
        &mut self,
        chains: &mut Chains,
        from: (usize, usize),
        to: (usize, usize),
        (leaves, enters): (f64, f64),
    ) -> usize {
        *self.wires.entry((from.0, from.1, to.0, to.1)).or_insert_with(|| {
            chains.wires.push(Wire { from: from.0, to: to.0, leaves, enters });
            chains.wires.len() - 1
        })
    }
}
