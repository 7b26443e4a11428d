//! Handlers that are `async`: awaited one after the other, or many at once on the caller's runtime.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use routilux::prelude::*;
use routilux::{Error, Panic, Pool, TimedOut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// Counts who is inside, and lets them out when the gate says so.
#[derive(Clone, Default)]
pub struct Gate {
    inside: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
    begun: Arc<AtomicU64>,
    given_up: Arc<AtomicU64>,
    changed: Arc<Notify>,
    /// Closed where it is `Some`.
    open: Option<Arc<Semaphore>>,
}

impl Gate {
    fn closed() -> Self {
        Gate { open: Some(Arc::new(Semaphore::new(0))), ..Gate::default() }
    }

    fn let_out(&self, count: usize) {
        self.open.as_ref().unwrap().add_permits(count);
    }

    async fn until_begun(&self, count: u64) {
        let all = async {
            while self.begun.load(Ordering::SeqCst) < count {
                self.changed.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all).await.expect("they begin");
    }
}

struct Inside<'g>(&'g Gate, bool);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
        if !self.1 {
            self.0.given_up.fetch_add(1, Ordering::SeqCst);
        }
    }
}

/// Fetches.
#[routine]
pub struct Fetcher {
    #[resource]
    gate: Gate,
}

#[routine]
impl Fetcher {
    #[event]
    fn fetched(text: String);

    #[slot(parallel = 3)]
    async fn url(&self, url: String, out: &mut Emit<Self>) -> Result {
        let now = self.gate.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.gate.most.fetch_max(now, Ordering::SeqCst);
        let mut inside = Inside(&self.gate, false);
        out.fetched(format!("half of {url}"));
        self.gate.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.changed.notify_one();
        match &self.gate.open {
            Some(open) => open.acquire().await?.forget(),
            None => tokio::task::yield_now().await,
        }
        inside.1 = true;
        if url.contains("bad") {
            return Err(format!("{url} is not there").into());
        }
        assert!(!url.contains("worse"), "{url} is no place");
        out.fetched(format!("all of {url}"));
        Ok(())
    }

    #[slot(optional, timeout = "20ms")]
    async fn slow(&self, url: &str, out: &mut Emit<Self>, cx: &Context) {
        assert!(cx.deadline().is_some());
        if url != "quick" {
            std::future::pending::<()>().await;
        }
        out.fetched(url.to_owned());
    }
}

/// Keeps what came.
#[routine]
pub struct Keeper {
    #[state]
    kept: Vec<String>,
}

#[routine]
impl Keeper {
    #[event]
    fn kept(text: String);

    #[slot]
    fn text(&mut self, text: String, out: &mut Emit<Self>) {
        self.kept.push(text.clone());
        out.kept(text);
    }
}

flow! {
    /// Fetches and keeps.
    pub flow Fetching(gate: Gate) {
        fetcher: Fetcher { gate };
        keeper: Keeper;
        in url -> fetcher.url;
        in slow -> fetcher.slow;
        fetcher.fetched -> keeper.text;
        keeper.kept -> out kept;
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

fn expected(count: usize) -> Vec<String> {
    sorted((0..count).flat_map(|n| [format!("half of {n}"), format!("all of {n}")]).collect())
}

#[test]
fn one_after_the_other_and_many_at_once_they_give_the_same() {
    runtime().block_on(async {
        let gate = Gate::default();
        let mut job = Fetching::new(gate.clone()).job();
        (0..20).for_each(|n| job.inputs().url(n.to_string()).unwrap());
        let report = job.run_async().await.unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 60));
        assert_eq!(sorted(job.outputs().kept().collect()), expected(20));
        assert_eq!(gate.most.load(Ordering::SeqCst), 1);

        let gate = Gate::closed();
        let job = Fetching::new(gate.clone()).job().workers(1).start().unwrap();
        (0..20).for_each(|n| job.inputs().url(n.to_string()).unwrap());
        job.close_inputs();
        gate.until_begun(3).await;
        assert_eq!(job.progress().running(), 3);
        gate.let_out(20);
        let report = job.clone().await.unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 60));
        assert_eq!(sorted(job.outputs().kept().collect()), expected(20));
        assert_eq!(gate.most.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn in_sequential_mode_the_error_names_what_to_use() {
    let mut job = Fetching::new(Gate::default()).job();
    job.inputs().url("x".into()).unwrap();
    for error in [job.run().unwrap_err(), job.run_until_idle().unwrap_err(), job.step().unwrap_err()] {
        let text = error.to_string();
        assert!(matches!(error, Error::Configuration { .. }), "{text}");
        assert!(text.contains("`fetcher.url` is `async`") && text.contains("`run_async().await`"), "{text}");
    }
    // And nothing was lost.
    assert_eq!(job.status(), Status::Pending);
    assert_eq!(job.state().unwrap().waiting(), 1);

    let error = job.start().unwrap_err().to_string();
    assert!(error.contains("no tokio runtime") && error.contains("`.runtime(handle)`"), "{error}");
}

#[test]
fn a_runtime_can_be_given() {
    let runtime = runtime();
    let job = Fetching::new(Gate::default()).job().runtime(runtime.handle().clone()).start().unwrap();
    job.inputs().url("0".into()).unwrap();
    assert_eq!(job.finish().unwrap().handled(), 3);
}

#[test]
fn a_step_that_fails_leaves_nothing_and_keeps_its_delivery() {
    runtime().block_on(async {
        for (url, is_panic) in [("bad", false), ("worse", true)] {
            let mut job = Fetching::new(Gate::default()).job();
            job.inputs().url(url.to_owned()).unwrap();
            let alone = job.run_async().await.unwrap_err();
            assert_eq!(job.outputs().kept().count(), 0);
            assert_eq!(job.state().unwrap().waiting(), 1);

            let job = Fetching::new(Gate::default()).job().start().unwrap();
            job.inputs().url(url.to_owned()).unwrap();
            let error = job.clone().await.unwrap_err();
            assert_eq!(error.to_string(), alone.to_string());
            assert_eq!(error.downcast_ref::<Panic>().is_some(), is_panic);
            assert!(error.to_string().contains("`fetcher.url` failed on delivery 1"), "{error}");
            assert_eq!(
                (job.progress().failed(), job.progress().waiting(), job.progress().running()),
                (1, 1, 0)
            );
            let again = job.clone();
            let state = tokio::task::spawn_blocking(move || again.state()).await.unwrap().unwrap();
            assert_eq!((state.waiting(), state.handled()), (1, 0));
            // Its second attempt.
            job.resume().unwrap();
            assert!(job.clone().await.unwrap_err().to_string().contains("attempt 2"));
        }
    });
}

#[test]
fn a_timeout_gives_the_handler_up() {
    runtime().block_on(async {
        let mut job = Fetching::new(Gate::default()).job();
        job.inputs().slow("quick".into()).unwrap();
        job.inputs().slow("never".into()).unwrap();
        let error = job.run_async().await.unwrap_err();
        assert_eq!(error.downcast_ref::<TimedOut>().unwrap().limit, Duration::from_millis(20));
        assert_eq!(job.report().handled(), 1);
        assert_eq!(job.state().unwrap().waiting(), 2);

        let job = Fetching::new(Gate::default()).job().start().unwrap();
        job.inputs().slow("quick".into()).unwrap();
        job.inputs().slow("never".into()).unwrap();
        let error = job.clone().await.unwrap_err();
        assert!(error.downcast_ref::<TimedOut>().is_some(), "{error}");
        assert_eq!(job.report().failed(), 1);
    });
}

#[test]
fn pause_waits_for_those_that_run_and_cancel_gives_them_up() {
    let runtime = runtime();
    let gate = Gate::closed();
    let job = Fetching::new(gate.clone()).job().runtime(runtime.handle().clone()).start().unwrap();
    (0..5).for_each(|n| job.inputs().url(n.to_string()).unwrap());
    runtime.block_on(gate.until_begun(3));
    job.control().pause("a moment");
    assert_eq!((job.status(), job.progress().running()), (Status::Running, 3));
    gate.let_out(3);
    job.pause("and that is to be waited for");
    assert_eq!((job.status(), job.progress().running()), (Status::Paused, 0));
    assert_eq!(gate.begun.load(Ordering::SeqCst), 3);
    job.resume().unwrap();

    runtime.block_on(gate.until_begun(5));
    job.cancel("enough");
    let report = runtime.block_on(job.clone()).unwrap();
    assert_eq!(report.status(), Status::Cancelled);
    assert_eq!(gate.given_up.load(Ordering::SeqCst), 2);
    // What was given up waits as it did before.
    let urls = report.waiting().iter().find(|(slot, _)| slot == "fetcher.url").unwrap().1;
    assert_eq!(urls, 2);
    assert_eq!(job.state().unwrap().status(), Status::Cancelled);
}

#[test]
fn a_job_whose_runtime_ends_fails_and_keeps_its_deliveries() {
    let first = runtime();
    let gate = Gate::closed();
    let job = Fetching::new(gate.clone()).job().runtime(first.handle().clone()).start().unwrap();
    (0..5).for_each(|n| job.inputs().url(n.to_string()).unwrap());
    first.block_on(gate.until_begun(3));
    first.shutdown_background();
    let error = job.finish().unwrap_err().to_string();
    assert!(error.contains("runtime") && error.contains("ended"), "{error}");
    let state = job.state().unwrap();
    assert_eq!(state.waiting(), 5);

    let second = runtime();
    let mut job = Fetching::new(Gate::default()).resume(state).unwrap();
    assert_eq!(second.block_on(job.run_async()).unwrap().handled(), 15);
}

#[test]
fn a_run_that_is_dropped_stands_before_its_delivery() {
    let runtime = runtime();
    runtime.block_on(async {
        let gate = Gate::closed();
        let mut job = Fetching::new(gate.clone()).job();
        job.inputs().url("0".into()).unwrap();
        let never = tokio::time::timeout(Duration::from_millis(20), job.run_async());
        assert!(never.await.is_err());
        assert_eq!(gate.given_up.load(Ordering::SeqCst), 1);
        assert_eq!(job.state().unwrap().waiting(), 1);
        gate.let_out(1);
        assert_eq!(job.run_async().await.unwrap().handled(), 3);
    });
}

#[test]
fn no_worker_is_held_and_thousands_wait_at_once() {
    /// Naps.
    #[routine]
    struct Napper {
        #[resource]
        inside: Arc<AtomicU64>,
        #[resource]
        all: Arc<Semaphore>,
    }

    #[routine]
    impl Napper {
        #[slot(parallel = 10_000)]
        async fn nap(&self, count: u64) -> Result {
            if self.inside.fetch_add(1, Ordering::SeqCst) + 1 == count {
                self.all.add_permits(usize::try_from(count)?);
            }
            self.all.acquire().await?.forget();
            Ok(())
        }
    }

    flow! {
        flow Naps(inside: Arc<AtomicU64>, all: Arc<Semaphore>) {
            napper: Napper { inside, all };
            in nap -> napper.nap;
        }
    }

    runtime().block_on(async {
        let pool = Pool::new(1).unwrap();
        let count = 2_000;
        let job = Naps::new(Arc::default(), Arc::new(Semaphore::new(0))).job().start_on(&pool).unwrap();
        (0..count).for_each(|_| job.inputs().nap(count).unwrap());
        job.close_inputs();
        let done = tokio::time::timeout(Duration::from_secs(60), job).await;
        assert_eq!(done.expect("all wait at once").unwrap().handled(), count);
    });
}

#[test]
fn a_payload_that_panics_when_it_is_dropped_fails_its_step_and_not_the_process() {
    /// Panics when the copy that is kept goes.
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Touchy {
        is_copy: bool,
    }

    impl Clone for Touchy {
        fn clone(&self) -> Self {
            Touchy { is_copy: true }
        }
    }

    impl Drop for Touchy {
        fn drop(&mut self) {
            assert!(self.is_copy || std::thread::panicking(), "do not touch");
        }
    }

    /// Takes one.
    #[routine]
    struct Taker;

    #[routine]
    impl Taker {
        #[event]
        fn took();

        #[slot]
        async fn one(&self, _one: Touchy, out: &mut Emit<Self>) {
            out.took();
        }
    }

    flow! {
        flow Taking() {
            taker: Taker;
            in one -> taker.one;
            taker.took -> out took;
        }
    }

    runtime().block_on(async {
        let mut job = Taking::new().job();
        job.inputs().one(Touchy { is_copy: false }).unwrap();
        let alone = job.run_async().await.unwrap_err().to_string();
        assert!(alone.contains("do not touch"), "{alone}");
        assert_eq!(job.outputs().took().count(), 0);

        let job = Taking::new().job().start().unwrap();
        job.inputs().one(Touchy { is_copy: false }).unwrap();
        let job = tokio::time::timeout(Duration::from_secs(30), job).await;
        assert_eq!(job.expect("it does not hang").unwrap_err().to_string(), alone);
    });
}
