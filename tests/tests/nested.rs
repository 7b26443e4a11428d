//! Flows in flows: each instance by itself, its ids within those of the flow around it, what it does about failures and what it leaves to
//! that one; and generic routines and flows.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Failure, Outcome, Pool, sim};
use serde_json::json;
use std::time::Duration;
use tests::everywhere::{clock, everywhere};
use tests::patience::within;

/// Reads numbers.
#[routine]
struct Parse {
    #[state]
    read: u64,
}

#[routine]
impl Parse {
    #[event]
    fn number(n: u64);

    #[slot]
    fn text(&mut self, text: &str, out: &mut Emit<Self>) -> Result {
        self.read += 1;
        out.number(text.parse()?);
        Ok(())
    }
}

/// Multiplies; the numbers from a hundred on fail as many times as they have hundreds.
#[routine]
struct Scale {
    factor: u64,
    #[state]
    seen: u64,
}

#[routine]
impl Scale {
    #[event]
    fn scaled(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.seen += 1;
        out.scaled(n * self.factor);
        match u64::from(cx.attempt()) > n / 100 {
            true => Ok(()),
            false => Err(format!("{n} is too much").into()),
        }
    }
}

/// Adds up, until nothing can come any more.
#[routine]
struct Total {
    #[state]
    fired: u64,
}

#[routine]
impl Total {
    #[event]
    fn total(n: u64);

    #[merge]
    fn add(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[slot(merge = add, when = "drained")]
    fn n(&mut self, sum: u64, out: &mut Emit<Self>) {
        self.fired += 1;
        out.total(sum);
    }
}

flow! {
    /// Reads numbers, scales them and adds them up.
    flow Etl(factor: u64, limit: u64) {
        parse: Parse;
        scale: Scale { factor };
        total: Total;
        in text -> parse.text;
        parse.number if |n| n < limit -> scale.n, total.n;
        scale.scaled -> out scaled;
        total.total -> return;
        on error of scale.n if |e| e.to_string().starts_with("2") retry(2, 50ms) then skip;
    }
}

flow! {
    /// Two of the same, that know nothing of each other; and what both have come to.
    flow Twice(limit: u64) {
        left: Etl { factor: 2, limit };
        right: Etl { factor: 10 + 1, limit: limit / 2 };
        sum: Total;
        in left -> left.text;
        in right -> right.text;
        left.scaled -> out left;
        right.scaled -> out right;
        left.result -> sum.n, out results;
        right.result -> sum.n, out results;
        sum.total -> return;
        on error of left retry(1, 50ms) then skip;
    }
}

#[test]
fn two_instances_of_a_flow_are_independent() {
    everywhere(Twice::new(1_000)).run_alike(
        |job| {
            ["1", "2", "600"].into_iter().for_each(|text| job.inputs().left(text.into()).unwrap());
            ["1", "600", "5"].into_iter().for_each(|text| job.inputs().right(text.into()).unwrap());
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            // 600 is too much on the left, where it is scaled and fails; on the right it is not let through.
            assert_eq!(job.outputs().left().collect::<Vec<_>>(), [2, 4], "{at}");
            assert_eq!(job.outputs().right().collect::<Vec<_>>(), [11, 55], "{at}");
            let mut results: Vec<u64> = job.outputs().results().collect();
            results.sort_unstable();
            assert_eq!(results, [6, 603], "{at}");
            assert_eq!(ended.report.result().unwrap(), &609, "{at}");
            assert_eq!(ended.report.filtered(), 1, "{at}");
            let read =
                ["left.parse", "right.parse"].map(|routine| ended.saved(&["routines", routine, "read"]));
            assert_eq!(read, [3, 3], "{at}");
            let fired =
                ["left.total", "right.total", "sum"].map(|id| ended.saved(&["routines", id, "fired"]));
            assert_eq!(fired, [1, 1, 1], "{at}");
        },
    );
}

#[test]
fn ids_nest_in_history_errors_and_reports() {
    everywhere(Twice::new(1_000)).seeds(10).run(
        |job| ["1", "one"].into_iter().for_each(|text| job.inputs().right(text.into()).unwrap()),
        |ended| {
            let at = &ended.engine;
            let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
            let told = "`right.parse.text` failed on delivery 2 (attempt 1): invalid digit found in string";
            assert_eq!(error.to_string(), told, "{at}");
            assert!(matches!(error, Error::SlotHandler { routine, slot, .. } if routine == "right.parse" && slot == "text"));
            assert_eq!(ended.saved(&["failure", "delivery", "to"]), "right.parse.text", "{at}");
            let entry = ended.state.history_of("right.parse").last().unwrap().clone();
            assert_eq!((entry.slot.as_ref(), entry.emitted), ("text", 0), "{at}");
            assert!(matches!(entry.outcome, Outcome::Failed(_)), "{at}");
            assert_eq!(ended.state.history_of("left.parse").count(), 0, "{at}");
        },
    );
    let mut job = Twice::new(1_000).job();
    ["1", "2"].into_iter().for_each(|text| job.inputs().left(text.into()).unwrap());
    assert!(job.step().unwrap());
    let waiting = job.report().waiting().to_vec();
    let expected = [("left.parse.text", 1), ("left.scale.n", 1), ("left.total.n", 1)];
    assert_eq!(waiting, expected.map(|(slot, count)| (slot.to_owned(), count)));
    let graph = Twice::graph();
    assert_eq!(
        graph.routines.iter().map(|r| r.type_name.as_str()).collect::<Vec<_>>(),
        ["Etl", "Etl", "Total"]
    );
}

#[test]
fn the_policies_of_a_flow_hold_inside_and_what_leaves_it_is_caught_outside() {
    everywhere(Twice::new(1_000)).run_alike(
        |job| {
            // 250 is tried three times inside; 101 leaves, and is tried once more outside; 301 and what is no number leave, are
            // tried once more and skipped.
            for text in ["250", "101", "301", "one"] {
                job.inputs().left(text.into()).unwrap();
            }
            // On the right there are only the policies of the flow itself.
            job.inputs().right("205".into()).unwrap();
        },
        |ended| {
            let at = &ended.engine;
            let mut left: Vec<u64> = ended.job().outputs().left().collect();
            left.sort_unstable();
            assert_eq!(left, [202, 500], "{at}");
            assert_eq!(ended.job().outputs().right().collect::<Vec<_>>(), [205 * 11], "{at}");
            let mut told: Vec<(&str, u32)> =
                ended.report.absorbed().iter().map(|one| (one.slot.as_str(), one.attempts)).collect();
            told.sort_unstable();
            assert_eq!(told, [("left.parse.text", 2), ("left.scale.n", 2)], "{at}");
            assert_eq!((ended.report.skipped(), ended.report.status()), (2, Status::Completed), "{at}");
            // What is skipped inside does not hold up what is drained.
            assert_eq!(ended.report.result().unwrap(), &(250 + 101 + 301 + 205), "{at}");
        },
    );
    let mut job = Twice::new(1_000).job();
    job.inputs().right("150".into()).unwrap();
    assert!(job.run().unwrap_err().to_string().starts_with("`right.scale.n` failed on delivery "));
}

// ---- deeper, and what fires when nothing can come any more ----

/// Passes on, with a stop on the way.
#[routine]
struct Delay {
    millis: u64,
}

#[routine]
impl Delay {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        match self.millis {
            0 => out.on(n),
            millis => out.after(Duration::from_millis(millis)).on(n),
        }
    }
}

flow! {
    flow Level1(millis: u64) {
        delay: Delay { millis };
        total: Total;
        in n -> delay.n;
        delay.on -> total.n, out each;
        total.total -> out total;
    }
}

flow! {
    flow Level2(millis: u64) {
        inner: Level1 { millis };
        again: Level1 { millis: 0 };
        total: Total;
        in n -> inner.n;
        in direct -> again.n;
        inner.each -> again.n;
        inner.total -> total.n;
        again.total -> total.n, out again;
        again.each -> out each;
        total.total -> return;
    }
}

flow! {
    flow Level3() {
        a: Level2 { millis: 150 };
        b: Level2 { millis: 0 };
        delay: Delay { millis: 70 };
        total: Total;
        in n -> delay.n;
        in direct -> a.direct;
        delay.on -> a.n;
        a.each -> b.direct;
        b.each -> out each;
        a.result -> b.n, total.n;
        b.result -> total.n, out results;
        a.again -> total.n;
        ignore b.again;
        total.total -> return;
    }
}

#[test]
fn what_is_drained_waits_for_all_that_is_upstream_whatever_flow_that_is_in() {
    for numbers in [vec![], vec![1, 2, 3]] {
        let sum: u64 = numbers.iter().sum();
        everywhere(Level3::new()).run_alike(
            |job| numbers.iter().for_each(|n| job.inputs().n(*n).unwrap()),
            |ended| {
                let at = &ended.engine;
                // In `a` each number comes to `inner.total` and to `again.total`.
                let a = 2 * sum;
                // In `b` it comes in directly, and with the result of `a` by both.
                let b = sum + 2 * a;
                assert_eq!(ended.job().outputs().results().collect::<Vec<_>>(), [b], "{at}");
                assert_eq!(ended.report.result().unwrap(), &(a + b + sum), "{at}");
                let mut each: Vec<u64> = ended.job().outputs().each().collect();
                each.sort_unstable();
                let mut expected = numbers.clone();
                expected.push(a);
                expected.sort_unstable();
                assert_eq!(each, expected, "{at}");
                for routine in [
                    "a.inner.total",
                    "a.again.total",
                    "a.total",
                    "b.inner.total",
                    "b.again.total",
                    "b.total",
                    "total",
                ] {
                    assert_eq!(ended.saved(&["routines", routine, "fired"]), 1, "{at}: {routine}");
                }
            },
        );
    }
}

// ---- all kinds of ports within ----

/// Counts by itself, hands on what it has at the end.
#[routine]
struct Buffered {
    to: u64,
    #[state]
    next: u64,
    #[state]
    kept: Vec<u64>,
}

#[routine]
impl Buffered {
    #[event]
    fn n(n: u64);
    #[event]
    fn batch(all: Vec<u64>);

    #[source(start)]
    fn count(&mut self, out: &mut Emit<Self>) -> More {
        if self.next == self.to {
            return More::Done;
        }
        self.next += 1;
        out.n(self.next);
        More::Now
    }

    #[slot]
    fn keep(&mut self, n: u64) {
        self.kept.push(n);
    }

    #[finish]
    fn flush(&mut self, out: &mut Emit<Self>) {
        out.batch(std::mem::take(&mut self.kept));
    }
}

#[routine]
struct Pairs;

#[routine]
impl Pairs {
    #[event]
    fn pair(a: u64, b: u64);

    #[join(emit = pair)]
    fn both(&self, a: u64, b: u64) -> (u64, u64) {
        (a, b)
    }

    #[join(emit = pair, within = "1min")]
    fn hurry(&self, a: u64, b: u64) -> (u64, u64) {
        (a, b)
    }
}

/// Shows the newest.
#[routine]
struct Newest;

#[routine]
impl Newest {
    #[event]
    fn shown(n: u64);

    #[slot(merge = "latest")]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        out.shown(n);
    }
}

flow! {
    flow Parts(to: u64) {
        buffered: Buffered { to };
        pairs: Pairs;
        newest: Newest;
        in n -> buffered.keep, pairs.both.a, pairs.hurry.a;
        buffered.n -> pairs.both.b, pairs.hurry.b, newest.n;
        buffered.batch -> out batches;
        pairs.pair -> out pairs;
        pairs.hurry.unpaired -> out unpaired;
        newest.shown -> out shown;
    }
}

flow! {
    flow Assembled() {
        few: Parts { to: 2 };
        many: Parts { to: 5 };
        in n -> few.n, many.n;
        few.batches -> out few;
        many.batches -> out many;
        few.pairs -> out few_pairs;
        many.pairs -> out many_pairs;
        few.unpaired -> out few_unpaired;
        many.unpaired -> out many_unpaired;
        few.shown -> out few_shown;
        many.shown -> out many_shown;
    }
}

#[test]
fn sources_joins_finishes_and_the_latest_work_within_and_are_named_in_full() {
    everywhere(Assembled::new()).run(
        |job| [101, 102, 103].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            assert_eq!(job.outputs().few().collect::<Vec<_>>(), [[101, 102, 103]], "{at}");
            assert_eq!(job.outputs().many().collect::<Vec<_>>(), [[101, 102, 103]], "{at}");
            for (pairs, of) in [
                (job.outputs().few_pairs().collect::<Vec<_>>(), 2),
                (job.outputs().many_pairs().collect(), 3),
            ] {
                let mut pairs = pairs;
                pairs.sort_unstable();
                let expected: Vec<(u64, u64)> = (1..=of).flat_map(|n| [(100 + n, n); 2]).collect();
                assert_eq!(pairs, expected, "{at}");
            }
            let few = job.outputs().few_unpaired().collect::<Vec<_>>();
            assert_eq!(few, [HurryUnpaired::A(103)], "{at}");
            let many = job.outputs().many_unpaired().collect::<Vec<_>>();
            assert_eq!(many, [HurryUnpaired::B(4), HurryUnpaired::B(5)], "{at}");
            let held: Vec<_> =
                ended.report.unpaired().iter().map(|one| (one.port.as_str(), one.count)).collect();
            assert_eq!(held, [("few.pairs.both.a", 1), ("many.pairs.both.b", 2)], "{at}");
            assert_eq!(ended.report.unpaired()[0].missing, ["few.pairs.both.b"], "{at}");
            assert_eq!(ended.report.unpaired()[0].from, ["few.buffered.n"], "{at}");
            assert_eq!(ended.report.unpaired()[1].from, ["in n"], "{at}");
            let shown = [job.outputs().few_shown().collect::<Vec<_>>(), job.outputs().many_shown().collect()];
            assert_eq!((shown[0].last(), shown[1].last()), (Some(&2), Some(&5)), "{at}");
            let superseded = 7 - shown.concat().len() as u64;
            assert_eq!(ended.report.superseded(), superseded, "{at}");
        },
    );
}

// ---- ways through ----

#[routine]
struct Halve;

#[routine]
impl Halve {
    #[event]
    fn more(n: u64);
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        match n {
            0 | 1 => out.done(n),
            _ => out.more(n / 2),
        }
    }
}

flow! {
    /// One step, and a loop of its own that is bounded.
    flow Halving(offset: u64) {
        halve: Halve;
        down: Down;
        in n -> halve.n;
        in down -> down.n;
        halve.more -> |n| n + offset -> out more: u64;
        halve.done -> out done;
        down.more -> loop(3) down.n;
        down.done -> out down;
    }
}

#[routine]
struct Down;

#[routine]
impl Down {
    #[event]
    fn more(n: u64);
    #[event]
    fn done(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) -> Result {
        match n {
            0 => out.done(0),
            _ => out.more(n - 1),
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Meters(u64);

impl From<u64> for Meters {
    fn from(n: u64) -> Self {
        Meters(n)
    }
}

flow! {
    /// A loop through flows, with operators before and after.
    flow Around(most: u64) {
        halving: Halving { offset: 0 };
        other: Halving { offset: 1 };
        in n if |n| n <= most -> halving.n;
        in text: String -> |text| text.len() as u64 -> other.n;
        in down -> halving.down;
        in other_down -> other.down;
        halving.more -> loop halving.n;
        halving.done => out done: Meters;
        other.more if |n| *n > 3 -> loop other.n; else -> out rest;
        other.done -> out others;
        halving.down -> out down;
        other.down -> out down;
    }
}

#[test]
fn connections_through_a_flow_go_round_and_have_operators() {
    everywhere(Around::new(100)).run_alike(
        |job| {
            [37, 1, 101].into_iter().for_each(|n| job.inputs().n(n).unwrap());
            job.inputs().text("twelve chars".into()).unwrap();
            job.inputs().down(3).unwrap();
            job.inputs().other_down(2).unwrap();
            job.inputs().other_down(1).unwrap();
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            assert_eq!(job.outputs().done().collect::<Vec<_>>(), [Meters(1), Meters(1)], "{at}");
            // 12, 7, 4, 3
            assert_eq!(job.outputs().rest().collect::<Vec<_>>(), [3], "{at}");
            assert_eq!(job.outputs().down().count(), 3, "{at}");
            assert_eq!(ended.report.filtered(), 1, "{at}");
        },
    );
    // Each instance has its own bound, which is saved with it.
    let mut job = Around::new(100).job();
    job.inputs().down(3).unwrap();
    job.inputs().other_down(2).unwrap();
    job.run_until_idle().unwrap();
    let mut job = Around::new(100).resume(job.state().unwrap()).unwrap();
    job.inputs().other_down(1).unwrap();
    job.run_until_idle().unwrap();
    job.inputs().down(1).unwrap();
    let error = job.run().unwrap_err();
    assert!(error.to_string().starts_with("`halving.down.n` failed on delivery "), "{error}");
    assert!(error.to_string().contains("the 3 times that it may"), "{error}");
}

#[test]
fn a_job_of_flows_is_reconfigured_as_a_whole() {
    let mut job = Twice::new(10).job();
    job.inputs().left("9".into()).unwrap();
    job.inputs().left("50".into()).unwrap();
    job.run_until_idle().unwrap();
    job.reconfigure(&Twice::new(100)).unwrap();
    job.inputs().left("50".into()).unwrap();
    let report = job.run().unwrap();
    assert_eq!(job.outputs().left().collect::<Vec<_>>(), [18, 100]);
    assert_eq!((report.filtered(), report.result().unwrap()), (1, &59));
}

#[test]
fn a_job_of_flows_pauses_on_threads_and_goes_on_in_one() {
    within(1, || {
        let job = Twice::new(1_000).job().start_on(&Pool::new(4).unwrap()).unwrap();
        for n in 0..2_000 {
            job.inputs().left((n % 90).to_string()).unwrap();
            job.inputs().right((n % 80).to_string()).unwrap();
        }
        job.pause("to move");
        let state = job.state().unwrap();
        job.cancel("moved");
        let mut moved = Twice::new(1_000).resume(state).unwrap();
        let report = moved.run().unwrap();
        let sums = [90, 80].map(|most| (0..2_000).map(|n| n % most).sum::<u64>());
        assert_eq!(report.result().unwrap(), &(sums[0] + sums[1]));
        assert_eq!(moved.outputs().left().sum::<u64>(), 2 * sums[0]);
        assert_eq!(moved.outputs().right().sum::<u64>(), 11 * sums[1]);
    });
}

// ---- timers, and what is in order ----

#[routine]
struct Clocked;

#[routine]
impl Clocked {
    #[event]
    fn rings(what: String);

    #[slot]
    fn set(&mut self, after: u64, what: String, out: &mut Emit<Self>) {
        out.after(Duration::from_millis(after)).named("one").rings(what);
    }
}

flow! {
    flow Watch() {
        clocked: Clocked;
        in set -> clocked.set;
        clocked.rings -> out rings;
    }
}

flow! {
    flow Watches() {
        left: Watch;
        right: Watch;
        in left -> left.set;
        in right -> right.set;
        left.rings -> out left;
        right.rings -> |what| what.to_uppercase() -> out right: String;
    }
}

#[test]
fn what_leaves_later_leaves_the_flow_that_it_is_in_and_names_are_of_an_instance() {
    everywhere(Watches::new()).run_alike(
        |job| {
            job.inputs().left((300, "first".into())).unwrap();
            job.inputs().right((200, "other".into())).unwrap();
            job.inputs().left((100, "second".into())).unwrap();
        },
        |ended| {
            assert_eq!(ended.job().outputs().left().collect::<Vec<_>>(), ["second"], "{}", ended.engine);
            assert_eq!(ended.job().outputs().right().collect::<Vec<_>>(), ["OTHER"], "{}", ended.engine);
        },
    );
    let clock = clock();
    let mut job = Watches::new().job().clock(clock.clone());
    job.inputs().right((200, "other".into())).unwrap();
    job.run_until_idle().unwrap();
    let saved = serde_json::to_value(job.state().unwrap()).unwrap();
    assert_eq!(saved["later"][0]["what"]["events"]["name"], json!(["right.clocked", "one"]));
}

// ---- generic ----

/// The values with their numbers: of any type.
#[routine]
struct Number<T: Payload> {
    from: u64,
    #[state]
    last: Option<T>,
    #[state]
    next: u64,
}

#[routine]
impl<T: Payload + Clone> Number<T> {
    #[event]
    fn numbered(n: u64, value: T);

    #[slot]
    fn value(&mut self, value: T, out: &mut Emit<Self>) {
        self.last = Some(value.clone());
        out.numbered(self.from + self.next, value);
        self.next += 1;
    }
}

/// All of them at the end.
#[routine]
struct Collect<T: Payload> {
    #[state]
    kept: Vec<T>,
}

#[routine]
impl<T: Payload> Collect<T> {
    #[event]
    fn all(all: Vec<T>);

    #[slot(merge = "append", when = "drained", emit = all)]
    fn value(&self, all: Vec<T>) -> Vec<T> {
        all
    }
}

flow! {
    /// Numbers whatever comes.
    flow Pipe<T: Payload + Clone>(from: u64) where T: PartialEq {
        number: Number<T> { from };
        collect: Collect<(u64, T)>;
        in value -> number.value;
        number.numbered if |(_, value)| value == value -> collect.value;
        collect.all -> return;
    }
}

flow! {
    /// A generic flow of two types in one that is none.
    flow Pipes() {
        texts: Pipe<String> { from: 10 };
        pairs: Pipe<(u64, bool)> { from: 0 };
        in text -> texts.value;
        in pair -> pairs.value;
        texts.result -> out texts;
        pairs.result -> out pairs;
    }
}

#[test]
fn a_generic_flow_is_one_flow_for_each_type() {
    everywhere(Pipe::<u64>::new(5)).run_alike(
        |job| [8, 9].into_iter().for_each(|n| job.inputs().value(n).unwrap()),
        |ended| {
            assert_eq!(ended.report.result().unwrap(), &[(5, 8), (6, 9)], "{}", ended.engine);
            assert_eq!(ended.saved(&["routines", "number", "last"]), 9, "{}", ended.engine);
        },
    );
    let mut texts = Pipe::<String>::new(1).job();
    texts.inputs().value("a".into()).unwrap();
    assert_eq!(texts.run().unwrap().result().unwrap(), &[(1, "a".to_owned())]);
    // What is saved of one is nothing for another.
    let state = texts.state().unwrap();
    assert!(Pipe::<u64>::new(1).resume(state).is_err());

    everywhere(Pipes::new()).run_alike(
        |job| {
            job.inputs().text("a".into()).unwrap();
            job.inputs().pair((7, true)).unwrap();
            job.inputs().text("b".into()).unwrap();
        },
        |ended| {
            let mut job = ended.job();
            let texts: Vec<Vec<(u64, String)>> = job.outputs().texts().collect();
            assert_eq!(texts, [[(10, "a".to_owned()), (11, "b".to_owned())]], "{}", ended.engine);
            assert_eq!(job.outputs().pairs().collect::<Vec<_>>(), [[(0, (7, true))]], "{}", ended.engine);
        },
    );
}

// ---- wires ----

flow! {
    /// What it cannot read it gives back.
    flow Reads() {
        parse: Parse;
        in text -> parse.text;
        parse.number -> out numbers;
        parse.error -> out rejected;
    }
}

flow! {
    flow Rejects() {
        reads: Reads;
        deep: Deep;
        in text -> reads.text, deep.text;
        reads.numbers -> out numbers;
        reads.rejected -> |failure| format!("{} in {}", failure.error, failure.payload) -> out told: String;
        deep.rejected -> out deep;
        ignore deep.numbers;
    }
}

flow! {
    flow Deep() {
        reads: Reads;
        in text -> reads.text;
        reads.numbers -> out numbers;
        reads.rejected -> out rejected;
    }
}

#[test]
fn an_error_wire_leaves_the_flow_by_an_output_of_it() {
    everywhere(Rejects::new()).run_alike(
        |job| ["1", "one", "2"].into_iter().for_each(|text| job.inputs().text(text.into()).unwrap()),
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            assert_eq!(job.outputs().numbers().collect::<Vec<_>>(), [1, 2], "{at}");
            assert_eq!(
                job.outputs().told().collect::<Vec<_>>(),
                ["invalid digit found in string in one"],
                "{at}"
            );
            let deep: Vec<Failure<String>> = job.outputs().deep().collect();
            assert_eq!((deep.len(), deep[0].payload.as_str(), deep[0].attempts), (1, "one", 1), "{at}");
            assert_eq!(ended.report.diverted(), 2, "{at}");
            let told: Vec<&str> = ended.report.absorbed().iter().map(|one| one.slot.as_str()).collect();
            assert!(
                told.contains(&"reads.parse.text") && told.contains(&"deep.reads.parse.text"),
                "{at}: {told:?}"
            );
        },
    );
}

// ---- every order ----

#[test]
fn every_order_of_two_instances_gives_the_same() {
    let orders = sim::exhaust(Twice::new(1_000), 1_500, |job| -> routilux::Result<()> {
        job.inputs().left("1".into())?;
        let report = job.run()?;
        assert_eq!(report.result()?, &1);
        assert_eq!(job.outputs().results().count(), 2);
        Ok(())
    });
    assert!(orders.complete, "{orders:?}");
}

// ---- rows about flows ----

flow! {
    /// Without any row of its own.
    flow Bare(factor: u64) {
        parse: Parse;
        scale: Scale { factor };
        in text -> parse.text;
        parse.number -> scale.n;
        scale.scaled -> out scaled;
    }
}

flow! {
    flow Caught() {
        patient: Bare { factor: 1 };
        strict: Bare { factor: 1 };
        other: Bare { factor: 1 };
        in patient -> patient.text;
        in strict -> strict.text;
        in other -> other.text;
        patient.scaled -> out patient;
        strict.scaled -> out strict;
        other.scaled -> out other;
        on error of patient retry(3, 200ms, in_order);
        on error of strict if |e| e.downcast_ref::<std::num::ParseIntError>().is_some() skip;
        on error skip;
        on error of strict stop;
    }
}

#[test]
fn the_flow_around_says_what_is_done_by_row_and_by_default() {
    everywhere(Caught::new()).run_alike(
        |job| {
            ["1", "302", "3"].into_iter().for_each(|text| job.inputs().patient(text.into()).unwrap());
            ["1", "x", "3"].into_iter().for_each(|text| job.inputs().strict(text.into()).unwrap());
            ["1", "x", "150", "3"].into_iter().for_each(|text| job.inputs().other(text.into()).unwrap());
        },
        |ended| {
            let at = &ended.engine;
            let mut job = ended.job();
            // 3 waits for 302: what the flow around says holds up the connection inside.
            assert_eq!(job.outputs().patient().collect::<Vec<_>>(), [1, 302, 3], "{at}");
            assert_eq!(job.outputs().strict().collect::<Vec<_>>(), [1, 3], "{at}");
            assert_eq!(job.outputs().other().collect::<Vec<_>>(), [1, 3], "{at}");
            assert_eq!(ended.report.skipped(), 3, "{at}");
        },
    );
    let mut job = Caught::new().job();
    job.inputs().strict("150".into()).unwrap();
    assert!(job.run().unwrap_err().to_string().starts_with("`strict.scale.n` failed on delivery "));
}
