//! The concurrent engine: a job on the threads of a pool. A mailbox for each routine says which deliveries may be handled
//! now; a worker that takes an activation of a routine handles some of them, and hands on what they emitted.
//!
//! # How the parts fit
//! - **Gate**: how many workers are in the job, and whether it is halted. A worker that enters a halted job leaves again;
//!   who leaves a halted job last brings it to rest. So to halt and to wait until nobody is in is to stand still.
//! - **Load**: how many deliveries wait or are handled, and whether the inputs are closed. It changes once for all that a
//!   worker hands on, before it is handed on. Whoever takes it to zero knows that nothing is left.
//! - **Lanes**: what a worker has finished and not yet handed on, in an order that others can see. It is handed on
//!   together, but at once if any worker is free; and a worker that becomes free hands on what others hold.
//!
//! A lock is held for a few instructions, and never while a handler runs, but for the routine's own and the hooks'.
//! Where several are held they were taken in this order: lane, core, mailbox, record, outputs.

use super::care::{after_of, jittered, name_absorbed_in, next_of, text_of, verdict_on};
use super::closing::{Change, Closing};
use super::failure::{Told, limit_of, told};
use super::later::{Agenda, Due, Later, Timed};
use super::mailbox::{Mailbox, Taken};
use super::policy::{Failing, Verdict};
use super::pool::{Pool, Task, Work, Worker};
use super::queue::{Fifo, Waiting};
use super::step::{Done, Post, Tally, Undelivered};
use super::sync::{
    AtomicBool, AtomicU64, Condvar, Instant, Mutex, MutexGuard, Ordering, lock, relax, thread_local, wait,
};
use super::timer::Alarm;
use crate::clock::{Clock, Tick};
use crate::context::Context;
use crate::error::{Error, Result, catch};
use crate::flow::{Flow, Threaded};
use crate::job::{
    Absorbed, Control, Facts, Failed, Handler, History, Hooks, Job, JobId, JobState, Listener, LiveOutlet,
    LiveOutput, Outcome, Progress, Report, Request, Retention, RoutineProgress, Status, by_slot, entry_of,
    new_cells, not_sent, unpaired,
};
use crate::merge::Fault;
use crate::shape::Shape;
use crossbeam_utils::{Backoff, CachePadded};
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

/// How many deliveries a worker handles at most before it turns to what else waits.
const MOST: u32 = 256;
/// And for how long, unless one handler takes longer.
const LONGEST: Duration = Duration::from_micros(20);

/// What a job has failed with that has taken too long.
pub(super) const DEADLINE: &str = "its deadline has passed";

/// In the gate: the job is halted.
const HALTED: u64 = 1 << 63;
/// In the load: the inputs are closed.
const CLOSED: u64 = 1 << 63;
/// In the load: a call of a source. Those are no deliveries that take up room.
const SOURCE: u64 = 1 << 40;

thread_local! {
    /// The job whose handler runs in this thread.
    static HERE: Cell<*const ()> = const { Cell::new(std::ptr::null()) };
}

/// A job on a pool.
pub(crate) struct Running<F: Flow> {
    pub(crate) id: JobId,
    pub(super) pool: Pool,
    pub(super) cells: F::Cells,
    pub(super) mailboxes: Vec<CachePadded<Mutex<Mailbox<F::Delivery>>>>,
    /// Where each slot of the flow is in the mailbox of its routine.
    slot_at: Vec<usize>,
    /// One for each worker, made when it first comes.
    lanes: Vec<OnceLock<Box<Lane<F>>>>,
    pub(super) gate: CachePadded<AtomicU64>,
    load: CachePadded<AtomicU64>,
    /// The id of the next delivery.
    next_id: CachePadded<AtomicU64>,
    /// What came out, and who waits for it.
    outgoing: Mutex<Outgoing<F>>,
    came_out: Condvar,
    record: Mutex<Record>,
    /// What is to happen later.
    plans: Mutex<Plans<F>>,
    closing: Closing,
    room: Room,
    /// Held while values are given to those who have them streamed, so that they come in order.
    streams: Option<Mutex<()>>,
    shape: &'static Shape,
    hooks: Option<Mutex<Box<Hooks>>>,
    core: Mutex<Core<F>>,
    /// Whether it is worth the while to look whether the job rests.
    has_news: AtomicBool,
    /// Told of whatever changes in the core.
    changed: Condvar,
    limiter: Option<Limiter>,
    /// The `async` handlers that run.
    #[cfg(feature = "tokio")]
    pub(super) flights: super::flight::Flights,
    control: Control,
    clock: Clock,
    /// When the job has to have ended, in milliseconds since the Unix epoch; 0 is never.
    deadline: AtomicU64,
    /// The same by the clock that the alarm goes by.
    end_at: Option<std::time::Instant>,
    is_timed: bool,
    retention: Retention,
}

/// What is looked at when the job starts, stands still or ends, and not for a delivery.
pub(crate) struct Core<F: Flow> {
    /// `Running` until the job has come to rest in another way.
    status: Status,
    /// As what it is to rest once no worker is in it.
    ending: Option<Status>,
    /// Whether its `on_end` hooks run.
    settling: bool,
    reason: Option<String>,
    failure: Option<Failed<F::Delivery>>,
    error: Option<Error>,
    /// Whether `on_start` was called in this process.
    started: bool,
    /// Deliveries lost by failures.
    lost: u64,
    inputs_closed: bool,
    /// Whether the alarm for its deadline has rung.
    is_late: bool,
    /// Whether it has no handle any more.
    is_abandoned: bool,
    /// Itself, while it has no handle and goes on: of what waits for its time nobody else holds it.
    own: Option<Arc<Running<F>>>,
    /// How many need it to stand still.
    holds: u32,
    wakers: Vec<Waker>,
}

/// What handlers did.
struct Record {
    history: History,
    faults: u64,
    tally: Tally,
    absorbed: VecDeque<Absorbed>,
}

/// What is to happen later, and when someone will look at it.
pub(super) struct Plans<F: Flow> {
    agenda: Agenda<F>,
    /// For when alarms are set, in milliseconds since the Unix epoch.
    alarms: BTreeSet<u64>,
}

/// Who waits until fewer deliveries wait.
pub(super) struct Room {
    capacity: u64,
    /// How many values wait at outputs that someone reads.
    unread: AtomicU64,
    /// Whether anyone waits: it is looked at after the load has become less.
    wanted: AtomicBool,
    waiting: Mutex<WantRoom>,
    changed: Condvar,
    /// Whether nobody is to wait: the job has ended, or takes nothing more.
    over: AtomicBool,
}

#[derive(Default)]
struct WantRoom {
    /// Threads that send to an input.
    senders: u32,
    /// Routines with a source that is not called before there is room.
    routines: Vec<usize>,
}

struct Outgoing<F: Flow> {
    outbound: F::Outbound,
    /// How many read its outputs.
    readers: usize,
    /// Whether nothing more will come.
    ended: bool,
    wakers: Vec<Waker>,
}

/// A worker's place in a job.
struct Lane<F: Flow> {
    finished: Mutex<Finished<F>>,
    /// The worker's own.
    desk: Mutex<Desk<F>>,
}

/// Steps that were done and not yet handed on.
pub(super) struct Finished<F: Flow> {
    routine: usize,
    post: Post<F>,
    steps: Vec<Step>,
    /// How much is to be taken off the load.
    handled: u64,
    /// The slots of those, where they are counted.
    slots: Vec<u32>,
    change: Change,
    sorted: Vec<VecDeque<(usize, F::Delivery)>>,
}

struct Step {
    time: Tick,
    delivery: u64,
    slot: u32,
    emitted: u32,
}

struct Desk<F: Flow> {
    post: Post<F>,
    cx: Context,
}

/// Keeps a job to fewer workers than its pool has.
struct Limiter {
    most: usize,
    inside: Mutex<Inside>,
}

#[derive(Default)]
struct Inside {
    workers: usize,
    /// Activations that wait until one leaves.
    outside: VecDeque<usize>,
}

/// Why a delivery was not handled.
pub(super) enum Trouble<F: Flow> {
    Undelivered(Box<Undelivered<F::Delivery>>),
    /// The hook before it panicked.
    Hook {
        waiting: Waiting<F::Delivery>,
        what: String,
    },
}

impl<F: Flow> Finished<F> {
    pub(super) fn empty() -> Self {
        Finished {
            routine: 0,
            post: Post::empty(),
            steps: Vec::new(),
            handled: 0,
            slots: Vec::new(),
            change: Change::default(),
            sorted: F::shape().routines.iter().map(|_| VecDeque::new()).collect(),
        }
    }
}

impl<F: Threaded> Running<F> {
    pub(crate) fn start(mut job: Job<F>, pool: Pool) -> Result<Arc<Self>> {
        if !matches!(job.status, Status::Completed | Status::Cancelled) {
            job.fire_at_once();
        }
        let Job { cells, post, cx, status, reason, inputs_closed, faults, failure, history, .. } = job;
        let Job { retention, hooks, started, deadline_after, is_timed, workers, care, capacity, .. } = job;
        let is_streaming = job.is_streaming;
        let shape = F::shape();
        #[cfg(feature = "tokio")]
        let Job { runtime, .. } = job;
        // One that has failed is there to be resumed, with its delivery.
        let (failure, error) = match status {
            Status::Failed => {
                let why = failure.as_ref().map_or("", |failed| &failed.what);
                let what = format!(
                    "it had failed before it was started ({why}); call `resume()` to run the failed delivery again"
                );
                (failure, Some(Error::State { job: cx.job.to_string(), what }))
            }
            _ => (None, None),
        };
        #[cfg(feature = "tokio")]
        let flights = super::flight::Flights::of::<F>(runtime, &cx.job)?;
        let (mut mailboxes, slot_at) = Mailbox::of_flow::<F>();
        let Post { mut queue, outbound, mut tally, .. } = post;
        let mut care = *care;
        let mut waiting = 0;
        let mut arrived: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        if shape.is_counted {
            arrived.extend(care.take_aside());
            arrived.sort_by_key(|waiting| waiting.id);
        }
        for (slot, connection) in care.agenda.held() {
            mailboxes[shape.routine_of(slot)].hold(slot_at[slot], connection);
        }
        for next in arrived {
            let slot = F::slot_of(&next.delivery);
            waiting += unit(shape, slot);
            if let Some(old) = mailboxes[shape.routine_of(slot)].push(slot_at[slot], next) {
                waiting -= unit(shape, slot);
                tally.superseded += 1;
                care.closing.note(&mut care.change, slot, -1);
                // The user's `Drop` may panic; the value is superseded all the same.
                let _ = catch(|| drop(old));
            }
        }
        care.closing.add_all(&mut care.change);
        // The one that failed is there, though not in its mailbox.
        let failed = failure.as_ref().and_then(|failed| failed.delivery.as_ref());
        waiting += failed.map_or(0, |failed| unit(shape, F::slot_of(&failed.delivery)));
        waiting += care.agenda.iter().map(|(_, due)| load_of(shape, due)).sum::<u64>();
        let limit = workers.filter(|most| *most < pool.workers());
        let deadline =
            deadline_after.map_or(0, |after| cx.clock.tick().later(after.as_millis() as u64).millis());
        let end_at = deadline_after.and_then(|after| std::time::Instant::now().checked_add(after));
        let lanes = (0..pool.workers()).map(|_| OnceLock::new()).collect();
        let running = Arc::new(Running {
            id: cx.job,
            cells,
            mailboxes: mailboxes.into_iter().map(|mailbox| CachePadded::new(Mutex::new(mailbox))).collect(),
            slot_at,
            lanes,
            gate: CachePadded::new(AtomicU64::new(HALTED)),
            load: CachePadded::new(AtomicU64::new(waiting | if inputs_closed { CLOSED } else { 0 })),
            next_id: CachePadded::new(AtomicU64::new(queue.next_id())),
            outgoing: Mutex::new(Outgoing { outbound, readers: 0, ended: false, wakers: Vec::new() }),
            came_out: Condvar::new(),
            record: Mutex::new(Record { history, faults, tally, absorbed: care.absorbed }),
            plans: Mutex::new(Plans { agenda: care.agenda, alarms: BTreeSet::new() }),
            closing: care.closing,
            room: Room {
                capacity,
                unread: AtomicU64::new(0),
                wanted: AtomicBool::new(false),
                waiting: Mutex::default(),
                changed: Condvar::new(),
                over: AtomicBool::new(inputs_closed || status.is_end()),
            },
            streams: is_streaming.then(Mutex::default),
            shape,
            hooks: hooks.map(Mutex::new),
            core: Mutex::new(Core {
                status: match status {
                    Status::Pending | Status::Waiting => Status::Running,
                    other => other,
                },
                ending: None,
                settling: false,
                reason,
                failure,
                error,
                started,
                lost: 0,
                inputs_closed,
                is_late: false,
                is_abandoned: false,
                own: None,
                holds: 0,
                wakers: Vec::new(),
            }),
            has_news: AtomicBool::new(false),
            changed: Condvar::new(),
            #[cfg(feature = "tokio")]
            flights,
            limiter: limit.map(|most| Limiter { most, inside: Mutex::default() }),
            control: cx.control,
            clock: cx.clock,
            deadline: AtomicU64::new(deadline),
            end_at,
            is_timed,
            retention,
            pool,
        });
        let listener: Arc<dyn Listener> = running.clone();
        running.control.listen(Arc::downgrade(&listener));
        if let Some(at) = end_at {
            let alarm: Arc<dyn Alarm> = running.clone();
            let set = running.pool.timer().set(at, Arc::downgrade(&alarm));
            set.map_err(|error| Error::Configuration {
                what: format!("the system gives no thread for the deadline: {error}"),
            })?;
        }
        running.obey();
        let core = lock(&running.core);
        match core.status {
            Status::Running if core.ending.is_none() => running.set_going(core),
            status if status.is_end() => {
                drop(core);
                lock(&running.outgoing).ended = true;
            }
            _ => drop(running.rest(core)),
        }
        Ok(running)
    }

    // ---- what a worker does ----

    fn handle_some(self: &Arc<Self>, routine: usize, worker: &Worker<'_>) {
        let mailbox = &self.mailboxes[routine];
        let lane = self.lane(worker.index);
        // Before it is asked whether anyone is free: who becomes free later finds the routine here, and who was so
        // before is seen.
        lock(&lane.finished).routine = routine;
        let (mut taken, more, stride) = {
            let mut mailbox = lock(mailbox);
            mailbox.tokens -= 1;
            let Some(taken) = mailbox.take() else { return };
            let more = worker.is_anyone_free() && mailbox.wants_worker();
            mailbox.tokens += u32::from(more);
            (taken, more, mailbox.stride)
        };
        if more {
            worker.add(Task { job: self.clone(), routine });
            worker.wake_one();
        }
        self.make_room();
        let mut desk = lock(&lane.desk);
        let begun = Instant::now();
        let (mut first_tick, mut tick) = (None, None);
        let (mut handled, mut look_at) = (0, stride);
        loop {
            if self.shape.is_counted && self.shape.mode(taken.number).latest {
                self.supersede_older(&taken);
            }
            #[cfg(feature = "tokio")]
            if F::shape().placed[taken.number].mode.waits {
                self.hand_on(&mut lock(&lane.finished), |task| worker.add(task));
                self.set_out(routine, taken, &desk.cx);
                self.make_room();
                handled += 1;
                let mut mailbox = lock(mailbox);
                let over = handled == MOST || self.is_halted();
                if !over && let Some(next) = mailbox.take() {
                    taken = next;
                    continue;
                }
                let again = !self.is_halted() && mailbox.wants_worker();
                mailbox.tokens += u32::from(again);
                drop(mailbox);
                if again {
                    worker.add(Task { job: self.clone(), routine });
                }
                return;
            }
            let (slot, id, attempts) = (taken.slot, taken.waiting.id, taken.waiting.attempts);
            let number = taken.number;
            if self.shape.has_sources && self.shape.mode(number).source && !self.has_room() {
                self.hand_on(&mut lock(&lane.finished), |task| worker.add(task));
                self.park(routine, taken, worker);
                return;
            }
            let failed = match self.step(taken, &mut desk) {
                Ok(done) => {
                    let Desk { post, cx } = &mut *desk;
                    tick = Some(self.finish(&lane.finished, cx, post, done));
                    first_tick = first_tick.or(tick);
                    false
                }
                Err(trouble) => {
                    // What was done before it is handed on before it.
                    self.hand_on(&mut lock(&lane.finished), |task| worker.add(task));
                    desk.post.undo();
                    self.fail(&desk.cx, (routine, slot, number), (id, attempts), trouble);
                    true
                }
            };
            handled += 1;
            self.obey_if_asked();
            let mut over = failed || handled == MOST || self.is_halted();
            let mut took = None;
            if !over && (handled >= look_at || tick != first_tick) {
                let now = begun.elapsed();
                over = now >= LONGEST;
                look_at = handled + stride_for(LONGEST - now.min(LONGEST), now / handled);
                took = Some(now);
            }
            if !over {
                let mut mailbox = lock(mailbox);
                if let Some(next) = mailbox.take_after(slot) {
                    mailbox.handled += 1;
                    let free = worker.is_anyone_free();
                    let more = free && mailbox.wants_worker();
                    mailbox.tokens += u32::from(more);
                    drop(mailbox);
                    if more {
                        worker.add(Task { job: self.clone(), routine });
                    }
                    if free {
                        // The next handler may take long.
                        self.hand_on(&mut lock(&lane.finished), |task| worker.add(task));
                        worker.wake_one();
                    }
                    taken = next;
                    // What runs waits no longer.
                    self.make_room();
                    continue;
                }
            }
            let each = stride_for(LONGEST, took.unwrap_or_else(|| begun.elapsed()) / handled);
            // Before the next one of the routine can begin, what this one emitted is on its way.
            self.hand_on(&mut lock(&lane.finished), |task| worker.add(task));
            let mut mailbox = lock(mailbox);
            mailbox.done(slot);
            mailbox.handled += u64::from(!failed);
            mailbox.stride = each;
            let again = !self.is_halted() && mailbox.wants_worker();
            mailbox.tokens += u32::from(again);
            drop(mailbox);
            if again {
                worker.add(Task { job: self.clone(), routine });
            }
            return;
        }
    }

    fn deadline(&self) -> Option<Tick> {
        Some(self.deadline.load(Ordering::Relaxed)).filter(|millis| *millis > 0).map(Tick::of_millis)
    }

    fn lane(&self, worker: usize) -> &Lane<F> {
        self.lanes[worker].get_or_init(|| {
            let finished = Finished::empty();
            let cx = self.context();
            Box::new(Lane {
                finished: Mutex::new(finished),
                desk: Mutex::new(Desk { post: Post::empty(), cx }),
            })
        })
    }

    fn step(&self, taken: Taken<F::Delivery>, desk: &mut Desk<F>) -> std::result::Result<Done, Trouble<F>> {
        let waiting = self.before(taken.number, taken.waiting, &mut desk.cx)?;
        let done = F::deliver_shared(&self.cells, waiting.delivery, &desk.cx, &mut desk.post, ());
        done.map_err(Trouble::Undelivered)
    }

    /// What the handler will know, and the hooks before it.
    pub(super) fn before(
        &self,
        number: usize,
        waiting: Waiting<F::Delivery>,
        cx: &mut Context,
    ) -> std::result::Result<Waiting<F::Delivery>, Trouble<F>> {
        cx.delivery = waiting.id;
        cx.attempt = waiting.attempts.saturating_add(1);
        if self.is_timed {
            cx.deadline = self.deadline();
            cx.limit = limit_of::<F>(number, self.clock.tick());
        }
        let Some(hooks) = &self.hooks else { return Ok(waiting) };
        let (routine, slot) = F::shape().slots[number];
        let hooks = &mut lock(hooks).before;
        match catch(|| hooks.iter_mut().for_each(|hook| hook(cx, Handler { routine, slot }))) {
            Ok(()) => Ok(waiting),
            Err(panic) => {
                let what = format!("the hook before `{routine}.{slot}` panicked: {}", panic.message);
                Err(Trouble::Hook { waiting, what })
            }
        }
    }

    /// Puts a step that was done where others can see it.
    /// Gives the time.
    pub(super) fn finish(
        &self,
        finished: &Mutex<Finished<F>>,
        cx: &Context,
        post: &mut Post<F>,
        done: Done,
    ) -> Tick {
        let time = self.clock.tick();
        let (delivery, from) = (cx.delivery, post);
        if self.hooks.is_some() {
            self.record_with_hooks(cx, time, done.slot, Outcome::Handled, done.emitted);
        }
        let mut finished = lock(finished);
        let Finished { post, steps, handled, slots, .. } = &mut *finished;
        *handled += match self.shape.is_counted {
            false => 1,
            true => {
                slots.push(done.slot);
                unit(self.shape, done.slot as usize)
            }
        };
        if self.hooks.is_none() {
            steps.push(Step { time, delivery, slot: done.slot, emitted: done.emitted });
        }
        if done.emitted > 0 || from.has_rest() {
            from.hand_to(post);
        }
        time
    }

    /// For a job with hooks, each step is in the history before they are called.
    fn record_with_hooks(&self, cx: &Context, time: Tick, slot: u32, outcome: Outcome, emitted: u32) {
        let Some(hooks) = &self.hooks else { return };
        let mut hooks = lock(hooks);
        let entry = {
            let mut record = lock(&self.record);
            let sequence = record.history.next_sequence();
            record.add(time, slot, cx.delivery, &outcome, emitted);
            entry_of(&F::shape().slots, sequence, time, slot, cx.delivery, outcome, emitted)
        };
        if let Err(panic) = catch(|| hooks.after.iter_mut().for_each(|hook| hook(cx, &entry))) {
            drop(hooks);
            let (routine, slot) = F::shape().slots[slot as usize];
            self.stop(format!("the hook after `{routine}.{slot}` panicked: {}", panic.message));
        }
    }

    /// Hands on what a worker has finished: the history, the outputs, the load, the deliveries, in this order, so that
    /// nobody sees an effect before its cause.
    pub(super) fn hand_on(self: &Arc<Self>, finished: &mut Finished<F>, add: impl FnMut(Task)) {
        let Finished { post, steps, handled, sorted, slots, change, .. } = finished;
        if *handled == 0 {
            return;
        }
        if post.tally != Tally::default() {
            lock(&self.record).tally.add(std::mem::take(&mut post.tally));
        }
        if !steps.is_empty() {
            let mut record = lock(&self.record);
            match record.history.is_on() {
                true => steps.drain(..).for_each(|step| {
                    record.history.record(step.time, step.slot, step.delivery, step.emitted);
                }),
                false => {
                    record.history.count(steps.len() as u64);
                    steps.clear();
                }
            }
        }
        if F::has_output(&post.outbound) {
            self.put_out(&mut post.outbound);
        }
        let mut more = 0;
        let mut failed = None;
        // Held until what is planned is counted: nobody is to do it before that.
        let plans = match post.timed.is_empty() {
            true => None,
            false => {
                let mut plans = lock(&self.plans);
                (more, failed) = self.plan(&mut plans.agenda, post, change);
                Some(plans)
            }
        };
        if self.shape.is_counted {
            self.count_sent(post, slots, change);
            more =
                more.wrapping_add(post.queue.iter().map(|(_, _, d)| unit(self.shape, F::slot_of(d))).sum());
        } else {
            more = more.wrapping_add(post.queue.regular_len() as u64);
        }
        let emitted = post.queue.regular_len();
        let change = more.wrapping_sub(*handled);
        *handled = 0;
        let load = self.load.fetch_add(change, Ordering::SeqCst).wrapping_add(change);
        let is_planned = plans.is_some();
        drop(plans);
        match emitted {
            0 if load & !CLOSED == 0 => self.nothing_left(),
            0 => {}
            _ => self.distribute(&mut post.queue, sorted, add),
        }
        if is_planned {
            self.set_alarm();
        }
        if let Some(error) = failed {
            self.stop(error.to_string());
        }
        self.make_room();
    }

    /// What was sent and handled is counted where slots wait until nothing can come any more. Word to those goes with what
    /// was sent.
    fn count_sent(&self, post: &mut Post<F>, slots: &mut Vec<u32>, change: &mut Change) {
        if !self.closing.is_needed() {
            slots.clear();
            return;
        }
        for (_, _, delivery) in post.queue.iter() {
            self.closing.note(change, F::slot_of(delivery), 1);
        }
        slots.drain(..).for_each(|slot| self.closing.note(change, slot as usize, -1));
        let fires = self.closing.make(change);
        self.fire(fires, post, change);
    }

    /// Word to slots that nothing more will come.
    fn fire(&self, mut fires: Vec<usize>, post: &mut Post<F>, change: &mut Change) {
        while let Some(slot) = fires.pop() {
            match F::closing(slot) {
                Some(delivery) => post.send(delivery),
                None => {
                    self.closing.note_unsent(change, slot);
                    fires.extend(self.closing.make(change));
                }
            }
        }
    }

    /// Puts what steps have asked for on the agenda. What it adds to the load.
    fn plan(&self, agenda: &mut Agenda<F>, post: &mut Post<F>, change: &mut Change) -> (u64, Option<Error>) {
        let now = self.clock.tick().millis();
        let (mut more, mut failed) = (0u64, None);
        for timed in std::mem::take(&mut post.timed) {
            let (after, what) = (timed.after, timed.what);
            let what = match (after, what) {
                // A source that goes on at once waits in its mailbox, behind what it has emitted.
                (0, Later::Again { delivery, .. }) => {
                    post.send(delivery);
                    continue;
                }
                (_, what) => what,
            };
            match agenda.plan(now, Timed { after, what }) {
                Ok(planned) => {
                    if let Some(due) = planned.added.and_then(|key| agenda.get(key)) {
                        due.slots(|slot| self.closing.note(change, slot, 1));
                        more = more.wrapping_add(load_of(self.shape, due));
                    }
                    for due in planned.dropped {
                        due.slots(|slot| self.closing.note(change, slot, -1));
                        more = more.wrapping_sub(load_of(self.shape, &due));
                        // The user's `Drop` may panic, and what is forgotten is forgotten.
                        let _ = catch(|| drop(due));
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        (more, failed)
    }

    /// Has itself woken when the first of the agenda is due.
    fn set_alarm(self: &Arc<Self>) {
        let mut plans = lock(&self.plans);
        let is_set = |due: u64| plans.alarms.first().is_some_and(|first| *first <= due);
        let Some(due) = plans.agenda.first().filter(|due| !is_set(*due)) else { return };
        plans.alarms.insert(due);
        drop(plans);
        let alarm: Arc<dyn Alarm> = self.clone();
        let alarm = Arc::downgrade(&alarm);
        if self.clock.wake_at(due, || Waker::from(Arc::new(Ringing(alarm.clone())))) {
            return;
        }
        // The coarse clock may be a little behind.
        let left = Duration::from_millis(due.saturating_sub(self.clock.tick().millis()).max(1));
        let Some(at) = std::time::Instant::now().checked_add(left) else { return };
        if let Err(error) = self.pool.timer().set(at, alarm) {
            self.stop(format!("the system gives no thread for what is to happen later: {error}"));
        }
    }

    /// Those that were set for now have rung; by the coarse clock it may be a little before that.
    fn alarms_rang(&self, plans: &mut Plans<F>) {
        const EARLY: u64 = 100;
        let later = plans.alarms.split_off(&(self.clock.tick().millis() + EARLY));
        plans.alarms = later;
    }

    /// What is due is done, unless the job stands still: then it is when it goes on.
    fn take_due(self: &Arc<Self>) {
        let core = lock(&self.core);
        if core.status != Status::Running || core.ending.is_some() || core.holds > 0 {
            self.alarms_rang(&mut lock(&self.plans));
            return;
        }
        let mut post = Post::empty();
        let mut change = Change::default();
        let mut failed = None;
        let (mut more, mut less) = (0, 0);
        let mut wanted = Vec::new();
        {
            let mut plans = lock(&self.plans);
            self.alarms_rang(&mut plans);
            let now = self.clock.tick().millis();
            while let Some((at, due)) = plans.agenda.take(now) {
                match due {
                    Due::Retry { waiting, in_order } => wanted.extend(self.try_again(waiting, in_order)),
                    // They are counted already.
                    Due::Again { delivery, is_work: true } => post.send(delivery),
                    Due::Again { delivery, is_work: false } => {
                        let slot = F::slot_of(&delivery);
                        self.closing.note(&mut change, slot, 1);
                        more += unit(self.shape, slot);
                        post.send(delivery);
                    }
                    Due::Events { mut parcel, .. } => {
                        // What goes to outputs alone was counted, too.
                        less += u64::from(parcel.queue.regular_len() == 0);
                        parcel.hand_to(&mut post);
                    }
                    Due::Every { name, period, parcel } => {
                        let opened = catch(|| parcel.clone().open::<F>());
                        match opened {
                            Ok(Ok(mut opened)) => {
                                if !opened.keep_to(|slot| !self.closing.is_over(slot)) {
                                    continue;
                                }
                                plans
                                    .agenda
                                    .add(next_of(at, period, now), Due::Every { name, period, parcel });
                                for (_, _, delivery) in opened.queue.iter() {
                                    let slot = F::slot_of(delivery);
                                    self.closing.note(&mut change, slot, 1);
                                    more += unit(self.shape, slot);
                                }
                                opened.hand_to(&mut post);
                            }
                            Ok(Err(error)) => failed = Some(error.to_string()),
                            Err(panic) => failed = Some(panic.message),
                        }
                    }
                }
            }
        }
        // There is only more of it: nothing fires.
        let _ = self.closing.make(&mut change);
        if post.tally != Tally::default() {
            lock(&self.record).tally.add(std::mem::take(&mut post.tally));
        }
        // Under the core's lock, so that a copy of the job has it; those who read it are told when that is free.
        let comes_out = F::has_output(&post.outbound);
        if comes_out {
            F::merge_outbound(&mut lock(&self.outgoing).outbound, &mut post.outbound);
        }
        self.load.fetch_add(more, Ordering::SeqCst);
        let mut tasks: Vec<Task> =
            wanted.into_iter().map(|routine| Task { job: self.clone(), routine }).collect();
        if post.queue.regular_len() > 0 {
            let mut sorted: Vec<VecDeque<_>> = self.shape.routines.iter().map(|_| VecDeque::new()).collect();
            self.distribute(&mut post.queue, &mut sorted, |task| tasks.push(task));
        }
        drop(core);
        if comes_out {
            self.inside(|| self.put_out(&mut post.outbound));
        }
        tasks.into_iter().for_each(|task| self.pool.inject(task));
        if less > 0 {
            if (self.load.fetch_sub(less, Ordering::SeqCst) - less) & !CLOSED == 0 {
                self.nothing_left();
            }
            self.make_room();
        }
        if let Some(why) = failed {
            self.stop(format!("what is repeated could not be read back: {why}"));
        }
        self.set_alarm();
        // What went to outputs alone waits no longer.
        self.make_room();
    }

    /// Another attempt at a delivery waits in its mailbox. The routine, if it wants a worker for that.
    fn try_again(&self, waiting: Waiting<F::Delivery>, in_order: bool) -> Option<usize> {
        let slot = F::slot_of(&waiting.delivery);
        let routine = self.shape.routine_of(slot);
        let mut mailbox = lock(&self.mailboxes[routine]);
        if in_order {
            mailbox.release(self.slot_at[slot], F::connection_of(&waiting.delivery));
        }
        let superseded = mailbox.put_back(self.slot_at[slot], waiting);
        if superseded.is_some() {
            self.note_superseded(slot);
        }
        let wanted = mailbox.wants_worker();
        mailbox.tokens += u32::from(wanted);
        drop(mailbox);
        // The user's `Drop` may panic; the value is superseded all the same.
        let _ = catch(|| drop(superseded));
        wanted.then_some(routine)
    }

    /// Puts a delivery back that was taken and not handled, unless a newer one supersedes it.
    pub(super) fn put_back(&self, waiting: Waiting<F::Delivery>) {
        let slot = F::slot_of(&waiting.delivery);
        let superseded = {
            let mut mailbox = lock(&self.mailboxes[self.shape.routine_of(slot)]);
            let superseded = mailbox.put_back(self.slot_at[slot], waiting);
            if superseded.is_some() {
                self.note_superseded(slot);
            }
            superseded
        };
        let _ = catch(|| drop(superseded));
    }

    /// A newer delivery has taken the place of one. Called while the newer one waits in its mailbox, which is locked: so
    /// neither the load nor a counter comes to zero.
    fn note_superseded(&self, slot: usize) {
        let mut change = Change::default();
        self.closing.note(&mut change, slot, -1);
        let _ = self.closing.make(&mut change);
        self.load.fetch_sub(unit(self.shape, slot), Ordering::SeqCst);
        lock(&self.record).tally.superseded += 1;
    }

    /// Of a slot that is given the latest: those that wait for their next attempt are not given to it after a newer one.
    fn supersede_older(self: &Arc<Self>, newer: &Taken<F::Delivery>) {
        let (slot, connection) = (newer.number, F::connection_of(&newer.waiting.delivery));
        let older = lock(&self.plans).agenda.take_older(slot, connection, newer.waiting.id);
        for old in older {
            // The newer one is handled: neither the load nor a counter comes to zero.
            self.note_superseded(slot);
            // The user's `Drop` may panic; the value is superseded all the same.
            let _ = catch(|| drop(old));
            self.make_room();
        }
    }

    // ---- room ----

    /// Whether fewer deliveries wait than may.
    fn has_room(&self) -> bool {
        let load = self.load.load(Ordering::SeqCst) & (SOURCE - 1);
        let all = load + self.room.unread.load(Ordering::SeqCst);
        all < self.room.capacity || {
            // What runs does not wait: of `async` handlers there may be many.
            let running: u64 = self.mailboxes.iter().map(|mailbox| u64::from(lock(mailbox).handling())).sum();
            all.saturating_sub(running) < self.room.capacity
        }
    }

    /// A source is not called before there is room.
    fn park(self: &Arc<Self>, routine: usize, taken: Taken<F::Delivery>, worker: &Worker<'_>) {
        let Taken { slot, waiting, .. } = taken;
        let mut mailbox = lock(&self.mailboxes[routine]);
        mailbox.done(slot);
        mailbox.put_back(slot, waiting);
        mailbox.park(slot);
        let again = !self.is_halted() && mailbox.wants_worker();
        mailbox.tokens += u32::from(again);
        drop(mailbox);
        lock(&self.room.waiting).routines.push(routine);
        self.room.wanted.store(true, Ordering::SeqCst);
        if again {
            worker.add(Task { job: self.clone(), routine });
        }
        // There may be room by now, and who made it has not seen that it is wanted.
        self.make_room();
    }

    /// If there is room: tells those who wait for it.
    #[inline]
    fn make_room(self: &Arc<Self>) {
        if self.room.wanted.load(Ordering::SeqCst) && self.has_room() {
            self.tell_of_room();
        }
    }

    #[cold]
    fn tell_of_room(self: &Arc<Self>) {
        let routines = {
            let mut waiting = lock(&self.room.waiting);
            self.room.wanted.store(waiting.senders > 0, Ordering::SeqCst);
            std::mem::take(&mut waiting.routines)
        };
        self.room.changed.notify_all();
        for routine in routines {
            let mut mailbox = lock(&self.mailboxes[routine]);
            mailbox.unpark();
            let wanted = !self.is_halted() && mailbox.wants_worker();
            mailbox.tokens += u32::from(wanted);
            drop(mailbox);
            if wanted {
                self.pool.inject(Task { job: self.clone(), routine });
            }
        }
    }

    /// Whether who sends has to wait for room.
    pub(crate) fn would_wait(&self) -> bool {
        !self.has_room() && !self.room.over.load(Ordering::SeqCst)
    }

    /// Waits until there is room, or never will be.
    fn wait_for_room(&self, input: &str) -> Result<()> {
        if self.has_room() {
            return Ok(());
        }
        if self.is_inside() || self.pool.is_here() {
            return Err(self.refused(
                input,
                "it has no room, and a worker of the pool that it runs on cannot wait for it: use `inputs().try_send()`",
            ));
        }
        let mut waiting = lock(&self.room.waiting);
        waiting.senders += 1;
        self.room.wanted.store(true, Ordering::SeqCst);
        while !self.has_room() && !self.room.over.load(Ordering::SeqCst) {
            waiting = wait(&self.room.changed, waiting);
        }
        waiting.senders -= 1;
        drop(waiting);
        match self.status() {
            Status::Failed if !self.has_room() => {
                Err(self.refused(input, "it has failed, and has no room: `resume()` it first"))
            }
            _ => Ok(()),
        }
    }

    /// Whether it is in vain to wait for room, until it is said again.
    fn set_over(&self, over: bool) {
        self.room.over.store(over, Ordering::SeqCst);
        // Who is about to wait has the lock, and sees it, or hears of it.
        drop(lock(&self.room.waiting));
        self.room.changed.notify_all();
    }

    fn put_out(&self, from: &mut F::Outbound) {
        // Until they are called, so that what comes later is given to them later.
        let streaming = self.streams.as_ref().map(lock);
        let (wakers, batches) = {
            let mut outgoing = lock(&self.outgoing);
            F::merge_outbound(&mut outgoing.outbound, from);
            let batches: Vec<_> = match &streaming {
                None => Vec::new(),
                Some(_) => {
                    let parts = F::outbound_mut(&mut outgoing.outbound);
                    parts.into_iter().filter_map(|(name, part)| Some((name, part.batch()?))).collect()
                }
            };
            if outgoing.readers > 0 {
                self.count_unread(&outgoing);
            }
            (std::mem::take(&mut outgoing.wakers), batches)
        };
        for (name, batch) in batches {
            if let Err((panic, rest)) = batch() {
                let mut outgoing = lock(&self.outgoing);
                let parts = F::outbound_mut(&mut outgoing.outbound);
                if let Some((_, part)) = parts.into_iter().find(|(known, _)| *known == name) {
                    part.put_back(rest);
                }
                drop(outgoing);
                self.stop(format!("what the output `{name}` is streamed to panicked: {}", panic.message));
            }
        }
        drop(streaming);
        self.came_out.notify_all();
        wake(wakers);
    }

    fn count_unread(&self, outgoing: &Outgoing<F>) {
        let unread = F::outbound(&outgoing.outbound).iter().map(|(_, part)| part.unread()).sum();
        self.room.unread.store(unread, Ordering::SeqCst);
    }

    /// Someone reads an output from now on, or does not any more.
    pub(crate) fn note_reader(self: &Arc<Self>, note: impl FnOnce(&mut F::Outbound), comes: bool) {
        let mut outgoing = lock(&self.outgoing);
        note(&mut outgoing.outbound);
        match comes {
            true => outgoing.readers += 1,
            false => outgoing.readers -= 1,
        }
        self.count_unread(&outgoing);
        drop(outgoing);
        self.make_room();
    }

    fn distribute(
        self: &Arc<Self>,
        queue: &mut Fifo<F::Delivery>,
        sorted: &mut [VecDeque<(usize, F::Delivery)>],
        mut add: impl FnMut(Task),
    ) {
        let mut id = self.next_id.fetch_add(queue.regular_len() as u64, Ordering::Relaxed);
        while let Some(delivery) = queue.pop_regular() {
            let slot = F::slot_of(&delivery);
            sorted[F::shape().placed[slot].routine].push_back((slot, delivery));
        }
        for (routine, deliveries) in sorted.iter_mut().enumerate() {
            if deliveries.is_empty() {
                continue;
            }
            let mut mailbox = lock(&self.mailboxes[routine]);
            let mut superseded = Vec::new();
            for (slot, delivery) in deliveries.drain(..) {
                if let Some(old) = mailbox.push(self.slot_at[slot], Waiting { id, attempts: 0, delivery }) {
                    self.note_superseded(slot);
                    superseded.push(old);
                }
                id += 1;
            }
            let wanted = mailbox.wants_worker();
            mailbox.tokens += u32::from(wanted);
            drop(mailbox);
            if wanted {
                add(Task { job: self.clone(), routine });
            }
            // The user's `Drop` may panic; the value is superseded all the same.
            superseded.into_iter().for_each(|old| drop(catch(|| drop(old))));
        }
    }

    /// The next `async` one for who has just run one for `slot`. If there is none, or the job is halted, that one still
    /// counts as running.
    #[cfg(feature = "tokio")]
    pub(super) fn take_waiting_after(&self, routine: usize, slot: usize) -> Option<Taken<F::Delivery>> {
        let mut mailbox = lock(&self.mailboxes[routine]);
        if self.is_halted() {
            return None;
        }
        let next = mailbox.take_after_if(slot, |number| F::shape().placed[number].mode.waits)?;
        mailbox.handled += 1;
        Some(next)
    }

    /// Lets a handler that ended without a worker take its leave: of the mailbox, and of the job.
    #[cfg(feature = "tokio")]
    pub(super) fn come_back(self: &Arc<Self>, routine: usize, slot: usize, handled: bool) {
        let mut mailbox = lock(&self.mailboxes[routine]);
        mailbox.done(slot);
        mailbox.handled += u64::from(handled);
        let again = !self.is_halted() && mailbox.wants_worker();
        mailbox.tokens += u32::from(again);
        drop(mailbox);
        if again {
            self.pool.inject(Task { job: self.clone(), routine });
        }
        self.leave();
    }

    /// Runs a part of one of its handlers in a thread that is no worker's.
    pub(super) fn inside<T>(&self, run: impl FnOnce() -> T) -> T {
        let outer = HERE.with(|here| here.replace(std::ptr::from_ref(self).cast()));
        let result = run();
        HERE.with(|here| here.set(outer));
        result
    }

    /// A worker found the job halted.
    fn stand_aside(self: &Arc<Self>, routine: usize, worker: &Worker<'_>) {
        let mut mailbox = lock(&self.mailboxes[routine]);
        mailbox.tokens -= 1;
        // Who lets the job go on looks at the mailbox after that: one of the two sees that a worker is wanted.
        let again = !self.is_halted() && mailbox.wants_worker();
        mailbox.tokens += u32::from(again);
        drop(mailbox);
        if again {
            worker.add(Task { job: self.clone(), routine });
        }
    }

    fn leave(&self) {
        match self.gate.fetch_sub(1, Ordering::SeqCst) {
            before if before == HALTED | 1 => drop(self.rest(lock(&self.core))),
            // Who waits until the job is idle waits until nobody is in it.
            1 if self.load.load(Ordering::SeqCst) == 0 => {
                let _core = lock(&self.core);
                self.changed.notify_all();
            }
            _ => {}
        }
    }

    #[inline]
    fn is_halted(&self) -> bool {
        self.gate.load(Ordering::SeqCst) & HALTED != 0
    }

    fn is_empty_of_workers(&self) -> bool {
        self.gate.load(Ordering::SeqCst) & !HALTED == 0
    }

    // ---- how it comes to rest and goes on ----

    /// The last delivery was handled.
    #[cold]
    fn nothing_left(&self) {
        let core = lock(&self.core);
        // More may have come meanwhile.
        match self.load.load(Ordering::SeqCst) {
            CLOSED => drop(self.end(core, Status::Completed, None)),
            _ => self.changed.notify_all(),
        }
    }

    /// Has the job rest, once nobody is in it: as what, and why. What it is to rest as already may outweigh it.
    fn end<'a>(
        &'a self,
        mut core: MutexGuard<'a, Core<F>>,
        status: Status,
        reason: Option<String>,
    ) -> MutexGuard<'a, Core<F>> {
        let is_news = match (core.status, core.ending) {
            (Status::Running, None) => true,
            // A pause hides neither a failure nor the wish to cancel.
            (Status::Running, Some(Status::Paused)) => matches!(status, Status::Failed | Status::Cancelled),
            (Status::Paused, None) => status == Status::Cancelled,
            _ => false,
        };
        if !is_news {
            return core;
        }
        core.ending = Some(status);
        core.reason = reason;
        if status == Status::Cancelled {
            self.control.note_cancelled();
        }
        #[cfg(feature = "tokio")]
        if status == Status::Cancelled {
            self.flights.abort();
        }
        self.gate.fetch_or(HALTED, Ordering::SeqCst);
        self.rest(core)
    }

    /// If nobody is in the halted job: tells those who wait for that, and makes it what it is to rest as.
    fn rest<'a>(&'a self, mut core: MutexGuard<'a, Core<F>>) -> MutexGuard<'a, Core<F>> {
        if !self.is_empty_of_workers() || core.settling {
            return core;
        }
        self.changed.notify_all();
        let Some(status) = core.ending.take() else { return core };
        core.status = status;
        // Who calls this holds it: it is not the last.
        core.own = None;
        if status == Status::Completed {
            lock(&self.plans).agenda.end();
        }
        if status.is_end() {
            self.set_over(true);
            core.settling = true;
            drop(core);
            self.control.forget_all();
            let stopped = self.call_end_hooks(status);
            self.end_outputs();
            core = lock(&self.core);
            core.settling = false;
            if let Some(what) = stopped {
                if !matches!(status, Status::Failed | Status::Cancelled) {
                    core.status = Status::Failed;
                    core.failure = Some(Failed { what: what.clone(), refusal: None, delivery: None });
                }
                if core.error.is_none() {
                    core.error = Some(Error::Execution { job: self.id.to_string(), what });
                }
            }
        }
        self.has_news.store(true, Ordering::Release);
        self.changed.notify_all();
        let abandoned = core.is_abandoned && status == Status::Paused;
        if abandoned || !core.wakers.is_empty() {
            // A waker may look at the job, or hold the last handle of it.
            let wakers = std::mem::take(&mut core.wakers);
            drop(core);
            wake(wakers);
            if abandoned {
                self.end_outputs();
            }
            core = lock(&self.core);
        }
        core
    }

    /// Nothing more comes out.
    fn end_outputs(&self) {
        F::close_live(&self.cells);
        let wakers = {
            let mut outgoing = lock(&self.outgoing);
            outgoing.ended = true;
            std::mem::take(&mut outgoing.wakers)
        };
        self.came_out.notify_all();
        wake(wakers);
    }

    /// The last handle is dropped: nobody can resume it any more, so who reads the outputs of a paused job is told.
    pub(crate) fn abandon(self: &Arc<Self>) {
        self.close_inputs();
        let mut core = lock(&self.core);
        core.is_abandoned = true;
        match core.status {
            Status::Running if core.ending.is_none() => core.own = Some(self.clone()),
            Status::Paused => {
                drop(core);
                self.end_outputs();
            }
            _ => {}
        }
    }

    /// Lets it go on, for the first time with its `on_start` hooks.
    fn set_going<'a>(self: &'a Arc<Self>, mut core: MutexGuard<'a, Core<F>>) {
        if !std::mem::replace(&mut core.started, true)
            && let Some(hooks) = &self.hooks
        {
            drop(core);
            let cx = self.context();
            let outer = HERE.with(|here| here.replace(std::ptr::from_ref(&**self).cast()));
            let called = catch(|| lock(hooks).start.iter_mut().for_each(|hook| hook(&cx)));
            HERE.with(|here| here.set(outer));
            if let Err(panic) = called {
                self.stop(format!("its `on_start` hook panicked: {}", panic.message));
            }
            // What the hooks have asked for comes before the first handler.
            self.obey_if_asked();
            core = lock(&self.core);
        }
        self.go_on(core);
    }

    fn call_end_hooks(&self, status: Status) -> Option<String> {
        let mut hooks = lock(self.hooks.as_ref()?);
        let cx = self.context();
        // Those who wait for the job's end wait for the hooks, too, and so they must not.
        let outer = HERE.with(|here| here.replace(std::ptr::from_ref(self).cast()));
        let called = catch(|| hooks.end.iter_mut().for_each(|hook| hook(&cx, status)));
        HERE.with(|here| here.set(outer));
        called.err().map(|panic| format!("its `on_end` hook panicked: {}", panic.message))
    }

    fn context(&self) -> Context {
        let mut cx = Context::new(self.id.clone());
        cx.clock = self.clock.clone();
        cx.control = self.control.clone();
        cx
    }

    /// Lets workers in again, if nothing stands against it.
    fn go_on(self: &Arc<Self>, core: MutexGuard<'_, Core<F>>) {
        if core.holds > 0 || core.ending.is_some() || core.status != Status::Running {
            return;
        }
        self.has_news.store(false, Ordering::Release);
        self.gate.fetch_and(!HALTED, Ordering::SeqCst);
        let wanted: Vec<usize> = self
            .mailboxes
            .iter()
            .enumerate()
            .filter(|(_, mailbox)| {
                let mut mailbox = lock(mailbox);
                let wanted = mailbox.wants_worker();
                mailbox.tokens += u32::from(wanted);
                wanted
            })
            .map(|(routine, _)| routine)
            .collect();
        self.set_over(core.inputs_closed);
        drop(core);
        for routine in wanted {
            self.pool.inject(Task { job: self.clone(), routine });
        }
        if !lock(&self.plans).agenda.is_empty() {
            self.take_due();
        }
        if self.load.load(Ordering::SeqCst) == CLOSED {
            self.nothing_left();
        }
        // What had failed may have been superseded.
        self.make_room();
    }

    /// Runs `look` while no handler of the job runs.
    fn at_standstill<T>(self: &Arc<Self>, look: impl FnOnce(&mut Core<F>) -> T) -> Result<T> {
        self.not_from_inside()?;
        let mut core = lock(&self.core);
        core.holds += 1;
        self.gate.fetch_or(HALTED, Ordering::SeqCst);
        while !self.is_empty_of_workers() || core.settling {
            core = wait(&self.changed, core);
        }
        core = self.rest(core);
        // A `Drop` of the user's may panic, and must not halt the job for ever.
        let seen = catch(|| look(&mut core));
        core.holds -= 1;
        self.go_on(core);
        seen.map_err(|panic| Error::Execution {
            job: self.id.to_string(),
            what: format!("a `Drop` panicked while it stood still, and it goes on: {}", panic.message),
        })
    }

    fn not_from_inside(&self) -> Result<()> {
        match self.is_inside() {
            true => Err(self
                .error_of("one of its own handlers or hooks cannot wait until none of them runs".to_owned())),
            false => Ok(()),
        }
    }

    /// Whether this is called from a handler of the job, or a hook of it.
    fn is_inside(&self) -> bool {
        std::ptr::addr_eq(HERE.with(Cell::get), self)
    }

    // ---- failures ----

    pub(super) fn fail(
        self: &Arc<Self>,
        cx: &Context,
        (routine, slot, number): (usize, usize, usize),
        (id, attempts): (u64, u32),
        trouble: Trouble<F>,
    ) {
        let undelivered = match trouble {
            Trouble::Hook { waiting, what } => {
                self.put_back(waiting);
                return self.stop(what);
            }
            Trouble::Undelivered(undelivered) => undelivered,
        };
        lock(&self.mailboxes[routine]).failed += 1;
        let Some(undelivered) = self.absorbed(cx, (routine, slot, number), (id, attempts + 1), undelivered)
        else {
            return;
        };
        let Told { text, failed, error } = told::<F>(&self.id, id, attempts + 1, *undelivered);
        let outcome = Outcome::Failed(text);
        let time = self.clock.tick();
        let mut core = lock(&self.core);
        core.lost += u64::from(failed.delivery.is_none());
        let first = core.status == Status::Running && matches!(core.ending, None | Some(Status::Paused));
        match first {
            true => {
                core.failure = Some(failed);
                core.error = Some(error);
            }
            // One is told of; the delivery of another waits for its next attempt, if it can have one.
            false => {
                let Failed { refusal, delivery, what } = failed;
                if let Some(delivery) = delivery {
                    self.put_back(delivery);
                }
                if let Some(refusal) = refusal {
                    let known = core.failure.get_or_insert(Failed { what, refusal: None, delivery: None });
                    known.refusal.get_or_insert(refusal);
                }
            }
        }
        if first {
            // Before the hooks are called: whatever fails meanwhile, another handler or a hook, is not the first.
            core = self.end(core, Status::Failed, None);
        }
        match self.hooks {
            None => lock(&self.record).add(time, number as u32, id, &outcome, 0),
            Some(_) => {
                drop(core);
                self.record_with_hooks(cx, time, number as u32, outcome, 0);
            }
        }
    }

    /// What the flow's policies say of a step that could not be done is done. It comes back if none absorbs it.
    fn absorbed(
        self: &Arc<Self>,
        cx: &Context,
        (routine, slot, number): (usize, usize, usize),
        (id, attempt): (u64, u32),
        mut undelivered: Box<Undelivered<F::Delivery>>,
    ) -> Option<Box<Undelivered<F::Delivery>>> {
        let verdict = verdict_on::<F>(&self.cells, &undelivered, attempt);
        if matches!(verdict, Verdict::Leave | Verdict::Stop) {
            return Some(undelivered);
        }
        let text = text_of(&undelivered.fault);
        let record = |text: String| {
            let outcome = Outcome::Failed(text);
            let time = self.clock.tick();
            match self.hooks {
                None => lock(&self.record).add(time, number as u32, id, &outcome, 0),
                Some(_) => self.record_with_hooks(cx, time, number as u32, outcome, 0),
            }
        };
        let name = |text: &str| {
            let one = Absorbed {
                slot: self.shape.name(number),
                delivery: id,
                attempts: attempt,
                error: text.to_owned(),
            };
            name_absorbed_in(&mut lock(&self.record).absorbed, one);
        };
        let mut finished = Finished::empty();
        match verdict {
            Verdict::Retry { after, longest, in_order } => {
                let Some(delivery) = undelivered.delivery.take() else { return Some(undelivered) };
                let after = after_of(&undelivered.fault)
                    .unwrap_or_else(|| jittered(after, &self.id, id, attempt).min(longest));
                record(text);
                if in_order {
                    lock(&self.mailboxes[routine]).hold(slot, F::connection_of(&delivery));
                }
                let due = self.clock.tick().millis().saturating_add(after);
                let waiting = Waiting { id, attempts: attempt, delivery };
                lock(&self.plans).agenda.add(due, Due::Retry { waiting, in_order });
                self.set_alarm();
                return None;
            }
            Verdict::Divert(wire) => {
                let Some(delivery) = undelivered.delivery.take() else { return Some(undelivered) };
                let failing = Failing { delivery, error: text.clone(), attempts: attempt, id };
                match catch(|| F::divert(&self.cells, failing, wire, &mut finished.post, ())) {
                    Ok(Ok(())) => finished.post.tally.diverted += 1,
                    Ok(Err(Ok(failing))) => {
                        undelivered.delivery = Some(failing.delivery);
                        return Some(undelivered);
                    }
                    Ok(Err(Err(fault))) => {
                        undelivered.fault = fault;
                        return Some(undelivered);
                    }
                    Err(panic) => {
                        undelivered.fault = Fault::Panicked(panic);
                        return Some(undelivered);
                    }
                }
            }
            _ => {
                // The user's `Drop` may panic, and the delivery is given up.
                let _ = catch(|| drop(undelivered));
                finished.post.tally.skipped += 1;
            }
        }
        name(&text);
        record(text);
        finished.handled = unit(self.shape, number);
        if self.shape.is_counted {
            finished.slots.push(number as u32);
        }
        self.hand_on(&mut finished, |task| self.pool.inject(task));
        None
    }

    /// The job fails without a delivery that failed.
    pub(super) fn stop(&self, what: String) {
        let mut core = lock(&self.core);
        if core.status == Status::Running && matches!(core.ending, None | Some(Status::Paused)) {
            core.failure = Some(Failed { what: what.clone(), refusal: None, delivery: None });
            core.error = Some(Error::Execution { job: self.id.to_string(), what });
            drop(self.end(core, Status::Failed, None));
        }
    }

    #[inline]
    pub(super) fn obey_if_asked(&self) {
        if self.control.is_asked() {
            self.obey();
        }
    }

    /// Does what handlers and holders of a `Control` have asked for.
    #[cold]
    fn obey(&self) {
        let core = lock(&self.core);
        match self.control.take() {
            Some(Request::Cancel(reason)) => drop(self.end(core, Status::Cancelled, Some(reason))),
            Some(Request::Pause(reason)) => drop(self.end(core, Status::Paused, Some(reason))),
            None => {}
        }
    }

    pub(crate) fn error_of(&self, what: String) -> Error {
        Error::State { job: self.id.to_string(), what }
    }

    // ---- what holders of a handle do ----

    pub(crate) fn pause(&self, reason: String) {
        let mut core = self.end(lock(&self.core), Status::Paused, Some(reason));
        if self.is_inside() {
            // Its own handler runs: the job pauses when that has returned.
            return;
        }
        while core.ending.is_some() || core.settling {
            core = wait(&self.changed, core);
        }
    }

    pub(crate) fn cancel(&self, reason: String) {
        drop(self.end(lock(&self.core), Status::Cancelled, Some(reason)));
    }

    pub(crate) fn resume(self: &Arc<Self>) -> Result<()> {
        let mut core = lock(&self.core);
        self.control.forget_pause();
        if core.ending == Some(Status::Paused) {
            core.ending = None;
            // Who waits for the pause need not.
            self.changed.notify_all();
        }
        if !self.is_inside() {
            while core.ending.is_some() || core.settling {
                core = wait(&self.changed, core);
            }
        }
        match core.status {
            Status::Running => {}
            Status::Paused => core.status = Status::Running,
            Status::Failed if core.settling => {
                return Err(self.error_of("its `on_end` hooks cannot resume it, which end first".to_owned()));
            }
            Status::Failed => {
                if let Some(Failed { refusal: Some(refusal), .. }) = &core.failure {
                    return Err(self.error_of(format!("it cannot be resumed: {refusal}")));
                }
                if let Some(Failed { delivery: Some(delivery), .. }) = core.failure.take() {
                    self.put_back(delivery);
                }
                core.error = None;
                self.deadline.store(0, Ordering::Relaxed);
                core.status = Status::Running;
                lock(&self.outgoing).ended = false;
                F::open_live(&self.cells);
            }
            Status::Cancelled => {
                let reason = core.reason.as_deref().unwrap_or("no reason given");
                return Err(self.error_of(format!("it was cancelled ({reason}) and cannot be resumed")));
            }
            _ => return Ok(()),
        }
        core.reason = None;
        // Its clock may be a little behind the alarm's.
        if self.deadline().is_some_and(|deadline| core.is_late || self.clock.tick() > deadline) {
            // It has passed while the job was paused.
            drop(core);
            self.stop(DEADLINE.to_owned());
            return Ok(());
        }
        self.set_going(core);
        Ok(())
    }

    /// One more receiver of live events.
    pub(crate) fn live<P>(&self, outlet: fn(&F::Cells) -> &LiveOutlet<P>) -> LiveOutput<P> {
        outlet(&self.cells).receiver()
    }

    pub(crate) fn close_inputs(self: &Arc<Self>) {
        let mut core = lock(&self.core);
        let is_new = !std::mem::replace(&mut core.inputs_closed, true);
        let mut tasks = Vec::new();
        if is_new && self.closing.is_needed() {
            let (mut post, mut change) = (Post::empty(), Change::default());
            self.closing.note_closed(&mut change);
            let fires = self.closing.make(&mut change);
            self.fire(fires, &mut post, &mut change);
            let more: u64 = post.queue.iter().map(|(_, _, d)| unit(self.shape, F::slot_of(d))).sum();
            self.load.fetch_add(more, Ordering::SeqCst);
            let mut sorted: Vec<VecDeque<_>> = self.shape.routines.iter().map(|_| VecDeque::new()).collect();
            self.distribute(&mut post.queue, &mut sorted, |task| tasks.push(task));
        }
        drop(core);
        tasks.into_iter().for_each(|task| self.pool.inject(task));
        self.set_over(true);
        if self.load.fetch_or(CLOSED, Ordering::SeqCst) == 0 {
            self.nothing_left();
        }
    }

    /// What came to an input goes to the routines.
    pub(crate) fn send(
        self: &Arc<Self>,
        input: &'static str,
        waits: bool,
        send: impl FnOnce(&F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> Result<()> {
        if waits {
            self.wait_for_room(input)?;
        }
        // The user's `Clone` runs in `send`, so it is called before anything is promised.
        let mut post = Post::empty();
        let sent = catch(|| send(&self.cells, &mut post));
        if let Err(fault) = sent.map_err(Fault::Panicked).and_then(|sent| sent) {
            post.undo();
            return Err(not_sent(&self.id, input, fault));
        }
        let core = lock(&self.core);
        if core.status == Status::Cancelled {
            drop(core);
            post.undo();
            return Err(self.refused(input, "it was cancelled"));
        }
        // Those that wait until nothing can come any more have been told so by then.
        if core.inputs_closed {
            return Err(self.closed_input(input));
        }
        // Until it is on its way the core is held: who closes the inputs comes before all of it, or after.
        let count: u64 = match self.shape.is_counted {
            false => post.queue.regular_len() as u64,
            true => post.queue.iter().map(|(_, _, d)| unit(self.shape, F::slot_of(d))).sum(),
        };
        let refused = self.load.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |load| {
            (load & CLOSED == 0).then_some(load + count)
        });
        if refused.is_err() {
            return Err(self.closed_input(input));
        }
        if self.closing.is_needed() {
            let mut change = Change::default();
            post.queue.iter().for_each(|(_, _, d)| self.closing.note(&mut change, F::slot_of(d), 1));
            let _ = self.closing.make(&mut change);
        }
        if post.tally != Tally::default() {
            lock(&self.record).tally.add(post.tally);
        }
        let mut sorted: Vec<VecDeque<_>> = F::shape().routines.iter().map(|_| VecDeque::new()).collect();
        let mut tasks = Vec::new();
        self.distribute(&mut post.queue, &mut sorted, |task| tasks.push(task));
        // Until then the core is held: a copy of the job has all that was sent at once, or none of it.
        drop(core);
        tasks.into_iter().for_each(|task| self.pool.inject(task));
        Ok(())
    }

    fn closed_input(&self, input: &str) -> Error {
        self.refused(input, "its inputs are closed: `finish()` and `close_inputs()` close them")
    }

    fn refused(&self, input: &str, why: &str) -> Error {
        self.error_of(format!("the input `{input}` takes nothing more: {why}"))
    }

    pub(crate) fn status(&self) -> Status {
        self.status_in(&lock(&self.core))
    }

    fn status_in(&self, core: &Core<F>) -> Status {
        match core.status {
            Status::Running if self.load.load(Ordering::SeqCst) == 0 => Status::Waiting,
            status => status,
        }
    }

    pub(crate) fn reason(&self) -> Option<String> {
        lock(&self.core).reason.clone()
    }

    pub(crate) fn report(&self) -> F::Report {
        let core = lock(&self.core);
        self.report_in(&core)
    }

    fn report_in(&self, core: &Core<F>) -> F::Report {
        let mut waiting = Vec::new();
        for mailbox in &self.mailboxes {
            waiting.extend(lock(mailbox).waiting().map(|(slot, _)| slot));
        }
        lock(&self.plans).agenda.iter().for_each(|(_, due)| due.slots(|slot| waiting.push(slot)));
        let (handled, tally, absorbed) = {
            let record = lock(&self.record);
            (record.handled(), record.tally, record.absorbed.iter().cloned().collect())
        };
        // Not `is_of_delivery`: a refusal may be that of another failure, whose delivery waits or is lost.
        let failed = core.failure.as_ref().is_some_and(|failed| failed.delivery.is_some());
        let outgoing = lock(&self.outgoing);
        let report = Report {
            flow: F::NAME,
            job: self.id.clone(),
            status: self.status_in(core),
            reason: core.reason.clone(),
            handled,
            failed: u64::from(failed) + core.lost,
            further_results: F::__result(&outgoing.outbound).map_or(0, |result| result.further()),
            waiting: by_slot::<F>(waiting.into_iter()),
            tally,
            absorbed,
            unpaired: unpaired::<F>(&self.cells),
        };
        F::__report(&outgoing.outbound, report)
    }

    pub(crate) fn progress(&self) -> Progress {
        let failure = lock(&self.core)
            .failure
            .as_ref()
            .and_then(|failed| failed.delivery.as_ref())
            .map(|delivery| F::shape().placed[F::slot_of(&delivery.delivery)].routine);
        let mut later = vec![0; self.shape.routines.len()];
        lock(&self.plans)
            .agenda
            .iter()
            .for_each(|(_, due)| due.slots(|slot| later[self.shape.routine_of(slot)] += 1));
        let routines =
            self.mailboxes.iter().zip(&F::shape().routines).enumerate().map(|(number, (mailbox, id))| {
                let mailbox = lock(mailbox);
                RoutineProgress {
                    routine: id,
                    handled: mailbox.handled,
                    waiting: mailbox.len() + later[number] + u64::from(failure == Some(number)),
                    running: u64::from(mailbox.running()),
                    failed: mailbox.failed,
                }
            });
        Progress { routines: routines.collect() }
    }

    pub(crate) fn state(self: &Arc<Self>) -> Result<JobState> {
        self.at_standstill(|core| {
            let mailboxes: Vec<_> = self.mailboxes.iter().map(|mailbox| lock(mailbox)).collect();
            let mut waiting: Vec<_> = mailboxes
                .iter()
                .flat_map(|mailbox| mailbox.waiting())
                .map(|(_, waiting)| (waiting.id, waiting.attempts, &waiting.delivery))
                .collect();
            waiting.sort_by_key(|(id, ..)| *id);
            let plans = lock(&self.plans);
            let record = lock(&self.record);
            let outgoing = lock(&self.outgoing);
            Facts::<F> {
                job: &self.id,
                status: self.status_in(core),
                reason: core.reason.clone(),
                inputs_closed: core.inputs_closed,
                handled: record.handled(),
                cells: &self.cells,
                outbound: &outgoing.outbound,
                next_delivery: self.next_id.load(Ordering::SeqCst),
                waiting,
                failure: core.failure.as_ref(),
                history: &record.history,
                now: self.clock.tick(),
                retention: self.retention,
                agenda: &plans.agenda,
                fired: self.closing.fired(),
                tally: record.tally,
                absorbed: record.absorbed.iter().cloned().collect(),
            }
            .written_down()
        })?
    }

    pub(crate) fn history(&self) -> Vec<crate::job::HistoryEntry> {
        lock(&self.record).history.iter(self.clock.tick()).collect()
    }

    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Whether the job rests: it has ended or is paused.
    fn is_resting(core: &Core<F>) -> bool {
        core.status != Status::Running && !core.settling
    }

    fn outcome(&self, core: &mut Core<F>) -> Result<F::Report> {
        match &mut core.error {
            Some(error) if core.status != Status::Paused => Err(error.again()),
            _ => Ok(self.report_in(core)),
        }
    }

    /// Waits until the job has ended or is paused, or, with `idle`, has nothing to do. `None` if it takes longer.
    pub(crate) fn wait(&self, deadline: Option<Instant>, idle: bool) -> Result<Option<F::Report>> {
        if self.is_inside() || self.pool.is_here() {
            return Err(self.error_of(
                "a worker of the pool that it runs on cannot wait for it: `.await` it, or start it on another pool"
                    .to_owned(),
            ));
        }
        // A short job is over sooner than a thread can be put to sleep and woken.
        let backoff = Backoff::new();
        while !backoff.is_completed() && !self.has_news.load(Ordering::Acquire) {
            relax(&backoff);
        }
        let mut core = lock(&self.core);
        loop {
            if Self::is_resting(&core) {
                return self.outcome(&mut core).map(Some);
            }
            let is_idle = core.ending.is_none() && self.load.load(Ordering::SeqCst) == 0;
            if idle && is_idle && self.is_empty_of_workers() {
                return Ok(Some(self.report_in(&core)));
            }
            core = match deadline {
                None => wait(&self.changed, core),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(None);
                    }
                    self.changed.wait_timeout(core, left).unwrap_or_else(std::sync::PoisonError::into_inner).0
                }
            };
        }
    }

    /// As `wait`, for a future: `None` when `waker` will be woken.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<Result<F::Report>> {
        let mut core = lock(&self.core);
        if Self::is_resting(&core) {
            return Some(self.outcome(&mut core));
        }
        remember(&mut core.wakers, waker);
        None
    }

    // ---- outputs ----

    /// Takes one value that came out, with `take`. `Err` if nothing more will come.
    pub(crate) fn take_out<T>(
        self: &Arc<Self>,
        take: impl Fn(&mut F::Outbound) -> Option<T>,
        patience: Patience<'_>,
    ) -> std::result::Result<Option<T>, Ended> {
        let mut outgoing = lock(&self.outgoing);
        loop {
            if let Some(value) = take(&mut outgoing.outbound) {
                let unread = self.room.unread.load(Ordering::SeqCst);
                self.room.unread.store(unread.saturating_sub(1), Ordering::SeqCst);
                drop(outgoing);
                self.make_room();
                return Ok(Some(value));
            }
            if outgoing.ended {
                return Err(Ended);
            }
            outgoing = match patience {
                Patience::None => return Ok(None),
                Patience::Wake(waker) => {
                    remember(&mut outgoing.wakers, waker);
                    return Ok(None);
                }
                Patience::Forever => wait(&self.came_out, outgoing),
                Patience::Until(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(None);
                    }
                    let waited = self.came_out.wait_timeout(outgoing, left);
                    waited.unwrap_or_else(std::sync::PoisonError::into_inner).0
                }
            };
        }
    }

    pub(crate) fn reconfigure(self: &Arc<Self>, flow: &F) -> Result<()> {
        let new = new_cells(flow)?;
        self.at_standstill(|_| {
            F::reconfigure(&self.cells, new);
            lock(&self.record).history.note_reconfigured(self.clock.tick());
        })
    }
}

/// How long to wait for an output.
#[derive(Clone, Copy)]
pub(crate) enum Patience<'a> {
    None,
    Forever,
    Until(Instant),
    Wake(&'a Waker),
}

/// Nothing more will come out.
pub(crate) struct Ended;

fn remember(wakers: &mut Vec<Waker>, waker: &Waker) {
    if !wakers.iter().any(|known| known.will_wake(waker)) {
        wakers.push(waker.clone());
    }
}

fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        // If an async runtime panics that is no failure of the job's, and must not end the worker.
        let _ = catch(|| waker.wake());
    }
}

/// How many more deliveries may be handled in `left` if each takes as long as those before.
fn stride_for(left: Duration, each: Duration) -> u32 {
    // Both are short: a division of 64 bits is a fraction of one of 128.
    let nanos = |time: Duration| time.as_nanos().min(u128::from(u64::MAX)) as u64;
    u32::try_from(nanos(left) / nanos(each).max(1)).unwrap_or(u32::MAX).clamp(1, 64)
}

impl Record {
    fn add(&mut self, time: Tick, slot: u32, delivery: u64, outcome: &Outcome, emitted: u32) {
        if let Outcome::Failed(_) = outcome {
            self.faults += 1;
        }
        match (self.history.is_on(), outcome) {
            (false, _) => self.history.count(1),
            (true, Outcome::Handled) => self.history.record(time, slot, delivery, emitted),
            (true, Outcome::Failed(text)) => self.history.record_failure(time, slot, delivery, text.clone()),
        }
    }

    fn handled(&self) -> u64 {
        self.history.next_sequence() - 1 - self.faults
    }
}

impl Limiter {
    /// Whether the worker may go in. If not, its activation waits until another leaves.
    fn enter(&self, routine: usize) -> bool {
        let mut inside = lock(&self.inside);
        let free = inside.workers < self.most;
        match free {
            true => inside.workers += 1,
            false => inside.outside.push_back(routine),
        }
        free
    }

    fn leave(&self) -> Option<usize> {
        let mut inside = lock(&self.inside);
        inside.workers -= 1;
        inside.outside.pop_front()
    }
}

impl<F: Threaded> Work for Running<F> {
    fn activate(self: Arc<Self>, routine: usize, worker: &Worker<'_>) {
        if self.limiter.as_ref().is_some_and(|limiter| !limiter.enter(routine)) {
            return;
        }
        let outer = HERE.with(|here| here.replace(Arc::as_ptr(&self).cast::<()>()));
        match self.gate.fetch_add(1, Ordering::SeqCst) & HALTED {
            0 => self.handle_some(routine, worker),
            _ => self.stand_aside(routine, worker),
        }
        HERE.with(|here| here.set(outer));
        self.leave();
        if let Some(next) = self.limiter.as_ref().and_then(Limiter::leave) {
            worker.add(Task { job: self, routine: next });
        }
    }

    fn help(self: Arc<Self>, other: usize, worker: &Worker<'_>) {
        let Some(lane) = self.lanes[other].get() else { return };
        let routine = {
            let mut finished = lock(&lane.finished);
            self.hand_on(&mut finished, |task| worker.add(task));
            finished.routine
        };
        let mut mailbox = lock(&self.mailboxes[routine]);
        let wanted = !self.is_halted() && mailbox.wants_worker();
        mailbox.tokens += u32::from(wanted);
        drop(mailbox);
        if wanted {
            worker.add(Task { job: self.clone(), routine });
        }
    }
}

impl<F: Threaded> Listener for Running<F> {
    fn asked(&self) {
        self.obey();
    }
}

impl<F: Threaded> Alarm for Running<F> {
    fn ring(self: Arc<Self>) {
        let is_late = {
            let mut core = lock(&self.core);
            // A job that has failed and was resumed has none any more.
            let is_late =
                self.deadline().is_some() && self.end_at.is_some_and(|at| std::time::Instant::now() >= at);
            core.is_late |= is_late;
            is_late
        };
        match is_late {
            true => self.stop(DEADLINE.to_owned()),
            false => self.take_due(),
        }
    }
}

/// What a clock that is moved by hand wakes.
struct Ringing(std::sync::Weak<dyn Alarm>);

impl std::task::Wake for Ringing {
    fn wake(self: Arc<Self>) {
        if let Some(alarm) = self.0.upgrade() {
            alarm.ring();
        }
    }
}

/// What a delivery to the slot is in the load.
fn unit(shape: &Shape, slot: usize) -> u64 {
    match shape.has_sources && shape.mode(slot).source {
        true => SOURCE,
        false => 1,
    }
}

/// What something on the agenda is in the load.
fn load_of<F: Flow>(shape: &Shape, due: &Due<F>) -> u64 {
    let mut load = 0;
    due.slots(|slot| load += unit(shape, slot));
    match (load, due.work()) {
        // What goes to outputs alone.
        (0, 1) => 1,
        (load, _) => load,
    }
}
