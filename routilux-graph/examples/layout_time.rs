#![allow(clippy::print_stdout)]
//! How long the picture of a large flow takes: the median of several runs.
//!
//! ```text
//! cargo run --release -p routilux-graph --example layout_time -- [routines, 300 by default] [runs, 21 by default]
//! ```

use routilux_graph::{Connection, Event, Graph, Port, Routine, Slot, Source, Target};
use std::time::{Duration, Instant};

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let mut number = |default: usize| match numbers.next() {
        Some(Ok(number)) => number.max(1),
        _ => default,
    };
    let (routines, runs) = (number(300), number(21));
    for (what, graph) in [("chain", chain(routines)), ("wide", wide(routines)), ("mixed", mixed(routines))] {
        let median = median(runs, || graph.to_rustdoc_svg().len());
        let links = graph.connections.len();
        println!("{what:>6}: {routines} routines, {links} connections: {median:.2?}");
    }
}

fn median(runs: usize, work: impl Fn() -> usize) -> Duration {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        std::hint::black_box(work());
        start.elapsed()
    });
    let mut times: Vec<Duration> = times.collect();
    times.sort();
    times[times.len() / 2]
}

/// One after the other.
fn chain(routines: usize) -> Graph {
    let mut graph = with_routines("Chain", routines);
    for number in 1..routines {
        connect(&mut graph, number - 1, "done", number, "item");
    }
    graph
}

/// One to all others, and all to one.
fn wide(routines: usize) -> Graph {
    let mut graph = with_routines("Wide", routines);
    for number in 1..routines - 1 {
        connect(&mut graph, 0, "done", number, "item");
        connect(&mut graph, number, "done", routines - 1, "item");
    }
    graph
}

/// A tree with connections across it, some of them far, and some feedback.
fn mixed(routines: usize) -> Graph {
    let mut graph = with_routines("Mixed", routines);
    let mut random = 7_u64;
    let mut below = |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((random >> 33) as usize) % end.max(1)
    };
    for number in 1..routines {
        let near = number - 1 - below(number.min(12));
        connect(&mut graph, near, "done", number, "item");
        connect(&mut graph, below(number), "bad", number, "other");
        if below(10) == 0 {
            connect(&mut graph, number, "bad", below(number), "other");
            if let Some(last) = graph.connections.last_mut() {
                last.feedback = true;
            }
        }
        if below(5) == 0
            && let Some(last) = graph.connections.last_mut()
        {
            last.guard = Some("|item| item.size > 100".into());
        }
    }
    graph
}

fn with_routines(name: &str, routines: usize) -> Graph {
    let mut graph = Graph::new(name);
    for number in 0..routines {
        let mut routine = Routine::new(format!("step{number}"), "Step");
        routine.slots = vec![Slot::new("item", "Item"), Slot::new("other", "Vec<Item>")];
        routine.events = vec![Event::new("done", "Item"), Event::new("bad", "Result<Item, Error>")];
        graph.routines.push(routine);
    }
    graph
}

fn connect(graph: &mut Graph, from: usize, event: &str, to: usize, slot: &str) {
    graph.connections.push(Connection::new(
        Source::Event(Port::new(format!("step{from}"), event)),
        Target::Slot(Port::new(format!("step{to}"), slot)),
    ));
}
