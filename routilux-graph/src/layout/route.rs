//! Where all is in the picture: the boxes in their rows, and the lines between them. A line is in the gaps between columns, where
//! no box is, or passes a column where a bend has room; or it goes around, in lanes beside the columns and on tracks below them.

use super::boxes::{Shape, TINY};
use super::chains::{Chains, LABEL_HEIGHT, OWN_TRACK, What, label_width};
use super::path::{Path, Point};
use super::rows::{LANE, NEAR, Rows, left_lane, right_lane};
use super::text::fit;
use super::{Label, Line, Picture, Placed};
use crate::sketch::Sketch;

const MARGIN: f64 = 12.0;
/// From track to track, and what a label needs more.
const TRACK: f64 = 14.0;
const LABEL: f64 = 7.0;
/// The last part of a line is straight, as long as the head of its arrow.
const HEAD: f64 = 11.0;
/// Between two rows.
const BETWEEN: f64 = 22.0;

/// A link that goes around the boxes.
struct Around {
    link: usize,
    /// The columns of its ends.
    from: usize,
    to: usize,
    /// How far down its ends are in the picture, before the rows are laid out.
    leaves: f64,
    enters: f64,
    /// Of one from a box to itself: the box, and how far down from its upper edge the track is, right below it.
    own: Option<(usize, f64)>,
    /// Where it goes down beside its source, and up beside its target.
    out: f64,
    into: f64,
    /// The track on the row of its source, and of its target.
    tracks: (f64, f64),
    /// Where it goes from row to row.
    lane: f64,
}

pub(crate) fn picture(
    sketch: &Sketch<'_>,
    shapes: Vec<Shape>,
    chains: &Chains,
    rows: &Rows,
    mut tops: Vec<f64>,
) -> Picture {
    let mut arounds = arounds(sketch, &shapes, chains, &tops);
    lanes(&mut arounds, chains.layers.len());
    let folds = folds(chains, rows, &tops);

    let crossing = arounds.iter_mut().filter(|around| rows.row_of[around.from] != rows.row_of[around.to]);
    let mut outer = 0.0;
    for around in crossing {
        around.lane = MARGIN + outer;
        outer += LANE;
    }
    let beside = |row: usize, folds: &[Vec<usize>]| {
        let lanes = rows.lanes.get(rows.rows[row].start).map_or(0.0, |lanes| lanes.0);
        let folded = if row == 0 { 0 } else { folds[row - 1].len() };
        lanes + folded as f64 * LANE + if folded > 0 { NEAR } else { 0.0 }
    };
    let inner = (0..rows.rows.len()).map(|row| beside(row, &folds)).fold(0.0, f64::max);
    let left = MARGIN + outer + inner;
    let mut lefts = vec![0.0; chains.layers.len()];
    for row in &rows.rows {
        let mut x = left;
        for layer in row.clone() {
            lefts[layer] = x;
            x += rows.widths[layer] + rows.gaps[layer];
        }
    }
    for around in &mut arounds {
        around.out += lefts[around.from] + rows.widths[around.from];
        around.into = lefts[around.to] - around.into;
    }

    let fold_tracks = heights(chains, rows, &mut arounds, &folds, &mut tops, &sketch.links);
    let placer = Placer { chains, rows, lefts: &lefts, tops: &tops };
    let mut fold_of = vec![None; chains.wires.len()];
    for (row, folded) in folds.iter().enumerate() {
        for (rank, wire) in folded.iter().enumerate() {
            fold_of[*wire] = Some(placer.fold(row, rank, folded.len(), fold_tracks[row]));
        }
    }

    let boxes: Vec<Placed> = shapes
        .into_iter()
        .enumerate()
        .map(|(node, shape)| {
            let (x, y) = placer.corner(node);
            Placed { x, y, shape }
        })
        .collect();
    let mut around_of: Vec<Option<&Around>> = vec![None; sketch.links.len()];
    for around in &arounds {
        around_of[around.link] = Some(around);
    }
    let lines = sketch.links.iter().enumerate().map(|(number, link)| {
        let (from, to) = (&boxes[link.from.0], &boxes[link.to.0]);
        let start = (from.x + from.shape.width, from.y + from.shape.outs[link.from.1]);
        let end = (to.x, to.y + to.shape.ins[link.to.1]);
        match (&chains.links[number], around_of[number]) {
            (Some(wires), _) => placer.along(number, wires, &fold_of, start, end),
            (None, Some(around)) => placer.around(around, start, end),
            (None, None) => Line { path: Path::new(start), end, label: None },
        }
    });
    let lines: Vec<Line> = lines.collect();
    let (width, height) = extent(&boxes, &lines);
    Picture { width, height, boxes, lines }
}

/// The links that go around the boxes, those over few columns first: they are the nearest to the boxes.
fn arounds(sketch: &Sketch<'_>, shapes: &[Shape], chains: &Chains, tops: &[f64]) -> Vec<Around> {
    let links = sketch.links.iter().enumerate().filter(|(number, _)| chains.links[*number].is_none());
    let mut own = vec![0_usize; shapes.len()];
    let arounds = links.map(|(number, link)| Around {
        own: (link.from.0 == link.to.0).then(|| {
            let node = link.from.0;
            let number = own[node];
            own[node] += 1;
            (node, shapes[node].height + (number as f64 + 0.5) * OWN_TRACK + 2.0)
        }),
        link: number,
        from: chains.items[link.from.0].layer,
        to: chains.items[link.to.0].layer,
        leaves: tops[link.from.0] + shapes[link.from.0].outs[link.from.1],
        enters: tops[link.to.0] + shapes[link.to.0].ins[link.to.1],
        out: 0.0,
        into: 0.0,
        tracks: (0.0, 0.0),
        lane: 0.0,
    });
    let mut arounds: Vec<Around> = arounds.collect();
    arounds.sort_by_key(|around| around.from.abs_diff(around.to));
    arounds
}

/// Gives each a lane beside its source and one beside its target, the lower ends next to the column.
fn lanes(arounds: &mut [Around], columns: usize) {
    let mut used = vec![(0, 0); columns];
    let mut order: Vec<usize> = (0..arounds.len()).collect();
    order.sort_by(|a, b| arounds[*b].leaves.total_cmp(&arounds[*a].leaves));
    for &number in &order {
        let used: &mut (usize, usize) = &mut used[arounds[number].from];
        arounds[number].out = right_lane(used.1);
        used.1 += 1;
    }
    order.sort_by(|a, b| arounds[*b].enters.total_cmp(&arounds[*a].enters));
    for &number in &order {
        let used: &mut (usize, usize) = &mut used[arounds[number].to];
        arounds[number].into = left_lane(used.0);
        used.0 += 1;
    }
}

/// By row: the wires that go on in the next one, from top to bottom.
fn folds(chains: &Chains, rows: &Rows, tops: &[f64]) -> Vec<Vec<usize>> {
    let mut folds: Vec<Vec<usize>> = vec![Vec::new(); rows.rows.len()];
    for (number, wire) in chains.wires.iter().enumerate() {
        let (from, to) = (chains.items[wire.from].layer, chains.items[wire.to].layer);
        if rows.row_of[from] != rows.row_of[to] {
            folds[rows.row_of[from]].push(number);
        }
    }
    for folded in &mut folds {
        let down = |wire: &usize| tops[chains.wires[*wire].from] + chains.wires[*wire].leaves;
        folded.sort_by(|a, b| down(a).total_cmp(&down(b)));
    }
    folds
}

/// Puts the rows below each other, and gives each link that goes around its tracks below what it passes. Gives the lowest
/// track of each row, from which those of the wires to the next row are counted upwards.
fn heights(
    chains: &Chains,
    rows: &Rows,
    arounds: &mut [Around],
    folds: &[Vec<usize>],
    tops: &mut [f64],
    links: &[crate::sketch::Link],
) -> Vec<f64> {
    let mut tracks = Vec::with_capacity(rows.rows.len());
    let mut top = MARGIN;
    for (row, layers) in rows.rows.iter().enumerate() {
        let items = || chains.layers[layers.clone()].iter().flatten();
        let highest = items().map(|item| tops[*item]).fold(f64::INFINITY, f64::min);
        let mut lowest: Vec<f64> = vec![top; layers.len()];
        for layer in layers.clone() {
            for &item in &chains.layers[layer] {
                tops[item] += top - highest;
                let bottom = tops[item] + chains.items[item].height;
                lowest[layer - layers.start] = f64::max(lowest[layer - layers.start], bottom);
            }
        }
        let mut track = |from: usize, to: usize, label: bool| {
            let passed = &mut lowest[from - layers.start..=to - layers.start];
            let more = if label { LABEL } else { 0.0 };
            let y = passed.iter().copied().fold(0.0, f64::max) + TRACK + more;
            passed.fill(y + more);
            y
        };
        for around in arounds.iter_mut() {
            if let Some((node, down)) = around.own {
                around.tracks.0 = tops[node] + down;
                continue;
            }
            let label = !links[around.link].label.is_empty();
            match (rows.row_of[around.from] == row, rows.row_of[around.to] == row) {
                (true, true) => {
                    let (from, to) = (around.from.min(around.to), around.from.max(around.to));
                    around.tracks.0 = track(from, to, label);
                }
                (true, false) => around.tracks.0 = track(layers.start, around.from, label),
                (false, true) => around.tracks.1 = track(layers.start, around.to, false),
                (false, false) => {}
            }
        }
        let bottom = lowest.iter().copied().fold(top, f64::max);
        let folded = folds[row].len() as f64;
        tracks.push(bottom + BETWEEN + (folded - 1.0) * LANE);
        top = bottom + 2.0 * BETWEEN + folded * LANE;
    }
    tracks
}

struct Placer<'a> {
    chains: &'a Chains,
    rows: &'a Rows,
    lefts: &'a [f64],
    tops: &'a [f64],
}

impl Placer<'_> {
    /// The left upper corner of an item: it is in the middle of its column.
    fn corner(&self, item: usize) -> Point {
        let Self { chains, rows, lefts, tops, .. } = self;
        let layer = chains.items[item].layer;
        let free = rows.widths[layer] - chains.items[item].width;
        (lefts[layer] + (free / 2.0).round(), tops[item])
    }

    /// Where the wire of this rank goes down after its row, across, and down before the next one. They are nested, so that none
    /// crosses another.
    fn fold(&self, row: usize, rank: usize, count: usize, lowest: f64) -> (f64, f64, f64) {
        let (last, next) = (self.rows.rows[row].end - 1, self.rows.rows[row + 1].start);
        let right = self.lefts[last] + self.rows.widths[last] + self.rows.lanes[last].1 + NEAR;
        let left = self.lefts[next] - self.rows.lanes[next].0 - NEAR;
        let from_inside = (count - 1 - rank) as f64 * LANE;
        (right + from_inside, lowest - rank as f64 * LANE, left - rank as f64 * LANE)
    }

    /// Through the columns.
    fn along(
        &self,
        link: usize,
        wires: &[usize],
        fold_of: &[Option<(f64, f64, f64)>],
        start: Point,
        end: Point,
    ) -> Line {
        let Self { chains, rows, lefts, tops, .. } = self;
        let mut path = Path::new(start);
        let mut label = None;
        for &number in wires {
            let wire = &chains.wires[number];
            let (from, to) = (chains.items[wire.from].layer, chains.items[wire.to].layer);
            let leaves = tops[wire.from] + wire.leaves;
            let enters = tops[wire.to] + wire.enters;
            match fold_of[number] {
                Some((right, across, left)) => path.corners(&[
                    (right, leaves),
                    (right, across),
                    (left, across),
                    (left, enters),
                    (lefts[to], enters),
                ]),
                None => {
                    path.line((lefts[from] + rows.widths[from], leaves));
                    path.curve((lefts[to] - HEAD, enters));
                }
            }
            if chains.items[wire.to].what == What::Label(link) {
                let (shown, full) = chains.labels[link].clone();
                let x = self.corner(wire.to).0 + chains.items[wire.to].width / 2.0;
                label = Some(Label { x, y: enters, width: label_width(&shown), shown, full });
            }
        }
        path.line(end);
        Line { path, end, label }
    }

    /// Below the boxes.
    fn around(&self, around: &Around, start: Point, end: Point) -> Line {
        let rows = self.rows;
        let &Around { link, out, into, tracks, lane, .. } = around;
        let one_row = rows.row_of[around.from] == rows.row_of[around.to];
        let mut path = Path::new(start);
        let turn = if one_row { into } else { lane };
        if one_row {
            path.corners(&[(out, start.1), (out, tracks.0), (into, tracks.0), (into, end.1), end]);
        } else {
            let there = [(out, start.1), (out, tracks.0), (lane, tracks.0)];
            let on = [(lane, tracks.1), (into, tracks.1), (into, end.1), end];
            path.corners(&[&there[..], &on].concat());
        }
        let (shown, full) = self.chains.labels[link].clone();
        let label = (!shown.is_empty()).then(|| {
            let room = (out - turn).abs() - 2.0 * LANE - label_width("");
            let fits = fit(&shown, TINY, room);
            let full = full.or((fits != shown).then_some(shown));
            let x = ((out + turn) / 2.0).round();
            Label { x, y: tracks.0, width: label_width(&fits), shown: fits, full }
        });
        Line { path, end, label }
    }
}

fn extent(boxes: &[Placed], lines: &[Line]) -> Point {
    let corners = boxes.iter().map(|at| (at.x + at.shape.width, at.y + at.shape.height));
    let labels = lines.iter().filter_map(|line| line.label.as_ref());
    let labels = labels.map(|label| (label.x + label.width / 2.0, label.y + LABEL_HEIGHT / 2.0));
    let points = lines.iter().flat_map(|line| line.path.points());
    let largest =
        corners.chain(labels).chain(points).fold((0.0, 0.0), |a, b| (f64::max(a.0, b.0), f64::max(a.1, b.1)));
    ((largest.0 + MARGIN).ceil(), (largest.1 + MARGIN).ceil())
}
