//! Live events: seen before their handler returns, with the attempt that sent them, and kept for nobody who does not ask.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Live, LiveOutput};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context as Task, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Longer than anything here takes: what would hang fails instead.
const LONG: Duration = Duration::from_secs(20);

/// What a live event carries needs no serde and no `Clone`. Counts how many of them there are.
#[derive(Debug)]
struct Token {
    n: u64,
    _alive: Arc<()>,
}

/// What the reader and the writer have in common: resources, of which a job keeps nothing.
#[derive(Clone, Default)]
struct Shared {
    fails: Arc<AtomicBool>,
    alive: Arc<()>,
    /// Asked for a word after every token, if it is there.
    confirmed: Arc<Mutex<Option<Receiver<()>>>>,
}

#[routine]
struct Model {
    #[resource]
    shared: Shared,
    #[state]
    answered: u64,
}

#[routine]
impl Model {
    /// One token of the answer.
    #[event(live)]
    fn token(token: Token);
    /// How many there will be, and of how many.
    #[event(live)]
    fn progress(done: u64, of: u64);
    #[event]
    fn answer(sum: u64);

    #[slot]
    fn ask(&mut self, tokens: &u64, out: &mut Emit<Self>) -> Result {
        self.answered += 1;
        for n in 0..*tokens {
            out.token(Token { n, _alive: Arc::clone(&self.shared.alive) });
            out.progress(n + 1, *tokens);
            if let Some(confirmed) = &*self.shared.confirmed.lock().unwrap() {
                confirmed.recv_timeout(LONG)?;
            }
        }
        out.answer(*tokens);
        match self.shared.fails.load(Ordering::Relaxed) {
            true => Err("the line is dead".into()),
            false => Ok(()),
        }
    }
}

flow! {
    flow Chat(shared: Shared) {
        model: Model { shared };
        in ask         -> model.ask;
        model.token    -> out tokens;
        model.progress -> out progress;
        model.answer   -> return;
    }
}

/// Nothing is connected to `token`.
mod deaf {
    #![allow(deprecated)]
    use super::*;

    flow! {
        pub(super) flow Deaf(shared: Shared) {
            model: Model { shared };
            in ask         -> model.ask;
            model.answer   -> return;
            ignore model.token;
        }
    }
}

fn numbers(output: &LiveOutput<Token>) -> Vec<(u64, u32)> {
    std::iter::from_fn(|| output.try_next()).map(|live| (live.payload.n, live.attempt)).collect()
}

#[test]
fn a_live_event_is_seen_before_its_handler_returns() {
    let (confirm, confirmed) = mpsc::channel();
    let shared = Shared { confirmed: Arc::new(Mutex::new(Some(confirmed))), ..Shared::default() };
    let mut job = Chat::new(shared).job();
    job.inputs().ask(3).unwrap();
    let tokens = job.outputs().tokens();
    let reader = thread::spawn(move || {
        let mut seen = Vec::new();
        while let Some(token) = tokens.next_timeout(LONG) {
            seen.push((token.payload.n, token.attempt, token.delivery));
            // The handler goes on only when it is told that its token was seen.
            confirm.send(()).unwrap();
        }
        assert!(tokens.is_ended());
        seen
    });
    assert_eq!(job.run().unwrap().result().unwrap(), &3);
    assert_eq!(reader.join().unwrap(), [(0, 1, 1), (1, 1, 1), (2, 1, 1)]);
}

#[test]
fn what_a_failed_attempt_sent_live_has_left_and_the_next_one_says_so() {
    let shared = Shared::default();
    shared.fails.store(true, Ordering::Relaxed);
    let mut job = Chat::new(shared.clone()).job();
    job.inputs().ask(2).unwrap();
    let mut tokens = job.outputs().tokens();
    assert!(matches!(job.run(), Err(Error::SlotHandler { attempts: 1, .. })));
    assert_eq!(numbers(&tokens), [(0, 1), (1, 1)]);
    // It has ended with the failure; until the job goes on there is nothing to wait for.
    assert!(tokens.next().is_none());
    let again = job.outputs().tokens();
    assert!(again.is_ended() && again.clone().next().is_none());

    shared.fails.store(false, Ordering::Relaxed);
    job.resume().unwrap();
    assert!(!tokens.is_ended());
    assert_eq!(job.run().unwrap().result().unwrap(), &2);
    assert_eq!(again.map(|live| (live.payload.n, live.attempt)).collect::<Vec<_>>(), [(0, 2), (1, 2)]);
}

#[test]
fn a_job_that_was_saved_goes_on_live_and_says_which_attempt_it_is() {
    let shared = Shared::default();
    shared.fails.store(true, Ordering::Relaxed);
    let mut job = Chat::new(shared.clone()).job();
    job.inputs().ask(1).unwrap();
    let tokens = job.outputs().tokens();
    assert!(job.run().is_err());
    let state = job.state().unwrap();
    drop(job);
    assert_eq!(numbers(&tokens), [(0, 1)]);

    let mut job = Chat::new(Shared::default()).resume(state).unwrap();
    let tokens = job.outputs().tokens();
    assert_eq!(job.run().unwrap().result().unwrap(), &1);
    assert_eq!(numbers(&tokens), [(0, 2)]);
    // One that is at its end is so in the next process too.
    let mut job = Chat::new(Shared::default()).resume(job.state().unwrap()).unwrap();
    assert!(job.outputs().tokens().next().is_none());
}

#[test]
fn a_unit_test_reads_live_events_like_others() {
    let mut out = Emit::<Model>::default();
    let mut model = Model { shared: Shared::default(), answered: 0 };
    model.ask(&2, &mut out).unwrap();
    assert_eq!(out.emitted().token().iter().map(|token| token.n).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(out.emitted().progress(), [&(1, 2), &(2, 2)]);
    assert_eq!(out.emitted().events(), ["token", "progress", "token", "progress", "answer"]);
}

#[test]
fn nothing_is_kept_for_nobody() {
    let shared = Shared::default();
    let alive = Arc::downgrade(&shared.alive);
    let tokens_alive = |others: usize| Weak::strong_count(&alive) - others;
    let mut job = Chat::new(shared.clone()).job();
    let others = Weak::strong_count(&alive);
    let send = |job: &mut Job<Chat>| {
        job.inputs().ask(10).unwrap();
        job.run_until_idle().unwrap();
    };
    send(&mut job);
    assert_eq!(tokens_alive(others), 0);
    // What came before is gone; and what nobody reads any more, too.
    let tokens = job.outputs().tokens();
    assert!(tokens.try_next().is_none());
    send(&mut job);
    assert_eq!(tokens_alive(others), 10);
    let second = tokens.clone();
    drop(tokens);
    assert_eq!(tokens_alive(others), 10);
    assert_eq!(second.try_next().unwrap().payload.n, 0);
    drop(second);
    assert_eq!(tokens_alive(others), 0);
    send(&mut job);
    assert_eq!(tokens_alive(others), 0);
    // Only what is sent from now on, and by any of the receivers.
    let (one, other) = (job.outputs().tokens(), job.outputs().tokens());
    send(&mut job);
    assert_eq!(one.try_next().unwrap().payload.n, 0);
    assert_eq!(other.try_next().unwrap().payload.n, 1);
    assert_eq!(numbers(&one).len(), 8);
    assert!(other.try_next().is_none());
}

#[test]
fn a_live_event_that_leads_nowhere_is_dropped_at_once() {
    let shared = Shared::default();
    let (alive, kept) = (Arc::downgrade(&shared.alive), shared.alive.clone());
    let mut job = deaf::Deaf::new(shared.clone()).job();
    let before = Weak::strong_count(&alive);
    job.inputs().ask(1_000).unwrap();
    let report = job.run().unwrap();
    assert_eq!(report.result().unwrap(), &1_000);
    assert_eq!(Weak::strong_count(&alive), before);
    // It is no delivery, nor counted among what the step emitted.
    assert_eq!(job.history().next().unwrap().emitted, 1);
    drop(kept);
}

#[test]
fn what_waits_too_long_makes_room_and_is_counted() {
    const MOST: u64 = 65_536;
    let mut job = Chat::new(Shared::default()).job();
    let (tokens, progress) = (job.outputs().tokens(), job.outputs().progress());
    job.inputs().ask(MOST + 3).unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(tokens.missed(), 3);
    assert_eq!(tokens.try_next().unwrap().payload.n, 3);
    assert_eq!(progress.last().unwrap().payload, (MOST + 3, MOST + 3));
    assert_eq!(tokens.count() as u64, MOST - 1);
}

/// A reader that is blocked, and what it was given until its job ended.
fn blocked(job: &mut Job<Chat>) -> (thread::JoinHandle<()>, Receiver<u64>) {
    let tokens = job.outputs().tokens();
    let (send, given) = mpsc::channel();
    let reader = thread::spawn(move || {
        tokens.for_each(|token| send.send(token.payload.n).unwrap());
    });
    (reader, given)
}

fn all(given: &Receiver<u64>) -> Vec<u64> {
    let mut all = Vec::new();
    loop {
        match given.recv_timeout(LONG) {
            Ok(n) => all.push(n),
            Err(mpsc::RecvTimeoutError::Disconnected) => return all,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the reader still waits"),
        }
    }
}

#[test]
fn receivers_end_with_the_job() {
    type End = fn(Job<Chat>, &Shared) -> Option<Job<Chat>>;
    let ends: [End; 4] = [
        |mut job, _| {
            assert_eq!(job.run().unwrap().status(), Status::Completed);
            Some(job)
        },
        |mut job, shared| {
            shared.fails.store(true, Ordering::Relaxed);
            job.run().unwrap_err();
            Some(job)
        },
        |mut job, _| {
            job.run_until_idle().unwrap();
            job.cancel("no longer needed").unwrap();
            Some(job)
        },
        |mut job, _| {
            job.run_until_idle().unwrap();
            drop(job);
            None
        },
    ];
    for end in ends {
        let shared = Shared::default();
        let mut job = Chat::new(shared.clone()).job();
        let (reader, given) = blocked(&mut job);
        job.inputs().ask(2).unwrap();
        let job = end(job, &shared);
        assert_eq!(all(&given), [0, 1]);
        reader.join().unwrap();
        // Later ones have ended when they are made.
        if let Some(mut job) = job {
            assert!(job.outputs().tokens().next().is_none());
        }
    }
}

#[test]
fn a_job_that_stands_still_has_not_ended() {
    let mut job = Chat::new(Shared::default()).job();
    let tokens = job.outputs().tokens();
    job.inputs().ask(1).unwrap();
    assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    job.pause("lunch");
    assert_eq!(tokens.try_next().unwrap().payload.n, 0);
    assert!(!tokens.is_ended());
    assert!(tokens.next_timeout(Duration::from_millis(5)).is_none());
    assert!(!tokens.is_ended());
}

/// Wakes a thread, and counts how often.
struct Unpark(Thread, AtomicU32);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.unpark();
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let unpark = Arc::new(Unpark(thread::current(), AtomicU32::new(0)));
    let waker = Waker::from(Arc::clone(&unpark));
    let mut future = pin!(future);
    loop {
        let before = unpark.1.load(Ordering::Relaxed);
        if let Poll::Ready(value) = future.as_mut().poll(&mut Task::from_waker(&waker)) {
            return value;
        }
        let since = Instant::now();
        while unpark.1.load(Ordering::Relaxed) == before {
            assert!(since.elapsed() < LONG, "nobody wakes it");
            thread::park_timeout(LONG);
        }
    }
}

#[test]
fn a_task_of_any_runtime_receives() {
    let (confirm, confirmed): (Sender<()>, _) = mpsc::channel();
    let shared = Shared { confirmed: Arc::new(Mutex::new(Some(confirmed))), ..Shared::default() };
    let mut job = Chat::new(shared).job();
    job.inputs().ask(100).unwrap();
    let tokens = job.outputs().tokens();
    let reader = thread::spawn(move || {
        block_on(async move {
            let mut seen = 0;
            while let Some(token) = tokens.next_async().await {
                assert_eq!(token.payload.n, seen);
                seen += 1;
                confirm.send(()).unwrap();
            }
            seen
        })
    });
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(reader.join().unwrap(), 100);
}

#[test]
fn a_future_that_is_dropped_loses_nothing_and_leaves_nothing() {
    let mut job = Chat::new(Shared::default()).job();
    let tokens = job.outputs().tokens();
    let unpark = Arc::new(Unpark(thread::current(), AtomicU32::new(0)));
    let waker = Waker::from(Arc::clone(&unpark));
    let mut task = Task::from_waker(&waker);
    for _ in 0..10 {
        let mut dropped = Box::pin(tokens.next_async());
        assert!(dropped.as_mut().poll(&mut task).is_pending());
        assert!(dropped.as_mut().poll(&mut task).is_pending());
    }
    // Ours and the waker's: none of the ten.
    assert_eq!(Arc::strong_count(&unpark), 2);
    let mut kept = Box::pin(tokens.next_async());
    let mut dropped = Box::pin(tokens.next_async());
    assert!(kept.as_mut().poll(&mut task).is_pending());
    assert!(dropped.as_mut().poll(&mut task).is_pending());
    job.inputs().ask(1).unwrap();
    job.run_until_idle().unwrap();
    drop(dropped);
    assert_eq!(unpark.1.load(Ordering::Relaxed), 2);
    let Poll::Ready(Some(token)) = kept.as_mut().poll(&mut task) else { panic!("it came") };
    assert_eq!(token.payload.n, 0);
}

#[test]
fn several_threads_share_one_queue() {
    let mut job = Chat::new(Shared::default()).job();
    let tokens = job.outputs().tokens();
    let readers: Vec<_> = (0..4)
        .map(|number| {
            let tokens = tokens.clone();
            thread::spawn(move || match number % 2 {
                0 => tokens.map(|token| token.payload.n).collect::<Vec<_>>(),
                _ => block_on(async {
                    let mut all = Vec::new();
                    while let Some(token) = tokens.next_async().await {
                        all.push(token.payload.n);
                    }
                    all
                }),
            })
        })
        .collect();
    job.inputs().ask(10_000).unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    let mut all: Vec<u64> = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..10_000).collect::<Vec<_>>());
}

/// Several live events to one output, and one to several, of a generic routine whose fields are not `Send`.
mod wiring {
    use super::*;

    #[routine]
    pub(super) struct Echo<T: Payload + Clone + Send> {
        last: Option<Rc<T>>,
    }

    #[routine]
    impl<T: Payload + Clone + Send> Echo<T> {
        #[event]
        fn done();
        #[event(live)]
        fn heard(what: T);
        #[event(live)]
        fn twice(what: T);

        #[slot]
        fn say(&self, what: T, out: &mut Emit<Self>) {
            let _ = &self.last;
            out.heard(what.clone());
            out.twice(what);
            out.done();
        }
    }

    flow! {
        pub(super) flow Echoes() {
            echo: Echo<String> { last: None };
            other: Echo<String> { last: None };
            in say -> echo.say, other.say;
            echo.heard -> out heard;
            other.heard -> out heard;
            other.twice -> out heard;
            ignore echo.twice;
            ignore echo.done;
            ignore other.done;
        }
    }

    flow! {
        pub(super) flow Fan() {
            echo: Echo<String> { last: None };
            in say -> echo.say;
            echo.heard -> out heard, out also, out third;
            echo.twice -> out heard;
            echo.done -> out done;
        }
    }
}

fn words(output: &LiveOutput<String>) -> Vec<(String, u64)> {
    std::iter::from_fn(|| output.try_next())
        .map(|Live { payload, delivery, .. }| (payload, delivery))
        .collect()
}

#[test]
fn live_events_share_outputs_and_have_several() {
    let mut job = wiring::Echoes::new().job();
    let heard = job.outputs().heard();
    job.inputs().say("a".into()).unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(words(&heard), [("a".into(), 1), ("a".into(), 2), ("a".into(), 2)]);

    let mut job = wiring::Fan::new().job();
    // Nobody listens to `also`.
    let (heard, third) = (job.outputs().heard(), job.outputs().third());
    job.inputs().say("b".into()).unwrap();
    assert_eq!(job.run().unwrap().status(), Status::Completed);
    assert_eq!(words(&heard), [("b".into(), 1), ("b".into(), 1)]);
    assert_eq!(words(&third), [("b".into(), 1)]);
    assert_eq!(job.outputs().done().count(), 1);
}

#[test]
fn a_graph_says_which_events_are_live() {
    let graph = Chat::graph();
    let live: Vec<_> =
        graph.routines[0].events.iter().map(|event| (event.name.as_str(), event.live)).collect();
    assert_eq!(live, [("token", true), ("progress", true), ("answer", false)]);
}

/// On threads.
mod threads {
    use super::*;

    /// Sends while others of it do.
    #[routine]
    pub(super) struct Crier {
        #[resource]
        fails: Arc<AtomicBool>,
    }

    #[routine]
    impl Crier {
        #[event(live)]
        fn cried(n: u64);
        // What goes from thread to thread need not be used by several at once.
        #[event]
        fn done(n: std::cell::Cell<u64>);

        #[slot]
        fn cry(&self, n: &u64, out: &mut Emit<Self>) -> Result {
            (0..10).for_each(|_| out.cried(*n));
            out.done((*n).into());
            match self.fails.load(Ordering::Relaxed) {
                true => Err("hoarse".into()),
                false => Ok(()),
            }
        }
    }

    flow! {
        pub(super) flow Cries(fails: Arc<AtomicBool>) {
            crier: Crier { fails };
            in n -> crier.cry;
            crier.cried -> out cries;
            crier.done -> out done;
        }
    }
}

#[test]
fn a_job_on_threads_sends_live() {
    let job = threads::Cries::new(Arc::default()).job().workers(4).start().unwrap();
    let cries = job.outputs().cries();
    let reader = thread::spawn(move || {
        let mut cries: Vec<_> = cries.map(|live| (live.delivery, live.payload, live.attempt)).collect();
        cries.sort_unstable();
        cries
    });
    for n in 1..=100 {
        job.inputs().n(n).unwrap();
    }
    let report = job.finish().unwrap();
    assert_eq!(report.handled(), 100);
    let cries = reader.join().unwrap();
    assert_eq!(cries.len(), 1000);
    for (at, of_one) in cries.chunks(10).enumerate() {
        let (delivery, n) = (of_one[0].0, of_one[0].1);
        assert!(of_one.iter().all(|cry| *cry == (delivery, n, 1)), "the {at}th: {of_one:?}");
    }
    assert_eq!(job.outputs().cries().next(), None);
}

#[test]
fn receivers_of_a_job_on_threads_end_with_it_and_resume() {
    let fails = Arc::new(AtomicBool::new(true));
    let mut job = threads::Cries::new(fails.clone()).job();
    // Taken before the job is started.
    let mut cries = job.outputs().cries();
    job.inputs().n(7).unwrap();
    let job = job.start().unwrap();
    assert!(job.finish().is_err());
    assert_eq!(cries.by_ref().map(|live| live.attempt).collect::<Vec<_>>(), [1; 10]);
    assert!(job.outputs().cries().is_ended());
    fails.store(false, Ordering::Relaxed);
    job.resume().unwrap();
    assert_eq!(cries.map(|live| live.attempt).collect::<Vec<_>>(), [2; 10]);
    assert_eq!(job.finish().unwrap().status(), Status::Completed);

    // Dropped, with the last handle, when it is idle.
    let job = threads::Cries::new(fails).job().start().unwrap();
    let mut cries = job.outputs().cries();
    job.inputs().n(1).unwrap();
    assert_eq!(cries.next_timeout(LONG).unwrap().payload, 1);
    drop(job);
    let reader = thread::spawn(move || cries.by_ref().count());
    assert_eq!(reader.join().unwrap(), 9);
}
