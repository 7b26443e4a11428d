//! Where everything went: each value that was sent is, exactly once, handled, kept by a slot, waiting, rejected by a guard, superseded, or given
//! up. What was sent follows from what the handlers wrote down of the steps that were done, and from the flow as a plan.

use crate::view::{Bag, View, arrival, tokens};
use std::collections::BTreeMap;
use tests::random::plan::{From, Plan, Port, Role, To, When};
use tests::tokens::{Call, Token};

/// An end of a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Slot(usize, usize, Option<usize>),
    Out(usize),
    Letters,
    Pairs,
    Unpaired,
    Return,
}

impl End {
    fn of(to: &To) -> End {
        match *to {
            To::Slot { node, port, param, .. } => End::Slot(node, port, param),
            To::Out(number) => End::Out(number),
            To::Letters => End::Letters,
            To::Pairs => End::Pairs,
            To::Unpaired => End::Unpaired,
            To::Return => End::Return,
        }
    }
}

/// What was sent where.
#[derive(Default)]
struct Sent {
    to: BTreeMap<End, Bag>,
    filtered: u64,
    /// By bounded loops.
    bounded: BTreeMap<End, u64>,
    most: BTreeMap<End, u64>,
}

impl Sent {
    /// A value leaves by all ways that begin there.
    fn send(&mut self, plan: &Plan, from: From, token: Token) {
        for statement in plan.statements.iter().filter(|statement| statement.from == from) {
            let passes = statement.guard.is_none_or(|guard| token.passes(guard.one_of, guard.which));
            let branch = match (passes, &statement.otherwise) {
                (true, _) => &statement.then,
                (false, Some(otherwise)) => otherwise,
                (false, None) => {
                    self.filtered += 1;
                    continue;
                }
            };
            let token = branch.map.map_or(token, |by| token.mapped(by));
            for to in &branch.to {
                self.to.entry(End::of(to)).or_default().add(token);
                if let To::Slot { back: Some(tests::random::plan::Loop::Bounded(most)), .. } = to {
                    *self.bounded.entry(End::of(to)).or_default() += 1;
                    *self.most.entry(End::of(to)).or_default() += *most;
                }
            }
        }
    }
}

/// What a handler has taken for the first time.
pub(crate) fn took<'c>(port: &Port, call: &'c Call) -> impl Iterator<Item = (Option<usize>, Token)> + 'c {
    let is_join = port.role == Role::Join;
    let keeps = !port.gathers() && port.merge != tests::random::plan::Merge::Override && !port.supersedes();
    call.took.iter().enumerate().flat_map(move |(param, tokens)| {
        let new = if keeps { &tokens[tokens.len().saturating_sub(1)..] } else { &tokens[..] };
        new.iter().map(move |token| (is_join.then_some(param), *token))
    })
}

pub(crate) fn check(view: &View<'_>, given: &[(usize, Token)]) {
    let plan = view.plan;
    let mut sent = Sent::default();
    for (input, token) in given {
        sent.send(plan, From::Input(*input), *token);
    }
    // By slot, what is accounted for.
    let mut seen: BTreeMap<End, Bag> = BTreeMap::new();
    for call in view.done() {
        assert!(call.well, "a step was done whose handler has failed: {call:?}");
        let kind = plan.nodes[call.routine].kind;
        let port = kind.ports.iter().position(|port| port.name == call.slot).unwrap();
        for (param, token) in took(&kind.ports[port], call) {
            seen.entry(End::Slot(call.routine, port, param)).or_default().add(token);
        }
        for one in &call.sent {
            let event = kind.events.iter().position(|event| *event == one.event).unwrap();
            sent.send(plan, From::Event { node: call.routine, event }, one.token);
        }
    }
    let mut in_queue = 0;
    for waiting in &view.waiting {
        in_queue += u64::from(waiting.id > 0);
        let (node, port) = view.slot(&waiting.to);
        for (param, token) in arrival(plan.port(node, port), &waiting.payload) {
            seen.entry(End::Slot(node, port, param)).or_default().add(token);
        }
    }

    let absorbed = view.absorbed();
    let (skipped, diverted) = (view.tally("skipped"), view.tally("diverted"));
    let all_named = skipped + diverted == absorbed.len() as u64;
    assert!(
        all_named || absorbed.len() == 100,
        "{skipped} and {diverted} were absorbed, and named {absorbed:?}"
    );
    let (mut superseded, mut unsure, mut by_slot) = (0, 0, Vec::new());
    let mut dropped = 0;
    for (node, here) in plan.nodes.iter().enumerate() {
        for (port, known) in here.kind.ports.iter().enumerate() {
            let name = format!("r{node}.{}", known.name);
            for (param, token) in view.held(node, port) {
                seen.entry(End::Slot(node, port, param)).or_default().add(token);
            }
            let params: Vec<Option<usize>> = match known.role {
                Role::Join => (0..known.params.len()).map(Some).collect(),
                Role::Handler => vec![None],
                Role::Source | Role::Started | Role::Finish => continue,
            };
            let mut missing = Bag::default();
            for param in params {
                let end = End::Slot(node, port, param);
                let mut rest = sent.to.get(&end).cloned().unwrap_or_default();
                let none = Bag::default();
                seen.get(&end).unwrap_or(&none).tokens().for_each(|token| rest.take(token));
                for (token, count) in &rest.0 {
                    assert!(*count > 0, "{token:?} was at `{name}` ({param:?}) {} times too often", -count);
                    (0..*count).for_each(|_| missing.add(*token));
                }
            }
            let many = missing.len() as u64;
            // Of a join all that it has brought together.
            let each = known.params.len().max(1) as u64;
            let gone = absorbed.iter().filter(|(_, slot)| *slot == name).count() as u64 * each;
            // Where the word that nothing more comes may have failed, no value is lost with it.
            let closes = matches!(known.when, When::Drained | When::Count(_));
            let no_values = if closes && all_named { gone.min(1) } else { 0 };
            if !all_named {
                continue;
            }
            if known.within {
                // What found no partner has left by an event of its own.
                assert_eq!(gone, 0, "nothing is given up here");
                let from = From::Event { node, event: 2 };
                missing.tokens().for_each(|token| sent.send(plan, from, token));
                continue;
            }
            if let Some(to) = &here.diverts[port] {
                let end = sent.to.entry(End::of(to)).or_default();
                missing.tokens().for_each(|token| end.add(token));
            }
            if known.supersedes() {
                assert!(many + no_values >= gone, "`{name}`: {gone} were given up, and {many} are missing");
                let here = (many + no_values).saturating_sub(gone);
                superseded += here;
                by_slot.push((name, here, missing));
                unsure += no_values;
                if !known.gathers() {
                    dropped += many - gone;
                }
            } else {
                assert!(
                    many <= gone && many + no_values >= gone,
                    "`{name}`: {gone} were given up, and {many} are missing: {missing:?}"
                );
            }
        }
    }
    if all_named {
        let told = view.tally("superseded");
        assert!(
            told <= superseded && told + unsure >= superseded,
            "{superseded} were superseded, and {told} were counted: {by_slot:?}"
        );
        let made = view.number("next_delivery") - 1;
        let handled = view.number("handled");
        assert_eq!(
            made,
            handled + skipped + diverted + dropped + in_queue,
            "deliveries: {handled} handled, {skipped} skipped, {diverted} diverted, {dropped} superseded, {in_queue} wait"
        );
        outputs(view, &sent);
    }
    match view.has_later {
        true => assert!(view.tally("filtered") <= sent.filtered),
        false => assert_eq!(view.tally("filtered"), sent.filtered, "guards have rejected so many"),
    }
    for (end, taken) in &sent.bounded {
        assert!(*taken <= sent.most[end], "a loop to {end:?} was taken {taken} times");
    }
    let taken: u64 =
        view.data["loops"].as_object().unwrap().values().map(|taken| taken.as_u64().unwrap()).sum();
    assert_eq!(taken, sent.bounded.values().sum::<u64>(), "bounded loops were taken");
}

/// What has come out is what was sent out.
fn outputs(view: &View<'_>, sent: &Sent) {
    for (end, bag) in &sent.to {
        let name = match end {
            End::Slot(..) | End::Return => continue,
            End::Out(number) => format!("o{number}"),
            End::Letters => "letters".to_owned(),
            End::Pairs => "pairs".to_owned(),
            End::Unpaired => "unpaired".to_owned(),
        };
        let mut out = Bag::default();
        tokens(&view.data["outputs"][&name]).into_iter().for_each(|token| out.add(token));
        view.later_out.get(&name).into_iter().flatten().for_each(|token| out.add(*token));
        assert_eq!(out, *bag, "the output `{name}`");
    }
    for (name, values) in view.data["outputs"].as_object().unwrap() {
        let end = match name.as_str() {
            "letters" => End::Letters,
            "pairs" => End::Pairs,
            "unpaired" => End::Unpaired,
            other => End::Out(other[1..].parse().unwrap()),
        };
        assert!(sent.to.contains_key(&end) || tokens(values).is_empty(), "nothing was sent to `{name}`");
    }
    let results = sent.to.get(&End::Return).cloned().unwrap_or_default();
    let result = tokens(&view.data["result"]);
    let further = view.number("further_results");
    assert!(further == 0 || result.len() == 1, "further results, and none");
    assert!(result.iter().all(|token| results.0.contains_key(token)), "another result than was sent");
    let later = view.later_out.get("return").map_or(0, Vec::len) as u64;
    let all = result.len() as u64 + further + later;
    match later {
        0 => assert_eq!(all, results.len() as u64, "results"),
        // Of what leaves together only the first is told.
        _ => assert!(all <= results.len() as u64, "results"),
    }
}

/// What holds of a job that has completed, beside that everything is accounted for.
pub(crate) fn completed(view: &View<'_>) {
    let plan = view.plan;
    assert_eq!(view.data["status"], "completed");
    assert!(view.waiting.is_empty() && view.data["later"].as_array().unwrap().is_empty(), "something waits");
    let absorbed = view.absorbed();
    if absorbed.len() >= 100 {
        return;
    }
    let gone = |node: usize, port: usize| {
        let name = format!("r{node}.{}", plan.port(node, port).name);
        absorbed.iter().filter(|(_, slot)| *slot == name).count()
    };
    let closed = view.closed();
    for (node, here) in plan.nodes.iter().enumerate() {
        for (port, known) in here.kind.ports.iter().enumerate() {
            let name = format!("r{node}.{}", known.name);
            let calls = || view.done().filter(|call| (call.routine, call.slot) == (node, known.name));
            let (many, gone) = (calls().count(), gone(node, port));
            let closes = known.when == When::Drained || known.role == Role::Finish;
            if closes || matches!(known.when, When::Count(_)) || known.within {
                assert!(closed.contains(&(node, port)), "`{name}` was not told that nothing more comes");
            }
            if closes {
                // Arrivals at a drained slot do not fail.
                assert_eq!(many + gone, 1, "`{name}` has fired so often");
            }
            if (matches!(known.when, When::Drained | When::Count(_)) || known.within) && gone == 0 {
                assert_eq!(view.held(node, port), [], "`{name}` has kept something");
            }
            match known.role {
                Role::Started if gone == 0 => assert_eq!(many as u64, here.many, "`{name}` has given"),
                Role::Source if gone == 0 => {
                    let opened =
                        view.done().filter(|call| (call.routine, call.slot) == (node, "open")).count();
                    assert_eq!(many, opened, "`{name}` has given");
                }
                _ => {}
            }
        }
    }
}
