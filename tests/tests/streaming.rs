//! Outputs that are not kept: streamed to a function as they come out, or read from a running job.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Pool};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tests::everywhere::{clock, everywhere};
use tests::patience::{LONG, within};

/// Emits each smaller number.
#[routine]
struct Count;

#[routine]
impl Count {
    #[event]
    fn n(n: u64);
    #[event]
    fn sum(n: u64);

    #[slot]
    fn to(&mut self, to: u64, out: &mut Emit<Self>) {
        (0..to).for_each(|n| out.n(n));
        out.sum((0..to).sum());
    }

    /// At once, and once more later.
    #[slot(optional)]
    fn twice(&mut self, n: u64, out: &mut Emit<Self>) -> Result {
        out.n(n);
        out.after(Duration::from_millis(100)).n(n + 1);
        if n == 13 { Err("thirteen".into()) } else { Ok(()) }
    }
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

flow! {
    flow Counts() {
        count: Count;
        pass: Pass;
        in to -> count.to;
        in twice -> count.twice;
        count.n -> out direct, pass.n;
        pass.on -> out passed;
        count.sum -> out sums;
    }
}

type Seen = Arc<Mutex<Vec<u64>>>;

#[test]
fn each_value_is_given_to_the_function_once_in_order_and_none_is_kept() {
    let (direct, passed) = (Seen::default(), Seen::default());
    let streams = |job: Job<Counts>| {
        let mut job = job;
        let (direct, passed) = (direct.clone(), passed.clone());
        job.outputs().direct().for_each(move |n| direct.lock().unwrap().push(n));
        job.outputs().passed().for_each(move |n| passed.lock().unwrap().push(n));
        job
    };
    everywhere(Counts::new()).stays().prepared(streams).run_alike(
        |job| {
            direct.lock().unwrap().clear();
            passed.lock().unwrap().clear();
            [3, 0, 4].into_iter().for_each(|to| job.inputs().to(to).unwrap());
            job.inputs().twice(7).unwrap();
        },
        |ended| {
            let expected = [0, 1, 2, 0, 1, 2, 3, 7, 8];
            assert_eq!(*direct.lock().unwrap(), expected, "{}", ended.engine);
            assert_eq!(*passed.lock().unwrap(), expected, "{}", ended.engine);
            // Another output is kept as ever.
            assert_eq!(
                ended.saved(&["outputs"]),
                serde_json::json!({"direct": [], "passed": [], "sums": [3, 0, 6]})
            );
        },
    );
}

#[test]
fn a_value_is_streamed_as_soon_as_its_step_has_ended() {
    let (see, seen) = mpsc::channel();
    let mut job = Counts::new().job();
    job.outputs().direct().for_each(move |n| see.send(n).unwrap());
    job.inputs().to(2).unwrap();
    job.inputs().to(1).unwrap();
    assert_eq!(seen.try_iter().count(), 0);
    assert!(job.step().unwrap());
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [0, 1]);
    assert!(job.step().unwrap());
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [0]);

    // On threads, while the job goes on: and by one thread at a time.
    within(1, || {
        let (see, seen) = mpsc::channel();
        let mut job = Counts::new().job();
        job.outputs().passed().for_each(move |n| see.send((n, thread::current().id())).unwrap());
        let job = job.start_on(&Pool::new(4).unwrap()).unwrap();
        for n in 1..=5 {
            job.inputs().to(n).unwrap();
            let got: Vec<(u64, ThreadId)> = (0..n).map(|_| seen.recv_timeout(LONG).unwrap()).collect();
            assert_eq!(got.iter().map(|(n, _)| *n).collect::<Vec<_>>(), (0..n).collect::<Vec<_>>());
            assert!(got.iter().all(|(_, of)| *of != thread::current().id()));
        }
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        assert_eq!((seen.try_iter().count(), job.outputs().passed().count()), (0, 0));
    });
}

#[test]
fn what_waits_at_the_output_already_is_streamed_first() {
    let mut job = Counts::new().job();
    job.inputs().to(2).unwrap();
    job.run_until_idle().unwrap();
    let seen = Seen::default();
    let own = seen.clone();
    job.outputs().direct().for_each(move |n| own.lock().unwrap().push(n));
    assert_eq!(*seen.lock().unwrap(), [0, 1]);
    job.inputs().to(1).unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(*seen.lock().unwrap(), [0, 1, 0]);
}

#[test]
fn nothing_of_a_failed_attempt_is_streamed() {
    let seen = Seen::default();
    let own = seen.clone();
    let mut job = Counts::new().job().clock(clock());
    job.outputs().direct().for_each(move |n| own.lock().unwrap().push(n));
    job.inputs().twice(13).unwrap();
    for _ in 0..2 {
        assert!(job.run().is_err());
        job.resume().unwrap();
    }
    assert_eq!(seen.lock().unwrap().len(), 0);
}

#[test]
fn a_function_that_panics_fails_the_job_and_is_named() {
    let streams = |job: Job<Counts>| {
        let mut job = job;
        job.outputs().direct().for_each(|n| assert!(n != 2, "two is too much"));
        job
    };
    everywhere(Counts::new()).seeds(5).prepared(streams).run(
        |job| job.inputs().to(4).unwrap(),
        |ended| {
            let at = &ended.engine;
            let error = ended.error.as_ref().unwrap_or_else(|| panic!("{at}: it has not failed"));
            assert!(matches!(error, Error::Execution { .. }), "{at}: {error}");
            let told = "what the output `direct` is streamed to panicked: two is too much";
            assert!(error.to_string().contains(told), "{at}: {error}");
            assert_eq!(ended.state.status(), Status::Failed, "{at}");
        },
    );
}

// ---- readers ----

/// Counts on and on, as far as it is let.
#[routine]
struct Numbers {
    to: u64,
    #[state]
    next: u64,
}

#[routine]
impl Numbers {
    #[event]
    fn n(n: u64);

    #[source(start)]
    fn count(&mut self, out: &mut Emit<Self>) -> More {
        if self.next == self.to {
            return More::Done;
        }
        out.n(self.next);
        self.next += 1;
        More::Now
    }
}

flow! {
    flow Outward(to: u64) {
        numbers: Numbers { to };
        numbers.n -> out read, out kept;
    }
}

#[test]
fn what_waits_at_an_output_that_someone_reads_takes_up_room_and_what_is_streamed_or_left_does_not() {
    within(1, || {
        let pool = Pool::new(2).unwrap();
        let job = Outward::new(1_000).job().capacity(10);
        job.control().pause("until someone reads");
        let job = job.start_on(&pool).unwrap();
        let mut read = job.outputs().read();
        job.resume().unwrap();
        job.close_inputs();
        // It stands still with as many as there is room for, though nobody reads the other.
        tests::patience::until("it has no room", || {
            job.progress().waiting() == 1 && job.progress().running() == 0
        });
        thread::sleep(Duration::from_millis(5));
        let calls = job.report().handled();
        assert!((9..=11).contains(&calls), "{calls}");
        assert_eq!(job.status(), Status::Running);
        // Each that is taken lets it go on.
        assert_eq!(read.by_ref().take(20).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
        tests::patience::until("it goes on", || job.report().handled() >= 29);
        // A second reader of the same output shares it; when both are gone the rest is left where it is.
        let second = read.clone();
        assert_eq!(read.next(), Some(20));
        assert_eq!(second.next_timeout(LONG), Some(21));
        drop((read, second));
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        assert_eq!(job.outputs().read().count(), 1_000 - 22);
        assert_eq!(job.outputs().kept().collect::<Vec<_>>(), (0..1_000).collect::<Vec<_>>());

        let sum = Arc::new(Mutex::new(0));
        let own = sum.clone();
        let mut job = Outward::new(1_000).job().capacity(1);
        job.outputs().read().for_each(move |n| *own.lock().unwrap() += n);
        let job = job.start_on(&pool).unwrap();
        assert_eq!(job.finish().unwrap().status(), Status::Completed);
        assert_eq!(*sum.lock().unwrap(), 999 * 1_000 / 2);
    });
}

#[test]
fn a_reader_that_has_room_makes_room_for_a_sender() {
    within(1, || {
        let job = Passing::new().job().capacity(2).start_on(&Pool::new(1).unwrap()).unwrap();
        let read = job.outputs().on();
        let (mut inputs, handle) = (job.inputs(), job.clone());
        let sender = thread::spawn(move || {
            for n in 0..100 {
                inputs.n(n).unwrap();
            }
            drop(inputs);
            handle.close_inputs();
        });
        let mut all = Vec::new();
        for n in read {
            all.push(n);
        }
        sender.join().unwrap();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    });
}

flow! {
    flow Passing() {
        pass: Pass;
        in n -> pass.n;
        pass.on -> out on;
    }
}
