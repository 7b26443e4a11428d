//! Slots that keep something: what each merge hands over under each rule, when the drained fire, and that a failed attempt
//! leaves what is kept as it was.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Failure, Panic, Pool, sim};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tests::everywhere::{Ended, clock, everywhere};
use tests::patience::{LONG, within};

/// Passes on what it is given.
#[routine]
struct Pass;

#[routine]
impl Pass {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        out.on(n);
    }
}

/// Every merge with every rule; each tells what it was given.
#[routine]
struct Gathers;

#[routine]
impl Gathers {
    #[event]
    fn fired(slot: String, values: Vec<u64>);

    #[merge]
    fn add(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[slot(merge = "latest")]
    fn latest_each(&mut self, n: u64, out: &mut Emit<Self>) {
        out.fired("latest_each".into(), vec![n]);
    }

    #[slot(merge = "append")]
    fn append_each(&self, all: &[u64], out: &mut Emit<Self>) {
        out.fired("append_each".into(), all.to_vec());
    }

    #[slot(merge = add)]
    fn fold_each(&self, sum: &u64, out: &mut Emit<Self>) {
        out.fired("fold_each".into(), vec![*sum]);
    }

    #[slot(merge = "latest", when = "all")]
    fn latest_all(&self, all: Vec<u64>, out: &mut Emit<Self>) {
        out.fired("latest_all".into(), all);
    }

    #[slot(merge = "append", when = "all")]
    fn append_all(&mut self, all: Vec<u64>, out: &mut Emit<Self>) {
        out.fired("append_all".into(), all);
    }

    #[slot(merge = add, when = "all")]
    fn fold_all(&self, sum: u64, out: &mut Emit<Self>) {
        out.fired("fold_all".into(), vec![sum]);
    }

    #[slot(merge = "latest", when = 3)]
    fn latest_three(&self, all: Vec<u64>, out: &mut Emit<Self>) {
        out.fired("latest_three".into(), all);
    }

    #[slot(merge = "append", when = 3)]
    fn append_three(&mut self, all: Vec<u64>, out: &mut Emit<Self>) -> Result {
        out.fired("append_three".into(), all);
        Ok(())
    }

    #[slot(merge = add, when = 3)]
    fn fold_three(&self, sum: u64, out: &mut Emit<Self>) -> Result {
        out.fired("fold_three".into(), vec![sum]);
        Ok(())
    }

    #[slot(merge = "latest", when = "drained")]
    fn latest_drained(&mut self, all: Vec<u64>, out: &mut Emit<Self>) {
        out.fired("latest_drained".into(), all);
    }

    #[slot(merge = "append", when = "drained")]
    fn append_drained(&self, all: Vec<u64>, out: &mut Emit<Self>) -> Result {
        out.fired("append_drained".into(), all);
        Ok(())
    }

    #[slot(merge = Self::add, when = "drained")]
    fn fold_drained(&mut self, sum: u64, out: &mut Emit<Self>) {
        out.fired("fold_drained".into(), vec![sum]);
    }
}

flow! {
    /// Two connections to each slot.
    flow Table() {
        a: Pass;
        b: Pass;
        g: Gathers;
        in a -> a.n;
        in b -> b.n;
        a.on -> g.latest_each, g.append_each, g.fold_each, g.latest_all, g.append_all, g.fold_all,
                g.latest_three, g.append_three, g.fold_three, g.latest_drained, g.append_drained, g.fold_drained;
        b.on -> g.latest_each, g.append_each, g.fold_each, g.latest_all, g.append_all, g.fold_all,
                g.latest_three, g.append_three, g.fold_three, g.latest_drained, g.append_drained, g.fold_drained;
        g.fired -> out fired;
    }
}

/// What each slot was given, by slot.
fn fired(ended: &Ended<Table>) -> BTreeMap<String, Vec<Vec<u64>>> {
    let mut fired: BTreeMap<String, Vec<Vec<u64>>> = BTreeMap::new();
    for (slot, values) in ended.job().outputs().fired() {
        fired.entry(slot).or_default().push(values);
    }
    fired
}

/// What came over each of the two connections, in its order.
fn by_connection(values: &[u64]) -> [Vec<u64>; 2] {
    let (a, b) = values.iter().partition(|n| **n < 100);
    [a, b]
}

fn give(job: &mut Job<Table>, a: &[u64], b: &[u64]) {
    for at in 0..a.len().max(b.len()) {
        if let Some(n) = a.get(at) {
            job.inputs().a(*n).unwrap();
        }
        if let Some(n) = b.get(at) {
            job.inputs().b(*n).unwrap();
        }
    }
}

/// What holds in whatever order they arrive. `a` and `b` rise.
fn holds_in_every_order(ended: &Ended<Table>, a: &[u64], b: &[u64]) {
    let at = &ended.engine;
    let fired = fired(ended);
    let of = |slot: &str| fired.get(slot).cloned().unwrap_or_default();
    let (all, sum) = (a.len() + b.len(), a.iter().chain(b).sum::<u64>());
    let is_rising = |values: &[u64]| values.is_sorted_by(|x, y| x < y);
    let lasts: Vec<u64> = a.last().into_iter().chain(b.last()).copied().collect();
    let held = |slot: &str| {
        let port = format!("g.{slot}");
        ended.report.unpaired().iter().find(|held| held.port == port).map_or(0, |held| held.count)
    };

    // Each arrival is handed over or superseded, and never the newest of a connection.
    let [came_a, came_b] = by_connection(&of("latest_each").concat());
    assert!(is_rising(&came_a) && is_rising(&came_b), "{at}: {came_a:?} {came_b:?}");
    assert_eq!((came_a.last(), came_b.last()), (a.last(), b.last()), "{at}");
    let mut superseded = all - came_a.len() - came_b.len();

    // Everything so far, each time.
    let growing = of("append_each");
    assert_eq!(growing.iter().map(Vec::len).collect::<Vec<_>>(), (1..=all).collect::<Vec<_>>(), "{at}");
    assert!(growing.windows(2).all(|pair| pair[1].starts_with(&pair[0])), "{at}: {growing:?}");
    assert_eq!(growing.last().map_or([vec![], vec![]], |all| by_connection(all)), [a, b], "{at}");
    let sums = of("fold_each").concat();
    assert_eq!((sums.len(), sums.last().copied().unwrap_or(0)), (all, sum), "{at}");
    assert!(is_rising(&sums), "{at}: {sums:?}");

    // One of each connection at least, and what has none waits and is told of.
    let both = of("append_all");
    assert!(
        both.iter().all(|values| by_connection(values).iter().all(|own| !own.is_empty())),
        "{at}: {both:?}"
    );
    assert_eq!(both.concat().len() as u64 + held("append_all"), all as u64, "{at}");
    let handed = by_connection(&both.concat());
    assert!(a.starts_with(&handed[0]) && b.starts_with(&handed[1]), "{at}: {both:?}");
    let newest = of("latest_all");
    assert!(newest.iter().all(|pair| matches!(pair[..], [x, y] if x < 100 && y > 100)), "{at}: {newest:?}");
    let rises = |values: &[Vec<u64>]| is_rising(&by_connection(&values.concat())[0]);
    assert!(rises(&newest), "{at}: {newest:?}");
    superseded += all - newest.concat().len();
    // What waits there is of one connection, and so it is one.
    assert!(held("latest_all") <= 1, "{at}: {:?}", ended.report.unpaired());
    superseded -= held("latest_all") as usize;
    assert!(of("fold_all").concat().iter().sum::<u64>() <= sum, "{at}");

    // Three by three, and the remainder at the end.
    let threes = of("append_three");
    let sizes: Vec<usize> = threes.iter().map(Vec::len).collect();
    let full = std::iter::repeat_n(3, all / 3);
    assert_eq!(sizes, full.chain((all % 3 > 0).then_some(all % 3)).collect::<Vec<_>>(), "{at}");
    assert_eq!(by_connection(&threes.concat()), [a, b], "{at}");
    let sums = of("fold_three").concat();
    assert_eq!((sums.len(), sums.iter().sum::<u64>()), (all.div_ceil(3), sum), "{at}");
    let newest = of("latest_three");
    assert_eq!(newest.len(), all.div_ceil(3), "{at}");
    assert!(newest.iter().all(|values| (1..=2).contains(&values.len())), "{at}: {newest:?}");
    superseded += all - newest.concat().len();

    // Once, whatever came.
    assert_eq!(of("latest_drained"), std::slice::from_ref(&lasts), "{at}");
    superseded += all - lasts.len();
    assert_eq!(of("append_drained").len(), 1, "{at}");
    assert_eq!(by_connection(&of("append_drained")[0]), [a, b], "{at}");
    assert_eq!(of("fold_drained"), [[sum]], "{at}");

    assert_eq!(ended.report.superseded(), superseded as u64, "{at}");
    assert_eq!(ended.report.status(), Status::Completed, "{at}");
}

#[test]
fn every_merge_with_every_rule() {
    let cases: [(&[u64], &[u64]); 5] = [
        (&[1, 2, 3, 4], &[101, 102, 103]),
        (&[1, 2, 3], &[101, 102, 103]),
        (&[1], &[]),
        (&[], &[101, 102]),
        (&[], &[]),
    ];
    for (a, b) in cases {
        everywhere(Table::new())
            .seeds(30)
            .run(|job| give(job, a, b), |ended| holds_in_every_order(ended, a, b));
    }
}

#[test]
fn in_this_thread_the_order_is_that_of_emission_and_so_are_the_batches() {
    let mut job = Table::new().job();
    give(&mut job, &[1, 2, 3], &[101, 102]);
    let report = job.run().unwrap();
    let mut fired: BTreeMap<String, Vec<Vec<u64>>> = BTreeMap::new();
    for (slot, values) in job.outputs().fired() {
        fired.entry(slot).or_default().push(values);
    }
    let expected: [(&str, &[&[u64]]); 12] = [
        // All of them wait when the first is to be handled.
        ("latest_each", &[&[102], &[3]]),
        ("append_each", &[&[1], &[1, 101], &[1, 101, 2], &[1, 101, 2, 102], &[1, 101, 2, 102, 3]]),
        ("fold_each", &[&[1], &[102], &[104], &[206], &[209]]),
        ("latest_all", &[&[1, 101], &[2, 102]]),
        ("append_all", &[&[1, 101], &[2, 102]]),
        ("fold_all", &[&[102], &[104]]),
        // The newest of each connection, in the order of the connections; the remainder is 102 and 3.
        ("latest_three", &[&[2, 101], &[3, 102]]),
        ("append_three", &[&[1, 101, 2], &[102, 3]]),
        ("fold_three", &[&[104], &[105]]),
        ("latest_drained", &[&[3, 102]]),
        ("append_drained", &[&[1, 101, 2, 102, 3]]),
        ("fold_drained", &[&[209]]),
    ];
    for (slot, values) in expected {
        assert_eq!(fired[slot], values, "{slot}");
    }
    // 3 of `latest_each`, 1 of `latest_three`, 3 of `latest_drained`.
    assert_eq!(report.superseded(), 7);
    let held: Vec<_> = report.unpaired().iter().map(|held| (held.port.as_str(), held.count)).collect();
    assert_eq!(held, [("g.latest_all", 1), ("g.append_all", 1), ("g.fold_all", 1)]);
    // They wait for what would come over the other connection.
    assert!(
        report.unpaired().iter().all(|held| held.missing.is_empty() && held.from == ["b.on"]),
        "{report:?}"
    );
    // Arrivals that only gather are steps too: 5 at the passes, 2 at `latest_each`, 5 at each other slot, and one more for each
    // remainder and each drained slot.
    assert_eq!(report.handled(), 5 + 2 + 11 * 5 + 3 + 3);
}

#[test]
fn what_a_slot_keeps_is_a_part_of_the_saved_job() {
    let mut job = Table::new().job();
    give(&mut job, &[1, 2], &[]);
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    let state = serde_json::to_value(job.state().unwrap()).unwrap();
    for slot in ["append_all", "append_three", "append_drained"] {
        assert_eq!(state["slots"][format!("g.{slot}")]["values"], serde_json::json!([1, 2]), "{slot}");
    }
    for slot in ["fold_all", "fold_three", "fold_drained"] {
        assert_eq!(state["slots"][format!("g.{slot}")]["values"], 3, "{slot}");
    }
    for slot in ["latest_all", "latest_three", "latest_drained"] {
        assert_eq!(state["slots"][format!("g.{slot}")]["values"], serde_json::json!([[0, 2]]), "{slot}");
    }
    assert_eq!(state["slots"]["g.append_each"], serde_json::json!([1, 2]));
    assert_eq!(state["slots"]["g.fold_each"], 3);
}

// ---- drained ----

/// Adds up, and tells when nothing can come any more.
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
    fn all(&mut self, sum: u64, out: &mut Emit<Self>) {
        self.fired += 1;
        out.total(sum);
    }
}

/// Emits as many as it is told, and each smaller number again by itself.
#[routine]
struct Spread;

#[routine]
impl Spread {
    #[event]
    fn on(n: u64);
    #[event]
    fn again(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.on(n);
        if n > 0 {
            out.again(n - 1);
            out.again(n / 2);
        }
    }
}

/// What `Spread` makes of a number.
fn spread(n: u64) -> u64 {
    match n {
        0 => 0,
        n => n + spread(n - 1) + spread(n / 2),
    }
}

flow! {
    /// Drained slots that others are upstream of, after a loop, by two ways.
    flow Nested() {
        last: Total;
        middle: Total;
        first: Total;
        late: Pass;
        spread: Spread;
        other: Total;
        in n -> spread.n;
        in m -> other.all;
        spread.on -> first.all;
        spread.again -> loop spread.n;
        first.total -> middle.all, late.n, out first;
        other.total -> middle.all, out other;
        late.on -> last.all;
        middle.total -> last.all, out middle;
        last.total -> return;
    }
}

#[test]
fn drained_slots_fire_once_each_in_the_order_they_depend_on_each_other() {
    let cases: [(&[u64], &[u64]); 4] = [(&[], &[]), (&[3], &[]), (&[], &[7, 8]), (&[5, 4], &[1])];
    for (n, m) in cases {
        let first: u64 = n.iter().map(|n| spread(*n)).sum();
        let other: u64 = m.iter().sum();
        everywhere(Nested::new()).run_alike(
            |job| {
                n.iter().for_each(|n| job.inputs().n(*n).unwrap());
                m.iter().for_each(|m| job.inputs().m(*m).unwrap());
            },
            |ended| {
                let at = &ended.engine;
                assert_eq!(ended.report.result().unwrap(), &(2 * first + other), "{at}");
                assert_eq!(ended.report.further_results(), 0, "{at}");
                let mut job = ended.job();
                assert_eq!(job.outputs().first().collect::<Vec<_>>(), [first], "{at}");
                assert_eq!(job.outputs().other().collect::<Vec<_>>(), [other], "{at}");
                assert_eq!(job.outputs().middle().collect::<Vec<_>>(), [first + other], "{at}");
                for routine in ["first", "other", "middle", "last"] {
                    assert_eq!(ended.saved(&["routines", routine, "fired"]), 1, "{at}: {routine}");
                }
            },
        );
    }
}

#[test]
fn every_order_of_two_nested_drained_slots_gives_the_same() {
    for (n, m) in [(0, 0), (0, 1), (0, 2)] {
        let orders = sim::exhaust(Nested::new(), 3_000, |job| -> routilux::Result<()> {
            (0..n).try_for_each(|_| job.inputs().n(1))?;
            (0..m).try_for_each(|_| job.inputs().m(1))?;
            assert_eq!(job.run()?.result()?, &(2 * n + m));
            Ok(())
        });
        assert!(orders.complete, "{n} {m}: {orders:?}");
    }
}

#[test]
fn a_drained_slot_waits_while_the_inputs_are_open() {
    let mut job = Nested::new().job();
    for n in [2, 1] {
        job.inputs().n(n).unwrap();
        assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
        assert_eq!(job.outputs().first().next(), None);
    }
    assert!(job.report().result().is_err());
    assert_eq!(job.run().unwrap().result().unwrap(), &(2 * (spread(2) + spread(1))));

    within(1, || {
        let job = Nested::new().job().start_on(&Pool::new(4).unwrap()).unwrap();
        for n in [2, 1] {
            job.inputs().n(n).unwrap();
            assert!(job.wait_until_idle(LONG).unwrap().is_some());
            assert_eq!((job.outputs().first().try_next(), job.status()), (None, Status::Waiting));
        }
        assert_eq!(job.finish().unwrap().result().unwrap(), &(2 * (spread(2) + spread(1))));
    });
}

#[test]
fn a_drained_slot_that_no_input_leads_to_does_not_wait_for_the_inputs() {
    let mut job = Beside::new().job();
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    assert_eq!(job.outputs().total().collect::<Vec<_>>(), [6]);
    job.inputs().n(5).unwrap();
    let report = job.run().unwrap();
    assert_eq!((report.status(), job.outputs().total().next()), (Status::Completed, None));
    assert_eq!(job.outputs().other().collect::<Vec<_>>(), [5]);
}

/// Counts to three.
#[routine]
struct Three {
    #[state]
    next: u64,
}

#[routine]
impl Three {
    #[event]
    fn n(n: u64);

    #[source(start)]
    fn count(&mut self, out: &mut Emit<Self>) -> More {
        self.next += 1;
        out.n(self.next);
        if self.next == 3 { More::Done } else { More::Now }
    }
}

flow! {
    flow Beside() {
        three: Three;
        total: Total;
        other: Total;
        in n -> other.all;
        three.n -> total.all;
        total.total -> out total;
        other.total -> out other;
    }
}

// ---- finish ----

/// Hands on two by two, and the rest when nothing can reach it any more.
#[routine]
struct Buffer {
    #[state]
    kept: Vec<u64>,
    #[state]
    flushed: u64,
}

#[routine]
impl Buffer {
    #[event]
    fn batch(values: Vec<u64>);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.kept.push(n);
        if self.kept.len() == 2 {
            out.batch(std::mem::take(&mut self.kept));
        }
    }

    /// Twice what it keeps comes back, once.
    #[slot(optional)]
    fn back(&mut self, values: Vec<u64>, out: &mut Emit<Self>) {
        out.batch(values.iter().map(|n| 2 * n).collect());
    }

    #[finish]
    fn flush(&mut self, out: &mut Emit<Self>) {
        self.flushed += 1;
        out.batch(std::mem::take(&mut self.kept));
    }
}

/// All batches, when no more can come.
#[routine]
struct Batches;

#[routine]
impl Batches {
    #[event]
    fn sizes(sizes: Vec<usize>, sum: u64);

    #[slot(merge = "append", when = "drained")]
    fn all(&self, all: Vec<Vec<u64>>, out: &mut Emit<Self>) {
        let mut sizes: Vec<usize> = all.iter().map(Vec::len).collect();
        sizes.sort_unstable();
        out.sizes(sizes, all.concat().iter().sum());
    }
}

flow! {
    /// The second buffer is finished after the first.
    flow Buffered() {
        second: Buffer;
        each: Each;
        first: Buffer;
        all: Batches;
        in n -> first.n;
        first.batch -> each.batch, all.all;
        each.one -> second.n;
        second.batch -> all.all;
        all.sizes -> return;
    }
}

/// One by one.
#[routine]
struct Each;

#[routine]
impl Each {
    #[event]
    fn one(n: u64);

    #[slot(emit = one)]
    fn batch(&self, values: Vec<u64>) -> Vec<u64> {
        values
    }
}

#[test]
fn a_routine_is_finished_once_before_the_drained_slots_that_it_reaches() {
    let cases: [(u64, &[usize]); 4] =
        [(0, &[0, 0]), (1, &[1, 1]), (2, &[0, 0, 2, 2]), (5, &[1, 1, 2, 2, 2, 2])];
    for (many, sizes) in cases {
        everywhere(Buffered::new()).run(
            |job| (1..=many).for_each(|n| job.inputs().n(n).unwrap()),
            |ended| {
                let sum = (1..=many).sum::<u64>();
                assert_eq!(ended.report.result().unwrap(), &(sizes.to_vec(), 2 * sum), "{}", ended.engine);
                for routine in ["first", "second"] {
                    assert_eq!(ended.saved(&["routines", routine, "flushed"]), 1, "{}", ended.engine);
                }
            },
        );
    }
}

flow! {
    /// What is flushed comes round to the routine that has flushed it.
    flow Round() {
        buffer: Buffer;
        all: Batches;
        in n -> buffer.n;
        buffer.batch if |values| values.len() == 1 && values[0] < 10 -> loop buffer.back; else -> all.all;
        all.sizes -> return;
    }
}

#[test]
fn a_routine_in_a_cycle_is_finished_once_and_the_drained_slot_after_all_that_comes_of_it() {
    for (numbers, expected) in
        [(vec![5], (vec![1], 10)), (vec![5, 6], (vec![0, 2], 11)), (vec![], (vec![0], 0))]
    {
        everywhere(Round::new()).run_alike(
            |job| numbers.iter().for_each(|n| job.inputs().n(*n).unwrap()),
            |ended| {
                assert_eq!(ended.report.result().unwrap(), &expected, "{}", ended.engine);
                assert_eq!(ended.saved(&["routines", "buffer", "flushed"]), 1, "{}", ended.engine);
            },
        );
    }
}

// ---- what a failed attempt leaves ----

/// What each attempt was given: a resource, and so nothing of it is undone.
type Given = Arc<Mutex<Vec<(String, u32, Vec<u64>)>>>;

/// Fails at its first two attempts at each delivery that it hands over, after it has changed and sent what it could.
#[routine]
struct Shaky {
    #[resource]
    given: Given,
    #[resource]
    panics: bool,
    #[state]
    calls: u64,
}

impl Shaky {
    fn fails(&mut self, slot: &str, values: Vec<u64>, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.calls += 1;
        self.given.lock().unwrap().push((slot.into(), cx.attempt(), values.clone()));
        out.fired(slot.into(), values);
        match cx.attempt() <= 2 {
            true if self.panics => std::panic::resume_unwind(Box::new("shaken")),
            true => Err("shaken".into()),
            false => Ok(()),
        }
    }
}

#[routine]
impl Shaky {
    #[event]
    fn fired(slot: String, values: Vec<u64>);

    #[merge]
    fn add(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[slot(merge = "latest")]
    fn latest_each(&mut self, n: &u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("latest_each", vec![*n], out, cx)
    }

    #[slot(merge = "append")]
    fn append_each(&mut self, all: &[u64], out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("append_each", all.to_vec(), out, cx)
    }

    #[slot(merge = add)]
    fn fold_each(&mut self, sum: &u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("fold_each", vec![*sum], out, cx)
    }

    #[slot(merge = "latest", when = "all")]
    fn latest_all(&mut self, all: Vec<u64>, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("latest_all", all, out, cx)
    }

    #[slot(merge = "append", when = 3)]
    fn append_three(&mut self, all: Vec<u64>, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("append_three", all, out, cx)
    }

    #[slot(merge = add, when = 3)]
    fn fold_three(&mut self, sum: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("fold_three", vec![sum], out, cx)
    }

    #[slot(merge = "latest", when = "drained")]
    fn latest_drained(&mut self, all: Vec<u64>, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("latest_drained", all, out, cx)
    }

    #[slot(merge = "append", when = "drained")]
    fn append_drained(&mut self, all: Vec<u64>, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("append_drained", all, out, cx)
    }

    #[slot(merge = add, when = "drained")]
    fn fold_drained(&mut self, sum: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("fold_drained", vec![sum], out, cx)
    }

    #[finish]
    fn flush(&mut self, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fails("flush", vec![], out, cx)
    }
}

flow! {
    flow Shaken(given: Given, panics: bool) {
        a: Pass;
        g: Shaky { given, panics };
        in a -> a.n;
        a.on -> g.latest_each, g.append_each, g.fold_each, g.latest_all, g.append_three,
                g.fold_three, g.latest_drained, g.append_drained, g.fold_drained;
        g.fired -> out fired;
    }
}

#[test]
fn a_failed_attempt_leaves_what_is_kept_as_it_was() {
    for panics in [false, true] {
        let given = Given::default();
        everywhere(Shaken::new(given.clone(), panics)).seeds(20).resumed().stays().run(
            |job| {
                given.lock().unwrap().clear();
                (1..=4).for_each(|n| job.inputs().a(n).unwrap());
            },
            |ended| {
                let at = &ended.engine;
                let given = std::mem::take(&mut *given.lock().unwrap());
                // By slot and what was given: three attempts, each of which was given the same.
                let mut attempts: BTreeMap<(String, Vec<u64>), Vec<u32>> = BTreeMap::new();
                for (slot, attempt, values) in &given {
                    attempts.entry((slot.clone(), values.clone())).or_default().push(*attempt);
                }
                // What waits for another attempt is superseded as what waits for the first is.
                attempts.retain(|(slot, values), _| slot != "latest_each" || values == &[4]);
                assert!(attempts.values().all(|attempts| attempts == &[1, 2, 3]), "{at}: {attempts:?}");
                let mut fired: Vec<(String, Vec<u64>)> = ended.job().outputs().fired().collect();
                fired.retain(|(slot, values)| slot != "latest_each" || values == &[4]);
                fired.sort();
                assert_eq!(fired, attempts.into_keys().collect::<Vec<_>>(), "{at}");
                let of = |slot: &str| -> Vec<Vec<u64>> {
                    fired.iter().filter(|(of, _)| of == slot).map(|(_, values)| values.clone()).collect()
                };
                assert_eq!(of("append_each"), [vec![1], vec![1, 2], vec![1, 2, 3], vec![1, 2, 3, 4]], "{at}");
                assert_eq!(of("fold_each"), [[1], [3], [6], [10]], "{at}");
                assert_eq!(of("latest_all"), [[1], [2], [3], [4]], "{at}");
                assert_eq!(of("append_three"), [vec![1, 2, 3], vec![4]], "{at}");
                assert_eq!(of("fold_three"), [[4], [6]], "{at}");
                assert_eq!(
                    (of("latest_drained"), of("fold_drained")),
                    (vec![vec![4]], vec![vec![10]]),
                    "{at}"
                );
                assert_eq!(of("append_drained"), [[1, 2, 3, 4]], "{at}");
                assert_eq!(of("flush").len(), 1, "{at}");
                let calls = ended.saved(&["routines", "g", "calls"]).as_u64().unwrap();
                assert!((fired.len() as u64..fired.len() as u64 + 4).contains(&calls), "{at}: {calls}");
                assert_eq!(given.len() as u64, calls + u64::from(ended.failures), "{at}");
            },
        );
    }
}

#[test]
fn between_two_attempts_the_slot_is_as_before_the_arrival() {
    let mut job = Shaken::new(Given::default(), false).job();
    (1..=4).for_each(|n| job.inputs().a(n).unwrap());
    job.close_inputs();
    let mut failed = 0;
    loop {
        let before = serde_json::to_value(job.state().unwrap()).unwrap();
        match job.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(Error::SlotHandler { .. }) => {
                failed += 1;
                let after = serde_json::to_value(job.state().unwrap()).unwrap();
                for part in ["routines", "outputs", "later"] {
                    assert_eq!(after[part], before[part]);
                }
                let kept = |state: &serde_json::Value| {
                    let mut slots = state["slots"].clone();
                    // That nothing more comes is so whatever becomes of the attempt.
                    slots
                        .as_object_mut()
                        .unwrap()
                        .values_mut()
                        .filter_map(|slot| slot.get_mut("closed"))
                        .for_each(|closed| *closed = false.into());
                    slots
                };
                assert_eq!(kept(&after), kept(&before));
                job.resume().unwrap();
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(failed > 30, "{failed}");
}

// ---- folds that panic ----

/// Folds all but thirteen.
#[routine]
struct Unlucky {
    #[state]
    calls: u64,
}

fn add_unless_unlucky(acc: &mut u64, n: u64) {
    *acc += n;
    assert!(n != 13, "thirteen");
}

#[routine]
impl Unlucky {
    #[event]
    fn sum(n: u64);

    #[merge]
    fn add(acc: &mut u64, n: u64) {
        add_unless_unlucky(acc, n);
    }

    #[slot(merge = add, when = "drained", optional)]
    fn all(&mut self, sum: u64, out: &mut Emit<Self>) -> Result {
        self.calls += 1;
        out.sum(sum);
        Ok(())
    }

    #[slot(merge = add, when = 2, optional)]
    fn pairs(&self, sum: u64, out: &mut Emit<Self>) -> Result {
        out.sum(sum);
        Ok(())
    }

    #[slot(merge = add, optional)]
    fn each(&mut self, sum: &u64, out: &mut Emit<Self>) -> Result {
        self.calls += 1;
        out.sum(*sum);
        Ok(())
    }

    /// Nothing of it can be had back.
    #[slot(merge = add, when = 2, optional)]
    fn exposed(&mut self, sum: u64, out: &mut Emit<Self>) {
        out.sum(sum);
    }
}

flow! {
    flow Folds() {
        g: Unlucky;
        in all -> g.all;
        in pairs -> g.pairs;
        in each -> g.each;
        in exposed -> g.exposed;
        g.sum -> out sums;
    }
}

type Send = fn(&mut Job<Folds>, u64) -> routilux::Result<()>;

#[test]
fn a_fold_that_panics_is_a_failure_of_its_slot_and_leaves_nothing() {
    let cases: [(&str, Send, &[u64]); 3] = [
        ("all", |job, n| job.inputs().all(n), &[3]),
        ("pairs", |job, n| job.inputs().pairs(n), &[0, 3]),
        ("each", |job, n| job.inputs().each(n), &[0, 1, 3]),
    ];
    for (slot, send, sums) in cases {
        let mut job = Folds::new().job();
        [1, 13, 2].into_iter().for_each(|n| send(&mut job, n).unwrap());
        assert!(job.step().unwrap());
        let kept = serde_json::to_value(job.state().unwrap()).unwrap()["slots"].clone();
        for attempt in 1..=2 {
            let error = job.run().unwrap_err();
            let named = format!("`g.{slot}` failed on delivery 2 (attempt {attempt}): panicked: thirteen");
            assert!(error.to_string().starts_with(&named), "{error}");
            assert_eq!(error.downcast_ref::<Panic>().unwrap().message, "thirteen");
            let state = serde_json::to_value(job.state().unwrap()).unwrap();
            assert_eq!(state["slots"], kept, "{slot}");
            assert_eq!(state["failure"]["delivery"]["attempts"], attempt, "{slot}");
            job.resume().unwrap();
        }
        let _ = sums;
    }

    // What cannot be had back is told of.
    let mut job = Folds::new().job();
    job.inputs().exposed(13).unwrap();
    let error = job.run().unwrap_err();
    assert!(matches!(error, Error::SlotHandler { payload_lost: true, .. }), "{error}");
    assert!(job.resume().unwrap_err().to_string().contains("cannot be resumed"));
}

flow! {
    /// Thirteen is left out.
    flow Lucky() {
        g: Unlucky;
        in all -> g.all;
        in pairs -> g.pairs;
        in each -> g.each;
        g.sum -> out sums;
        on panic of g.all skip;
        on panic of g.pairs -> out unlucky;
        on panic of g.each skip;
    }
}

#[test]
fn a_fold_that_panics_is_absorbed_by_a_policy_as_a_handler_is() {
    everywhere(Lucky::new()).run_alike(
        |job| {
            for n in [1, 13, 2] {
                job.inputs().all(n).unwrap();
                job.inputs().pairs(n).unwrap();
                job.inputs().each(n).unwrap();
            }
        },
        |ended| {
            let mut sums: Vec<u64> = ended.job().outputs().sums().collect();
            sums.sort_unstable();
            assert_eq!(sums, [1, 3, 3, 3], "{}", ended.engine);
            let unlucky: Vec<Failure<u64>> = ended.job().outputs().unlucky().collect();
            assert_eq!((unlucky.len(), unlucky[0].payload), (1, 13), "{}", ended.engine);
            assert!(unlucky[0].error.contains("thirteen"), "{unlucky:?}");
            assert_eq!((ended.report.skipped(), ended.report.diverted()), (2, 1), "{}", ended.engine);
        },
    );
}

// ---- what is waited for ----

/// Sends on later than it is given something.
#[routine]
struct Delay;

#[routine]
impl Delay {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.after(Duration::from_millis(300)).on(n);
    }
}

/// Fails at its first two attempts.
#[routine]
struct Falters;

#[routine]
impl Falters {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        out.on(n);
        if cx.attempt() <= 2 { Err("not yet".into()) } else { Ok(()) }
    }
}

flow! {
    flow Delayed() {
        delay: Delay;
        falters: Falters;
        total: Total;
        in n -> delay.n;
        delay.on -> falters.n;
        falters.on -> total.all;
        total.total -> return;
        on error of falters.n retry(3, 400ms);
    }
}

#[test]
fn a_drained_slot_waits_for_what_is_delayed_upstream_of_it() {
    everywhere(Delayed::new()).run_alike(
        |job| (1..=3).for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            assert_eq!(ended.report.result().unwrap(), &6, "{}", ended.engine);
            assert_eq!(ended.saved(&["routines", "total", "fired"]), 1, "{}", ended.engine);
        },
    );
    // And not a moment longer.
    let clock = clock();
    let mut job = Delayed::new().job().clock(clock.clone());
    job.inputs().n(1).unwrap();
    job.close_inputs();
    let mut passed = 0;
    while job.run_until_idle().unwrap() != Status::Completed {
        clock.advance(Duration::from_millis(1));
        passed += 1;
    }
    assert!((300 + 720..=300 + 880).contains(&passed), "{passed}");
}

/// Blocks until it is told.
#[routine]
struct Blocks {
    #[resource]
    open: Arc<AtomicBool>,
}

#[routine]
impl Blocks {
    #[event]
    fn on(n: u64);

    #[slot(parallel = 1)]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        while !self.open.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        out.on(n);
    }
}

flow! {
    flow Blocked(open: Arc<AtomicBool>) {
        blocks: Blocks { open };
        quick: Pass;
        total: Total;
        quick_total: Total;
        in n -> blocks.n, quick.n;
        blocks.on -> total.all;
        quick.on -> total.all, quick_total.all;
        total.total -> out total;
        quick_total.total -> out quick;
    }
}

#[test]
fn a_drained_slot_waits_for_a_handler_that_runs_upstream_of_it_and_for_no_other() {
    within(1, || {
        let open = Arc::new(AtomicBool::new(false));
        let job = Blocked::new(open.clone()).job().start_on(&Pool::new(2).unwrap()).unwrap();
        (1..=3).for_each(|n| job.inputs().n(n).unwrap());
        job.close_inputs();
        // The other one fires while the first handler of `blocks` runs yet.
        assert_eq!(job.outputs().quick().next_timeout(LONG), Some(6));
        assert_eq!(job.outputs().total().try_next(), None);
        open.store(true, Ordering::Release);
        assert_eq!(job.outputs().total().next_timeout(LONG), Some(12));
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
    });
}

#[test]
fn a_job_that_pauses_now_and_then_comes_to_the_same() {
    everywhere(Nested::new()).seeds(20).paused().run_alike(
        |job| {
            [3, 1].into_iter().for_each(|n| job.inputs().n(n).unwrap());
            job.inputs().m(7).unwrap();
        },
        |ended| {
            assert_eq!(ended.report.result().unwrap(), &(2 * (spread(3) + spread(1)) + 7), "{}", ended.engine)
        },
    );
}

// ---- what closers send ----

/// At its end it sends something later, and arms a source.
#[routine]
struct Parting {
    #[state]
    left: u64,
    #[state]
    calls: u64,
}

#[routine]
impl Parting {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        out.on(n);
    }

    #[finish]
    fn part(&mut self, out: &mut Emit<Self>) {
        self.left = 3;
        out.after(Duration::from_millis(200)).on(1_000);
        out.rest();
    }

    #[source]
    fn rest(&mut self, out: &mut Emit<Self>, cx: &Context) -> Result<More> {
        self.calls += 1;
        out.on(100);
        self.left -= 1;
        match (self.left, cx.attempt()) {
            (1, 1) => Err("once more".into()),
            (0, _) => Ok(More::Done),
            _ => Ok(More::After(Duration::from_millis(50))),
        }
    }
}

flow! {
    flow Parted() {
        last: Total;
        parting: Parting;
        total: Total;
        in n -> parting.n;
        parting.on -> total.all;
        total.total -> last.all, out total;
        last.total -> return;
        on error of parting.rest retry(2, 30ms);
    }
}

#[test]
fn what_a_finish_sends_later_and_the_source_that_it_arms_are_waited_for() {
    everywhere(Parted::new()).run_alike(
        |job| [1, 2].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            assert_eq!(ended.report.result().unwrap(), &1_303, "{at}");
            assert_eq!(ended.job().outputs().total().collect::<Vec<_>>(), [1_303], "{at}");
            assert_eq!(ended.saved(&["routines", "parting", "calls"]), 3, "{at}");
        },
    );
}

/// A drained slot that fails at first, and a finish that does.
#[routine]
struct Late {
    #[state]
    fired: u64,
}

#[routine]
impl Late {
    #[event]
    fn total(n: u64);

    #[merge]
    fn add(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[slot(merge = add, when = "drained")]
    fn all(&mut self, sum: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.fired += 1;
        out.total(sum);
        if cx.attempt() <= 2 { Err("too early".into()) } else { Ok(()) }
    }

    #[finish]
    fn end(&mut self, out: &mut Emit<Self>, cx: &Context) -> Result {
        out.total(1);
        if cx.attempt() == 1 { Err("too early".into()) } else { Ok(()) }
    }
}

flow! {
    flow Lately() {
        last: Total;
        skipped: Late;
        tried: Late;
        in n -> tried.all, skipped.all;
        tried.total -> last.all;
        skipped.total -> last.all;
        last.total -> return;
        on error of tried retry(2, 60ms);
        on error of skipped skip;
    }
}

#[test]
fn a_drained_slot_that_is_tried_again_or_skipped_holds_up_those_after_it_as_long_as_it_takes() {
    everywhere(Lately::new()).run_alike(
        |job| [1, 2].into_iter().for_each(|n| job.inputs().n(n).unwrap()),
        |ended| {
            let at = &ended.engine;
            // 3 and 1 of `tried`, nothing of `skipped`.
            assert_eq!(ended.report.result().unwrap(), &4, "{at}");
            assert_eq!(ended.saved(&["routines", "tried", "fired"]), 1, "{at}");
            assert_eq!((ended.report.skipped(), ended.report.failures()), (2, 2), "{at}");
        },
    );
}
