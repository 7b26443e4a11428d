//! The columns from left to right. A flow that is wider than a page is folded like a text, if few links have to cross from
//! one row to the next; a flow that many would cross stays in one row, to be scrolled.

use super::chains::Chains;
use crate::sketch::Sketch;
use std::ops::Range;

/// A flow may be that much wider than asked for and still stays in one row.
const EASE: f64 = 1.12;
/// So many links may go from one row to the next.
const FEW: usize = 4;
/// What a link that goes on in the next row costs, in widths of a row that are left empty.
const COST: f64 = 60.0;
/// From one box to the next, and from a box to a label.
const GAP: f64 = 40.0;
const LABEL_GAP: f64 = 20.0;
/// How much wider a gap is for each wire in it, and by how much at most.
const FOR_WIRE: f64 = 3.0;
const FOR_WIRES: f64 = 60.0;

/// From lane to lane, and from a column to the nearest one.
pub(crate) const LANE: f64 = 9.0;
pub(crate) const NEAR: f64 = 14.0;

/// The columns, and which of them are in one row.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) rows: Vec<Range<usize>>,
    /// By column: the row.
    pub(crate) row_of: Vec<usize>,
    pub(crate) widths: Vec<f64>,
    /// By column: the room to the next one.
    pub(crate) gaps: Vec<f64>,
    /// By column: how far to the left and to the right of it the lanes are of links that go around boxes.
    pub(crate) lanes: Vec<(f64, f64)>,
}

/// Where the lane of this number is to the left of a column. The head of the arrow is between the nearest one and the box.
pub(crate) fn left_lane(number: usize) -> f64 {
    NEAR + 4.0 + number as f64 * LANE
}

/// Where the lane of this number is to the right of a column.
pub(crate) fn right_lane(number: usize) -> f64 {
    NEAR + number as f64 * LANE
}

pub(crate) fn rows(sketch: &Sketch<'_>, chains: &Chains, most: f64) -> Rows {
    let count = chains.layers.len();
    let links = sketch.links.iter().zip(&chains.links).filter(|(_, wires)| wires.is_none());
    let layer = |node: usize| chains.items[node].layer;
    let around: Vec<(usize, usize)> = links.map(|(link, _)| (layer(link.from.0), layer(link.to.0))).collect();
    let mut beside = vec![(0, 0); count];
    for &(from, to) in &around {
        beside[from].1 += 1;
        beside[to].0 += 1;
    }
    let outermost = |lanes: usize, lane: fn(usize) -> f64| lanes.checked_sub(1).map_or(0.0, lane);
    let lanes =
        beside.iter().map(|&(left, right)| (outermost(left, left_lane), outermost(right, right_lane)));
    let lanes: Vec<(f64, f64)> = lanes.collect();
    let mut widths = vec![0.0; count];
    for item in &chains.items {
        widths[item.layer] = f64::max(widths[item.layer], item.width);
    }
    let mut wires = vec![0_usize; count];
    for wire in &chains.wires {
        wires[chains.items[wire.from].layer] += 1;
    }
    let gaps: Vec<f64> = (0..count)
        .map(|layer| {
            let label = chains.of_labels[layer] || chains.of_labels.get(layer + 1) == Some(&true);
            let room = if label { LABEL_GAP } else { GAP };
            let next = lanes.get(layer + 1).map_or(0.0, |lanes| lanes.0);
            let wires = f64::min(FOR_WIRE * wires[layer].saturating_sub(2) as f64, FOR_WIRES);
            (room + wires).round() + lanes[layer].1 + next
        })
        .collect();

    // By column: how many links come into it from the one before, or pass around it.
    let mut crossing = vec![0_isize; count + 1];
    for (layer, wires) in wires.iter().enumerate() {
        crossing[layer + 1] = *wires as isize;
    }
    let mut passing = vec![0_isize; count + 2];
    for &(from, to) in &around {
        passing[usize::min(from, to) + 1] += 1;
        passing[usize::max(from, to) + 1] -= 1;
    }
    let mut sum = 0;
    for (layer, crossing) in crossing.iter_mut().enumerate() {
        sum += passing[layer];
        *crossing += sum;
    }

    let rows = fold(&widths, &gaps, &crossing, &chains.of_labels, most);
    let mut row_of = vec![0; count];
    for (number, row) in rows.iter().enumerate() {
        row_of[row.clone()].fill(number);
    }
    Rows { rows, row_of, widths, gaps, lanes }
}

fn fold(
    widths: &[f64],
    gaps: &[f64],
    crossing: &[isize],
    of_labels: &[bool],
    most: f64,
) -> Vec<Range<usize>> {
    let count = widths.len();
    let width_of = |row: Range<usize>| -> f64 {
        let last = row.end.saturating_sub(1);
        widths[row.clone()].iter().sum::<f64>() + gaps[row.start.min(last)..last].iter().sum::<f64>()
    };
    let one_row = std::iter::once(0..count).collect();
    let all = width_of(0..count);
    if all <= most * EASE {
        return one_row;
    }
    let ideal = all / (all / most).ceil();
    let mut rows = Vec::new();
    let mut start = 0;
    let mut rest = all;
    while rest > most * EASE {
        let mut best: Option<(f64, usize, f64)> = None;
        let mut width = widths[start];
        for end in start + 1..count {
            if width > most * EASE && best.is_some() {
                break;
            }
            // A label stays with the box that its link comes from.
            if !of_labels[end] {
                let score = COST * crossing[end] as f64 + (ideal - width).abs();
                if best.is_none_or(|best| score < best.0) {
                    best = Some((score, end, width));
                }
            }
            width += gaps[end - 1] + widths[end];
        }
        let Some((_, end, width)) = best else { break };
        if crossing[end] > FEW as isize {
            return one_row;
        }
        rows.push(start..end);
        rest -= width + gaps[end - 1];
        start = end;
    }
    rows.push(start..count);
    rows
}
