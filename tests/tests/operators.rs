//! What is written at the arrows of a flow: conversions, guards, maps, several targets, bounded loops; and what becomes of a step
//! when one of them fails.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Failure, Outcome, Panic};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tests::everywhere::everywhere;

/// Passes on what it is given, and counts it.
#[routine]
struct Pass {
    #[state]
    seen: u64,
}

#[routine]
impl Pass {
    #[event]
    fn on(n: u64);
    #[event]
    fn text(text: String);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.seen += 1;
        out.on(n);
        out.text(n.to_string());
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Word(String);

impl From<String> for Word {
    fn from(text: String) -> Self {
        assert!(text != "13", "thirteen is no word");
        Word(text)
    }
}

/// Takes words and their lengths.
#[routine]
struct Words {
    #[state]
    seen: BTreeSet<String>,
}

#[routine]
impl Words {
    #[event]
    fn word(word: Word);

    #[slot(optional)]
    fn word_in(&mut self, word: Word, out: &mut Emit<Self>) {
        self.seen.insert(word.0.clone());
        out.word(word);
    }

    #[slot(optional)]
    fn wide(&mut self, n: u128, out: &mut Emit<Self>) {
        self.seen.insert(format!("{n} wide"));
        out.word(Word(n.to_string()));
    }

    #[slot(optional)]
    fn pair(&mut self, text: String, n: usize, out: &mut Emit<Self>) {
        self.seen.insert(format!("{text} {n}"));
        out.word(Word(text));
    }
}

flow! {
    /// Every operator, at events and at inputs; parameters are there by reference.
    flow Operated(limit: u64, names: Vec<String>) {
        pass: Pass;
        small: Pass;
        large: Pass;
        even: Pass;
        words: Words;

        in n if |n| *n != 99 -> pass.n;
        in text: String -> |text| text.len() as u64 -> pass.n;
        in half: u32 => words.wide;

        // A guard alone, one with `else` as a statement of its own, and one with `else` in the same.
        pass.on if |n| n.is_multiple_of(2) -> even.n;
        pass.on if |n| *n < *limit -> small.n;
        else -> large.n, out large;
        small.on if |n| *n == 1 -> |n| n + 1_000 -> out ones: u64 else -> |n| n + 2_000 -> out others: u64;

        pass.text => words.word_in;
        pass.text -> |text| (names.get(text.len()).cloned().unwrap_or(text), names.len()) -> words.pair;
        // What one map makes goes to several.
        large.on -> |n| vec![n; 2] -> out twice: Vec<u64>, out again: Vec<u64>;
        even.on => out wide: u128;
        words.word -> out words;
        ignore small.text;
        ignore large.text;
        ignore even.text;
    }
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values
}

fn words(texts: &[&str]) -> Vec<Word> {
    sorted(texts.iter().map(|text| Word((*text).to_owned())))
}

#[test]
fn every_operator_does_what_it_says() {
    let names = vec!["zero".to_owned(), "one".to_owned()];
    everywhere(Operated::new(10, names)).run_alike(
        |job| {
            for n in [1, 4, 99, 10, 25] {
                job.inputs().n(n).unwrap();
            }
            job.inputs().text("abc".into()).unwrap();
            job.inputs().half(7).unwrap();
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            // 1, 4 and 3 are small; 10 and 25 are not; 99 is not let in.
            assert_eq!(sorted(job.outputs().ones()), [1_001], "{at}");
            assert_eq!(sorted(job.outputs().others()), [2_003, 2_004], "{at}");
            assert_eq!(sorted(job.outputs().large()), [10, 25], "{at}");
            assert_eq!(sorted(job.outputs().twice()), [[10, 10], [25, 25]], "{at}");
            assert_eq!(sorted(job.outputs().again()), [[10, 10], [25, 25]], "{at}");
            assert_eq!(sorted(job.outputs().wide()), [4, 10], "{at}");
            let expected = words(&["1", "4", "10", "25", "3", "one", "one", "one", "10", "25", "7"]);
            assert_eq!(sorted(job.outputs().words()), expected, "{at}");
            assert_eq!(
                ended.saved(&["routines", "words", "seen"]),
                serde_json::json!(["1", "10", "10 2", "25", "25 2", "3", "4", "7 wide", "one 2"]),
                "{at}"
            );
            // 99 at the input; 1, 25 and 3 on their way to `even`. What goes by an `else` is not filtered.
            assert_eq!((ended.report.filtered(), ended.report.failures()), (4, 0), "{at}");
            // `words` takes each number twice, and the half.
            let handled = 5 + 3 + 2 + 2 + 2 * 5 + 1;
            assert_eq!(ended.report.handled(), handled, "{at}");
        },
    );
}

#[test]
fn what_leaves_a_step_is_counted_by_event_and_not_by_target() {
    let mut job = Operated::new(10, vec![]).job();
    job.inputs().n(4).unwrap();
    let _ = job.run().unwrap();
    let emitted: Vec<_> = job.history().map(|entry| (entry.routine.into_owned(), entry.emitted)).collect();
    assert_eq!(emitted[0], ("pass".to_owned(), 2));
}

// ---- bounded loops ----

/// Goes round.
#[routine]
struct Down {
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Down {
    #[event]
    fn more(n: u64);
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) -> Result {
        self.seen.push(n);
        match n {
            0 => out.done(0),
            n => out.more(n - 1),
        }
        Ok(())
    }
}

flow! {
    flow Rounds() {
        down: Down;
        in n -> down.n;
        down.more -> loop(5) down.n;
        down.done -> out done;
    }
}

#[test]
fn a_bounded_loop_is_taken_so_often_in_a_job_and_then_the_step_fails() {
    // As often as it may: by one way round or by several.
    for numbers in [vec![5], vec![2, 3], vec![1, 1, 1, 1, 1]] {
        everywhere(Rounds::new()).run_alike(
            |job| numbers.iter().for_each(|n| job.inputs().n(*n).unwrap()),
            |ended| {
                assert_eq!(ended.job().outputs().done().count(), numbers.len(), "{}", ended.engine);
                assert!(ended.error.is_none(), "{}", ended.engine);
            },
        );
    }
    everywhere(Rounds::new()).run(
        |job| job.inputs().n(7).unwrap(),
        |ended| {
            let at = &ended.engine;
            let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
            assert!(matches!(error, Error::SlotHandler { payload_lost: false, .. }), "{at}: {error}");
            assert_eq!(
                error.to_string(),
                "`down.n` failed on delivery 6 (attempt 1): `down.more -> loop(5) down.n` was to be taken once more than \
                 the 5 times that it may in a job",
                "{at}"
            );
            // The step that failed has left nothing: 7 to 3 were seen, and 2 waits.
            assert_eq!(ended.saved(&["routines", "down", "seen"]), serde_json::json!([7, 6, 5, 4, 3]), "{at}");
            assert_eq!(ended.saved(&["failure", "delivery", "payload"]), 2, "{at}");
        },
    );
}

#[test]
fn how_often_a_loop_was_taken_is_saved_and_not_counted_for_a_step_that_failed() {
    let mut job = Rounds::new().job();
    job.inputs().n(4).unwrap();
    job.run_until_idle().unwrap();
    let mut job = Rounds::new().resume(job.state().unwrap()).unwrap();
    // Once more, and no more.
    job.inputs().n(1).unwrap();
    job.run_until_idle().unwrap();
    job.inputs().n(0).unwrap();
    job.inputs().n(1).unwrap();
    for attempt in 1..=3 {
        let error = job.run().unwrap_err();
        assert!(matches!(&error, Error::SlotHandler { attempts, .. } if *attempts == attempt), "{error}");
        job.resume().unwrap();
    }
    assert_eq!(job.outputs().done().count(), 3);
}

// ---- operators that panic ----

/// What is not to go on, for as long as it is wrong.
type Wrong = Arc<AtomicBool>;

/// Panics if what it is asked about is wrong.
fn check(n: u64, at: u64, wrong: &Wrong) -> bool {
    assert!(n != at || !wrong.load(Ordering::Relaxed), "{n} is wrong");
    true
}

flow! {
    /// A conversion, a guard, a map, each of which fails at a number of its own.
    flow Fails(wrong: Wrong) {
        pass: Counts;
        others: Pass;
        words: Words;
        // What is sent before the one that fails is not sent.
        pass.on -> others.n, out plain;
        pass.on if |n| check(*n, 11, wrong) -> out guarded;
        pass.on -> |n| { check(n, 12, wrong); n } -> out mapped: u64;
        pass.text => words.word_in;
        in n -> pass.n;
        in checked if |n| check(*n, 14, wrong) -> others.n;
        words.word -> out words;
        ignore others.on;
        ignore others.text;
    }
}

/// Its state is put back, and its payload kept: it could fail.
#[routine]
struct Counts {
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Counts {
    #[event]
    fn on(n: u64);
    #[event]
    fn text(text: String);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) -> Result {
        self.seen.push(n);
        out.on(0);
        out.on(n);
        out.text(n.to_string());
        Ok(())
    }
}

#[test]
fn an_operator_that_panics_fails_the_step_is_named_and_leaves_nothing() {
    let cases = [
        (11, "the guard of `pass.on`: 11 is wrong"),
        (12, "the map of `pass.on -> out mapped`: 12 is wrong"),
        (13, "the conversion of `pass.text => words.word_in`: thirteen is no word"),
    ];
    for (bad, why) in cases {
        let wrong = Wrong::default();
        let flow = Fails::new(wrong.clone());
        everywhere(flow.clone()).run(
            |job| {
                wrong.store(true, Ordering::Relaxed);
                job.inputs().n(bad).unwrap();
            },
            |ended| {
                let at = &ended.engine;
                let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
                let told = format!("`pass.n` failed on delivery 1 (attempt 1): panicked: {why}");
                assert_eq!(error.to_string(), told, "{at}");
                assert_eq!(error.downcast_ref::<Panic>().unwrap().message, why, "{at}");
                assert_eq!(ended.state.waiting(), 1, "{at}");
                assert_eq!(ended.saved(&["routines", "pass", "seen"]), serde_json::json!([]), "{at}");
                for (output, values) in ended.saved(&["outputs"]).as_object().unwrap() {
                    assert_eq!(values, &serde_json::json!([]), "{at}: {output}");
                }
                let entry = ended.state.history_of("pass").next().unwrap().clone();
                assert_eq!(
                    (entry.emitted, entry.outcome),
                    (0, Outcome::Failed(format!("panicked: {why}"))),
                    "{at}"
                );
                assert_eq!(ended.report.filtered(), 0, "{at}");
                if bad == 13 {
                    return;
                }
                // Put right, it goes on with the same delivery.
                wrong.store(false, Ordering::Relaxed);
                let mut job = ended.job();
                let report = job.run().unwrap();
                assert_eq!((report.status(), report.failed()), (Status::Completed, 0), "{at}");
                assert_eq!(job.outputs().mapped().collect::<Vec<_>>(), [0, bad], "{at}");
                assert_eq!(job.outputs().guarded().collect::<Vec<_>>(), [0, bad], "{at}");
                assert_eq!(job.outputs().words().count(), 1, "{at}");
                wrong.store(true, Ordering::Relaxed);
            },
        );
    }
}

#[test]
fn what_is_sent_to_an_input_and_fails_on_its_way_in_is_not_there() {
    let wrong = Wrong::default();
    let mut job = Fails::new(wrong.clone()).job();
    wrong.store(true, Ordering::Relaxed);
    let error = job.inputs().checked(14).unwrap_err();
    assert!(matches!(error, Error::Execution { .. }), "{error}");
    assert!(error.to_string().contains("what was sent to the input `checked` is lost: "), "{error}");
    assert!(error.to_string().contains("the guard of `in checked`: 14 is wrong"), "{error}");
    job.inputs().checked(15).unwrap();
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.handled()), (Status::Completed, 1));

    let job = Fails::new(wrong).job().start().unwrap();
    let error = job.inputs().checked(14).unwrap_err();
    assert!(error.to_string().contains("the guard of `in checked`: 14 is wrong"), "{error}");
    job.inputs().checked(15).unwrap();
    assert_eq!(job.finish().unwrap().handled(), 1);
}

flow! {
    /// Operators that fail are failures of the step before them: policies absorb those.
    flow Absorbed(wrong: Wrong) {
        pass: Counts;
        in n -> pass.n;
        pass.on -> |n| { check(n, 12, wrong); n } -> out mapped: u64;
        ignore pass.text;
        on panic of pass.n -> out failed;
    }
}

#[test]
fn an_operator_that_panics_is_absorbed_by_a_policy_of_the_handler_before_it() {
    let wrong = Wrong::default();
    wrong.store(true, Ordering::Relaxed);
    everywhere(Absorbed::new(wrong)).run_alike(
        |job| [11, 12, 13].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            assert_eq!(sorted(ended.job().outputs().mapped()), [0, 0, 11, 13], "{at}");
            let failed: Vec<Failure<u64>> = ended.job().outputs().failed().collect();
            assert_eq!((failed.len(), failed[0].payload), (1, 12), "{at}");
            assert!(failed[0].error.contains("the map of `pass.on -> out mapped`"), "{at}: {failed:?}");
            assert_eq!(ended.saved(&["routines", "pass", "seen"]), serde_json::json!([11, 13]), "{at}");
        },
    );
}

// ---- parameters ----

flow! {
    /// Guards go by what the flow was made with.
    flow Limited(limit: u64, step: u64) {
        pass: Pass;
        in n -> pass.n;
        pass.on if |n| n % step == 0 && n <= limit -> out some;
        ignore pass.text;
    }
}

#[test]
fn a_job_that_is_reconfigured_has_the_parameters_of_the_new_flow_in_its_operators() {
    let mut job = Limited::new(10, 2).job();
    (1..=4).for_each(|n| job.inputs().n(n).unwrap());
    job.run_until_idle().unwrap();
    job.reconfigure(&Limited::new(3, 1)).unwrap();
    (1..=4).for_each(|n| job.inputs().n(n).unwrap());
    let report = job.run().unwrap();
    assert_eq!(job.outputs().some().collect::<Vec<_>>(), [2, 4, 1, 2, 3]);
    assert_eq!(report.filtered(), 3);

    let mut job = Rounds::new().job();
    job.inputs().n(4).unwrap();
    job.run_until_idle().unwrap();
    job.reconfigure(&Rounds::new()).unwrap();
    job.inputs().n(2).unwrap();
    assert!(job.run().is_err(), "what a loop was taken is forgotten");
}

// ---- what a handler returns ----

/// Emits what it returns.
#[routine]
struct Returns;

#[routine]
impl Returns {
    #[event]
    fn n(n: u64);

    #[slot(emit = n)]
    fn one(&self, text: &str) -> Result<u64> {
        Ok(text.parse()?)
    }

    #[slot(emit = n)]
    fn some(&self, n: u64) -> Option<u64> {
        n.is_multiple_of(2).then_some(n)
    }

    #[slot(emit = n)]
    fn all(&self, n: Vec<u64>) -> Vec<u64> {
        n
    }

    #[slot(emit = n)]
    fn lazily(&self, n: &u64) -> impl Iterator<Item = u64> {
        let n = *n;
        (0..n).inspect(move |k| assert!(n != 13 || *k < 3, "too many"))
    }
}

flow! {
    flow Returned() {
        returns: Returns;
        in one -> returns.one;
        in some -> returns.some;
        in all -> returns.all;
        in lazily -> returns.lazily;
        returns.n -> out n;
        on error of returns.one skip;
        on panic of returns.lazily skip;
    }
}

#[test]
fn what_a_handler_returns_is_emitted_and_nothing_of_what_fails() {
    everywhere(Returned::new()).run_alike(
        |job| {
            ["7", "seven"].into_iter().for_each(|text| job.inputs().one(text.into()).unwrap());
            [10, 11].into_iter().for_each(|n| job.inputs().some(n).unwrap());
            [vec![], vec![20, 21]].into_iter().for_each(|all| job.inputs().all(all).unwrap());
            [2, 13].into_iter().for_each(|n| job.inputs().lazily(n).unwrap());
        },
        |ended| {
            assert_eq!(sorted(ended.job().outputs().n()), [0, 1, 7, 10, 20, 21], "{}", ended.engine);
            assert_eq!(ended.report.skipped(), 2, "{}", ended.engine);
        },
    );
}

// ---- copies ----

/// A payload that cannot be copied at times.
#[derive(Debug, Serialize, Deserialize)]
struct Unique(u64);

static UNIQUE: AtomicBool = AtomicBool::new(false);

impl Clone for Unique {
    fn clone(&self) -> Self {
        assert!(!UNIQUE.load(Ordering::Relaxed), "this one is unique");
        Unique(self.0)
    }
}

#[routine]
struct Copies;

#[routine]
impl Copies {
    #[event]
    fn copy(unique: Unique);

    #[slot]
    fn n(&self, n: &u64, out: &mut Emit<Self>) -> Result {
        out.copy(Unique(*n));
        out.copy(Unique(n + 1));
        Ok(())
    }
}

flow! {
    /// With an operator among the ways, copies are made before anything is sent.
    flow Copied() {
        copies: Copies;
        in n -> copies.n;
        copies.copy -> out first, out second;
        copies.copy if |unique| unique.0 > 0 -> out third;
    }
}

#[test]
fn where_there_are_operators_a_copy_that_panics_is_undone_with_its_step() {
    let mut job = Copied::new().job();
    UNIQUE.store(true, Ordering::Relaxed);
    job.inputs().n(1).unwrap();
    let error = job.run().unwrap_err();
    UNIQUE.store(false, Ordering::Relaxed);
    assert!(error.to_string().contains("this one is unique"), "{error}");
    assert_eq!((job.outputs().first().count(), job.outputs().second().count()), (0, 0));
    job.resume().unwrap();
    assert_eq!(job.run().unwrap().handled(), 1);
    let numbers = |all: Vec<Unique>| all.iter().map(|unique| unique.0).collect::<Vec<_>>();
    assert_eq!(numbers(job.outputs().first().collect()), [1, 2]);
    assert_eq!(numbers(job.outputs().third().collect()), [1, 2]);
}
