//! In which order the items of a column stand, so that few wires cross: each where its neighbours in the column before (or
//! after) are on average, to and fro, and the best that was found. Where on its box a wire ends counts too.

use super::chains::Chains;

const SWEEPS: usize = 10;
/// A flow with more wires than this has fewer sweeps.
const MANY: usize = 20_000;

/// The end of a wire, as seen from its other end: the item, and where on it from 0 to 1.
type End = (usize, f64);

pub(crate) fn order(chains: &mut Chains) {
    let count = chains.items.len();
    let mut before: Vec<Vec<End>> = vec![Vec::new(); count];
    let mut after: Vec<Vec<End>> = vec![Vec::new(); count];
    for wire in &chains.wires {
        let part = |item: usize, down: f64| (down + 1.0) / (chains.items[item].height + 2.0);
        before[wire.to].push((wire.from, part(wire.from, wire.leaves)));
        after[wire.from].push((wire.to, part(wire.to, wire.enters)));
    }
    let mut place = vec![0.0; count];
    let mut layers = std::mem::take(&mut chains.layers);
    for layer in &layers {
        number(layer, &mut place);
    }
    let mut best = layers.clone();
    let mut fewest = crossings(chains, &layers, &place);
    let mut in_vain = 0;
    let sweeps = if chains.wires.len() > MANY { 2 } else { SWEEPS };
    for sweep in 0..sweeps {
        if fewest == 0 || in_vain > 3 {
            break;
        }
        if sweep % 2 == 0 {
            layers.iter_mut().for_each(|layer| sort(layer, &before, &mut place));
        } else {
            layers.iter_mut().rev().for_each(|layer| sort(layer, &after, &mut place));
        }
        let crossings = crossings(chains, &layers, &place);
        in_vain += 1;
        if crossings < fewest {
            (fewest, in_vain) = (crossings, 0);
            best.clone_from(&layers);
        }
    }
    chains.layers = best;
}

fn number(layer: &[usize], place: &mut [f64]) {
    for (number, item) in layer.iter().enumerate() {
        place[*item] = number as f64;
    }
}

fn sort(layer: &mut [usize], neighbours: &[Vec<End>], place: &mut [f64]) {
    let mut keyed: Vec<(f64, usize)> = layer
        .iter()
        .map(|&item| {
            let ends = &neighbours[item];
            let sum: f64 = ends.iter().map(|(other, part)| place[*other] + part).sum();
            // What has no neighbour there stays where it is.
            let key = if ends.is_empty() { place[item] + 0.5 } else { sum / ends.len() as f64 };
            (key, item)
        })
        .collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (at, (_, item)) in layer.iter_mut().zip(keyed) {
        *at = item;
    }
    number(layer, place);
}

/// How many pairs of wires cross.
fn crossings(chains: &Chains, layers: &[Vec<usize>], place: &[f64]) -> usize {
    let mut of_layer: Vec<Vec<(f64, f64)>> = vec![Vec::new(); layers.len()];
    for wire in &chains.wires {
        // Ends on one item keep their order: a place is less than one apart.
        let at = |item: usize, down: f64| place[item] + (down + 1.0) / (chains.items[item].height + 2.0);
        let ends = (at(wire.from, wire.leaves), at(wire.to, wire.enters));
        of_layer[chains.items[wire.from].layer].push(ends);
    }
    of_layer.iter_mut().map(|wires| inversions(wires)).sum()
}

/// How many pairs are in one order at one end, and in the other at the other.
fn inversions(wires: &mut [(f64, f64)]) -> usize {
    wires.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut ends: Vec<f64> = wires.iter().map(|wire| wire.1).collect();
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    // A Fenwick tree: how many ends were met up to each.
    let mut met = vec![0_usize; ends.len() + 1];
    let mut crossings = 0;
    for (number, (_, end)) in wires.iter().enumerate() {
        let rank = ends.partition_point(|known| known < end) + 1;
        let mut not_after = 0;
        let mut at = rank;
        while at > 0 {
            not_after += met[at];
            at &= at - 1;
        }
        crossings += number - not_after;
        at = rank;
        while at < met.len() {
            met[at] += 1;
            at += at & at.wrapping_neg();
        }
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crossings_are_counted() {
        assert_eq!(inversions(&mut [(0.0, 0.0), (1.0, 1.0)]), 0);
        assert_eq!(inversions(&mut [(0.0, 1.0), (1.0, 0.0)]), 1);
        assert_eq!(inversions(&mut [(0.0, 1.0), (0.0, 0.0), (1.0, 1.0)]), 0);
        assert_eq!(inversions(&mut [(0.0, 2.0), (1.0, 1.0), (2.0, 0.0)]), 3);
    }
}
