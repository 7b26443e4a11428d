//! What changes a job in one thread between two steps: its deadline passes, its configuration is another.

use routilux::prelude::*;
use routilux::{Clock, Error, TimedOut};
use std::time::{Duration, SystemTime};

/// Adds, and takes its time.
#[routine]
pub struct Adder {
    by: u64,
    #[resource]
    clock: Clock,
    #[state]
    total: u64,
    #[transient]
    runs: u64,
}

#[routine]
impl Adder {
    #[event]
    fn total(total: u64, runs: u64);

    #[slot(timeout = "100ms")]
    fn n(&mut self, millis: u64, out: &mut Emit<Self>, cx: &Context) {
        let begun = cx.now();
        assert_eq!(
            cx.deadline().and_then(|at| at.duration_since(begun).ok()),
            Some(Duration::from_millis(100))
        );
        self.clock.advance(Duration::from_millis(millis));
        self.total += self.by;
        self.runs += 1;
        out.total(self.total, self.runs);
    }

    #[slot]
    fn untimed(&mut self, millis: u64, cx: &Context) {
        assert!(cx.deadline().is_some());
        self.clock.advance(Duration::from_millis(millis));
    }
}

flow! {
    /// One adder.
    pub flow Adding(by: u64, clock: Clock) {
        adder: Adder { by, clock };
        in n -> adder.n;
        in untimed -> adder.untimed;
        adder.total -> out totals;
    }
}

fn clock() -> Clock {
    Clock::manual(SystemTime::UNIX_EPOCH)
}

#[test]
fn a_handler_over_its_timeout_has_failed_and_leaves_nothing() {
    let clock = clock();
    let mut job = Adding::new(1, clock.clone()).job().clock(clock.clone());
    for millis in [100, 101] {
        job.inputs().n(millis).unwrap();
    }
    let error = job.run().unwrap_err();
    assert_eq!(error.downcast_ref::<TimedOut>().map(|error| error.limit), Some(Duration::from_millis(100)));
    assert!(error.to_string().contains("`adder.n` failed on delivery 2"), "{error}");
    // The first was in time; of the second there is nothing but its delivery.
    assert_eq!(job.outputs().totals().collect::<Vec<_>>(), [(1, 1)]);
    assert_eq!(job.state().unwrap().waiting(), 1);
    assert_eq!(job.report().handled(), 1);
}

#[test]
fn when_its_deadline_has_passed_no_further_handler_runs() {
    let clock = clock();
    let mut job =
        Adding::new(1, clock.clone()).job().clock(clock.clone()).deadline(Duration::from_millis(250));
    // It counts from the first run on.
    clock.advance(Duration::from_secs(60));
    for millis in [100, 100, 51, 1] {
        job.inputs().untimed(millis).unwrap();
    }
    let error = job.run().unwrap_err();
    assert!(matches!(&error, Error::Execution { what, .. } if what.contains("deadline")), "{error}");
    assert_eq!((job.status(), job.report().handled(), job.report().failed()), (Status::Failed, 3, 0));
    assert_eq!(job.state().unwrap().waiting(), 1);
}

#[test]
fn resumed_after_its_deadline_it_has_none() {
    let clock = clock();
    let mut job = Adding::new(1, clock.clone()).job().clock(clock.clone()).deadline(Duration::from_millis(5));
    for millis in [6, 200] {
        job.inputs().n(millis.min(50)).unwrap();
    }
    assert!(job.run().is_err());
    job.resume().unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
}

#[test]
fn a_new_configuration_keeps_state_and_what_waits_and_is_noted() {
    let clock = clock();
    let mut job = Adding::new(1, clock.clone()).job().clock(clock.clone());
    for _ in 0..3 {
        job.inputs().n(0).unwrap();
    }
    assert!(job.step().unwrap());
    clock.advance(Duration::from_secs(1));
    job.reconfigure(&Adding::new(10, clock.clone())).unwrap();
    let _ = job.run().unwrap();
    // 1, then 10 and 10 on top of it; what is transient began anew.
    assert_eq!(job.outputs().totals().collect::<Vec<_>>(), [(1, 1), (11, 1), (21, 2)]);

    let state = job.state().unwrap();
    let noted = state.reconfigured();
    assert_eq!(noted.len(), 1);
    assert_eq!((noted[0].after, noted[0].time), (1, SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
    let restored = Adding::new(1, clock).resume(state.clone()).unwrap();
    assert_eq!(restored.state().unwrap().reconfigured(), noted);
}

#[test]
fn a_configuration_that_panics_changes_nothing() {
    /// Holds a number.
    #[routine]
    struct Holder {
        number: u64,
    }

    #[routine]
    impl Holder {
        #[event]
        fn number(n: u64);

        #[slot]
        fn ask(&self, out: &mut Emit<Self>) {
            out.number(self.number);
        }
    }

    flow! {
        flow Holding(parts: u64) {
            holder: Holder { number: 12 / parts };
            in ask -> holder.ask;
            holder.number -> return;
        }
    }

    let mut job = Holding::new(3).job();
    let error = job.reconfigure(&Holding::new(0)).unwrap_err();
    assert!(matches!(&error, Error::Configuration { what } if what.contains("divide by zero")), "{error}");
    job.inputs().ask(()).unwrap();
    assert_eq!(job.run().unwrap().result().unwrap(), &4);
    assert!(job.state().unwrap().reconfigured().is_empty());
}
