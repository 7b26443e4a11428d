//! How far down each item stands in its row: where its wires would be straight, as far as the order of its column and the room
//! between items allow.

use super::chains::{Chains, What};
use super::rows::Rows;

const PASSES: usize = 9;
/// Room between two boxes, and between others.
const BOXES: f64 = 26.0;
const BENDS: f64 = 14.0;
/// Room that is left where a wire is straightened, and how much is not straight but almost.
const LEAST: f64 = 8.0;
const JOG: f64 = 10.0;

/// The upper edge of each item.
pub(crate) fn heights(chains: &Chains, rows: &Rows) -> Vec<f64> {
    let count = chains.items.len();
    let mut before: Vec<Vec<Pull>> = vec![Vec::new(); count];
    let mut after: Vec<Vec<Pull>> = vec![Vec::new(); count];
    let row = |item: usize| rows.row_of[chains.items[item].layer];
    // One that goes on in the next row is not straight anyway.
    for wire in chains.wires.iter().filter(|wire| row(wire.from) == row(wire.to)) {
        // A bend in the middle of a long way is seen more than one at its ends.
        let nodes = [wire.from, wire.to].iter().filter(|item| is_node(chains, **item)).count();
        let weight = [8.0, 2.0, 1.0][nodes];
        let down = wire.leaves - wire.enters;
        before[wire.to].push(Pull { other: wire.from, down, weight });
        after[wire.from].push(Pull { other: wire.to, down: -down, weight });
    }
    let mut tops = vec![0.0; count];
    for layer in &chains.layers {
        let mut top = 0.0;
        for &item in layer {
            tops[item] = top;
            top += chains.items[item].height + BOXES;
        }
    }
    for pass in 0..PASSES {
        let pull = |layer: &Vec<usize>, tops: &mut Vec<f64>| {
            let wanted: Vec<(f64, f64)> = layer
                .iter()
                .map(|&item| {
                    // At first only from where the wires come, then from both sides, in the end from where they come.
                    let (left, right) = match pass {
                        0 => (1.0, 0.0),
                        1 => (0.0, 1.0),
                        _ if pass + 1 == PASSES => (1.0, 0.02),
                        _ => (1.0, 1.0),
                    };
                    wanted(item, &[(&before[item], left), (&after[item], right)], tops)
                })
                .collect();
            settle(chains, layer, &wanted, tops);
        };
        if pass % 2 == 0 {
            chains.layers.iter().for_each(|layer| pull(layer, &mut tops));
        } else {
            chains.layers.iter().rev().for_each(|layer| pull(layer, &mut tops));
        }
    }
    tops.iter_mut().for_each(|top| *top = top.round());
    straighten(chains, &before, &mut tops);
    tops
}

/// A wire that is almost straight looks like a mistake: its end is moved, where there is room.
fn straighten(chains: &Chains, before: &[Vec<Pull>], tops: &mut [f64]) {
    for layer in &chains.layers {
        for (number, &item) in layer.iter().enumerate() {
            let off = before[item].iter().map(|pull| tops[pull.other] + pull.down - tops[item]);
            let Some(off) = off.min_by(|a, b| a.abs().total_cmp(&b.abs())) else { continue };
            let bottom = |item: usize| tops[item] + chains.items[item].height;
            let above = number.checked_sub(1).map_or(f64::INFINITY, |at| tops[item] - bottom(layer[at]));
            let below = layer.get(number + 1).map_or(f64::INFINITY, |next| tops[*next] - bottom(item));
            let room = if off < 0.0 { above } else { below };
            if off.abs() <= JOG && room - off.abs() >= LEAST {
                tops[item] += off;
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Pull {
    other: usize,
    /// How far below the other's upper edge this one's would be, if the wire were straight.
    down: f64,
    weight: f64,
}

fn is_node(chains: &Chains, item: usize) -> bool {
    matches!(chains.items[item].what, What::Node(_))
}

/// Where the wires of an item pull it, and how strongly.
fn wanted(item: usize, sides: &[(&Vec<Pull>, f64); 2], tops: &[f64]) -> (f64, f64) {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (pulls, factor) in sides {
        for pull in *pulls {
            sum += (tops[pull.other] + pull.down) * pull.weight * factor;
            weights += pull.weight * factor;
        }
    }
    if weights > 0.0 { (sum / weights, weights) } else { (tops[item], 0.01) }
}

/// Puts the items of a column where they are wanted, with the least sum of squares of what they are off, in their order and
/// with room between them. Items that push each other become a block, which stands where they want to on average: "pool
/// adjacent violators".
fn settle(chains: &Chains, layer: &[usize], wanted: &[(f64, f64)], tops: &mut [f64]) {
    struct Block {
        sum: f64,
        weight: f64,
        items: usize,
    }
    let mut blocks: Vec<Block> = Vec::with_capacity(layer.len());
    let mut offsets = Vec::with_capacity(layer.len());
    let mut offset = 0.0;
    for (number, &item) in layer.iter().enumerate() {
        if number > 0 {
            let above = layer[number - 1];
            let boxes = is_node(chains, above) && is_node(chains, item);
            offset += chains.items[above].height + if boxes { BOXES } else { BENDS };
        }
        offsets.push(offset);
        let (top, weight) = wanted[number];
        let mut block = Block { sum: (top - offset) * weight, weight, items: 1 };
        while let Some(last) = blocks.pop_if(|last| last.sum * block.weight > block.sum * last.weight) {
            block.sum += last.sum;
            block.weight += last.weight;
            block.items += last.items;
        }
        blocks.push(block);
    }
    let mut number = 0;
    for block in blocks {
        for _ in 0..block.items {
            tops[layer[number]] = block.sum / block.weight + offsets[number];
            number += 1;
        }
    }
}
