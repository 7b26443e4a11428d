//! The threads that jobs run on: they take activations of routines from queues of their own, from one that all share,
//! and from each other, and sleep when there are none.
//!
//! # How nothing is overslept
//! A worker that finds nothing says that it is *searching*, looks once more everywhere, and then parks: it puts itself
//! on the list and looks a last time. Who adds an activation does so first and then looks for a searching or parked
//! worker. So either the one sees the activation, or the other sees the worker. One worker is woken at a time, and each
//! that starts to work while more waits wakes the next.

use super::sync::{
    AtomicBool, AtomicU64, Mutex, Ordering, Parker, Unparker, fence, lock, relax, thread, thread_local,
};
use super::timer::Timer;
use crate::error::{Error, Result, catch};
use crossbeam_deque::{Injector, Steal, Stealer, Worker as Deque};
use crossbeam_utils::{Backoff, CachePadded};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A pool of worker threads, shared by any number of jobs. A clone is the same pool; the threads end when the last
/// clone is dropped and the last job on it has come to rest.
///
/// Workers take turns between the jobs: after 20 microseconds, or one handler if that takes longer, a worker turns to
/// what has waited longest.
///
/// ```
/// # use routilux::prelude::*;
/// # #[routine] struct Nap;
/// # #[routine] impl Nap { #[slot] fn nap(&self, millis: u64) { std::thread::sleep(std::time::Duration::from_millis(millis)) } }
/// # flow! { flow Naps() { n: Nap; in nap -> n.nap; } }
/// let pool = routilux::Pool::new(8)?;
/// let job = Naps::new().job().start_on(&pool)?;
/// for _ in 0..8 {
///     job.inputs().nap(5)?;
/// }
/// assert_eq!(job.finish()?.handled(), 8);
/// # Ok::<(), routilux::Error>(())
/// ```
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
    _owner: Arc<Owner>,
}

/// An activation: a worker's turn at what waits for one routine of a job.
pub(crate) struct Task {
    pub(crate) job: Arc<dyn Work>,
    pub(crate) routine: usize,
}

/// A job as the pool sees it.
pub(crate) trait Work: Send + Sync {
    /// Handles what waits for the routine, for a while.
    fn activate(self: Arc<Self>, routine: usize, worker: &Worker<'_>);

    /// Hands on what another worker, the one of that number, has finished but not yet handed on.
    fn help(self: Arc<Self>, other: usize, worker: &Worker<'_>);
}

/// One thread of a pool, to what runs in it.
pub(crate) struct Worker<'p> {
    pub(crate) index: usize,
    shared: &'p Shared,
    queue: Deque<Task>,
    turns: Cell<u32>,
    victim: Cell<usize>,
}

struct Shared {
    /// What comes from outside of the pool.
    injector: Injector<Task>,
    stealers: Vec<Stealer<Task>>,
    /// The job that each worker is at.
    current: Vec<CachePadded<Mutex<CurrentJob>>>,
    sleep: Sleep,
    closed: AtomicBool,
    timer: Timer,
}

type CurrentJob = Option<Arc<dyn Work>>;

struct Sleep {
    /// Searching workers in the upper half, parked ones in the lower.
    counts: CachePadded<AtomicU64>,
    parked: Mutex<Vec<usize>>,
    unparkers: Vec<Unparker>,
}

const SEARCHING: u64 = 1 << 32;
const PARKED: u64 = 1;

/// How often a worker takes from the common queue first, so that its own cannot starve it.
const COMMON_FIRST: u32 = 16;

/// How many rounds one worker keeps looking before it parks: some ten microseconds, in which a job that is started
/// needs no system call.
const ROUNDS: u32 = 40;

/// Ends the threads.
struct Owner(Arc<Shared>);

thread_local! {
    /// The pool that this thread works for.
    static POOL: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
}

impl Pool {
    /// A pool of so many workers. At most so many blocking handlers run at once.
    ///
    /// # Errors
    /// [`Error::Configuration`] for no workers at all, or if the system gives no more threads.
    pub fn new(workers: usize) -> Result<Pool> {
        if workers == 0 {
            return Err(Error::Configuration { what: "a pool needs at least one worker".to_owned() });
        }
        let parkers: Vec<Parker> = (0..workers).map(|_| Parker::new()).collect();
        // First in, first out: what was activated first has waited longest.
        let queues: Vec<Deque<Task>> = (0..workers).map(|_| Deque::new_fifo()).collect();
        let shared = Arc::new(Shared {
            injector: Injector::new(),
            stealers: queues.iter().map(Deque::stealer).collect(),
            current: (0..workers).map(|_| CachePadded::new(Mutex::new(None))).collect(),
            sleep: Sleep {
                counts: CachePadded::new(AtomicU64::new(0)),
                parked: Mutex::new(Vec::with_capacity(workers)),
                unparkers: parkers.iter().map(|parker| parker.unparker().clone()).collect(),
            },
            closed: AtomicBool::new(false),
            timer: Timer::default(),
        });
        let owner = Arc::new(Owner(shared.clone()));
        for (index, (parker, queue)) in parkers.into_iter().zip(queues).enumerate() {
            let shared = shared.clone();
            let run = move || {
                POOL.with(|pool| pool.set(Arc::as_ptr(&shared).cast()));
                let worker =
                    Worker { index, shared: &shared, queue, turns: Cell::new(0), victim: Cell::new(index) };
                worker.work(&parker);
            };
            let spawned = thread::Builder::new().name(format!("routilux-{index}")).spawn(run);
            // Those that were started end with `owner`.
            spawned.map_err(|error| Error::Configuration {
                what: format!("the system gives no thread for worker {} of {workers}: {error}", index + 1),
            })?;
        }
        Ok(Pool { shared, _owner: owner })
    }

    /// The pool of the process that is used where none is given: as many workers as the machine runs threads at once.
    ///
    /// # Errors
    /// As [`new`](Self::new), when it is made, which is at the first use.
    pub fn global() -> Result<Pool> {
        Pool::of_size(std::thread::available_parallelism().map_or(1, usize::from))
    }

    /// The pool of the process that has so many workers: made at the first use, and shared by all who ask for as many.
    pub(crate) fn of_size(workers: usize) -> Result<Pool> {
        static POOLS: std::sync::Mutex<BTreeMap<usize, Pool>> = std::sync::Mutex::new(BTreeMap::new());
        let mut pools = POOLS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(pool) = pools.get(&workers) {
            return Ok(pool.clone());
        }
        let pool = Pool::new(workers)?;
        pools.insert(workers, pool.clone());
        Ok(pool)
    }

    /// How many workers the pool has.
    pub fn workers(&self) -> usize {
        self.shared.stealers.len()
    }

    /// Adds an activation from outside of the pool.
    pub(crate) fn inject(&self, task: Task) {
        self.shared.injector.push(task);
        self.shared.wake_one();
    }

    /// Whether the calling thread is one of the workers.
    pub(crate) fn is_here(&self) -> bool {
        POOL.with(Cell::get) == Arc::as_ptr(&self.shared).cast()
    }

    pub(crate) fn timer(&self) -> &Timer {
        &self.shared.timer
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::SeqCst);
        self.0.timer.close();
        while self.0.wake_parked() {}
    }
}

impl Worker<'_> {
    /// Adds an activation to the worker's own queue. It is its next turn unless someone is free: see `wake_one`.
    pub(crate) fn add(&self, task: Task) {
        self.queue.push(task);
    }

    /// Has someone free take what waits here, if there is anyone.
    pub(crate) fn wake_one(&self) {
        self.shared.wake_one();
    }

    /// Whether some worker has nothing to do.
    #[inline]
    pub(crate) fn is_anyone_free(&self) -> bool {
        self.shared.sleep.counts.load(Ordering::Relaxed) != 0
    }

    fn work(&self, parker: &Parker) {
        loop {
            while let Some(task) = self.find() {
                self.turn(task);
            }
            let last = lock(&self.shared.current[self.index]).take();
            let_go(last);
            match self.search(parker) {
                Some(task) => self.turn(task),
                None => return,
            }
        }
    }

    fn turn(&self, task: Task) {
        if !self.queue.is_empty() || !self.shared.injector.is_empty() {
            self.shared.wake_one();
        }
        let last = {
            let mut current = lock(&self.shared.current[self.index]);
            let same = current
                .as_ref()
                .is_some_and(|job| std::ptr::addr_eq(Arc::as_ptr(job), Arc::as_ptr(&task.job)));
            if same { None } else { current.replace(task.job.clone()) }
        };
        let_go(last);
        task.job.activate(task.routine, self);
    }

    fn find(&self) -> Option<Task> {
        self.turns.set(self.turns.get().wrapping_add(1));
        if self.turns.get().is_multiple_of(COMMON_FIRST)
            && let Some(task) = until_settled(|| self.shared.injector.steal())
        {
            return Some(task);
        }
        self.queue.pop().or_else(|| self.find_elsewhere())
    }

    fn find_elsewhere(&self) -> Option<Task> {
        until_settled(|| self.shared.injector.steal_batch_and_pop(&self.queue)).or_else(|| {
            let others = self.shared.stealers.len();
            (0..others).find_map(|_| {
                let victim = (self.victim.get() + 1) % others;
                self.victim.set(victim);
                let stealer = &self.shared.stealers[victim];
                (victim != self.index)
                    .then(|| until_settled(|| stealer.steal_batch_and_pop(&self.queue)))
                    .flatten()
            })
        })
    }

    /// Waits for something to do. `None` when the pool has been closed.
    fn search(&self, parker: &Parker) -> Option<Task> {
        let sleep = &self.shared.sleep;
        sleep.counts.fetch_add(SEARCHING, Ordering::SeqCst);
        let mut backoff = Backoff::new();
        let mut rounds = 0;
        // Now that everyone can see that this one is free, nobody holds back what it has finished.
        self.help_others();
        loop {
            if let Some(task) = self.find() {
                sleep.counts.fetch_sub(SEARCHING, Ordering::SeqCst);
                // Who added more than this while it searched has woken nobody else.
                fence(Ordering::SeqCst);
                if self.shared.has_work() {
                    self.shared.wake_one();
                }
                return Some(task);
            }
            if self.shared.closed.load(Ordering::SeqCst) {
                sleep.counts.fetch_sub(SEARCHING, Ordering::SeqCst);
                return None;
            }
            // One that keeps looking is enough.
            let first = sleep.counts.load(Ordering::SeqCst) / SEARCHING == 1;
            if first && rounds < ROUNDS {
                rounds += 1;
                relax(&backoff);
                continue;
            }
            {
                let mut parked = lock(&sleep.parked);
                parked.push(self.index);
                sleep.counts.fetch_sub(SEARCHING - PARKED, Ordering::SeqCst);
            }
            fence(Ordering::SeqCst);
            if self.shared.has_work() || self.shared.closed.load(Ordering::SeqCst) {
                let mut parked = lock(&sleep.parked);
                if let Some(at) = parked.iter().position(|index| *index == self.index) {
                    parked.swap_remove(at);
                    sleep.counts.fetch_add(SEARCHING - PARKED, Ordering::SeqCst);
                    continue;
                }
                // Someone is waking it: then there is a token to take.
            }
            parker.park();
            (backoff, rounds) = (Backoff::new(), 0);
        }
    }

    fn help_others(&self) {
        for (other, current) in self.shared.current.iter().enumerate() {
            if other != self.index {
                let job = lock(current).clone();
                if let Some(job) = &job {
                    job.clone().help(other, self);
                }
                let_go(job);
            }
        }
    }
}

impl Shared {
    fn has_work(&self) -> bool {
        !self.injector.is_empty() || self.stealers.iter().any(|stealer| !stealer.is_empty())
    }

    fn wake_one(&self) {
        fence(Ordering::SeqCst);
        let counts = self.sleep.counts.load(Ordering::SeqCst);
        if counts != 0 && counts < SEARCHING {
            self.wake_parked();
        }
    }

    /// Wakes one that is parked. `false` if there is none.
    fn wake_parked(&self) -> bool {
        let woken = {
            let mut parked = lock(&self.sleep.parked);
            let woken = parked.pop();
            if woken.is_some() {
                self.sleep.counts.fetch_add(SEARCHING - PARKED, Ordering::SeqCst);
            }
            woken
        };
        woken.inspect(|index| self.sleep.unparkers[*index].unpark()).is_some()
    }
}

/// The last of a job may go here, and with it what is the user's: if its `Drop` panics the worker is to stay.
fn let_go(job: CurrentJob) {
    let _ = catch(|| drop(job));
}

fn until_settled(mut steal: impl FnMut() -> Steal<Task>) -> Option<Task> {
    loop {
        match steal() {
            Steal::Success(task) => return Some(task),
            Steal::Empty => return None,
            Steal::Retry => {}
        }
    }
}
