//! Each mistake once, and nothing that only follows from it.

use super::*;
use crate::code::Code;
use crate::model::{Connection, Drained, Inner, Merge, Policy, Slot, Subject};
use crate::testing::{connection, flow, port, routine, target};

fn codes(graph: &Graph) -> Vec<Code> {
    check(graph).into_iter().map(|problem| problem.code).collect()
}

fn a_and_b() -> Vec<Routine> {
    vec![routine("a", &["x"], &["y"]), routine("b", &["x"], &["y"])]
}

#[test]
fn a_sound_flow_has_no_problem() {
    let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> b.x", "b.y -> return"]);
    assert_eq!(check(&graph), []);
}

#[test]
fn a_misspelt_end_is_told_once_and_nothing_follows_from_it() {
    let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> b.xx", "b.y -> return"]);
    assert_eq!(codes(&graph), [Code::UnknownSlot]);
    let graph = flow(a_and_b(), &["in x -> a.x", "a.yy -> b.x", "b.y -> return"]);
    assert_eq!(codes(&graph), [Code::UnknownEvent]);
    let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> zeta.x", "b.y -> return"]);
    assert_eq!(codes(&graph), [Code::UnknownRoutine]);
}

#[test]
fn a_connection_the_wrong_way_round_is_one_mistake() {
    let graph = flow(a_and_b(), &["in x -> a.x", "b.x -> a.y", "b.y -> return"]);
    assert_eq!(codes(&graph), [Code::WrongWayRound]);
    assert_eq!(check(&graph)[0].help, "write `a.y -> b.x;`");
}

#[test]
fn a_slot_without_connection_names_the_line_to_write() {
    let problems = check(&flow(a_and_b(), &["in x -> a.x", "b.y -> return"]));
    assert_eq!(problems[0].code, Code::UnconnectedSlot);
    assert_eq!(problems[0].help, "connect it, for example `a.y -> b.x;`");
}

#[test]
fn a_cycle_is_drawn_and_marking_it_mends_it() {
    let problems = check(&flow(a_and_b(), &["in x -> a.x", "a.y -> b.x", "b.y -> a.x"]));
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].message, "`b.y -> a.x` closes a cycle: `a.y -> b.x`, `b.y -> a.x`");
    let marked = flow(a_and_b(), &["in x -> a.x", "a.y -> b.x", "b.y -> loop a.x"]);
    assert_eq!(check(&marked), []);
}

#[test]
fn a_loop_that_closes_nothing_is_told() {
    let graph = flow(a_and_b(), &["in x -> a.x", "a.y -> loop b.x", "b.y -> return"]);
    assert_eq!(codes(&graph), [Code::NoCycle]);
}

#[test]
fn what_is_there_twice_is_told_with_the_first_one() {
    let mut routines = a_and_b();
    routines.push(routine("a", &["x"], &[]));
    let graph =
        flow(routines, &["in x -> a.x", "a.y -> b.x", "a.y -> b.x", "b.y -> return", "a.y -> return"]);
    let problems = check(&graph);
    assert_eq!(
        problems.iter().map(|p| (p.code, p.first)).collect::<Vec<_>>(),
        [
            (Code::DuplicateRoutine, Some(Place::Routine(0))),
            (Code::DuplicateConnection, Some(Place::To(1, Part::Whole))),
            (Code::SecondReturn, Some(Place::To(3, Part::Whole))),
        ]
    );
}

#[test]
fn no_way_in_and_what_leads_nowhere() {
    assert_eq!(codes(&flow(vec![], &[])), [Code::NoWayIn]);
    let mut graph = flow(a_and_b(), &["in x -> a.x", "a.y -> b.x"]);
    assert_eq!(codes(&graph), [Code::EventLeadsNowhere]);
    graph.ignored.push(Port::new("b", "y"));
    assert_eq!(check(&graph), []);
    graph.ignored.push(Port::new("a", "y"));
    assert_eq!(codes(&graph), [Code::IgnoredDelivered]);
}

#[test]
fn a_live_event_goes_to_outputs_only_and_nothing_follows_from_it() {
    let live = |connections: &[&str]| {
        let mut graph = flow(a_and_b(), connections);
        graph.routines[0].events[0].live = true;
        graph
    };
    let to = |graph: &Graph| {
        let problems = check(graph);
        problems.into_iter().map(|problem| (problem.code, problem.place)).collect::<Vec<_>>()
    };
    let whole = |index| Place::To(index, Part::Whole);
    assert_eq!(check(&live(&["in x -> a.x", "in x -> b.x", "a.y -> out y", "b.y -> return"])), []);
    let within = live(&["in x -> a.x", "a.y -> b.x", "b.y -> return", "a.y -> return"]);
    assert_eq!(to(&within), [(Code::LiveDelivered, whole(1)), (Code::LiveDelivered, whole(3))]);
    // Neither a cycle, nor one that is missed.
    let round = live(&["in x -> a.x", "in x -> b.x", "b.y -> a.x", "a.y -> b.x"]);
    assert_eq!(to(&round), [(Code::LiveDelivered, whole(3))]);
    let round = live(&["in x -> a.x", "in x -> b.x", "b.y -> loop a.x", "a.y -> b.x"]);
    assert_eq!(to(&round), [(Code::LiveDelivered, whole(3))]);
    let shared = live(&["in x -> a.x", "in x -> b.x", "a.y -> out y", "b.y -> out y"]);
    assert_eq!(to(&shared), [(Code::LiveShared, whole(3))]);
    assert_eq!(check(&shared)[0].first, Some(whole(2)));
    assert_eq!(check(&shared)[0].message, "`b.y` is an ordinary event, and `out y` carries live ones");
    // It is not proposed as a source either.
    let missing = check(&live(&["in x -> a.x", "a.y -> out y", "b.y -> return"]));
    assert_eq!(missing[0].help, "connect it, for example `in x -> b.x;`");
}

#[test]
fn a_routine_that_only_feeds_itself_is_never_reached() {
    let mut routines = a_and_b();
    routines.push(routine("c", &["x"], &["y"]));
    let graph = flow(routines, &["in x -> a.x", "a.y -> b.x", "b.y -> return", "c.y -> loop c.x"]);
    assert_eq!(codes(&graph), [Code::RoutineNeverReached]);
}

/// Of each problem: where it is, its message and its help.
fn told(graph: &Graph) -> Vec<(Place, String, String)> {
    let problems = check(graph);
    problems.into_iter().map(|problem| (problem.place, problem.message, problem.help)).collect()
}

fn one(graph: &Graph) -> (Code, Place, String, String) {
    let mut problems = check(graph);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    let problem = problems.remove(0);
    (problem.code, problem.place, problem.message, problem.help)
}

fn says(graph: &Graph, code: Code, place: Place, message: &str, help: &str) {
    assert_eq!(one(graph), (code, place, message.to_owned(), help.to_owned()));
}

fn desk() -> Vec<Routine> {
    vec![routine("shop", &["x"], &["order", "paid"]), routine("desk", &["settle(order, payment)"], &["y"])]
}

const PORT: Part = Part::Port;
const WHOLE: Part = Part::Whole;

#[test]
fn each_parameter_of_a_join_is_connected_by_itself() {
    let with = |more: &[&str]| {
        let connections = [&["in x -> shop.x", "desk.y -> return"], more].concat();
        flow(desk(), &connections)
    };
    assert_eq!(check(&with(&["shop.order -> desk.settle.order", "shop.paid -> desk.settle.payment"])), []);
    says(
        &with(&["shop.order -> desk.settle.order", "shop.paid -> out paid"]),
        Code::UnconnectedParameter,
        Place::Routine(1),
        "nothing is connected to the parameter `payment` of the join `desk.settle`, which takes `u64`",
        "connect it, for example `shop.order -> desk.settle.payment;`",
    );
    says(
        &with(&["shop.order -> desk.settle.ordr", "shop.paid -> desk.settle.payment"]),
        Code::UnknownParameter,
        Place::To(2, Part::Parameter),
        "the join `desk.settle` has no parameter `ordr`",
        "did you mean `order`? Its parameters are: `order`, `payment`",
    );
    says(
        &with(&["shop.order -> desk.settle", "shop.paid -> desk.settle.payment"]),
        Code::JoinAsWhole,
        Place::To(2, PORT),
        "`desk.settle` is a join: a connection ends at one of its parameters",
        "connect each of them: `desk.settle.order`, `desk.settle.payment`",
    );
    says(
        &with(&["shop.order -> desk.settl", "shop.paid -> desk.settle.payment"]),
        Code::UnknownSlot,
        Place::To(2, PORT),
        "`desk` has no slot `settl`",
        "did you mean `settle.order`? Its slots are: `settle.order`, `settle.payment`",
    );
    says(
        &with(&[
            "shop.order -> desk.settle.order",
            "shop.paid -> desk.settle.payment",
            "desk.settle.unpaired -> out left",
        ]),
        Code::UnknownEvent,
        Place::From(4, PORT),
        "the join `desk.settle` has no time limit, so nothing leaves it unpaired",
        "give it one where it is declared: `#[join(within = \"30min\")] fn settle(..)`",
    );
    says(
        &flow(a_and_b(), &["in x -> a.x", "a.y -> b.x.order", "b.y -> return"]),
        Code::UnknownParameter,
        Place::To(1, Part::Parameter),
        "`b.x` is no join, so it has no parameter `order`",
        "write `b.x`",
    );
}

#[test]
fn nothing_is_sent_to_sources_and_finishes() {
    let routines = || vec![routine("a", &["x", "lines:source", "flush:finish"], &["y"])];
    assert_eq!(check(&flow(routines(), &["in x -> a.x", "a.y -> return"])), []);
    says(
        &flow(routines(), &["in x -> a.x", "in l -> a.lines", "a.y -> return"]),
        Code::RunsByItself,
        Place::To(1, PORT),
        "`a.lines` is a source: it is called while it has more, and nothing is sent to it",
        "connect a slot of `a` whose handler arms it with `out.lines()`, or start it with the job: \
         `#[source(start)] fn lines(..)`",
    );
    says(
        &flow(routines(), &["in x -> a.x", "in l -> a.flush", "a.y -> return"]),
        Code::RunsByItself,
        Place::To(1, PORT),
        "`a.flush` runs by itself when nothing can reach `a` any more",
        "remove this connection",
    );
}

#[test]
fn a_started_source_is_a_way_in() {
    let from = |source: &str| {
        flow(
            vec![routine("s", &[source], &["y"]), routine("b", &["x"], &["y"])],
            &["s.y -> b.x", "b.y -> return"],
        )
    };
    assert_eq!(check(&from("lines:start")), []);
    says(
        &from("lines:source"),
        Code::NoWayIn,
        Place::Flow,
        "no way leads into the flow `Test`, so none of its routines would ever run",
        "add an input, for example `in x -> b.x;`, or start the source: `#[source(start)] fn lines(..)`",
    );
    let mut graph = from("lines:start");
    graph.routines.push(routine("c", &["x"], &["y"]));
    graph.connections.push(connection("c.y -> loop c.x"));
    says(
        &graph,
        Code::RoutineNeverReached,
        Place::Routine(2),
        "no way leads from an input or a started source to `c`, so it never runs",
        "connect one of its slots, or remove it",
    );
    // What runs at the end runs without it too.
    graph.routines[2].slots.push(Slot::finish("flush"));
    assert_eq!(check(&graph), []);
}

#[test]
fn error_events_are_there_where_a_handler_can_fail_and_need_no_receiver() {
    let with = |more: &[&str]| {
        let connections =
            [&["in x -> a.x", "in x -> a.z", "a.y -> out y", "in e -> b.x", "b.y -> return"], more].concat();
        flow(vec![routine("a", &["x?", "z"], &["y"]), routine("b", &["x"], &["y"])], &connections)
    };
    assert_eq!(check(&with(&[])), []);
    assert_eq!(check(&with(&["a.x.error -> b.x"])), []);
    assert_eq!(check(&with(&["a.error -> out bad"])), []);
    let says = |more: &str, code: Code, message: &str, help: &str| {
        says(&with(&[more]), code, Place::From(5, PORT), message, help);
    };
    says(
        "a.z.error -> b.x",
        Code::CannotFail,
        "`a.z` cannot fail, so there is no `a.z.error`",
        "let its handler return a `Result`, or remove this",
    );
    says(
        "a.xx.error -> b.x",
        Code::UnknownEvent,
        "`a` has no slot `xx`, so there is no `a.xx.error`",
        "did you mean `x.error`? Its error events are: `x.error`",
    );
    says(
        "b.error -> b.x",
        Code::CannotFail,
        "nothing in `b` can fail, so there is no `b.error`",
        "let a handler return a `Result`, or remove this",
    );
    let mut both = with(&["a.error -> b.x"]);
    both.routines[0].slots[1].fallible = true;
    super::tests::says(
        &both,
        Code::UnclearError,
        Place::From(5, PORT),
        "`a.error` is unclear: more than one handler of `a` may fail",
        "its error events are: `x.error`, `z.error`",
    );
    let mut ignored = with(&[]);
    ignored.ignored.push(port("a.x.error"));
    super::tests::says(
        &ignored,
        Code::IgnoredError,
        Place::Ignored(0, WHOLE),
        "`a.x.error` is an error event, and an error is not ignored in silence",
        "to go on without what failed, write `on error of a.x skip;`",
    );
    // It is a way like any other.
    let around = with(&["a.x.error -> a.x"]);
    assert_eq!(one(&around).2, "`a.x.error -> a.x` leads back to the routine `a` itself");
}

#[test]
fn guards_and_maps_make_two_connections_of_two() {
    let with = |one: Connection, two: Connection| {
        let mut graph = flow(a_and_b(), &["in x -> a.x", "b.y -> return"]);
        graph.connections.extend([one, two]);
        graph
    };
    let plain = || connection("a.y -> b.x");
    let guarded = |guard: &str| Connection { guard: Some(guard.into()), ..plain() };
    let mapped = |map: &str| Connection { map: Some(map.into()), ..plain() };
    let otherwise = |guard: &str| Connection { otherwise: true, ..guarded(guard) };
    assert_eq!(check(&with(guarded("|n| a"), guarded("|n| b"))), []);
    assert_eq!(check(&with(mapped("|n| a"), mapped("|n| b"))), []);
    assert_eq!(check(&with(guarded("|n| a"), plain())), []);
    assert_eq!(check(&with(guarded("|n| a"), otherwise("|n| a"))), []);
    assert_eq!(codes(&with(guarded("|n| a"), guarded("|n| a"))), [Code::DuplicateConnection]);
    let converted = Connection { converts: true, ..plain() };
    assert_eq!(one(&with(plain(), converted)).2, "`a.y => b.x` is connected twice");
    says(
        &with(guarded("|n| a"), otherwise("|n| b")),
        Code::ElseWithoutGuard,
        Place::To(3, WHOLE),
        "this `else` of `a.y` has no `if` that it belongs to",
        "write the guard in the same statement: `a.y if |e| .. -> a.b; else -> b.x;`",
    );
}

#[test]
fn a_drained_slot_does_not_lead_to_itself() {
    let routines =
        || vec![routine("a", &["x", "total:drained"], &["y", "sum"]), routine("b", &["x"], &["y"])];
    let sound = ["in x -> a.x", "a.y -> loop b.x", "b.y -> loop a.x", "in t -> a.total", "a.sum -> return"];
    assert_eq!(check(&flow(routines(), &sound)), []);
    let help = "a drained slot runs when nothing can come to it any more: remove one of these connections, or \
                let it run before that";
    for back in ["b.y -> a.total", "b.y -> loop a.total"] {
        let graph = flow(routines(), &["in x -> a.x", "a.y -> b.x", back, "a.sum -> return"]);
        let message = format!("`a.total` is drained and leads to itself: `a.y -> b.x`, `{back}`");
        says(&graph, Code::DrainedDownstream, Place::To(2, WHOLE), &message, help);
    }
    // Its own routine's events are enough.
    let graph = flow(
        routines(),
        &["in x -> a.x", "in x -> b.x", "a.y -> a.total", "b.y -> out y", "a.sum -> return"],
    );
    assert_eq!(one(&graph).2, "`a.total` is drained and leads to itself: `a.y -> a.total`");
    // So is a row.
    let mut graph = flow(
        routines(),
        &["in x -> a.x", "in x -> a.total", "a.y -> b.x", "b.y -> out y", "a.sum -> return"],
    );
    graph.routines[1].slots[0].fallible = true;
    graph.policies.push(row(Some("b.x"), "-> a.total"));
    graph.policies[0].to.push(target("a.total"));
    let place = Place::Policy(0, WHOLE);
    let message = "`a.total` is drained and leads to itself: `a.y -> b.x`, `on error of b.x -> a.total`";
    says(&graph, Code::DrainedDownstream, place, message, help);
}

/// An instance of a flow of which the outside is known.
fn instance(reach: &[(&str, &str)], drained: Option<(&[&str], &[&str])>) -> Routine {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let inner = Inner {
        reach: reach.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect(),
        drained: drained
            .map(|(from, to)| Drained { slot: "parse.total".into(), from: names(from), to: names(to) })
            .into_iter()
            .collect(),
        ..Inner::default()
    };
    Routine { inner: Some(Box::new(inner)), ..routine("etl", &["one", "two"], &["p", "q"]) }
}

#[test]
fn a_cycle_leads_through_a_flow_only_where_its_input_reaches_its_output() {
    let around = |reach: &[(&str, &str)]| {
        flow(
            vec![instance(reach, None), routine("b", &["x"], &["y"])],
            &["in x -> etl.one", "etl.p -> b.x", "b.y -> etl.two", "etl.q -> return"],
        )
    };
    assert_eq!(check(&around(&[("one", "p"), ("two", "q")])), []);
    let (code, place, message, _) = one(&around(&[("one", "p"), ("one", "q"), ("two", "p")]));
    assert_eq!((code, place), (Code::UnmarkedCycle, Place::To(2, WHOLE)));
    assert_eq!(message, "`b.y -> etl.two` closes a cycle: `etl.p -> b.x`, `b.y -> etl.two`");
    // A mark where no way leads back.
    let mut marked = around(&[("one", "p"), ("two", "q")]);
    marked.connections[2].feedback = true;
    assert_eq!(codes(&marked), [Code::NoCycle]);
}

#[test]
fn a_drained_slot_in_a_flow_does_not_lead_to_itself_around_it() {
    let reach = [("one", "p"), ("two", "q"), ("two", "p")];
    let around = |drained| {
        flow(
            vec![instance(&reach, Some(drained)), routine("b", &["x"], &["y"])],
            &["in x -> etl.one", "etl.p -> b.x", "b.y -> loop etl.two", "etl.q -> return"],
        )
    };
    assert_eq!(check(&around((&["one"], &["p"]))), []);
    let (code, place, message, _) = one(&around((&["two"], &["p"])));
    assert_eq!((code, place), (Code::DrainedDownstream, Place::To(2, WHOLE)));
    assert_eq!(
        message,
        "`etl.parse.total` is drained and leads to itself: `etl.p -> b.x`, `b.y -> loop etl.two`"
    );
    let mut unmarked = around((&["two"], &["p"]));
    unmarked.connections[2].feedback = false;
    assert_eq!(codes(&unmarked), [Code::DrainedDownstream]);
}

#[test]
fn a_flow_in_a_flow_is_reached_and_reaches_by_its_ports() {
    let reach = [("one", "p")];
    let graph = flow(
        vec![instance(&reach, None), routine("b", &["x"], &["y"])],
        &["in x -> etl.one", "in x -> etl.two", "etl.q -> b.x", "etl.p -> out p", "b.y -> return"],
    );
    assert_eq!(codes(&graph), [Code::RoutineNeverReached]);
    let mut with_source = graph.clone();
    with_source.routines[0].inner.as_mut().unwrap().always.push("q".into());
    assert_eq!(check(&with_source), []);
    // It is a way in by itself.
    with_source.connections.retain(|connection| !matches!(connection.from, crate::Source::Input(_)));
    with_source.routines[0].slots.clear();
    with_source.routines[0].inner.as_mut().unwrap().always.push("p".into());
    assert_eq!(check(&with_source), []);
    let unconnected =
        flow(vec![instance(&reach, None)], &["in x -> etl.one", "etl.p -> out p", "etl.q -> out q"]);
    let message = "nothing is connected to the input `two` of the flow `etl`, which takes `u64`";
    assert_eq!(one(&unconnected).2, message);
    let error = flow(
        vec![instance(&reach, None)],
        &["in x -> etl.one", "in x -> etl.two", "etl.p -> out p", "etl.q -> out q", "etl.error -> out e"],
    );
    assert_eq!(one(&error).2, "`etl` is a flow, and a flow has no error events");
}

fn row(of: Option<&str>, text: &str) -> Policy {
    let of = of.map(|of| match of.contains('.') {
        true => Subject::Slot(port(of)),
        false => Subject::Routine(of.into()),
    });
    Policy::new(of, text)
}

fn with_rows(rows: Vec<Policy>) -> Graph {
    let mut graph = flow(
        vec![
            routine("a", &["x?", "z"], &["y"]),
            routine("b", &["x"], &["y"]),
            instance(&[("one", "p"), ("two", "q")], None),
        ],
        &[
            "in x -> a.x",
            "in z -> a.z",
            "a.y -> b.x",
            "b.y -> etl.one",
            "b.y -> etl.two",
            "etl.p -> return",
            "etl.q -> out q",
        ],
    );
    graph.policies = rows;
    graph
}

#[test]
fn a_row_is_about_what_there_is_and_what_can_fail() {
    assert_eq!(
        check(&with_rows(vec![row(Some("a.x"), "skip"), row(Some("a"), "skip"), row(Some("etl"), "skip")])),
        []
    );
    let says = |of: &str, code: Code, part: Part, message: &str, help: &str| {
        says(&with_rows(vec![row(Some(of), "skip")]), code, Place::Policy(0, part), message, help);
    };
    says(
        "c.x",
        Code::UnknownRoutine,
        Part::Routine,
        "there is no routine `c` in this flow",
        "the routines of `Test` are: `a`, `b`, `etl`",
    );
    says(
        "et",
        Code::UnknownRoutine,
        Part::Routine,
        "there is no routine `et` in this flow",
        "did you mean `etl`? The routines of `Test` are: `a`, `b`, `etl`",
    );
    says(
        "a.xs",
        Code::UnknownSlot,
        PORT,
        "`a` has no slot `xs`",
        "did you mean `x`? Its slots are: `x`, `z`",
    );
    says(
        "a.z",
        Code::CannotFail,
        WHOLE,
        "`a.z` cannot fail, so this policy is never tried",
        "let its handler return a `Result`, or remove the policy",
    );
    says(
        "b",
        Code::CannotFail,
        WHOLE,
        "nothing in `b` can fail, so this policy is never tried",
        "let a handler return a `Result`, or remove the policy",
    );
    says(
        "etl.one",
        Code::AcrossBoundary,
        PORT,
        "`etl` is a flow: a policy outside is about all that fails in it, not about `one`",
        "write `on error of etl ..;`, or the policy in the flow itself",
    );
}

#[test]
fn after_a_panic_a_job_goes_on_only_where_all_is_as_before() {
    let panic = |of: Option<&str>, text: &str| Policy { panic: true, ..row(of, text) };
    let sound = [panic(Some("a.x"), "skip"), panic(Some("a.z"), "stop"), panic(None, "skip")];
    assert_eq!(check(&with_rows(sound.into())), []);
    let message = "after a panic in `a.z` the job cannot go on: what it did is not undone";
    let help = "let it return a `Result`: state and payload are kept then";
    for of in ["a.z", "a"] {
        says(
            &with_rows(vec![panic(Some(of), "skip")]),
            Code::NotWhole,
            Place::Policy(0, WHOLE),
            message,
            help,
        );
    }
    let mut exposed = with_rows(vec![panic(Some("a.x"), "skip")]);
    exposed.routines[0].slots[0].whole = false;
    assert_eq!(
        one(&exposed).3,
        "remove `atomic = false` where it is declared: state and payload are kept then"
    );
}

#[test]
fn a_row_that_is_never_tried_is_told_with_the_one_that_takes_all() {
    let guarded = |policy: Policy, guard: &str| Policy { guard: Some(guard.into()), ..policy };
    let passing = |of: &str| Policy { passes: true, ..row(Some(of), "retry(3)") };
    let sound = [
        vec![guarded(row(Some("a.x"), "skip"), "|e| a"), row(Some("a.x"), "stop")],
        vec![passing("a.x"), row(Some("a.x"), "skip"), row(None, "stop")],
        vec![row(Some("a.x"), "skip"), Policy { panic: true, ..row(Some("a.x"), "skip") }],
        vec![row(None, "skip"), row(Some("a.x"), "stop")],
        vec![guarded(row(None, "skip"), "|e| a"), row(None, "stop")],
        vec![row(Some("a.x"), "skip"), row(Some("a"), "stop")],
    ];
    for rows in sound {
        assert_eq!(check(&with_rows(rows)), []);
    }
    let second = Place::Policy(1, WHOLE);
    let all = with_rows(vec![row(Some("a"), "skip"), guarded(row(Some("a.x"), "stop"), "|e| b")]);
    says(
        &all,
        Code::UnreachablePolicy,
        second,
        "`on error of a.x if |e| b stop` is never tried: `on error of a skip` takes every error before it",
        "write the policy with the guard first",
    );
    assert_eq!(check(&all)[0].first, Some(Place::Policy(0, WHOLE)));
    let same = guarded(row(Some("a.x"), "skip"), "|e| a");
    says(
        &with_rows(vec![same.clone(), same]),
        Code::UnreachablePolicy,
        second,
        "`on error of a.x if |e| a skip` is never tried: `on error of a.x if |e| a skip` takes the same before it",
        "remove one of the two",
    );
    says(
        &with_rows(vec![row(None, "skip"), row(None, "stop")]),
        Code::SecondDefault,
        second,
        "a flow has one `on error` for all, and this one is never tried",
        "say what it is about: `on error of id.slot ..`, or remove one of the two",
    );
}

#[test]
fn the_targets_of_rows_are_checked_and_count_as_connected() {
    let to = |name: &str| {
        let mut graph = flow(
            vec![routine("a", &["x?"], &["y"]), routine("b", &["dead"], &["y"])],
            &["in x -> a.x", "a.y -> out y", "b.y -> return"],
        );
        graph.policies.push(Policy { to: vec![target(name)], ..row(Some("a.x"), "-> ..") });
        graph
    };
    assert_eq!(check(&to("b.dead")), []);
    assert_eq!(told(&to("out bad")).len(), 1);
    says(
        &to("b.daed"),
        Code::UnknownSlot,
        Place::PolicyTo(0, 0, PORT),
        "`b` has no slot `daed`",
        "did you mean `dead`? Its slots are: `dead`",
    );
}

fn warnings(graph: &Graph) -> Vec<(Code, Place, String)> {
    let problems = check(graph).into_iter();
    problems
        .map(|problem| {
            assert_eq!(problem.severity, Severity::Warning, "{problem:?}");
            (problem.code, problem.place, problem.message)
        })
        .collect()
}

fn shop(connections: &[&str]) -> Graph {
    let shop = routine("shop", &["open?"], &["order", "paid"]);
    let bank = routine("bank", &["pay?"], &["done"]);
    flow(vec![shop, bank, routine("desk", &["settle(order, payment)"], &["settled"])], connections)
}

#[test]
fn a_join_that_one_guard_feeds_on_both_sides_is_told() {
    let mut graph = shop(&[
        "in x -> shop.open",
        "shop.order -> desk.settle.order",
        "shop.order -> desk.settle.payment",
        "shop.paid -> bank.pay",
        "bank.done -> out paid",
        "desk.settled -> return",
    ]);
    assert_eq!(warnings(&graph), []);
    let guard = Some("|n| *n > 3".to_owned());
    graph.connections[1].guard = guard.clone();
    let message = "the join `desk.settle` may wait for ever: not every `shop.order` that goes to `payment` goes to \
                   `order` too";
    let told = vec![(Code::JoinMayStarve, Place::To(1, Part::Whole), message.to_owned())];
    assert_eq!(warnings(&graph), told);
    graph.connections[2].guard = guard.clone();
    assert_eq!(warnings(&graph), [], "the same goes to both");
    graph.connections[2].otherwise = true;
    assert_eq!(warnings(&graph), told, "what goes to the one does not go to the other");
    graph.routines[2].slots[0].within = true;
    graph.connections.push(connection("desk.settle.unpaired -> out left"));
    graph.routines[2].events.push(crate::model::Event::new("settle.unpaired", "u64"));
    assert_eq!(warnings(&graph), [], "it waits for so long and no longer");
}

#[test]
fn a_join_that_is_not_given_what_is_skipped_is_told() {
    let mut graph = shop(&[
        "in x -> shop.open",
        "shop.order -> desk.settle.order",
        "shop.paid -> bank.pay",
        "bank.done -> desk.settle.payment",
        "desk.settled -> return",
    ]);
    graph.policies = vec![Policy::new(Some(Subject::Slot(port("shop.open"))), "skip")];
    assert_eq!(warnings(&graph), [], "neither of the two is sent then");
    graph.policies = vec![Policy::new(Some(Subject::Slot(port("bank.pay"))), "retry(3) then skip")];
    let message = "the join `desk.settle` may wait for ever: what is skipped here leads to `payment`, and not to \
                   `order`";
    let told = vec![(Code::JoinMayStarve, Place::Policy(0, Part::Whole), message.to_owned())];
    assert_eq!(warnings(&graph), told);
    graph.routines[2].slots[0].merge = Merge::Latest;
    assert_eq!(warnings(&graph), []);
}

#[test]
fn a_cycle_on_which_each_step_sends_the_next_event_is_told() {
    let cycle = |slots: [&str; 2]| {
        let routines = vec![routine("a", &[slots[0], "w!z"], &["y", "z"]), routine("b", &[slots[1]], &["y"])];
        let connections =
            ["in x -> a.x", "in w -> a.w", "a.y -> b.x", "b.y -> loop a.x", "a.z -> out z", "b.y -> out y"];
        flow(routines, &connections)
    };
    let graph = cycle(["x!y", "x!y"]);
    let message =
        "this never ends: each step of the cycle sends the next event: `a.y -> b.x`, `b.y -> loop a.x`";
    assert_eq!(warnings(&graph), [(Code::EndlessCycle, Place::To(3, Part::Whole), message.to_owned())]);
    assert_eq!(warnings(&cycle(["x!y", "x"])), [], "its handler decides");
    let mut bounded = graph.clone();
    bounded.connections[3].bound = Some(3);
    assert_eq!(warnings(&bounded), []);
    let mut guarded = graph;
    guarded.connections[2].guard = Some("|n| *n > 3".into());
    assert_eq!(warnings(&guarded), []);
}

#[test]
fn an_error_wire_that_a_policy_leaves_nothing_is_told() {
    let with = |rows: Vec<Policy>| {
        let routines = vec![routine("a", &["x?"], &["y"]), routine("b", &["x"], &[])];
        let mut graph =
            flow(routines, &["in x -> a.x", "a.y -> return", "a.x.error -> out failed", "in y -> b.x"]);
        graph.policies = rows;
        codes(&graph)
    };
    let row = |of: Option<&str>, text: &str| Policy::new(of.map(|of| Subject::Slot(port(of))), text);
    assert_eq!(with(vec![row(Some("a.x"), "skip")]), [Code::UnreachablePolicy]);
    assert_eq!(with(vec![row(None, "skip")]), [], "what is for everything comes after the wire");
    let passes = Policy { passes: true, ..row(Some("a.x"), "retry(2)") };
    assert_eq!(with(vec![passes]), [], "after the attempts it goes over the wire");
    let guarded = Policy { guard: Some("|e| true".into()), ..row(Some("a.x"), "skip") };
    assert_eq!(with(vec![guarded]), []);
    let panics = Policy { panic: true, ..row(Some("a.x"), "stop") };
    assert_eq!(with(vec![panics]), []);
}
