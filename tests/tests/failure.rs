//! A failed attempt leaves no trace, and a failed job can go on: whatever the handler takes and however it fails.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use routilux::prelude::*;
use routilux::{Error, Outcome, Panic, Retention};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// A payload that counts its clones.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Parcel(u64);

thread_local! {
    static CLONES: Cell<u32> = const { Cell::new(0) };
    static CLONE_PANICS: Cell<bool> = const { Cell::new(false) };
}

impl Clone for Parcel {
    fn clone(&self) -> Self {
        assert!(!CLONE_PANICS.get(), "this parcel is unique");
        CLONES.set(CLONES.get() + 1);
        Parcel(self.0)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no such street: {0}")]
struct NoSuchStreet(u64);

/// What a switch says a handler does.
#[derive(Clone, Default)]
struct Fails(Arc<AtomicBool>, Arc<AtomicBool>);

impl Fails {
    fn fail(&self) -> Self {
        self.0.store(true, Ordering::Relaxed);
        self.clone()
    }
    fn panic(&self) -> Self {
        self.1.store(true, Ordering::Relaxed);
        self.clone()
    }
    fn mend(&self) {
        self.0.store(false, Ordering::Relaxed);
        self.1.store(false, Ordering::Relaxed);
    }
    fn check(&self, n: u64) -> Result<(), NoSuchStreet> {
        assert!(!self.1.load(Ordering::Relaxed), "lost at {n}");
        match self.0.load(Ordering::Relaxed) {
            true => Err(NoSuchStreet(n)),
            false => Ok(()),
        }
    }
}

/// A handler of every kind: it changes all it can, emits, and then fails if told so.
#[routine]
struct Desk {
    #[resource]
    fails: Fails,
    #[state]
    seen: Vec<u64>,
    #[state]
    name: String,
    #[transient]
    cache: Vec<u64>,
}

impl Desk {
    fn work(&mut self, n: u64, out: &mut Emit<Self>) -> Result<(), NoSuchStreet> {
        self.seen.push(n);
        self.name.push('x');
        self.cache.push(n);
        out.sent(n);
        out.sent(self.cache.len() as u64);
        self.fails.check(n)
    }
}

#[routine]
impl Desk {
    #[event]
    fn sent(n: u64);

    #[slot]
    fn by_value(&mut self, parcel: Parcel, out: &mut Emit<Self>) -> Result<(), NoSuchStreet> {
        self.work(parcel.0, out)
    }

    #[slot]
    fn by_reference(&mut self, parcel: &Parcel, out: &mut Emit<Self>) -> Result {
        Ok(self.work(parcel.0, out)?)
    }

    #[slot(merge = "append")]
    fn appended(&mut self, parcels: &[Parcel], out: &mut Emit<Self>) -> Result<(), String> {
        let sum = parcels.iter().map(|parcel| parcel.0).sum();
        self.work(sum, out).map_err(|error| format!("{} parcels: {error}", parcels.len()))
    }

    #[slot]
    fn shared(&self, parcel: Parcel, out: &mut Emit<Self>) -> Result {
        out.sent(parcel.0);
        self.fails.check(parcel.0)?;
        Ok(())
    }

    #[slot]
    fn infallible(&mut self, parcel: Parcel, out: &mut Emit<Self>) {
        assert!(self.work(parcel.0, out).is_ok(), "dropped {}", parcel.0);
    }

    #[slot]
    fn infallible_shared(&self, parcel: Parcel, out: &mut Emit<Self>) {
        out.sent(parcel.0);
        assert!(self.fails.check(parcel.0).is_ok(), "dropped {}", parcel.0);
    }

    #[slot]
    fn infallible_reference(&self, parcel: &Parcel, out: &mut Emit<Self>) {
        out.sent(parcel.0);
        assert!(self.fails.check(parcel.0).is_ok(), "dropped {}", parcel.0);
    }

    #[slot(atomic = false)]
    fn not_atomic(&mut self, parcel: &Parcel, out: &mut Emit<Self>) -> Result<(), NoSuchStreet> {
        self.work(parcel.0, out)
    }
}

flow! {
    flow Post(fails: Fails) {
        desk: Desk { fails };
        in by_value -> desk.by_value;
        in by_reference -> desk.by_reference;
        in appended -> desk.appended;
        in shared -> desk.shared;
        in infallible -> desk.infallible;
        in infallible_shared -> desk.infallible_shared;
        in infallible_reference -> desk.infallible_reference;
        in not_atomic -> desk.not_atomic;
        desk.sent -> out sent;
    }
}

type Send = fn(&mut Job<Post>, Parcel) -> routilux::Result<()>;

const ATOMIC: [(&str, Send); 4] = [
    ("by_value", |job, parcel| job.inputs().by_value(parcel)),
    ("by_reference", |job, parcel| job.inputs().by_reference(parcel)),
    ("appended", |job, parcel| job.inputs().appended(parcel)),
    ("shared", |job, parcel| job.inputs().shared(parcel)),
];

fn state_text(job: &Job<Post>) -> String {
    let state = serde_json::to_value(job.state().unwrap()).unwrap();
    format!("{} {}", state["routines"], state["slots"])
}

/// What a job that never failed comes to.
fn unbroken(send: Send) -> (String, Vec<u64>) {
    let mut job = Post::new(Fails::default()).job();
    [1, 2, 3].into_iter().for_each(|n| send(&mut job, Parcel(n)).unwrap());
    assert_eq!(job.run().unwrap().handled(), 3);
    (state_text(&job), job.outputs().sent().collect())
}

#[test]
fn a_failed_attempt_leaves_no_trace_and_a_resumed_job_ends_as_if_nothing_had_happened() {
    for (name, send) in ATOMIC {
        for panics in [false, true] {
            for through_a_file in [false, true] {
                let (state, outputs) = unbroken(send);
                let fails = Fails::default();
                let mut job = Post::new(fails.clone()).job();
                send(&mut job, Parcel(1)).unwrap();
                job.step().unwrap();
                let before = state_text(&job);
                if panics {
                    fails.panic()
                } else {
                    fails.fail()
                };
                send(&mut job, Parcel(2)).unwrap();
                send(&mut job, Parcel(3)).unwrap();

                for attempt in 1..=2 {
                    let error = job.run_until_idle().unwrap_err();
                    let Error::SlotHandler { routine, slot, delivery, attempts, payload_lost, .. } = &error
                    else {
                        panic!("{error:?}")
                    };
                    assert_eq!(
                        (routine.as_str(), slot.as_str(), *delivery, *attempts),
                        ("desk", name, 2, attempt)
                    );
                    assert!(!payload_lost);
                    assert_eq!(job.status(), Status::Failed);
                    assert_eq!(state_text(&job), before, "{name}");
                    assert_eq!((job.report().failed(), job.report().handled()), (1, 1));
                    assert_eq!(job.report().waiting(), [(format!("desk.{name}"), 1)]);
                    let failed = job.history().last().unwrap();
                    assert!(matches!(failed.outcome, Outcome::Failed(_)));
                    assert_eq!((failed.delivery, failed.emitted), (2, 0));
                    // To run a failed job without resuming it is an error, not a way around the failure.
                    assert!(matches!(job.run().unwrap_err(), Error::State { .. }));
                    job.resume().unwrap();
                    if through_a_file {
                        let text = serde_json::to_string(&job.state().unwrap()).unwrap();
                        job = Post::new(fails.clone()).resume(serde_json::from_str(&text).unwrap()).unwrap();
                    }
                }

                fails.mend();
                let report = job.run().unwrap();
                assert_eq!((report.status(), report.handled(), report.failed()), (Status::Completed, 3, 0));
                assert_eq!(state_text(&job), state, "{name}");
                // The cache is not state: it starts anew after the failure, except in a handler that cannot change it.
                let sent: Vec<u64> = job.outputs().sent().collect();
                match name {
                    "shared" => assert_eq!(sent, outputs),
                    _ => assert_eq!(
                        sent.iter().step_by(2).collect::<Vec<_>>(),
                        outputs.iter().step_by(2).collect::<Vec<_>>()
                    ),
                }
            }
        }
    }
}

#[test]
fn a_failed_job_is_saved_with_its_delivery_and_tries_it_again_first() {
    let fails = Fails::default();
    let mut job = Post::new(fails.fail()).job();
    job.inputs().by_value(Parcel(7)).unwrap();
    job.inputs().shared(Parcel(8)).unwrap();
    assert!(job.run().is_err());
    let state = job.state().unwrap();
    assert_eq!(state.status(), Status::Failed);
    assert_eq!(state.failure(), Some("`desk.by_value` on delivery 1: no such street: 7"));
    assert_eq!(state.waiting(), 2);

    let mut again = Post::new(Fails::default()).resume(state).unwrap();
    assert!(again.step().unwrap());
    assert_eq!(again.outputs().sent().collect::<Vec<_>>(), [7, 1]);
    let attempts: Vec<_> = again.history().map(|entry| (entry.delivery, entry.sequence)).collect();
    assert_eq!(attempts, [(1, 1), (1, 2)]);
}

#[test]
fn the_error_gives_the_users_own_back() {
    let mut job = Post::new(Fails::default().fail()).job();
    job.inputs().by_reference(Parcel(7)).unwrap();
    let error = job.run().unwrap_err();
    assert_eq!(error.downcast_ref::<NoSuchStreet>().unwrap().0, 7);
    assert_eq!(error.to_string(), "`desk.by_reference` failed on delivery 1 (attempt 1): no such street: 7");
    assert!(std::error::Error::source(&error).unwrap().is::<NoSuchStreet>());

    let mut job = Post::new(Fails::default().panic()).job();
    job.inputs().by_reference(Parcel(7)).unwrap();
    let error = job.run().unwrap_err();
    assert_eq!(error.downcast_ref::<Panic>().unwrap().message, "lost at 7");
}

#[test]
fn only_what_has_to_be_kept_is_cloned() {
    let clones = |send: Send| {
        CLONES.set(0);
        let mut job = Post::new(Fails::default()).job();
        send(&mut job, Parcel(1)).unwrap();
        let _ = job.run().unwrap();
        CLONES.get()
    };
    assert_eq!(clones(|job, parcel| job.inputs().by_value(parcel)), 1);
    assert_eq!(clones(|job, parcel| job.inputs().by_reference(parcel)), 0);
    assert_eq!(clones(|job, parcel| job.inputs().appended(parcel)), 0);
    assert_eq!(clones(|job, parcel| job.inputs().infallible(parcel)), 0);
    assert_eq!(clones(|job, parcel| job.inputs().not_atomic(parcel)), 0);
}

#[test]
fn what_cannot_be_undone_is_not_resumed_and_says_why() {
    let cases: [(Send, bool, &str); 4] = [
        (
            |job, parcel| job.inputs().infallible(parcel),
            true,
            "the state of `desk` may be half-changed: `desk.infallible` panicked, and was not atomic",
        ),
        (
            |job, parcel| job.inputs().infallible_shared(parcel),
            true,
            "the payload of delivery 1 is lost: `desk.infallible_shared` had taken it by value and panicked",
        ),
        (
            |job, parcel| job.inputs().not_atomic(parcel),
            false,
            "the state of `desk` may be half-changed: `desk.not_atomic` failed, and was not atomic",
        ),
        (
            |job, parcel| job.inputs().not_atomic(parcel),
            true,
            "the state of `desk` may be half-changed: `desk.not_atomic` panicked, and was not atomic",
        ),
    ];
    for (send, panics, why) in cases {
        let fails = Fails::default();
        let mut job = Post::new(if panics { fails.panic() } else { fails.fail() }).job();
        send(&mut job, Parcel(5)).unwrap();
        send(&mut job, Parcel(6)).unwrap();
        let error = job.run().unwrap_err();
        assert_eq!(
            error.to_string().contains("the payload is lost"),
            why.contains("payload") || why.contains("infallible"),
            "{error}"
        );
        assert_eq!(job.outputs().sent().next(), None);
        assert_eq!(job.report().failed(), 1);
        fails.mend();
        let refused = job.resume().unwrap_err();
        assert!(refused.to_string().ends_with(&format!("it cannot be resumed: {why}")), "{refused}");
        let refused = Post::new(fails).resume(job.state().unwrap()).unwrap_err();
        assert!(refused.to_string().ends_with(&format!("it cannot be resumed: {why}")), "{refused}");
    }
}

#[test]
fn a_panic_that_changed_nothing_and_lost_nothing_can_be_resumed() {
    let fails = Fails::default();
    let mut job = Post::new(fails.panic()).job();
    job.inputs().infallible_reference(Parcel(5)).unwrap();
    assert!(job.run().is_err());
    fails.mend();
    job.resume().unwrap();
    assert_eq!(job.run().unwrap().handled(), 1);
    assert_eq!(job.outputs().sent().collect::<Vec<_>>(), [5]);
}

#[test]
fn a_clone_that_panics_is_a_failure_of_the_step() {
    let mut job = Post::new(Fails::default()).job();
    job.inputs().by_value(Parcel(5)).unwrap();
    CLONE_PANICS.set(true);
    let error = job.run().unwrap_err();
    CLONE_PANICS.set(false);
    assert_eq!(error.downcast_ref::<Panic>().unwrap().message, "this parcel is unique");
    job.resume().unwrap();
    assert_eq!(job.run().unwrap().handled(), 1);
}

/// Sends what it gets on to two others.
#[routine]
struct Copier;

#[routine]
impl Copier {
    #[event]
    fn copy(parcel: Parcel);

    #[slot]
    fn parcel(&self, parcel: &Parcel, out: &mut Emit<Self>) {
        out.copy(Parcel(parcel.0));
    }
}

flow! {
    flow Copies() {
        copier: Copier;
        in parcel -> copier.parcel;
        copier.copy -> out left, out right;
    }
}

#[test]
fn a_clone_that_panics_between_two_receivers_fails_the_job_for_good() {
    let mut job = Copies::new().job();
    job.inputs().parcel(Parcel(1)).unwrap();
    job.inputs().parcel(Parcel(2)).unwrap();
    job.step().unwrap();
    CLONE_PANICS.set(true);
    let error = job.run().unwrap_err();
    CLONE_PANICS.set(false);
    assert!(matches!(error, Error::Execution { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("a `Clone` or `Drop` after `copier.parcel` panicked: this parcel is unique"),
        "{error}"
    );
    assert!(job.resume().unwrap_err().to_string().contains("some of its events may have been sent"));
    // The first one was delivered to both, the second one to neither.
    assert_eq!(job.outputs().left().collect::<Vec<_>>(), [Parcel(1)]);
    assert_eq!(job.outputs().right().collect::<Vec<_>>(), [Parcel(1)]);
}

/// Does something outside the job, once for each key.
#[routine]
struct Payer {
    #[resource]
    calls: Arc<AtomicU32>,
}

#[routine]
impl Payer {
    #[event]
    fn key(key: String, attempt: u32);

    #[slot]
    fn pay(&self, _cents: u64, out: &mut Emit<Self>, cx: &Context) -> Result {
        out.key(cx.idempotency_key("charge"), cx.attempt());
        match self.calls.fetch_add(1, Ordering::Relaxed) {
            0 => Err("the line is busy".into()),
            _ => Ok(()),
        }
    }
}

flow! {
    flow Payments(calls: Arc<AtomicU32>) {
        payer: Payer { calls };
        in pay -> payer.pay;
        payer.key -> out keys;
    }
}

#[test]
fn the_idempotency_key_is_the_same_in_every_attempt_and_another_for_each_delivery() {
    let calls = Arc::new(AtomicU32::new(0));
    let mut job = Payments::new(calls.clone()).job().id("pay-7").retention(Retention::none());
    job.inputs().pay(100).unwrap();
    job.inputs().pay(200).unwrap();
    assert!(job.run().is_err());
    let mut job = Payments::new(calls).resume(job.state().unwrap()).unwrap();
    assert_eq!(job.run().unwrap().handled(), 2);
    let keys: Vec<_> = job.outputs().keys().collect();
    assert_eq!(keys, [("pay-7/1/charge".to_owned(), 2), ("pay-7/2/charge".to_owned(), 1)]);
}

#[test]
fn a_handler_is_tested_by_calling_it() {
    let mut desk = Desk { fails: Fails::default(), seen: vec![], name: String::new(), cache: vec![] };
    let mut out = Emit::<Desk>::default();
    desk.by_value(Parcel(3), &mut out).unwrap();
    assert_eq!(out.emitted().sent(), [&3, &1]);
    assert_eq!(out.emitted().events(), ["sent", "sent"]);
    assert_eq!(desk.seen, [3]);

    let payer = Payer { calls: Arc::new(AtomicU32::new(1)) };
    let mut out = Emit::<Payer>::default();
    payer.pay(1, &mut out, &Context::test()).unwrap();
    assert_eq!(out.emitted().key(), [&("test/1/charge".to_owned(), 1)]);
}

#[test]
fn a_hook_that_panics_at_a_failure_loses_neither_the_delivery_nor_the_refusal() {
    fn panics_once() -> impl FnMut() {
        let mut armed = true;
        move || assert!(!std::mem::take(&mut armed), "the hook too")
    }
    for at_the_end in [false, true] {
        let job = |fails: Fails| {
            let mut panics = panics_once();
            match at_the_end {
                false => Post::new(fails).job().after_handler(move |_, _| panics()),
                true => Post::new(fails).job().on_end(move |_, _| panics()),
            }
        };
        let fails = Fails::default();
        let mut kept = job(fails.fail());
        kept.inputs().by_value(Parcel(7)).unwrap();
        let error = kept.run().unwrap_err();
        assert!(error.downcast_ref::<NoSuchStreet>().is_some(), "{error}");
        assert_eq!(kept.state().unwrap().waiting(), 1);
        fails.mend();
        kept.resume().unwrap();
        assert_eq!(kept.run().unwrap().handled(), 1);

        let mut refused = job(Fails::default().fail());
        refused.inputs().not_atomic(Parcel(7)).unwrap();
        assert!(refused.run().is_err());
        assert!(refused.resume().unwrap_err().to_string().contains("may be half-changed"));
    }
}

/// An error that cannot tell itself.
#[derive(Debug)]
struct Speechless(bool);

impl std::error::Error for Speechless {}

impl std::fmt::Display for Speechless {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        assert!(!self.0, "words fail me");
        Err(std::fmt::Error)
    }
}

/// A payload that does not go quietly.
#[derive(Clone, Serialize, Deserialize)]
struct Loud(u64);

impl Drop for Loud {
    fn drop(&mut self) {
        assert!(self.0 != 2 || std::thread::panicking(), "not me");
    }
}

#[routine]
struct Odd {
    #[state]
    seen: u64,
}

#[routine]
impl Odd {
    #[event]
    fn heard(n: u64);

    #[slot]
    fn speechless(&self, panics: bool) -> Result<(), Speechless> {
        Err(Speechless(panics))
    }

    #[slot]
    fn loud(&mut self, loud: &Loud, out: &mut Emit<Self>) -> Result {
        self.seen += 1;
        out.heard(loud.0);
        Ok(())
    }
}

flow! {
    flow Oddly() {
        odd: Odd;
        in speechless -> odd.speechless;
        in loud -> odd.loud;
        odd.heard -> out heard;
    }
}

#[test]
fn an_error_that_cannot_be_told_is_an_error_of_the_job() {
    for panics in [false, true] {
        let mut job = Oddly::new().job();
        job.inputs().speechless(panics).unwrap();
        let error = job.run().unwrap_err();
        assert!(error.downcast_ref::<Speechless>().is_some());
        assert_eq!(job.status(), Status::Failed);
        assert_eq!(job.state().unwrap().waiting(), 1);
        assert!(job.state().unwrap().failure().unwrap().contains("its text cannot be told"));
    }
}

#[test]
fn a_drop_that_panics_is_an_error_of_the_job_and_ids_stay_right() {
    let mut job = Oddly::new().job();
    (1..=3).for_each(|n| job.inputs().loud(Loud(n)).unwrap());
    let error = job.run().unwrap_err();
    assert_eq!(error.downcast_ref::<Panic>().unwrap().message, "not me");
    assert_eq!(job.history().map(|entry| entry.delivery).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(job.outputs().heard().collect::<Vec<_>>(), [1]);
    assert_eq!(serde_json::to_value(job.state().unwrap()).unwrap()["routines"]["odd"]["seen"], 1);
    assert!(job.resume().unwrap_err().to_string().contains("the payload of delivery 2 is lost"));
}

/// A cache that can be made once.
#[derive(Debug)]
struct OnlyOnce;

thread_local! {
    static MADE: Cell<u32> = const { Cell::new(0) };
}

impl Default for OnlyOnce {
    fn default() -> Self {
        MADE.set(MADE.get() + 1);
        assert!(MADE.get() == 1, "there can be only one");
        OnlyOnce
    }
}

#[routine]
struct Fragile {
    #[transient]
    cache: OnlyOnce,
}

#[routine]
impl Fragile {
    #[event]
    fn unheard(loud: Loud);

    #[slot]
    fn fails(&mut self, n: u64) -> Result {
        Err(format!("{:?} {n}", self.cache).into())
    }

    #[slot]
    fn speaks(&self, n: u64, out: &mut Emit<Self>) {
        out.unheard(Loud(n));
    }

    #[slot]
    fn keeps(&self, loud: Loud) -> Result {
        std::mem::forget(loud);
        Ok(())
    }
}

flow! {
    flow Fragilely() {
        fragile: Fragile;
        in fails -> fragile.fails;
        in speaks -> fragile.speaks;
        in keeps -> fragile.keeps;
        ignore fragile.unheard;
    }
}

#[test]
fn whatever_of_the_users_panics_on_the_way_is_an_error_of_the_job() {
    let mut job = Fragilely::new().job();
    job.inputs().fails(1).unwrap();
    // The handler's own error is told; that its cache could not be made anew makes the routine torn.
    assert!(job.run().unwrap_err().to_string().contains("OnlyOnce 1"));
    assert_eq!((job.status(), job.state().unwrap().waiting()), (Status::Failed, 1));
    assert!(job.resume().unwrap_err().to_string().contains("may be half-changed"));

    MADE.set(0);
    let mut job = Fragilely::new().job();
    job.inputs().speaks(2).unwrap();
    assert!(matches!(job.run().unwrap_err(), Error::Execution { .. }));
    assert_eq!(job.status(), Status::Failed);

    MADE.set(0);
    let mut job = Fragilely::new().job();
    job.inputs().keeps(Loud(2)).unwrap();
    let error = job.run().unwrap_err();
    assert_eq!(error.downcast_ref::<Panic>().unwrap().message, "not me");
    assert!(matches!(error, Error::SlotHandler { payload_lost: true, .. }));
}
