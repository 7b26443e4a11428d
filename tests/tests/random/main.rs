//! Random flows of up to twelve routines, with every merge, firing rule, operator and policy, under every engine: nothing is lost
//! or doubled, wherever a job is stopped it goes on as if it had not been, and who waits for the end of all others runs exactly then.
//!
//! `build.rs` makes the flows; `RANDOM_FLOWS` says how many and `RANDOM_FLOWS_SEED` the seed of the first, so `RANDOM_FLOWS=1
//! RANDOM_FLOWS_SEED=7` is flow 7 alone. `SEED` says with which inputs and interruptions they are run.
//!
//! - [`view`] reads a job that was written down, [`engines`] runs it;
//! - [`accounts`] counts where every value is, [`upstream`] looks at whether anything can still come, [`firing`] does the work
//!   of slots once more, [`turns`] asks whether it was someone's turn;
//! - [`found`] has what was found by that.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod accounts;
mod engines;
mod firing;
mod found;
mod turns;
mod upstream;
mod view;

use engines::{AnyFlow, AnyHandle, AnyJob, How, PATIENCE};
use firing::Firing;
use routilux::prelude::*;
use routilux::{Clock, HistoryEntry, Pool, sim};
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, SystemTime};
use tests::patience::{Random, within};
use tests::random::plan::{Dice, Plan, mixed};
use tests::random::source;
use tests::tokens::{Log, Record, Token};
use upstream::Ways;
use view::{Bag, View, tokens};

/// What `build.rs` has written, and what that needs.
#[allow(unused_imports)]
mod made {
    use crate::engines::{flows, of_flow};
    use routilux::Pool;
    use routilux::prelude::*;
    use tests::tokens::{
        Along, Batch, Dead, Delay, Ends, Fails, Feed, Keeps, Log, Match, Newest, Pair, Pull, Step, Timely,
        Token, Total, TotalNewest, TotalSum, Triple, Whole, Wrapped, is_hard,
    };

    include!(concat!(env!("OUT_DIR"), "/random_flows.rs"));
}

/// A flow, and what one of its jobs is given.
struct Case {
    plan: Plan,
    ways: Ways,
    flow: &'static dyn AnyFlow,
    /// Before which step, to which input, what; then the inputs are closed.
    given: Vec<(u64, usize, Token)>,
}

impl Case {
    fn new(seed: u64, flow: &'static dyn AnyFlow, dice: &mut Dice) -> Self {
        let plan = Plan::new(seed);
        let mut given = Vec::new();
        for input in plan.inputs() {
            for _ in 0..dice.below(5) {
                // Most of them at once.
                let step = if dice.one_in(3) { dice.below(30) } else { 0 };
                given.push((step as u64, input, Token::new(dice.any())));
            }
        }
        given.sort_by_key(|(step, ..)| *step);
        Case { ways: Ways::of(&plan), plan, flow, given }
    }

    fn inputs(&self, before: usize) -> Vec<(usize, Token)> {
        self.given[..before].iter().map(|(_, input, token)| (*input, *token)).collect()
    }

    fn looked_at(&self, state: &JobState, record: &Record, given: usize) {
        let view = View::new(&self.plan, state, record);
        accounts::check(&view, &self.inputs(given));
        upstream::check(&view, &self.ways);
    }

    fn ended(&self, state: &JobState, record: &Record) {
        let view = View::new(&self.plan, state, record);
        accounts::check(&view, &self.inputs(self.given.len()));
        accounts::completed(&view);
        upstream::check(&view, &self.ways);
        upstream::check_marks(&view, &self.ways);
    }

    fn given_all(&self, job: &mut dyn AnyJob) {
        self.given.iter().for_each(|(_, input, token)| job.give(*input, *token));
    }
}

/// Runs a test for each flow, and says which one it was that failed.
fn for_each_flow(seed: u64, test: impl Fn(&Case, &mut Dice) + Send + 'static) {
    within(5, move || {
        let mut random = Random::new(seed);
        let seed = random.any();
        for (flow_seed, flow) in made::all() {
            // The same for a flow whichever others there are.
            let mut dice = Dice::new(seed ^ mixed(flow_seed));
            let case = Case::new(flow_seed, flow, &mut dice);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(&case, &mut dice))) {
                let name = std::thread::current().name().unwrap_or("..").to_owned();
                eprintln!(
                    "it was flow {flow_seed}:\n{}\ngiven {:?}\nthat flow alone: `RANDOM_FLOWS=1 RANDOM_FLOWS_SEED={flow_seed} \
                     cargo test -p tests --test random {name}`",
                    source::text(&case.plan, &format!("Flow{flow_seed}")),
                    case.given,
                );
                resume_unwind(panic);
            }
        }
    });
}

// ---- one by one ----

/// How a job that is run step by step is disturbed.
#[derive(Default)]
struct Disturbed<'a> {
    /// Whether it is looked at after each step.
    looks: bool,
    /// After which steps it is written down and made anew.
    cuts: Option<&'a mut dyn FnMut(u64) -> bool>,
    /// Until which step.
    until: Option<u64>,
}

/// What has become of it: how it stands, what was written down, how many steps there were and how many values it was given.
struct Ran {
    job: Box<dyn AnyJob>,
    log: Log,
    steps: u64,
    given: usize,
}

fn read_back(state: &JobState) -> JobState {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

/// Step by step in this thread, through every failure. The clock moves on a little before each step, the same way each time.
fn one_by_one(case: &Case, mut how: Disturbed<'_>) -> Ran {
    let log = Log::default();
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800));
    let made = How { plan: &case.plan, clock: Some(&clock), history: false };
    let mut job = case.flow.job(&log, made);
    let (mut given, mut closed) = (0, false);
    let mut firing = Firing::default();
    let mut runs = 0;
    let mut step = 0;
    loop {
        if how.until == Some(step) {
            break;
        }
        assert!(step < 5_000, "it does not come to an end");
        while given < case.given.len() && case.given[given].0 <= step {
            let (_, input, token) = case.given[given];
            job.give(input, token);
            given += 1;
        }
        if given == case.given.len() && !closed && step >= 3 {
            job.close();
            closed = true;
        }
        clock.advance(Duration::from_millis(mixed(step ^ case.plan.seed) % 3));
        let before = how.looks.then(|| job.state());
        let stepped = job.step();
        step += 1;
        if let Some(before) = before {
            let (record, state) = (log.record(), job.state());
            let before = View::new(&case.plan, &before, &record);
            turns::check(&before, &record, runs);
            runs = record.runs.len();
            firing.before(&before);
            firing.after(&View::new(&case.plan, &state, &record));
            case.looked_at(&state, &record, given);
        }
        if how.cuts.as_mut().is_some_and(|cuts| cuts(step)) {
            job.pause();
            let state = job.state();
            job = case.flow.resumed(&log, read_back(&state), made);
        }
        match stepped {
            Ok(true) => {}
            Ok(false) if job.status() == Status::Completed => break,
            Ok(false) => {
                let state = serde_json::to_value(job.state()).unwrap();
                let now = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis() as u64;
                match state["later"][0]["due"].as_u64() {
                    Some(due) => clock.advance(Duration::from_millis(due.saturating_sub(now))),
                    None => assert!(!closed, "it stands still: {state:#}"),
                }
            }
            Err(_) => job.resume(),
        }
    }
    Ran { job, log, steps: step, given }
}

/// All of a job but what it was called why it was paused.
fn whole(state: &JobState) -> Value {
    let mut data = serde_json::to_value(state).unwrap();
    data.as_object_mut().unwrap().remove("reason");
    data
}

/// The steps of a job, one a line.
fn steps(record: &Record) -> Vec<String> {
    let told =
        |run: &HistoryEntry| format!("{}.{} #{}: {:?}", run.routine, run.slot, run.delivery, run.outcome);
    record.runs.iter().map(told).collect()
}

/// The two ended alike, and went the same way.
fn same(one: &Ran, other: &Ran, what: &str) {
    let (these, those) = (steps(&one.log.record()), steps(&other.log.record()));
    let differ = these.iter().zip(&those).position(|(this, that)| this != that);
    let differ = differ.or((these.len() != those.len()).then(|| these.len().min(those.len())));
    if let Some(at) = differ {
        let from = at.saturating_sub(12);
        let some = |steps: &[String]| steps[from..(at + 3).min(steps.len())].join("\n    ");
        panic!("{what}, step {} differs:\n    {}\nand not\n    {}", at + 1, some(&those), some(&these));
    }
    let (one, other) = (whole(&one.job.state()), whole(&other.job.state()));
    for (name, value) in one.as_object().unwrap() {
        assert_eq!(value, &other[name], "`{name}`, {what}");
    }
}

#[test]
fn step_by_step_everything_is_accounted_for_and_runs_when_it_is_to() {
    for_each_flow(1, |case, _| {
        let ran = one_by_one(case, Disturbed { looks: true, ..Disturbed::default() });
        case.ended(&ran.job.state(), &ran.log.record());
    });
}

#[test]
fn a_job_that_is_written_down_and_read_back_goes_on_as_if_it_had_not_been() {
    for_each_flow(2, |case, dice| {
        let ran = one_by_one(case, Disturbed::default());
        case.ended(&ran.job.state(), &ran.log.record());
        // After every step, after some, and after one.
        let one = 1 + dice.below(ran.steps as usize) as u64;
        let mut chance = || dice.one_in(4);
        let mut some = |_| chance();
        let ways: [(&str, &mut dyn FnMut(u64) -> bool); 3] =
            [("each step", &mut |_| true), ("some steps", &mut some), ("one", &mut |step| step == one)];
        for (what, cuts) in ways {
            let again = one_by_one(case, Disturbed { cuts: Some(cuts), ..Disturbed::default() });
            let what = format!("when it was read back after {what} (of {}, {one})", ran.steps);
            same(&ran, &again, &what);
            case.ended(&again.job.state(), &again.log.record());
        }
    });
}

#[test]
fn in_one_go_it_is_the_same() {
    for_each_flow(3, |case, _| {
        // By the real clock, as fast as it goes.
        let log = Log::default();
        let mut job = case.flow.job(&log, How { plan: &case.plan, clock: None, history: true });
        case.given_all(&mut *job);
        while job.run().is_err() {
            job.resume();
        }
        case.ended(&job.state(), &log.record());
    });
}

// ---- simulated ----

/// A simulated job that is looked at in between.
fn simulated(case: &Case, sim: &sim::Sim, seeds: u64, mut outcome: impl FnMut(&JobState, &Record)) {
    let log = Log::default();
    case.flow.explore(&log, sim, seeds, &mut |job| {
        log.clear();
        log.pause_after_each(false);
        case.given_all(job);
        let look = |job: &dyn AnyJob| case.looked_at(&job.state(), &log.record(), case.given.len());
        let mut step = 0;
        loop {
            match job.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => job.resume(),
            }
            step += 1;
            if step == 3 {
                job.close();
            }
            if mixed(step ^ case.plan.seed).is_multiple_of(4) {
                look(job);
            }
        }
        // What waits for its time comes when it is run: until a handler has run.
        job.close();
        log.pause_after_each(true);
        while job.status() != Status::Completed {
            let ran = job.run();
            look(job);
            if ran.is_err() || job.status() == Status::Paused {
                job.resume();
            }
        }
        log.pause_after_each(false);
        let state = job.state();
        case.ended(&state, &log.record());
        outcome(&state, &log.record());
    });
}

#[test]
fn in_any_order_everything_is_accounted_for() {
    for_each_flow(4, |case, dice| {
        simulated(case, &sim::seed(dice.below(1 << 32) as u64), 2, |_, _| {});
        simulated(case, &sim::seed(dice.below(1 << 32) as u64).with_crashes(), 2, |_, _| {});
    });
}

// ---- on threads ----

fn to_the_end(job: &dyn AnyHandle) {
    loop {
        match job.wait() {
            None => panic!("it stands still for {PATIENCE:?}: {}", job.progress()),
            Some(Ok(Status::Completed)) => return,
            Some(_) => job.resume(),
        }
    }
}

fn pools() -> [Pool; 2] {
    [1, 4].map(|workers| Pool::new(workers).unwrap())
}

#[test]
fn on_threads_everything_is_accounted_for() {
    for_each_flow(5, |case, dice| {
        for pool in &pools() {
            let log = Log::default();
            let job = case.flow.job(&log, How { plan: &case.plan, clock: None, history: true });
            let job = job.start(pool);
            let looks = dice.below(3);
            for (at, (_, input, token)) in case.given.iter().enumerate() {
                job.give(*input, *token);
                if dice.below(case.given.len()) < looks {
                    let state = job.state();
                    case.looked_at(&state, &log.record(), at + 1);
                }
            }
            job.close();
            if looks == 1 {
                case.looked_at(&job.state(), &log.record(), case.given.len());
            }
            to_the_end(&*job);
            case.ended(&job.state(), &log.record());
        }
    });
}

#[test]
fn a_job_that_moves_between_engines_is_accounted_for() {
    for_each_flow(6, |case, dice| {
        let steps = one_by_one(case, Disturbed::default()).steps;
        let at = dice.below(steps as usize) as u64;
        let ran = one_by_one(case, Disturbed { until: Some(at), ..Disturbed::default() });
        let stopped = ran.job.state();
        if at > 0 {
            case.looked_at(&stopped, &ran.log.record(), ran.given);
        }
        let pools = pools();
        let pool = &pools[dice.below(2)];

        // From this thread to a pool, and some of the way there.
        let log = Log::after(ran.log.record());
        let how = How { plan: &case.plan, clock: None, history: false };
        let job = case.flow.resumed(&log, read_back(&stopped), how).start(pool);
        let before = job.handled();
        let more = dice.below(steps as usize) as u64;
        for (_, input, token) in &case.given[ran.given..] {
            job.give(*input, *token);
        }
        job.close();
        while job.handled() < before + more && !job.has_ended() {
            std::thread::yield_now();
        }
        job.pause();
        let (paused, record) = (job.state(), log.record());
        case.looked_at(&paused, &record, case.given.len());
        job.cancel();

        // From there back to this thread, and to another pool.
        let log = Log::after(record.clone());
        let mut here = case.flow.resumed(&log, read_back(&paused), how);
        while here.run().is_err() {
            here.resume();
        }
        case.ended(&here.state(), &log.record());
        let log = Log::after(record);
        let there = case.flow.resumed(&log, read_back(&paused), how).start(&pools[1]);
        to_the_end(&*there);
        case.ended(&there.state(), &log.record());
    });
}

// ---- where the order does not matter ----

/// What has come of a job, whatever the order.
fn unordered(plan: &Plan, state: &JobState, record: &Record) -> BTreeMap<String, Vec<String>> {
    let view = View::new(plan, state, record);
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, values) in view.data["outputs"].as_object().unwrap() {
        let mut bag = Bag::default();
        tokens(values).into_iter().for_each(|token| bag.add(token));
        all.insert(format!("out {name}"), bag.tokens().map(|token| format!("{token:?}")).collect());
    }
    for call in view.done() {
        let kind = plan.nodes[call.routine].kind;
        let port = kind.ports.iter().find(|port| port.name == call.slot).unwrap();
        let mut took: Vec<Token> = accounts::took(port, call).map(|(_, token)| token).collect();
        took.sort_unstable();
        let mut sent = call.sent.clone();
        sent.sort_unstable();
        let calls = all.entry(format!("r{}.{}", call.routine, call.slot)).or_default();
        calls.push(format!("{took:?} -> {sent:?}"));
    }
    all.values_mut().for_each(|values| values.sort_unstable());
    for tally in ["skipped", "diverted", "filtered", "superseded"] {
        all.insert(tally.to_owned(), vec![view.tally(tally).to_string()]);
    }
    all.insert("further results".to_owned(), vec![view.number("further_results").to_string()]);
    all
}

#[test]
fn where_the_order_does_not_matter_all_engines_come_to_the_same() {
    for_each_flow(7, |case, dice| {
        if !case.plan.commutes {
            return;
        }
        let ran = one_by_one(case, Disturbed::default());
        let expected = unordered(&case.plan, &ran.job.state(), &ran.log.record());
        let agrees = |what: &str, state: &JobState, record: &Record| {
            let found = unordered(&case.plan, state, record);
            for (name, values) in &expected {
                assert_eq!(found.get(name), Some(values), "{name}, {what}");
            }
            assert_eq!(found.len(), expected.len(), "{what}");
        };
        for sim in
            [sim::seed(dice.below(1 << 32) as u64), sim::seed(dice.below(1 << 32) as u64).with_crashes()]
        {
            simulated(case, &sim, 1, |state, record| agrees("simulated", state, record));
        }
        for pool in &pools() {
            let log = Log::default();
            let mut job = case.flow.job(&log, How { plan: &case.plan, clock: None, history: true });
            case.given_all(&mut *job);
            job.close();
            let job = job.start(pool);
            to_the_end(&*job);
            agrees("on threads", &job.state(), &log.record());
        }
    });
}
