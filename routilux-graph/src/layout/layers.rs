//! Which column each node is in. A link leads to the right, unless it closes a cycle: those are found first, and left out.

use crate::sketch::{Kind, Sketch, Style};

/// How many nodes that nothing leads to or from stand side by side, if the flow itself is not wider.
const LOOSE: usize = 4;

/// The column of each node, and of each link whether it leads back or stays where it is.
pub(crate) fn layers(sketch: &Sketch<'_>) -> (Vec<usize>, Vec<bool>) {
    let count = sketch.nodes.len();
    let mut out_of: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (number, link) in sketch.links.iter().enumerate() {
        out_of[link.from.0].push(number);
    }
    let to = |link: &usize| sketch.links[*link].to.0;
    let mut back: Vec<bool> = sketch.links.iter().map(|link| link.style == Style::Feedback).collect();
    let order = order(count, &out_of, to, &mut back);

    let mut layer = vec![0; count];
    for &node in &order {
        for link in out_of[node].iter().filter(|link| !back[**link]) {
            let next = to(link);
            layer[next] = usize::max(layer[next], layer[node] + 1);
        }
    }
    // What nothing leads to stands beside what it leads to.
    let mut entered = vec![false; count];
    for (number, link) in sketch.links.iter().enumerate() {
        entered[link.to.0] |= !back[number];
    }
    for &node in order.iter().rev().filter(|node| !entered[**node]) {
        let next = out_of[node].iter().filter(|link| !back[**link]).map(|link| layer[to(link)]).min();
        layer[node] = next.map_or(layer[node], |next| next - 1);
    }
    spread(sketch, &mut layer);
    // A link that is marked as feedback and leads on all the same is drawn like any other.
    for (number, link) in sketch.links.iter().enumerate() {
        back[number] = layer[link.from.0] >= layer[link.to.0];
    }
    (layer, back)
}

/// The nodes in an order in which links lead on. Those that cannot are marked to lead back. Depth first, without recursion.
fn order(count: usize, out_of: &[Vec<usize>], to: impl Fn(&usize) -> usize, back: &mut [bool]) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut state = vec![State::New; count];
    let mut order = Vec::with_capacity(count);
    let mut entered = vec![0_usize; count];
    for link in out_of.iter().flatten().filter(|link| !back[**link]) {
        entered[to(link)] += 1;
    }
    // What nothing leads to comes first: from there a cycle is entered where a reader would.
    let starts = (0..count).filter(|node| entered[*node] == 0);
    let starts: Vec<usize> = starts.chain((0..count).filter(|node| entered[*node] > 0)).collect();
    for start in starts {
        if state[start] != State::New {
            continue;
        }
        state[start] = State::Open;
        let mut path = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            let Some(link) = out_of[*node].get(*next) else {
                state[*node] = State::Done;
                order.push(*node);
                path.pop();
                continue;
            };
            *next += 1;
            let target = to(link);
            match state[target] {
                _ if back[*link] => {}
                State::New => {
                    state[target] = State::Open;
                    path.push((target, 0));
                }
                State::Open => back[*link] = true,
                State::Done => {}
            }
        }
    }
    order.reverse();
    order
}

/// Routines without any link are spread over the columns: all in the first would be a tall heap.
fn spread(sketch: &Sketch<'_>, layer: &mut [usize]) {
    let mut loose = vec![true; layer.len()];
    for link in &sketch.links {
        loose[link.from.0] = false;
        loose[link.to.0] = false;
    }
    let first = if sketch.nodes.iter().any(|node| node.kind == Kind::Input) { 1 } else { 0 };
    let last = layer.iter().copied().max().unwrap_or(0);
    let columns = usize::max(last + 1, first + LOOSE) - first;
    let nodes = (0..layer.len()).filter(|node| loose[*node]);
    for (number, node) in nodes.enumerate() {
        layer[node] = first + number % columns;
    }
}
