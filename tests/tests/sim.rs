//! The simulated engine: it finds what only shows in some order of the steps, and has that order again; it takes no
//! order that is not allowed, and all that are.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::sim::{self, Exhausted, Sim};
use routilux::{Error, HistoryEntry, Outcome};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

type Checked = routilux::Result<()>;

/// What it panics with.
fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(run)) else { panic!("it did not panic") };
    *panic.downcast::<String>().unwrap()
}

/// The failing seed that a message names.
fn seed_in(message: &str) -> u64 {
    let from = message.split("under the seed ").nth(1).unwrap_or_else(|| panic!("{message}"));
    from.split(':').next().unwrap().parse().unwrap()
}

/// The simulation finds something, and has it again: with the same message, and so by the same last steps.
fn finds<F: Flow + Clone>(how: &Sim, flow: &F, test: fn(&mut Job<F>) -> Checked) -> String {
    let found = panic_of(|| how.explore(flow.clone(), 1_000, test));
    let seed = seed_in(&found);
    assert!(found.contains(&format!("run it again with `sim::seed({seed})")), "{found}");
    assert_eq!(panic_of(|| how.clone().seed(seed).explore(flow.clone(), 1, test)), found);
    found
}

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

/// As `Pass`, several at once.
#[routine]
struct Share;

#[routine]
impl Share {
    #[event]
    fn on(n: u64);

    #[slot(optional)]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.on(n);
    }

    #[slot(optional, parallel = 2)]
    fn pair(&self, n: u64, out: &mut Emit<Self>) {
        out.on(n);
    }

    #[slot(optional)]
    fn alone(&mut self, n: u64, out: &mut Emit<Self>) {
        out.on(n);
    }
}

/// Passes on what it is given after so many steps.
#[routine]
struct Slow {
    steps: u64,
}

#[routine]
impl Slow {
    #[event]
    fn again(n: u64, left: u64);
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        out.again(n, self.steps);
    }

    #[slot]
    fn wait(&mut self, n: u64, left: u64, out: &mut Emit<Self>) {
        match left {
            0 => out.on(n),
            _ => out.again(n, left - 1),
        }
    }
}

// A planted order bug.

/// Converts amounts, and expects the rate to come before them, unless it is careful.
#[routine]
struct Converter {
    careful: bool,
    #[state]
    rate: Option<u64>,
    #[state]
    early: Vec<u64>,
}

#[routine]
impl Converter {
    #[event]
    fn converted(amount: u64);

    #[slot]
    fn rate(&mut self, rate: u64, out: &mut Emit<Self>) {
        self.rate = Some(rate);
        self.early.drain(..).for_each(|amount| out.converted(amount * rate));
    }

    #[slot]
    fn amount(&mut self, amount: u64, out: &mut Emit<Self>) {
        match self.rate {
            None if self.careful => self.early.push(amount),
            rate => out.converted(amount * rate.unwrap_or(0)),
        }
    }
}

flow! {
    flow Exchange(careful: bool) {
        rates:   Pass;
        amounts: Pass;
        convert: Converter { careful };

        in rate           -> rates.n;
        in amount         -> amounts.n;
        rates.on          -> convert.rate;
        amounts.on        -> convert.amount;
        convert.converted -> return;
    }
}

fn converts(job: &mut Job<Exchange>) -> Checked {
    job.inputs().rate(3)?;
    job.inputs().amount(5)?;
    assert_eq!(job.run()?.result()?, &15, "the rate was not there");
    Ok(())
}

#[test]
fn a_planted_order_bug_is_found() {
    converts(&mut Exchange::new(false).job()).unwrap();
    let found = finds(&Sim::default(), &Exchange::new(false), converts);
    assert!(found.starts_with("the flow `Exchange` fails under the seed "), "{found}");
    assert!(found.contains("the rate was not there"), "{found}");
    assert!(found.find("convert.amount #") < found.find("convert.rate #"), "{found}");
    sim::explore(Exchange::new(true), 1_000, converts);
    // Of the two that are sent first, either; and it may be handled before or after the other is sent.
    assert_eq!(all(&Sim::default(), &Exchange::new(true), converts), 4);
}

// A planted lost update.

/// Adds to a balance: reads it in one step and writes it in another, or does both in one.
#[routine]
struct Teller {
    in_one: bool,
    #[resource]
    balance: Arc<Mutex<u64>>,
}

#[routine]
impl Teller {
    #[event]
    fn new_balance(balance: u64);
    #[event]
    fn booked();

    #[slot]
    fn deposit(&mut self, amount: u64, out: &mut Emit<Self>) {
        let mut balance = self.balance.lock().unwrap();
        match self.in_one {
            true => {
                *balance += amount;
                out.booked();
            }
            false => out.new_balance(*balance + amount),
        }
    }

    #[slot]
    fn write(&mut self, balance: u64, out: &mut Emit<Self>) {
        *self.balance.lock().unwrap() = balance;
        out.booked();
    }
}

flow! {
    flow Branch(in_one: bool, balance: Arc<Mutex<u64>>) {
        queue: Pass;
        first: Teller { in_one, balance };
        second: Teller { in_one, balance };

        in deposit         -> first.deposit, queue.n;
        queue.on           -> second.deposit;
        first.new_balance  -> loop first.write;
        second.new_balance -> loop second.write;
        first.booked       -> out booked;
        second.booked      -> out booked;
    }
}

/// Both add 10 to 100. The balance is the flow's, and so begins anew with each run.
fn branch_balances(in_one: bool, run: impl FnOnce(&Branch, &dyn Fn(&mut Job<Branch>) -> Checked)) {
    let balance = Arc::new(Mutex::new(0));
    run(&Branch::new(in_one, balance.clone()), &|job| {
        *balance.lock().unwrap() = 100;
        job.inputs().deposit(10)?;
        assert_eq!(job.run()?.status(), Status::Completed);
        assert_eq!(job.outputs().booked().len(), 2);
        let balance = *balance.lock().unwrap();
        assert_eq!(balance, 120, "a deposit is lost");
        Ok(())
    });
}

#[test]
fn a_planted_lost_update_is_found() {
    branch_balances(false, |flow, test| test(&mut flow.job()).unwrap());
    branch_balances(false, |flow, test| {
        let found = panic_of(|| sim::explore(flow.clone(), 1_000, test));
        assert!(found.contains("a deposit is lost"), "{found}");
        assert_eq!(panic_of(|| sim::seed(seed_in(&found)).explore(flow.clone(), 1, test)), found);
    });
    branch_balances(true, |flow, test| sim::explore(flow.clone(), 1_000, test));
}

// A planted deadlock.

/// Gives two permits to who asks, one at a time each.
#[routine]
struct Permits {
    #[state]
    held: BTreeMap<String, String>,
    #[state]
    asked: Vec<(String, String)>,
}

#[routine]
impl Permits {
    #[event]
    fn given(who: String, permit: String);

    #[slot]
    fn ask(&mut self, who: String, permit: String, out: &mut Emit<Self>) {
        if self.held.contains_key(&permit) {
            self.asked.push((who, permit));
        } else {
            self.held.insert(permit.clone(), who.clone());
            out.given(who, permit);
        }
    }

    #[slot]
    fn give_back(&mut self, who: String, out: &mut Emit<Self>) {
        self.held.retain(|_, holder| *holder != who);
        for (who, permit) in std::mem::take(&mut self.asked) {
            self.ask(who, permit, out);
        }
    }
}

/// Takes a permit, then the other, then gives both back.
#[routine]
struct Crew {
    name: &'static str,
    permits: [&'static str; 2],
    #[state]
    has: usize,
}

#[routine]
impl Crew {
    #[event]
    fn ask(who: String, permit: String);
    #[event]
    fn done(who: String);

    #[slot]
    fn start(&mut self, _n: u64, out: &mut Emit<Self>) {
        out.ask(self.name.into(), self.permits[0].into());
    }

    #[slot]
    fn given(&mut self, who: &str, _permit: &str, out: &mut Emit<Self>) {
        if who == self.name {
            self.has += 1;
            match self.has {
                2 => out.done(self.name.into()),
                has => out.ask(self.name.into(), self.permits[has].into()),
            }
        }
    }
}

/// Says when both are done.
#[routine]
struct Both {
    #[state]
    done: Vec<String>,
}

#[routine]
impl Both {
    #[event]
    fn done(who: Vec<String>);

    #[slot]
    fn one(&mut self, who: String, out: &mut Emit<Self>) {
        self.done.push(who);
        if self.done.len() == 2 {
            out.done(self.done.clone());
        }
    }
}

flow! {
    flow Site(second: [&'static str; 2]) {
        permits: Permits;
        early:   Crew { name: "early", permits: ["dig", "pour"] };
        slow:    Slow { steps: 3 };
        late:    Crew { name: "late", permits: second };
        both:    Both;

        in start      -> early.start, slow.n;
        slow.again    -> loop slow.wait;
        slow.on       -> late.start;
        early.ask     -> loop permits.ask;
        late.ask      -> loop permits.ask;
        permits.given -> early.given, late.given;
        early.done    -> loop permits.give_back, both.one;
        late.done     -> loop permits.give_back, both.one;
        both.done     -> return;
    }
}

fn site_is_built(job: &mut Job<Site>) -> Checked {
    job.inputs().start(1)?;
    job.run()?.result().map(|both| assert_eq!(both.len(), 2))
}

#[test]
fn a_planted_deadlock_is_found() {
    site_is_built(&mut Site::new(["pour", "dig"]).job()).unwrap();
    let found = finds(&Sim::default(), &Site::new(["pour", "dig"]), site_is_built);
    assert!(found.contains("the flow `Site` gave no result: the job is completed"), "{found}");
    sim::explore(Site::new(["dig", "pour"]), 1_000, site_is_built);
}

// What only a crash shows.

/// Numbers what it is given; the number is kept, or is not.
#[routine]
struct Numbers {
    #[state]
    saved: u64,
    #[transient]
    forgotten: u64,
}

#[routine]
impl Numbers {
    #[event]
    fn saved(n: u64);
    #[event]
    fn forgotten(n: u64);

    #[slot]
    fn item(&mut self, _n: u64, out: &mut Emit<Self>) {
        self.saved += 1;
        self.forgotten += 1;
        out.saved(self.saved);
        out.forgotten(self.forgotten);
    }
}

flow! {
    flow Numbering() {
        numbers: Numbers;
        in item -> numbers.item;
        numbers.saved -> out saved;
        numbers.forgotten -> out forgotten;
    }
}

fn three_items(job: &mut Job<Numbering>) -> Checked {
    (0..3).try_for_each(|n| job.inputs().item(n))?;
    assert_eq!(job.run()?.status(), Status::Completed);
    assert_eq!(job.outputs().saved().collect::<Vec<_>>(), [1, 2, 3]);
    Ok(())
}

fn three_items_not_forgotten(job: &mut Job<Numbering>) -> Checked {
    three_items(job)?;
    assert_eq!(job.outputs().forgotten().collect::<Vec<_>>(), [1, 2, 3], "some are forgotten");
    Ok(())
}

#[test]
fn state_that_is_not_saved_is_found_by_a_crash_and_only_by_one() {
    let flow = Numbering::new();
    sim::explore(flow.clone(), 200, three_items_not_forgotten);
    let found = finds(&sim::with_crashes(), &flow, three_items_not_forgotten);
    assert!(found.contains("some are forgotten"), "{found}");
    assert!(found.contains("\n    (a crash: saved, dropped and restored)\n"), "{found}");
    assert!(found.contains(").with_crashes().explore(flow, 1, ..)`"), "{found}");
    sim::with_crashes().explore(flow.clone(), 200, three_items);
    assert_eq!(all(&sim::with_crashes(), &flow, three_items), 1);
    let _ = panic_of(|| sim::with_crashes().exhaust(flow.clone(), 10, three_items_not_forgotten));
}

flow! {
    flow Mixed() {
        a: Pass;
        b: Pass;
        share: Share;
        numbers: Numbers;
        in a -> a.n;
        in b -> b.n;
        a.on -> share.n;
        b.on -> share.pair;
        share.on -> numbers.item, out shared;
        numbers.saved -> out saved;
        ignore numbers.forgotten;
    }
}

fn run_mixed(job: &mut Job<Mixed>) -> Checked {
    for n in 0..6 {
        job.inputs().a(n)?;
        job.inputs().b(10 + n)?;
    }
    job.run_until_idle()?;
    job.inputs().a(6)?;
    assert_eq!(job.run()?.status(), Status::Completed);
    Ok(())
}

/// What a seed comes to, all of it.
fn mixed_states(how: &Sim, seeds: u64) -> Vec<String> {
    let mut states = Vec::new();
    how.explore(Mixed::new(), seeds, |job| -> Checked {
        run_mixed(job)?;
        states.push(serde_json::to_string(&job.state()?).unwrap());
        Ok(())
    });
    states
}

#[test]
fn crashes_change_nothing() {
    // Including the outputs, and the history with its times.
    assert_eq!(mixed_states(&sim::with_crashes(), 50), mixed_states(&Sim::default(), 50));
}

#[test]
fn a_seed_gives_the_same_run_and_another_one_another() {
    let states = mixed_states(&Sim::default(), 50);
    assert_eq!(mixed_states(&Sim::default(), 50), states);
    assert_eq!(mixed_states(&sim::seed(20), 1)[0], states[20]);
    assert_eq!(states.iter().collect::<BTreeSet<_>>().len(), 50);
}

#[test]
fn the_job_that_goes_on_after_a_crash_is_the_users() {
    let starts = Arc::new(AtomicU32::new(0));
    let mut most = 0;
    sim::with_crashes().explore(Numbering::new(), 20, |job| -> Checked {
        starts.store(0, Ordering::Relaxed);
        let (counted, before) = (starts.clone(), Arc::new(AtomicU32::new(0)));
        let told = before.clone();
        let own = std::mem::replace(job, Numbering::new().job());
        *job = own
            .on_start(move |_| _ = counted.fetch_add(1, Ordering::Relaxed))
            .before_handler(move |_, _| _ = told.fetch_add(1, Ordering::Relaxed));
        // A handle from before the first crash, which is before the second step at the latest.
        let control = job.control();
        (0..3).try_for_each(|n| job.inputs().item(n))?;
        assert!(job.step()? && job.step()?);
        control.pause("now");
        assert_eq!(job.run()?.status(), Status::Paused);
        assert_eq!(job.reason(), Some("now"));
        job.resume()?;
        assert_eq!(job.run()?.status(), Status::Completed);
        assert_eq!(job.outputs().saved().collect::<Vec<_>>(), [1, 2, 3]);
        assert!(job.job_id().as_str().starts_with("sim-"));
        assert_eq!(before.load(Ordering::Relaxed), 3);
        most = most.max(starts.load(Ordering::Relaxed));
        Ok(())
    });
    // At the start, and after a crash at some of the first three steps and at the end.
    assert!((3..=5).contains(&most), "{most}");
}

#[test]
fn what_a_hook_asks_for_after_a_crash_is_done_before_the_next_step() {
    let run = sim::with_crashes().exhaust(Numbering::new(), 2, |job| -> Checked {
        let own = std::mem::replace(job, Numbering::new().job());
        *job = own.on_start(|cx| cx.pause("look first"));
        (0..3).try_for_each(|n| job.inputs().item(n))?;
        let mut handled = Vec::new();
        while job.run()?.status() == Status::Paused {
            handled.push(job.report().handled());
            job.resume()?;
        }
        // At the first start; and after crashes before each step and at the end.
        assert_eq!(handled, [0, 0, 1, 2, 3]);
        Ok(())
    });
    assert_eq!((run.orders, run.complete), (1, true));
}

/// Asks for a pause at every third.
#[routine]
struct Rests;

#[routine]
impl Rests {
    #[event]
    fn on(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) {
        out.on(n);
        if n.is_multiple_of(3) {
            cx.pause(format!("rest after {n}"));
        }
    }
}

flow! {
    flow Resting() {
        rests: Rests;
        in n -> rests.n;
        rests.on -> out on;
    }
}

#[test]
fn a_paused_job_stays_paused_and_a_request_is_not_lost_in_a_crash() {
    let test = |job: &mut Job<Resting>| -> Checked {
        (1..=7).try_for_each(|n| job.inputs().n(n))?;
        for (pause, handled) in [(3, 3), (6, 6)] {
            for _ in 0..3 {
                assert_eq!(job.run()?.status(), Status::Paused);
                assert_eq!(job.reason(), Some(&*format!("rest after {pause}")));
                assert!(!job.step()?);
                assert_eq!(job.report().handled(), handled);
            }
            job.resume()?;
        }
        assert_eq!(job.run()?.status(), Status::Completed);
        assert_eq!(job.outputs().on().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
        Ok(())
    };
    sim::with_crashes().explore(Resting::new(), 50, test);
    assert_eq!(all(&sim::with_crashes(), &Resting::new(), test), 1);
}

/// Cannot be written down once it is 2.
#[derive(Default, serde::Deserialize)]
struct Fussy(u64);

impl serde::Serialize for Fussy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            2 => Err(serde::ser::Error::custom("two is too much")),
            n => serializer.serialize_newtype_struct("Fussy", &n),
        }
    }
}

#[routine]
struct Counts {
    #[state]
    count: Fussy,
}

#[routine]
impl Counts {
    #[slot]
    fn n(&mut self, _n: u64) {
        self.count.0 += 1;
    }
}

flow! {
    flow Counting() {
        counts: Counts;
        in n -> counts.n;
    }
}

#[test]
fn state_that_cannot_be_saved_is_found_whatever_the_test_makes_of_errors() {
    let test = |job: &mut Job<Counting>| -> Checked {
        (0..2).try_for_each(|n| job.inputs().n(n))?;
        let _ = catch_unwind(AssertUnwindSafe(|| job.run().map(drop)));
        Ok(())
    };
    sim::explore(Counting::new(), 10, test);
    let found = panic_of(|| sim::with_crashes().exhaust(Counting::new(), 10, test));
    assert!(found.contains("the job does not survive a crash: the state of `counts`"), "{found}");
    assert!(found.contains("two is too much"), "{found}");
}

// What orders there are.

/// How many orders there are, each of which is another.
fn all<F: Flow + Clone>(how: &Sim, flow: &F, test: impl Fn(&mut Job<F>) -> Checked) -> u64 {
    let mut seen = BTreeSet::new();
    let run: Exhausted = how.exhaust(flow.clone(), 10_000, |job| -> Checked {
        test(job)?;
        let order: Vec<u64> = job.history().map(|entry| entry.delivery).collect();
        assert!(seen.insert(order), "the same order again");
        Ok(())
    });
    assert!(run.complete);
    assert_eq!(run.orders, seen.len() as u64);
    run.orders
}

flow! {
    flow Three() {
        a: Pass;
        b: Pass;
        share: Share;
        in a -> a.n;
        in b -> b.n;
        in n -> share.n;
        in pair -> share.pair;
        in alone -> share.alone;
        a.on -> out a;
        b.on -> out b;
        share.on -> out shared;
    }
}

#[test]
fn exactly_the_orders_that_a_pool_allows_are_explored() {
    let count = |how: &Sim, inputs: &str| {
        all(how, &Three::new(), |job| {
            for (n, input) in (0..).zip(inputs.chars()) {
                match input {
                    'a' => job.inputs().a(n)?,
                    'b' => job.inputs().b(n)?,
                    'n' => job.inputs().n(n)?,
                    'p' => job.inputs().pair(n)?,
                    _ => job.inputs().alone(n)?,
                }
            }
            assert_eq!(job.run()?.status(), Status::Completed);
            assert!(job.outputs().a().is_sorted() && job.outputs().b().is_sorted());
            Ok(())
        })
    };
    let default = Sim::default();
    // One order for those that go to one routine alone; between two routines, 4!/(2!·2!) and 5!/(3!·2!).
    assert_eq!(count(&default, "aaaa"), 1);
    assert_eq!(count(&default, "aabb"), 6);
    assert_eq!(count(&default, "ababa"), 10);
    assert_eq!(count(&default, "abx"), 6);
    // Those that share their routine: 3! at once; the first two of three, then of two, where two run at once.
    assert_eq!(count(&default, "nnn"), 6);
    assert_eq!(count(&sim::workers(2), "nnn"), 4);
    assert_eq!(count(&sim::workers(1), "nnn"), 1);
    assert_eq!(count(&default, "ppp"), 4);
    // Of four, four; of five, the last not first: 4 · 4!.
    assert_eq!(count(&default, "nnnn"), 24);
    assert_eq!(count(&default, "nnnnn"), 96);
    // None passes the one that is alone: 2! before it, 2! after.
    assert_eq!(count(&default, "nnxnn"), 4);
}

#[test]
fn exploring_stops_at_the_limit_and_says_so() {
    let run = |job: &mut Job<Three>| -> Checked {
        (0..4).try_for_each(|n| job.inputs().n(n))?;
        job.run().map(drop)
    };
    let some = sim::exhaust(Three::new(), 23, run);
    assert_eq!((some.orders, some.complete), (23, false));
    let all = sim::exhaust(Three::new(), 24, run);
    assert_eq!((all.orders, all.complete), (24, true));
}

#[test]
fn a_failing_order_is_told_by_its_choices_and_had_again() {
    let not_the_last_first = |job: &mut Job<Three>| -> Checked {
        (0..3).try_for_each(|n| job.inputs().n(n))?;
        let _ = job.run()?;
        let order: Vec<u64> = job.outputs().shared().collect();
        assert_ne!(order, [1, 2, 0]);
        Ok(())
    };
    let found = panic_of(|| sim::exhaust(Three::new(), 100, not_the_last_first));
    assert!(found.contains("under the choices [1, 1]"), "{found}");
    assert!(found.contains("share.n #2\n    share.n #3\n    share.n #1\n"), "{found}");
    assert!(found.ends_with("run it again with `sim::choices([1, 1]).exhaust(flow, 1, ..)`"), "{found}");
    let again = || sim::choices([1, 1]).exhaust(Three::new(), 1, not_the_last_first);
    assert_eq!(panic_of(again), found);
    let found = panic_of(|| sim::choices([3]).exhaust(Three::new(), 1, not_the_last_first));
    assert!(found.contains("choice 1 is between 3 deliveries"), "{found}");
}

#[test]
fn a_flow_that_is_not_the_same_each_time_is_noticed() {
    let runs = AtomicU32::new(0);
    let found = panic_of(|| {
        let _ = sim::exhaust(Three::new(), 100, |job| -> Checked {
            let more = runs.fetch_add(1, Ordering::Relaxed) % 2;
            (0..3 + u64::from(more)).try_for_each(|n| job.inputs().n(n))?;
            job.run().map(drop)
        });
    });
    assert!(found.contains("the same choices do not lead to the same steps"), "{found}");
}

/// Sends each number to two places, in one step.
#[routine]
struct Forks;

#[routine]
impl Forks {
    #[event]
    fn direct(n: u64);
    #[event]
    fn around(n: u64);

    #[slot]
    fn around_first(&mut self, n: u64, out: &mut Emit<Self>) {
        out.around(n);
        out.direct(n);
    }

    #[slot]
    fn direct_first(&mut self, n: u64, out: &mut Emit<Self>) {
        out.direct(n);
        out.around(n);
    }
}

#[routine]
struct Sink;

#[routine]
impl Sink {
    #[event]
    fn came(text: String);

    #[slot]
    fn direct(&mut self, n: u64, out: &mut Emit<Self>) {
        out.came(format!("direct {n}"));
    }

    #[slot]
    fn around(&mut self, n: u64, out: &mut Emit<Self>) {
        out.came(format!("around {n}"));
    }
}

flow! {
    flow Triangle() {
        forks: Forks;
        pass: Pass;
        sink: Sink;
        in around_first -> forks.around_first;
        in direct_first -> forks.direct_first;
        forks.direct -> sink.direct;
        forks.around -> pass.n;
        pass.on -> sink.around;
        sink.came -> out came;
    }
}

#[test]
fn what_a_step_sends_later_may_be_overtaken_by_what_comes_of_what_it_sends_first() {
    let orders = |send: fn(&mut Job<Triangle>, u64) -> Checked| {
        let mut seen = BTreeSet::new();
        sim::explore(Triangle::new(), 200, |job| -> Checked {
            (1..=3).try_for_each(|n| send(job, n))?;
            assert_eq!(job.run()?.status(), Status::Completed);
            let came: Vec<String> = job.outputs().came().collect();
            for way in ["direct", "around"] {
                let of_way: Vec<_> = came.iter().filter(|came| came.starts_with(way)).collect();
                assert_eq!(of_way, [&format!("{way} 1"), &format!("{way} 2"), &format!("{way} 3")]);
            }
            seen.insert(came);
            Ok(())
        });
        seen
    };
    let place = |came: &[String], what: &str| came.iter().position(|came| came == what);
    let around_before_direct = |came: &Vec<String>| place(came, "around 1") < place(came, "direct 1");
    let around_first = orders(|job, n| job.inputs().around_first(n));
    assert!(around_first.iter().any(around_before_direct));
    assert!(!around_first.iter().all(around_before_direct));
    // There is no way to overtake what was sent first.
    let direct_first = orders(|job, n| job.inputs().direct_first(n));
    assert!(!direct_first.iter().any(around_before_direct));
    assert!(direct_first.len() > 1);

    let count = |how: &Sim, send: fn(&mut Job<Triangle>, u64) -> Checked| {
        all(how, &Triangle::new(), |job| {
            send(job, 1)?;
            job.run().map(drop)
        })
    };
    // After `forks`: pass, direct, around; pass, around, direct; direct, pass, around.
    assert_eq!(count(&Sim::default(), |job, n| job.inputs().around_first(n)), 3);
    assert_eq!(count(&Sim::default(), |job, n| job.inputs().direct_first(n)), 2);
    // What was saved has arrived, and is not overtaken any more.
    assert_eq!(count(&sim::with_crashes(), |job, n| job.inputs().around_first(n)), 2);
}

flow! {
    flow Race() {
        one: Pass;
        many: Pass;
        in one -> one.n;
        in many -> many.n;
        one.on -> out all;
        many.on -> out all;
    }
}

#[test]
fn some_seed_leaves_a_routine_far_behind() {
    // At every pick as likely as not, it would take 2^30 seeds.
    let found = panic_of(|| {
        sim::explore(Race::new(), 200, |job| {
            job.inputs().one(100).unwrap();
            (0..30).for_each(|n| job.inputs().many(n).unwrap());
            let _ = job.run().unwrap();
            assert_ne!(job.outputs().all().last(), Some(100));
        });
    });
    assert!(found.contains("after 31 steps the job is completed"), "{found}");
    assert_eq!(found.lines().filter(|line| line.starts_with("    many.n #")).count(), 19, "{found}");
}

// Time, failures, ends.

#[test]
fn time_is_virtual() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
    let after = |entry: HistoryEntry| entry.time.duration_since(start).unwrap().as_millis();
    let mut seen = BTreeSet::new();
    sim::explore(Mixed::new(), 20, |job| -> Checked {
        run_mixed(job)?;
        let times: Vec<u128> = job.history().map(after).collect();
        assert!(times[0] <= 10 && times.windows(2).all(|pair| (0..=10).contains(&(pair[1] - pair[0]))));
        seen.insert(times);
        Ok(())
    });
    assert_eq!(seen.len(), 20);
    let _ = sim::exhaust(Mixed::new(), 3, |job| -> Checked {
        run_mixed(job)?;
        assert!(job.history().map(after).eq(1..=job.report().handled().into()));
        Ok(())
    });
}

/// Fails at its first attempt at each.
#[routine]
struct Shaky {
    #[state]
    passed: Vec<u64>,
}

#[routine]
impl Shaky {
    #[event]
    fn passed(all: Vec<u64>);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.passed.push(n);
        out.passed(self.passed.clone());
        if cx.attempt() == 1 { Err(format!("shaken by {n}").into()) } else { Ok(()) }
    }
}

flow! {
    flow Shaking() {
        a: Pass;
        shaky: Shaky;
        in a -> a.n;
        in n -> shaky.n;
        a.on -> shaky.n;
        shaky.passed -> out passed;
    }
}

#[test]
fn a_failed_job_is_resumed_and_the_delivery_that_failed_is_the_first_of_its_slot() {
    let test = |job: &mut Job<Shaking>| -> Checked {
        job.inputs().a(1)?;
        job.inputs().n(2)?;
        job.inputs().n(3)?;
        let mut failed = Vec::new();
        while let Err(error) = job.run() {
            let Error::SlotHandler { source, attempts: 1, .. } = error else { return Err(error) };
            failed.push(source.to_string());
            job.resume()?;
        }
        assert_eq!(failed, ["shaken by 2", "shaken by 3", "shaken by 1"]);
        assert_eq!(job.outputs().passed().last(), Some(vec![2, 3, 1]));
        let retried: Vec<u64> = job.history_of("shaky").map(|entry| entry.delivery).collect();
        assert!(retried.chunks(2).all(|pair| pair[0] == pair[1]), "{retried:?}");
        assert_eq!(job.history().filter(|entry| entry.outcome != Outcome::Handled).count(), 3);
        Ok(())
    };
    sim::explore(Shaking::new(), 100, test);
    sim::with_crashes().explore(Shaking::new(), 100, test);
}

#[test]
fn an_error_of_the_job_fails_the_seed_with_its_text() {
    let found = panic_of(|| {
        sim::explore(Shaking::new(), 1, |job| -> Result {
            job.inputs().n(2)?;
            let _ = job.run()?;
            Ok(())
        });
    });
    assert!(found.contains("seed 0: `shaky.n` failed on delivery 1 (attempt 1): shaken by 2\n"), "{found}");
    assert!(found.contains("after 1 steps the job is failed; the last ones:\n    shaky.n #1\n"), "{found}");
}

/// Counts for ever.
#[routine]
struct Ever;

#[routine]
impl Ever {
    #[event]
    fn next(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.next(n + 1);
    }
}

flow! {
    flow Endless() {
        ever: Ever;
        in n -> ever.n;
        ever.next -> loop ever.n;
    }
}

#[test]
fn a_job_that_does_not_come_to_an_end_is_stopped() {
    let run = |job: &mut Job<Endless>| {
        job.inputs().n(0).unwrap();
        // A test that does not look at what it is told cannot go on for ever either.
        while job.status() != Status::Completed {
            let _ = job.step();
        }
    };
    let found = panic_of(|| sim::steps(50).workers(2).explore(Endless::new(), 3, run));
    assert!(found.contains("seed 0: this job does not come to an end in 50 steps\n"), "{found}");
    assert!(found.contains("    ever.n #49\n    ever.n #50\nrun it again"), "{found}");
    assert!(found.ends_with("`sim::seed(0).workers(2).steps(50).explore(flow, 1, ..)`"), "{found}");
    assert_eq!(found.lines().filter(|line| line.starts_with("    ")).count(), 20);
    let found = panic_of(|| sim::explore(Endless::new(), 1, run));
    assert!(found.contains("in 100000 steps"), "{found}");
    // As many as are allowed are no failure.
    sim::steps(1).explore(Counting::new(), 1, |job| -> Checked {
        job.inputs().n(1)?;
        job.run().map(drop)
    });
}

#[test]
fn a_job_that_is_not_simulated_is_noticed() {
    let found = panic_of(|| sim::explore(Race::new(), 1, |job| *job = Race::new().job()));
    assert!(found.contains("the test put another job in the place of the one it was given"), "{found}");
    let found = panic_of(|| {
        sim::explore(Race::new(), 1, |job| -> Checked {
            *job = Race::new().job();
            panic!("its own {}", "words")
        });
    });
    assert!(found.contains("its own words"), "{found}");
}

#[test]
fn a_job_can_still_go_to_another_thread() {
    fn is_send<T: Send>() {}
    is_send::<Job<Race>>();
}
