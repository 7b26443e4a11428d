//! What a job does: order, fan-out and fan-in, feedback, merges, inputs and outputs, results, hooks, history.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Clock, Error, HistoryEntry, Outcome, Report, Retention};
use std::sync::mpsc;
use std::time::{Duration, SystemTime};
use tests::words::{Bank, Latest, WordCount};

/// Emits each number, then its double.
#[routine]
struct Twice;

#[routine]
impl Twice {
    #[event]
    fn out(n: u64);
    #[event]
    fn seen();

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.out(n);
        out.seen();
        out.out(2 * n);
    }
}

/// Passes on what it is given, with its own name.
#[routine]
struct Named {
    name: &'static str,
    #[state]
    count: u32,
}

#[routine]
impl Named {
    #[event]
    fn out(name: String, n: u64);

    #[slot]
    fn n(&mut self, n: &u64, out: &mut Emit<Self>) {
        self.count += 1;
        out.out(self.name.to_owned(), *n);
    }

    #[slot(optional)]
    fn tick(&mut self) {
        self.count += 100;
    }

    #[slot(optional)]
    fn pair(&mut self, name: &str, n: u64, out: &mut Emit<Self>) {
        out.out(name.to_uppercase(), n);
    }
}

flow! {
    flow Fan() {
        twice: Twice;
        a: Named { name: "a" };
        b: Named { name: "b" };
        c: Named { name: "c" };

        in n -> twice.n, c.n;
        twice.out -> a.n, b.n;
        twice.seen -> b.tick;
        a.out -> out all;
        b.out -> c.pair, out all;
        c.out -> out all;
    }
}

fn texts(all: impl Iterator<Item = (String, u64)>) -> Vec<String> {
    all.map(|(name, n)| format!("{name}{n}")).collect()
}

#[test]
fn deliveries_are_handled_in_the_order_they_are_emitted_and_connections_in_the_order_they_are_written() {
    let mut job = Fan::new().job();
    job.inputs().n(1).unwrap();
    job.inputs().n(5).unwrap();
    let report: Report = job.run().unwrap();
    assert_eq!(report.status(), Status::Completed);
    assert_eq!(
        texts(job.outputs().all()),
        ["c1", "c5", "a1", "b1", "a2", "b2", "a5", "b5", "a10", "b10", "B1", "B2", "B5", "B10"]
    );
    // 2 to twice, 2 to c, 4 to a, 6 to b (2 of them ticks), 4 pairs to c.
    assert_eq!(report.handled(), 18);
    assert_eq!(report.failed(), 0);
    assert_eq!(report.waiting(), []);
}

#[test]
fn the_same_input_gives_the_same_steps() {
    let run = || {
        let mut job = Fan::new().job().id("fan").clock(Clock::manual(SystemTime::UNIX_EPOCH));
        (0..20).for_each(|n| job.inputs().n(n).unwrap());
        let _ = job.run().unwrap();
        serde_json::to_string(&job.state().unwrap()).unwrap()
    };
    assert_eq!(run(), run());
}

#[test]
fn an_output_keeps_what_is_not_taken() {
    let mut job = Fan::new().job();
    job.inputs().n(1).unwrap();
    let _ = job.run().unwrap();
    assert_eq!(job.outputs().all().len(), 7);
    assert_eq!(job.outputs().all().next(), Some(("c".to_owned(), 1)));
    assert_eq!(texts(job.outputs().all().take(2)), ["a1", "b1"]);
    assert_eq!(texts(job.outputs().all()), ["a2", "b2", "B1", "B2"]);
    assert_eq!(job.outputs().all().next(), None);
}

#[test]
fn a_public_flow_of_another_crate_runs() {
    let mut job = WordCount::new(true).job();
    job.inputs().text("To be\nor not\nTO BE".into()).unwrap();
    job.run_until_idle().unwrap();
    job.inputs().end(0).unwrap();
    let report = job.run().unwrap();
    let totals: Vec<_> = report.result().unwrap().iter().map(|(word, n)| (word.as_str(), *n)).collect();
    assert_eq!(totals, [("be", 2), ("not", 1), ("or", 1), ("to", 2)]);
}

#[test]
fn a_public_flow_with_private_parts_and_a_result_that_is_only_a_payload() {
    fn run(job: &mut Job<Bank>) -> routilux::Result<<Bank as Flow>::Report> {
        job.inputs().pay(5)?;
        job.run()
    }
    let report = run(&mut Bank::new().job()).unwrap();
    assert_eq!(report.result().unwrap().0, 5);
    assert!(format!("{report:?}").contains("Completed"));
}

/// Counts down, by feedback to itself and around.
#[routine]
struct Down;

#[routine]
impl Down {
    #[event]
    fn again(n: u64);
    #[event]
    fn zero(steps: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        match n {
            0 => out.zero(0),
            _ => out.again(n - 1),
        }
    }
}

flow! {
    flow Feedback() {
        a: Down;
        b: Down;
        in n -> a.n;
        a.again -> b.n;
        b.again -> loop a.n;
        a.zero -> return;
        b.zero -> out at_b;
    }
}

#[test]
fn feedback_runs_until_it_ends() {
    let mut job = Feedback::new().job();
    job.inputs().n(1000).unwrap();
    job.inputs().n(7).unwrap();
    let report = job.run().unwrap();
    assert_eq!(report.result().unwrap(), &0);
    assert_eq!(report.handled(), 1001 + 8);
    assert_eq!(job.outputs().at_b().count(), 1);
}

/// Emits the sum of all so far at each arrival.
#[routine]
struct Sums;

#[routine]
impl Sums {
    #[event]
    fn sum(count: usize, sum: u64);

    #[slot(merge = "append")]
    fn n(&mut self, all: &[u64], out: &mut Emit<Self>) {
        out.sum(all.len(), all.iter().sum());
    }
}

flow! {
    flow Appended() {
        twice: Twice;
        sums: Sums;
        in n -> twice.n;
        in direct -> sums.n;
        twice.out -> sums.n;
        ignore twice.seen;
        sums.sum -> out sums;
    }
}

#[test]
fn append_hands_over_all_arrivals_so_far_from_every_connection() {
    let mut job = Appended::new().job();
    job.inputs().n(1).unwrap();
    job.inputs().direct(10).unwrap();
    job.inputs().n(5).unwrap();
    let _ = job.run().unwrap();
    assert_eq!(job.outputs().sums().collect::<Vec<_>>(), [(1, 10), (2, 11), (3, 13), (4, 18), (5, 28)]);
}

flow! {
    flow Generic() {
        text: Latest<String>;
        number: Latest<u64>;
        in text -> text.next;
        in number -> number.next;
        text.moved -> out texts;
        number.moved -> return;
    }
}

#[test]
fn a_routine_with_a_type_parameter_is_used_at_two_types() {
    let mut job = Generic::new().job();
    job.inputs().text("a".into()).unwrap();
    job.inputs().text("b".into()).unwrap();
    job.inputs().number(3).unwrap();
    let report = job.run().unwrap();
    assert_eq!(report.result().unwrap(), &(None, 3));
    let moved: Vec<_> = job.outputs().texts().collect();
    assert_eq!(moved, [(None, "a".to_owned()), (Some("a".to_owned()), "b".to_owned())]);
}

#[test]
fn without_a_value_at_return_the_result_is_an_error_that_names_what_waits() {
    let mut job = Feedback::new().job();
    job.inputs().n(1).unwrap();
    job.inputs().n(3).unwrap();
    job.step().unwrap();
    let error = job.report().result().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the flow `Feedback` gave no result: the job is running; still waiting: 1 at `a.n`, 1 at `b.n`"
    );
    let empty = Feedback::new().job().run().unwrap();
    assert_eq!(
        empty.result().unwrap_err().to_string(),
        "the flow `Feedback` gave no result: the job is completed; nothing waits"
    );
}

#[test]
fn further_results_are_counted() {
    let mut job = Feedback::new().job();
    [0, 2, 4].iter().for_each(|n| job.inputs().n(*n).unwrap());
    let report = job.run().unwrap();
    assert_eq!((report.result().unwrap(), report.further_results()), (&0, 2));
}

#[test]
fn the_life_of_a_job() {
    let mut job = Feedback::new().job();
    assert_eq!(job.status(), Status::Pending);
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    job.inputs().n(1).unwrap();
    assert!(job.step().unwrap());
    assert_eq!(job.status(), Status::Running);
    assert!(job.step().unwrap());
    assert!(!job.step().unwrap());
    assert_eq!(job.status(), Status::Waiting);
    job.close_inputs();
    assert!(!job.step().unwrap());
    assert_eq!(job.status(), Status::Completed);

    let error = job.inputs().n(1).unwrap_err();
    assert!(matches!(error, Error::State { .. }));
    assert!(error.to_string().contains("the input `n` takes nothing more: its inputs are closed"), "{error}");
    // To run what has completed says so again, and to pause or cancel it changes nothing.
    job.pause("late");
    job.cancel("late").unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
}

#[test]
fn a_paused_job_does_not_run_until_it_is_resumed() {
    let mut job = Feedback::new().job();
    job.inputs().n(3).unwrap();
    job.step().unwrap();
    job.pause("first reason");
    job.pause("second reason");
    assert_eq!((job.status(), job.reason()), (Status::Paused, Some("first reason")));
    assert!(!job.step().unwrap());
    assert_eq!(job.run_until_idle().unwrap(), Status::Paused);
    let report = job.run().unwrap();
    assert_eq!(
        (report.status(), report.reason(), report.handled()),
        (Status::Paused, Some("first reason"), 1)
    );
    // Its inputs are still open: `run` did nothing to it.
    job.inputs().n(1).unwrap();
    job.resume().unwrap();
    assert_eq!(job.reason(), None);
    assert_eq!(job.run().unwrap().handled(), 4 + 2);
}

#[test]
fn a_cancelled_job_is_over_and_says_what_waits() {
    let mut job = Feedback::new().job();
    job.inputs().n(3).unwrap();
    job.cancel("no longer needed").unwrap();
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.reason()), (Status::Cancelled, Some("no longer needed")));
    assert_eq!(report.waiting(), [("a.n".to_owned(), 1)]);
    assert_eq!(report.handled(), 0);
    let error = job.resume().unwrap_err();
    assert!(
        error.to_string().ends_with("it was cancelled (no longer needed) and cannot be resumed"),
        "{error}"
    );
    assert!(job.inputs().n(1).unwrap_err().to_string().ends_with("it was cancelled"));
}

#[test]
fn to_resume_is_the_last_word_on_the_pauses_before_it_and_not_on_a_cancel() {
    let mut job = Feedback::new().job();
    let control = job.control();
    job.inputs().n(3).unwrap();
    control.pause("once");
    assert_eq!(job.run_until_idle().unwrap(), Status::Paused);
    control.pause("twice");
    job.resume().unwrap();
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);

    job.inputs().n(3).unwrap();
    job.pause("again");
    control.cancel("enough");
    control.pause("too late");
    job.resume().unwrap();
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.reason()), (Status::Cancelled, Some("enough")));

    // And a paused job is cancelled without being resumed.
    let mut job = Feedback::new().job();
    job.pause("first");
    job.control().cancel("second");
    assert_eq!(job.run().unwrap().status(), Status::Cancelled);
}

#[test]
fn a_request_from_another_thread_is_never_lost() {
    for _ in 0..200 {
        let mut job = Feedback::new().job();
        job.inputs().n(u64::MAX).unwrap();
        let control = job.control();
        let asker = std::thread::spawn(move || {
            control.pause("from afar");
            control.cancel("from afar");
        });
        loop {
            match job.run_until_idle().unwrap() {
                Status::Paused => job.resume().unwrap(),
                Status::Cancelled => break,
                other => panic!("{other}"),
            }
        }
        asker.join().unwrap();
    }
}

/// Pauses or cancels its job at a number.
#[routine]
struct Brake {
    pause_at: u64,
    cancel_at: u64,
    #[state]
    handled: Vec<u64>,
}

#[routine]
impl Brake {
    #[event]
    fn passed(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        self.handled.push(n);
        out.passed(n);
        if n == self.pause_at {
            cx.pause("at the light");
        }
        if n == self.cancel_at {
            cx.cancel("wrong way");
        }
        if n == 99 {
            cx.pause("and yet");
            return Err("broken down".into());
        }
        Ok(())
    }
}

flow! {
    flow Road(pause_at: u64, cancel_at: u64) {
        brake: Brake { pause_at, cancel_at };
        in n -> brake.n;
        brake.passed -> out passed;
    }
}

#[test]
fn a_handler_pauses_its_job_after_its_own_step() {
    let mut job = Road::new(2, 4).job();
    (1..=5).for_each(|n| job.inputs().n(n).unwrap());
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.reason()), (Status::Paused, Some("at the light")));
    assert_eq!(job.outputs().passed().collect::<Vec<_>>(), [1, 2]);
    job.resume().unwrap();
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.reason()), (Status::Cancelled, Some("wrong way")));
    assert_eq!(job.outputs().passed().collect::<Vec<_>>(), [3, 4]);
    assert_eq!(report.waiting(), [("brake.n".to_owned(), 1)]);
}

#[test]
fn what_a_handler_asks_for_is_done_by_the_step_and_saved_with_the_job() {
    let mut job = Road::new(1, 2).job();
    (1..=3).for_each(|n| job.inputs().n(n).unwrap());
    assert!(job.step().unwrap());
    assert_eq!((job.status(), job.reason()), (Status::Paused, Some("at the light")));
    job.resume().unwrap();
    assert!(job.step().unwrap());
    assert_eq!((job.status(), job.reason()), (Status::Cancelled, Some("wrong way")));
    assert!(job.inputs().n(4).is_err());

    // Asked from elsewhere, and saved before anything ran.
    let mut job = Road::new(0, 0).job();
    job.inputs().n(1).unwrap();
    job.control().pause("from afar");
    let state = job.state().unwrap();
    assert_eq!((state.status(), state.reason()), (Status::Paused, Some("from afar")));
    job.control().cancel("from afar");
    assert_eq!(job.state().unwrap().status(), Status::Cancelled);
}

#[test]
fn what_is_asked_of_a_failed_job_is_forgotten_and_a_cancelled_one_stays_so() {
    let mut job = Road::new(0, 0).job();
    job.inputs().n(99).unwrap();
    assert!(job.run().is_err());
    job.control().cancel("too late");
    job.resume().unwrap();
    assert!(job.run().unwrap_err().to_string().contains("broken down"));

    let mut job = Road::new(0, 0).job().on_end(|_, _| panic!("at the end"));
    job.inputs().n(1).unwrap();
    assert!(matches!(job.cancel("for good").unwrap_err(), Error::Execution { .. }));
    assert_eq!((job.status(), job.reason()), (Status::Cancelled, Some("for good")));
    assert!(job.resume().is_err());
}

#[test]
fn a_pause_at_the_last_delivery_is_a_pause() {
    let mut job = Road::new(1, 0).job();
    job.inputs().n(1).unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Paused);
    job.resume().unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
}

#[test]
fn a_failure_is_not_hidden_by_a_pause() {
    let mut job = Road::new(0, 0).job();
    job.inputs().n(99).unwrap();
    let error = job.run().unwrap_err();
    assert!(error.to_string().contains("broken down"));
    assert_eq!(job.status(), Status::Failed);
    assert_eq!(job.outputs().passed().next(), None);
}

#[test]
fn hooks_are_called_in_order() {
    let (tell, told) = mpsc::channel::<String>();
    let [a, b, c, d, e] = [tell.clone(), tell.clone(), tell.clone(), tell.clone(), tell];
    let mut job = Road::new(2, 0)
        .job()
        .on_start(move |cx| a.send(format!("start {} {}", cx.job(), cx.delivery())).unwrap())
        .before_handler(move |cx, handler| b.send(format!("before {handler} {}", cx.delivery())).unwrap())
        .before_handler(move |_, handler| c.send(format!("and {}", handler.routine)).unwrap())
        .after_handler(move |_, entry: &HistoryEntry| {
            d.send(format!("after {} {} {}", entry.slot, entry.sequence, entry.emitted)).unwrap();
        })
        .on_end(move |_, status| e.send(format!("end {status}")).unwrap())
        .id("road-1");
    assert!(told.try_recv().is_err());
    [1, 2, 3].iter().for_each(|n| job.inputs().n(*n).unwrap());
    assert_eq!(job.run().unwrap().status(), Status::Paused);
    job.resume().unwrap();
    let _ = job.run().unwrap();
    let told: Vec<String> = told.try_iter().collect();
    assert_eq!(
        told,
        [
            "start road-1 0",
            "before brake.n 1",
            "and brake",
            "after n 1 1",
            "before brake.n 2",
            "and brake",
            "after n 2 1",
            "before brake.n 3",
            "and brake",
            "after n 3 1",
            "end completed",
        ]
    );
}

#[test]
fn hooks_are_told_of_failures_and_of_the_end_also_without_history() {
    let (tell, told) = mpsc::channel::<String>();
    let [a, b] = [tell.clone(), tell];
    let mut job = Road::new(0, 0)
        .job()
        .retention(Retention::none())
        .after_handler(move |_, entry| a.send(format!("{} {:?}", entry.delivery, entry.outcome)).unwrap())
        .on_end(move |_, status| b.send(status.to_string()).unwrap());
    job.inputs().n(1).unwrap();
    job.inputs().n(99).unwrap();
    assert!(job.run().is_err());
    assert_eq!(told.try_iter().collect::<Vec<_>>(), ["1 Handled", "2 Failed(\"broken down\")", "failed"]);
    assert_eq!(job.history().count(), 0);
}

#[test]
fn a_hook_can_pause() {
    let mut job = Road::new(0, 0).job().after_handler(|cx, entry| {
        if entry.sequence == 2 {
            cx.pause("two are enough");
        }
    });
    (1..=5).for_each(|n| job.inputs().n(n).unwrap());
    let report = job.run().unwrap();
    assert_eq!((report.status(), report.handled()), (Status::Paused, 2));
}

#[test]
fn a_hook_that_panics_fails_the_job_and_loses_nothing() {
    let mut job = Road::new(0, 0).job().before_handler(|cx, _| assert!(cx.delivery() != 2, "no twos"));
    (1..=3).for_each(|n| job.inputs().n(n).unwrap());
    let error = job.run().unwrap_err();
    assert!(matches!(error, Error::Execution { .. }));
    assert!(error.to_string().ends_with("the hook before `brake.n` panicked: no twos"), "{error}");
    assert_eq!(job.status(), Status::Failed);
    assert_eq!(job.report().waiting(), [("brake.n".to_owned(), 2)]);
    assert_eq!(job.outputs().passed().collect::<Vec<_>>(), [1]);

    let mut again = Road::new(0, 0).resume(job.state().unwrap()).unwrap();
    let _ = again.run().unwrap();
    assert_eq!(again.outputs().passed().collect::<Vec<_>>(), [2, 3]);

    for panicking in [
        Road::new(0, 0).job().on_start(|_| panic!("start")),
        Road::new(0, 0).job().after_handler(|_, _| panic!("after")),
        Road::new(0, 0).job().on_end(|_, _| panic!("end")),
    ] {
        let mut job = panicking;
        job.inputs().n(1).unwrap();
        let error = job.run().unwrap_err();
        assert!(matches!(error, Error::Execution { .. }), "{error}");
        assert_eq!(job.status(), Status::Failed);
        assert!(job.run().unwrap_err().to_string().contains("it has failed"));
    }
}

#[test]
fn the_history_says_what_was_done() {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
    let mut job = Fan::new().job().clock(clock.clone());
    job.inputs().n(4).unwrap();
    job.step().unwrap();
    clock.advance(Duration::from_millis(1_500));
    let _ = job.run().unwrap();
    let entries: Vec<HistoryEntry> = job.history().collect();
    assert_eq!(entries.len(), 9);
    let first = &entries[0];
    assert_eq!((first.sequence, first.delivery, first.emitted), (1, 1, 3));
    assert_eq!((&*first.routine, &*first.slot, &first.outcome), ("twice", "n", &Outcome::Handled));
    assert_eq!(first.time, SystemTime::UNIX_EPOCH + Duration::from_secs(1_000));
    assert_eq!(entries[1].time, SystemTime::UNIX_EPOCH + Duration::from_millis(1_001_500));
    let of_b: Vec<_> = job.history_of("b").map(|entry| (entry.slot.into_owned(), entry.emitted)).collect();
    assert_eq!(of_b, [("n".to_owned(), 1), ("tick".to_owned(), 0), ("n".to_owned(), 1)]);
    assert_eq!(job.history_of("nobody").count(), 0);
}

#[test]
fn retention_bounds_the_history_by_number_and_by_age() {
    let run = |retention| {
        let mut job = Road::new(0, 0).job().retention(retention);
        (1..=5000).for_each(|n| job.inputs().n(n * 100).unwrap());
        assert_eq!(job.run().unwrap().handled(), 5000);
        job.history().map(|entry| entry.sequence).collect::<Vec<u64>>()
    };
    assert_eq!(run(Retention::default()), (4001..=5000).collect::<Vec<u64>>());
    assert!(run(Retention::none()).is_empty());
    assert_eq!(run(Retention::unlimited()).len(), 5000);
    assert_eq!(run(Retention { max_history_size: Some(3), history_ttl_seconds: None }), [4998, 4999, 5000]);

    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let retention = Retention { max_history_size: None, history_ttl_seconds: Some(10) };
    let mut job = Road::new(0, 0).job().clock(clock.clone()).retention(retention);
    for n in 1..=5 {
        job.inputs().n(n).unwrap();
        job.run_until_idle().unwrap();
        clock.advance(Duration::from_secs(4));
    }
    // They ended at 0, 4, 8, 12 and 16 seconds; it is 20 now.
    assert_eq!(job.history().map(|entry| entry.sequence).collect::<Vec<_>>(), [4, 5]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(job.history().count(), 0);
}

#[test]
fn times_are_not_staler_than_the_clock_however_slow_a_handler_is() {
    #[routine]
    struct Slow;
    #[routine]
    impl Slow {
        #[event]
        fn done(at: SystemTime);
        #[slot]
        fn n(&self, _n: u64, out: &mut Emit<Self>) {
            std::thread::sleep(Duration::from_millis(60));
            out.done(SystemTime::now());
        }
    }
    flow! { flow Slowly() { slow: Slow; in n -> slow.n; slow.done -> out done; } }
    let mut job = Slowly::new().job();
    (0..3).for_each(|n| job.inputs().n(n).unwrap());
    let _ = job.run().unwrap();
    let times: Vec<SystemTime> = job.history().map(|entry| entry.time).collect();
    for (told, exact) in times.iter().zip(job.outputs().done()) {
        let off = exact.duration_since(*told).unwrap_or_else(|error| error.duration());
        assert!(off < Duration::from_millis(30), "{off:?} off");
    }
}

#[test]
fn ids_are_sortable_uuids_unless_given() {
    let [a, b] = [Feedback::new().job(), Feedback::new().job()];
    assert!(a.job_id() != b.job_id());
    assert_eq!(a.job_id().as_str().len(), 36);
    assert_eq!(a.job_id().as_str().as_bytes()[14], b'7');
    assert_eq!(Feedback::new().job().id("mine").job_id().as_str(), "mine");
}

#[test]
fn jobs_of_one_flow_share_nothing_but_the_configuration() {
    let flow = WordCount::new(false);
    let [mut a, mut b] = [flow.job(), flow.job()];
    a.inputs().text("x".into()).unwrap();
    b.inputs().text("y y".into()).unwrap();
    for job in [&mut a, &mut b] {
        job.run_until_idle().unwrap();
        job.inputs().end(0).unwrap();
    }
    assert_eq!(a.run().unwrap().result().unwrap().len(), 1);
    assert_eq!(b.run().unwrap().result().unwrap()["y"], 2);
}

#[test]
fn the_flow_is_data() {
    let graph = WordCount::graph();
    assert_eq!(graph.name, "WordCount");
    assert_eq!(graph.routines[1].slots[0].payload, "String");
    assert_eq!(graph.connections[2].to_string(), "tok.word -> count.word");
    assert_eq!(graph.inputs(), ["text", "end"]);
}
