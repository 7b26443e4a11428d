//! Random flows, most of them with mistakes: a picture is always whole, and nothing is over anything.

use super::boxes::{Anchor, Look, TINY};
use super::path::Step;
use super::text::width;
use super::*;
use crate::model::{
    Connection, Event, Graph, Inner, Merge, Param, Policy, Port, Role, Routine, Slot, Source, Subject,
    Target, When,
};
use crate::testing::Lcg;

const NAMES: [&str; 16] = [
    "a",
    "b",
    "line",
    "done",
    "error",
    "line.error",
    "settle.order",
    "settle",
    "",
    "größe",
    "語言🦀",
    "e\u{301}\u{0}\n\"<&>'\\",
    "return",
    "end",
    "a_name_that_is_much_too_long_for_the_box_that_it_is_in_and_has_to_be_shortened_to_fit",
    "Result<HashMap<String, Vec<Box<dyn Fn(&str) -> u64>>>, Error>",
];

fn name(random: &mut Lcg) -> String {
    match random.below(12) {
        0 => NAMES[random.below(NAMES.len())].to_owned(),
        1 => format!("r{}", random.below(40)),
        2 => "long ".repeat(random.below(300)),
        _ => NAMES[random.below(6)].to_owned(),
    }
}

fn of(known: &[String], random: &mut Lcg) -> String {
    if known.is_empty() || random.one_in(12) {
        name(random)
    } else {
        known[random.below(known.len())].clone()
    }
}

fn slot(random: &mut Lcg) -> Slot {
    let slot = match random.below(6) {
        0 => {
            Slot::join(name(random), (0..random.below(4)).map(|_| Param::new(name(random), "u64")).collect())
        }
        1 => Slot::source(name(random), random.one_in(2)),
        2 => Slot::finish(name(random)),
        _ => Slot::new(name(random), name(random)),
    };
    Slot {
        merge: [Merge::Override, Merge::Latest, Merge::Append, Merge::Fold(format!("f{}", name(random)))]
            [random.below(4)]
        .clone(),
        when: [When::Each, When::All, When::Count(7), When::Drained][random.below(4)],
        fallible: random.one_in(3),
        role: if random.one_in(30) { Role::Join } else { slot.role },
        ..slot
    }
}

/// A flow of up to so many routines. Its connections need not lead anywhere.
pub(crate) fn random_flow(random: &mut Lcg, most: usize, depth: usize) -> Graph {
    let mut graph = Graph::new(name(random));
    for number in 0..random.below(most + 1) {
        let id = if random.one_in(10) { name(random) } else { format!("r{number}") };
        let mut routine = Routine::new(id, name(random));
        routine.slots = (0..random.below(4)).map(|_| slot(random)).collect();
        routine.events = (0..random.below(4))
            .map(|_| Event { live: random.one_in(9), ..Event::new(name(random), name(random)) })
            .collect();
        if depth > 0 && random.one_in(9) {
            let graph = (!random.one_in(3)).then(|| random_flow(random, 4, depth - 1));
            routine.inner = Some(Box::new(Inner { graph, ..Inner::default() }));
        }
        graph.routines.push(routine);
    }
    let ids: Vec<String> = graph.routines.iter().map(|routine| routine.id.clone()).collect();
    let port = |random: &mut Lcg, events: bool| {
        let id = of(&ids, random);
        let routine = graph.routine(&id);
        let names: Vec<String> = match routine {
            Some(routine) if events => routine.events.iter().map(|event| event.name.clone()).collect(),
            Some(routine) => routine.slots.iter().map(|slot| slot.name.clone()).collect(),
            None => Vec::new(),
        };
        Port::new(id, of(&names, random))
    };
    let target = |random: &mut Lcg| match random.below(8) {
        0 => Target::Output(name(random)),
        1 => Target::Return,
        _ => Target::Slot(port(random, false)),
    };
    let mut connections = Vec::new();
    for _ in 0..random.below(2 * ids.len() + 3) {
        let from = match random.below(8) {
            0 => Source::Input(name(random)),
            _ => Source::Event(port(random, true)),
        };
        connections.push(Connection {
            feedback: random.one_in(8),
            bound: random.one_in(20).then_some(3),
            converts: random.one_in(9),
            guard: random.one_in(6).then(|| name(random)),
            otherwise: random.one_in(15),
            map: random.one_in(9).then(|| name(random)),
            ..Connection::new(from, target(random))
        });
    }
    let policies = (0..random.below(3)).map(|_| Policy {
        to: (0..random.below(3)).map(|_| target(random)).collect(),
        ..Policy::new(
            match random.below(3) {
                0 => None,
                1 => Some(Subject::Routine(of(&ids, random))),
                _ => Some(Subject::Slot(port(random, false))),
            },
            name(random),
        )
    });
    let policies: Vec<Policy> = policies.collect();
    let ignored = (0..random.below(3)).map(|_| port(random, true)).collect();
    Graph { connections, policies, ignored, ..graph }
}

/// Left, top, right, bottom.
type Rect = (f64, f64, f64, f64);

fn overlap(a: Rect, b: Rect) -> bool {
    a.0 < b.2 && b.0 < a.2 && a.1 < b.3 && b.1 < a.3
}

fn labels(picture: &Picture) -> Vec<Rect> {
    let labels = picture.lines.iter().filter_map(|line| line.label.as_ref());
    let labels = labels.map(|label| {
        let (half, up) = (label.width / 2.0, LABEL_HEIGHT / 2.0);
        (label.x - half, label.y - up, label.x + half, label.y + up)
    });
    labels.collect()
}

/// Points on the line, near to each other.
fn along(line: &Line) -> Vec<Point> {
    let mut points = Vec::new();
    let mut from = line.path.start;
    for step in &line.path.steps {
        let (a, b, to) = match *step {
            Step::Line(to) => (from, to, to),
            Step::Corner(corner, to) => (corner, corner, to),
            Step::Curve(a, b, to) => (a, b, to),
        };
        for part in 0..=16 {
            let t = f64::from(part) / 16.0;
            let mix = |f: fn(Point) -> f64| {
                let s = 1.0 - t;
                s * s * s * f(from) + 3.0 * s * s * t * f(a) + 3.0 * s * t * t * f(b) + t * t * t * f(to)
            };
            points.push((mix(|p| p.0), mix(|p| p.1)));
        }
        from = to;
    }
    points
}

fn is_whole(graph: &Graph, most: f64) {
    let sketch = Sketch::of(graph);
    let picture = layout(&sketch, most);
    let all = (0.0, 0.0, picture.width, picture.height);
    let inside = |what: Rect, of: Rect| {
        [what.0, what.1, what.2, what.3].iter().all(|number| number.is_finite())
            && what.0 >= of.0 - 0.01
            && what.1 >= of.1 - 0.01
            && what.2 <= of.2 + 0.01
            && what.3 <= of.3 + 0.01
    };
    let rects: Vec<Rect> =
        picture.boxes.iter().map(|at| (at.x, at.y, at.x + at.shape.width, at.y + at.shape.height)).collect();
    for (number, rect) in rects.iter().enumerate() {
        assert!(inside(*rect, all), "{rect:?} is outside of {all:?}: {graph:#?}");
        let others = &rects[number + 1..];
        assert!(
            !others.iter().any(|other| overlap(*rect, *other)),
            "two boxes are over each other: {graph:#?}"
        );
        let shape = &picture.boxes[number].shape;
        let mut of_shape = Vec::new();
        for text in &shape.texts {
            let (wide, half) = (text.width(), text.size / 2.0);
            let left = match text.anchor {
                Anchor::Start => text.x,
                Anchor::Middle => text.x - wide / 2.0,
                Anchor::End => text.x - wide,
            };
            let place = (left, text.y - half, left + wide, text.y + half);
            assert!(inside(place, (4.0, 0.0, shape.width - 4.0, shape.height)), "{text:?} in {graph:#?}");
            if text.look != Look::End && wide > 0.0 {
                of_shape.push(place);
            }
        }
        for (number, text) in of_shape.iter().enumerate() {
            let others = &of_shape[number + 1..];
            assert!(!others.iter().any(|other| overlap(*text, *other)), "texts of a box: {graph:#?}");
        }
    }
    let labels = labels(&picture);
    for (number, label) in labels.iter().enumerate() {
        assert!(inside(*label, all), "a label is outside: {graph:#?}");
        assert!(!rects.iter().any(|rect| overlap(*label, *rect)), "a label is over a box: {graph:#?}");
        let others = &labels[number + 1..];
        assert!(!others.iter().any(|other| overlap(*label, *other)), "two labels: {graph:#?}");
    }
    for line in &picture.lines {
        if let Some(label) = &line.label {
            assert!(width(&label.shown, TINY) <= label.width);
        }
        assert!(line.path.points().all(|(x, y)| inside((x, y, x, y), all)), "a line is outside: {graph:#?}");
        for (x, y) in along(line) {
            let through = rects.iter().any(|at| at.0 + 0.5 < x && x < at.2 - 0.5 && at.1 < y && y < at.3);
            assert!(!through, "a line goes through a box at {x}, {y}: {line:?} {graph:#?}");
        }
    }
}

#[test]
fn a_picture_of_any_flow_is_whole() {
    let mut random = Lcg(7);
    for number in 0..10_000 {
        let most = [400.0, 900.0, 1200.0][number % 3];
        let routines = if number % 100 == 0 { 60 } else { 8 };
        let graph = random_flow(&mut random, routines, 1);
        is_whole(&graph, most);
    }
}

#[test]
fn the_same_flow_has_the_same_picture() {
    let mut random = Lcg(8);
    for _ in 0..50 {
        let graph = random_flow(&mut random, 12, 1);
        assert_eq!(graph.to_svg(), graph.clone().to_svg());
    }
}
