//! What a job looks after beside its queue, on the engines of one thread: what it has to do later, slots that wait until nothing
//! can come any more, sources that wait for room, and what its policies say of failures.

use super::closing::{Change, Closing};
use super::failure::{Told, told};
use super::later::{Agenda, Due, Later, Timed};
use super::policy::{Failing, Verdict};
use super::queue::Waiting;
use super::step::{Post, Undelivered};
use crate::error::{Error, Result, catch};
use crate::flow::Flow;
use crate::job::{Absorbed, Job, JobId};
use crate::merge::Fault;
use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// How many of the deliveries that policies absorbed are named in a report: the last ones.
pub(crate) const NAMED: usize = 100;

pub(crate) struct Care<F: Flow> {
    /// Where a step sends to until it has succeeded.
    pub(crate) scratch: Post<F>,
    pub(crate) agenda: Agenda<F>,
    pub(crate) closing: Closing,
    pub(super) change: Change,
    /// Calls of sources that wait for room.
    parked: VecDeque<Waiting<F::Delivery>>,
    /// Deliveries that wait for the next attempt at another one over their connection.
    held: VecDeque<Waiting<F::Delivery>>,
    /// How many wait over each connection of the slots that are given the latest only.
    newest: HashMap<(usize, u16), u64>,
    pub(crate) absorbed: VecDeque<Absorbed>,
}

impl<F: Flow> Care<F> {
    pub(crate) fn new() -> Self {
        Care {
            scratch: Post::empty(),
            agenda: Agenda::new(),
            closing: Closing::new(F::shape(), false, &[]),
            change: Change::default(),
            parked: VecDeque::new(),
            held: VecDeque::new(),
            newest: HashMap::new(),
            absorbed: VecDeque::new(),
        }
    }

    /// What waits beside the queue, in no order.
    pub(crate) fn aside(&self) -> impl Iterator<Item = &Waiting<F::Delivery>> {
        self.parked.iter().chain(&self.held)
    }

    pub(crate) fn take_aside(&mut self) -> Vec<Waiting<F::Delivery>> {
        self.parked.drain(..).chain(self.held.drain(..)).collect()
    }

    pub(crate) fn note_newest(&mut self, delivery: &F::Delivery) {
        let slot = F::slot_of(delivery);
        if F::shape().mode(slot).latest {
            *self.newest.entry((slot, F::connection_of(delivery))).or_default() += 1;
        }
    }
}

/// Adds one to those that a report names.
pub(crate) fn name_absorbed_in(absorbed: &mut VecDeque<Absorbed>, one: Absorbed) {
    if absorbed.len() == NAMED {
        absorbed.pop_front();
    }
    absorbed.push_back(one);
}

/// When what was due then is due again. Those that were missed, while the job was paused say, are one.
pub(super) fn next_of(at: u64, period: u64, now: u64) -> u64 {
    now - now.saturating_sub(at) % period + period
}

/// A delay, up to a tenth shorter or longer, so that many that failed together do not come again together. It is the same
/// for the same attempt of the same job.
pub(crate) fn jittered(after: u64, job: &JobId, delivery: u64, attempt: u32) -> u64 {
    let mut hasher = DefaultHasher::new();
    (job.as_str(), delivery, attempt).hash(&mut hasher);
    let spread = after / 5;
    match spread {
        0 => after,
        _ => after - spread / 2 + hasher.finish() % (spread + 1),
    }
}

impl<F: Flow> Job<F> {
    /// Counts everything anew: the job is new, or was restored, with these closers fired.
    pub(crate) fn recount(&mut self, fired: &[usize]) {
        let care = &mut *self.care;
        care.closing = Closing::new(F::shape(), self.inputs_closed, fired);
        care.newest.clear();
        if !self.is_counted {
            return;
        }
        let mut change = Change::default();
        for (_, _, delivery) in self.post.queue.iter() {
            care.closing.note(&mut change, F::slot_of(delivery), 1);
        }
        let failed = self.failure.iter().filter_map(|failed| failed.delivery.as_ref());
        for waiting in care.parked.iter().chain(&care.held).chain(failed) {
            care.closing.note(&mut change, F::slot_of(&waiting.delivery), 1);
        }
        for (_, due) in care.agenda.iter() {
            due.slots(|slot| care.closing.note(&mut change, slot, 1));
        }
        // Nothing of it was zero before and is not now but for good; who fires then fires at the start.
        care.closing.add_all(&mut change);
        for (_, _, delivery) in self.post.queue.iter() {
            care.note_newest(delivery);
        }
    }

    /// The inputs are closed.
    pub(crate) fn note_closed(&mut self) {
        let care = &mut *self.care;
        care.closing.note_closed(&mut care.change);
        let fires = care.closing.make(&mut care.change);
        self.fire(fires);
    }

    /// Sends what has nothing to wait for from the start.
    pub(super) fn fire_at_once(&mut self) {
        if self.care.closing.is_needed() {
            let fires = self.care.closing.at_once();
            self.fire(fires);
        }
    }

    /// Word to slots that nothing more will come.
    fn fire(&mut self, mut fires: Vec<usize>) {
        let care = &mut *self.care;
        while let Some(slot) = fires.pop() {
            match F::closing(slot) {
                Some(delivery) => self.post.send(delivery),
                None => {
                    care.closing.note_unsent(&mut care.change, slot);
                    fires.extend(care.closing.make(&mut care.change));
                }
            }
        }
    }

    /// Takes over what is in `scratch`, with the delivery to that slot handled.
    pub(crate) fn absorb(&mut self, handled: Option<usize>) -> Result<()> {
        let mark = self.post.queue.regular_len();
        self.care.scratch.hand_to(&mut self.post);
        self.absorb_from(mark, handled)
    }

    /// Takes over what a step has sent, or what came to an input: the deliveries from `mark` on, with the one to that slot
    /// handled.
    pub(super) fn absorb_from(&mut self, mark: usize, handled: Option<usize>) -> Result<()> {
        let planned = match self.post.timed.is_empty() {
            true => Ok(()),
            false => self.plan(),
        };
        if self.is_counted {
            let Job { post, care, .. } = self;
            let Care { closing, change, newest, .. } = &mut **care;
            for delivery in post.queue.regular_from(mark) {
                let slot = F::slot_of(delivery);
                closing.note(change, slot, 1);
                if F::shape().mode(slot).latest {
                    *newest.entry((slot, F::connection_of(delivery))).or_default() += 1;
                }
            }
            if let Some(slot) = handled {
                closing.note(change, slot, -1);
            }
            let fires = closing.make(change);
            self.fire(fires);
        }
        planned.map_err(|error: Error| self.stopped_by(error.to_string()))
    }

    /// Puts what was asked for on the agenda.
    fn plan(&mut self) -> Result<()> {
        let now = self.cx.clock.tick().millis();
        let mut planned = Ok(());
        for Timed { after, what } in std::mem::take(&mut self.post.timed) {
            let Care { agenda, closing, change, .. } = &mut *self.care;
            // A source that goes on at once waits in the queue, behind what it has emitted.
            let what = match what {
                Later::Again { delivery, .. } if after == 0 => {
                    self.post.send(delivery);
                    continue;
                }
                what => what,
            };
            match agenda.plan(now, Timed { after, what }) {
                Ok(plan) => {
                    if let Some(due) = plan.added.and_then(|key| agenda.get(key)) {
                        due.slots(|slot| closing.note(change, slot, 1));
                    }
                    for due in plan.dropped {
                        due.slots(|slot| closing.note(change, slot, -1));
                        // The user's `Drop` may panic, and what is forgotten is forgotten.
                        let _ = catch(|| drop(due));
                    }
                }
                Err(error) => planned = planned.and(Err(error)),
            }
        }
        planned
    }

    /// What a step without care has asked for.
    pub(super) fn plan_timed(&mut self) -> Result<()> {
        match self.post.timed.is_empty() {
            true => Ok(()),
            false => self.absorb_from(self.post.queue.regular_len(), None),
        }
    }

    /// The next delivery whose turn it is. What has to wait for something is put aside.
    pub(super) fn next_waiting(&mut self) -> Result<Option<Waiting<F::Delivery>>> {
        if !self.is_counted {
            return Ok(self.post.queue.pop());
        }
        let shape = F::shape();
        if !self.care.parked.is_empty() && self.has_room() {
            self.unpark();
        }
        while let Some(waiting) = self.post.queue.pop() {
            let slot = F::slot_of(&waiting.delivery);
            let placed = shape.placed[slot];
            let connection = F::connection_of(&waiting.delivery);
            if placed.mode.latest && self.is_superseded(slot, connection) {
                self.supersede(waiting)?;
                continue;
            }
            if placed.mode.latest {
                self.supersede_older(slot, connection, waiting.id)?;
            }
            if placed.in_order && self.care.agenda.holds(slot, connection) {
                self.care.held.push_back(waiting);
                continue;
            }
            if placed.mode.source && !self.has_room() {
                self.care.parked.push_back(waiting);
                continue;
            }
            return Ok(Some(waiting));
        }
        Ok(None)
    }

    fn unpark(&mut self) {
        while let Some(waiting) = self.care.parked.pop_back() {
            self.post.queue.put_where_it_was(waiting);
        }
    }

    /// Takes one off those that wait over the connection. Whether another one waits.
    pub(super) fn is_superseded(&mut self, slot: usize, connection: u16) -> bool {
        match self.care.newest.get_mut(&(slot, connection)) {
            None => false,
            Some(waiting) => {
                *waiting = waiting.saturating_sub(1);
                *waiting > 0
            }
        }
    }

    /// Of a slot that is given the latest: those that wait for their next attempt are not given to it after a newer one.
    pub(super) fn supersede_older(&mut self, slot: usize, connection: u16, id: u64) -> Result<()> {
        for older in self.care.agenda.take_older(slot, connection, id) {
            self.supersede(older)?;
        }
        Ok(())
    }

    pub(super) fn supersede(&mut self, waiting: Waiting<F::Delivery>) -> Result<()> {
        let slot = F::slot_of(&waiting.delivery);
        self.care.scratch.tally.superseded += 1;
        let dropped = catch(|| drop(waiting));
        self.absorb(Some(slot))?;
        dropped.map_err(|panic| {
            self.stopped_by(format!("the `Drop` of a superseded value panicked: {}", panic.message))
        })
    }

    /// How many deliveries wait, calls of sources apart.
    fn waiting(&self) -> u64 {
        let queue = &self.post.queue;
        let shape = F::shape();
        let sources = match shape.has_sources {
            true => queue.iter().filter(|(_, _, d)| shape.mode(F::slot_of(d)).source).count() as u64,
            false => 0,
        };
        queue.len() as u64 - sources + self.care.held.len() as u64 + self.care.agenda.work()
    }

    /// Whether fewer deliveries wait than may.
    pub(crate) fn has_room(&self) -> bool {
        let all = self.post.queue.len() as u64 + self.care.held.len() as u64 + self.care.agenda.work();
        all < self.capacity || self.waiting() < self.capacity
    }

    /// What is to be done by now is done. Whether there was anything.
    pub(super) fn take_due(&mut self) -> Result<bool> {
        let now = self.cx.clock.tick().millis();
        let mut any = false;
        while let Some((at, due)) = self.care.agenda.take(now) {
            any = true;
            match due {
                Due::Retry { waiting, in_order } => {
                    self.care.note_newest(&waiting.delivery);
                    if in_order {
                        self.release(F::slot_of(&waiting.delivery), F::connection_of(&waiting.delivery));
                    }
                    self.post.queue.put_where_it_was(waiting);
                }
                // They are counted already.
                Due::Again { delivery, is_work: true } => self.post.send(delivery),
                Due::Again { delivery, is_work: false } => {
                    self.care.scratch.send(delivery);
                    self.absorb(None)?;
                }
                Due::Events { mut parcel, .. } => {
                    parcel.queue.iter().for_each(|(_, _, delivery)| self.care.note_newest(delivery));
                    parcel.hand_to(&mut self.post);
                }
                Due::Every { name, period, parcel } => {
                    let opened = catch(|| parcel.clone().open::<F>());
                    match opened {
                        Ok(Ok(mut post)) => {
                            let closing = &self.care.closing;
                            if post.keep_to(|slot| !closing.is_over(slot)) {
                                self.care
                                    .agenda
                                    .add(next_of(at, period, now), Due::Every { name, period, parcel });
                                post.hand_to(&mut self.care.scratch);
                                self.absorb(None)?;
                            }
                        }
                        Ok(Err(error)) => {
                            return Err(
                                self.stopped_by(format!("what is repeated could not be read back: {error}"))
                            );
                        }
                        Err(panic) => {
                            return Err(self.stopped_by(format!(
                                "what is repeated could not be read back: {}",
                                panic.message
                            )));
                        }
                    }
                }
            }
        }
        if any {
            self.stream()?;
        }
        Ok(any)
    }

    /// Those that waited for the next attempt at another one follow it.
    fn release(&mut self, slot: usize, connection: u16) {
        let care = &mut *self.care;
        let is_its = |waiting: &Waiting<F::Delivery>| {
            F::slot_of(&waiting.delivery) == slot && F::connection_of(&waiting.delivery) == connection
        };
        let (its, others): (Vec<_>, Vec<_>) = care.held.drain(..).partition(is_its);
        care.held = others.into();
        for waiting in its {
            self.care.note_newest(&waiting.delivery);
            self.post.queue.put_where_it_was(waiting);
        }
    }

    /// The queue is empty. Whether there is something to go on with: what is due, and sources that have room again.
    pub(super) fn has_more(&mut self) -> Result<bool> {
        if !self.care.agenda.is_empty() && self.take_due()? {
            return Ok(true);
        }
        if !self.care.parked.is_empty() && self.has_room() {
            self.unpark();
            return Ok(true);
        }
        Ok(false)
    }

    /// Waits until something is due, or someone asks for something. `false` if there is nothing to wait for.
    pub(super) fn wait_until_due(&mut self) -> Result<bool> {
        let Some(mut due) = self.care.agenda.first().filter(|_| self.care.agenda.work() > 0) else {
            return Ok(false);
        };
        if self.simulation.is_some() {
            self.cx.clock.advance_to(due);
            return Ok(true);
        }
        let deadline = self.cx.deadline.map(|deadline| deadline.millis());
        due = due.min(deadline.map_or(u64::MAX, |deadline| deadline + 1));
        self.cx.clock.wait_until(due, &self.cx.control);
        if deadline.is_some_and(|deadline| self.cx.clock.tick().millis() > deadline) {
            return Err(self.stopped_by(super::concurrent::DEADLINE.to_owned()));
        }
        Ok(true)
    }

    /// A step could not be done: what the flow's policies say of it is done. An error if none absorbs it, and then the job has
    /// failed.
    #[cold]
    pub(super) fn faulted(&mut self, mut undelivered: Undelivered<F::Delivery>) -> Result<()> {
        self.care.scratch.undo();
        self.post.timed.clear();
        let (slot, id, attempt) = (undelivered.slot, self.cx.delivery, self.cx.attempt);
        let number = slot as usize;
        let verdict = verdict_on::<F>(&self.cells, &undelivered, attempt);
        match verdict {
            Verdict::Retry { after, longest, in_order } if undelivered.delivery.is_some() => {
                let after = after_of(&undelivered.fault)
                    .unwrap_or_else(|| jittered(after, &self.cx.job, id, attempt).min(longest));
                let Some(delivery) = undelivered.delivery.take() else { return Ok(()) };
                let text = text_of(&undelivered.fault);
                let waiting = Waiting { id, attempts: attempt, delivery };
                let due = self.cx.clock.tick().millis().saturating_add(after);
                self.care.agenda.add(due, Due::Retry { waiting, in_order });
                self.record_failure(slot, text)
            }
            Verdict::Skip => {
                let text = text_of(&undelivered.fault);
                // The user's `Drop` may panic, and the delivery is given up.
                let _ = catch(|| drop(undelivered));
                self.care.scratch.tally.skipped += 1;
                self.name_absorbed(number, id, attempt, &text);
                let told = self.record_failure(slot, text);
                self.absorb(Some(number)).and(told)
            }
            Verdict::Divert(wire) if undelivered.delivery.is_some() => {
                let Some(delivery) = undelivered.delivery.take() else { return Ok(()) };
                let text = text_of(&undelivered.fault);
                let failing = Failing { delivery, error: text.clone(), attempts: attempt, id };
                let scratch = &mut self.care.scratch;
                let diverted = catch(|| F::divert(&self.cells, failing, wire, scratch, ()));
                match diverted {
                    Ok(Ok(())) => {
                        scratch.tally.diverted += 1;
                        self.name_absorbed(number, id, attempt, &text);
                        let told = self.record_failure(slot, text);
                        self.absorb(Some(number)).and(told)?;
                        self.stream()
                    }
                    Ok(Err(Ok(failing))) => {
                        undelivered.delivery = Some(failing.delivery);
                        Err(self.fail(undelivered))
                    }
                    Ok(Err(Err(fault))) => {
                        self.care.scratch.undo();
                        Err(self.fail(Undelivered { fault, ..undelivered }))
                    }
                    Err(panic) => {
                        self.care.scratch.undo();
                        Err(self.fail(Undelivered { fault: Fault::Panicked(panic), ..undelivered }))
                    }
                }
            }
            _ => Err(self.fail(undelivered)),
        }
    }

    fn name_absorbed(&mut self, slot: usize, delivery: u64, attempts: u32, error: &str) {
        let one = Absorbed { slot: F::shape().name(slot), delivery, attempts, error: error.to_owned() };
        name_absorbed_in(&mut self.care.absorbed, one);
    }

    /// The step could not be done, and no policy absorbs that: the job fails, and keeps the delivery.
    #[cold]
    pub(super) fn fail(&mut self, undelivered: Undelivered<F::Delivery>) -> Error {
        let slot = undelivered.slot;
        let (id, attempts) = (self.cx.delivery, self.cx.attempt);
        let Told { text, failed, error } = told::<F>(&self.cx.job, id, attempts, undelivered);
        self.failure = Some(failed);
        self.status = crate::job::Status::Failed;
        // The first error is the one to tell; hooks are called all the same.
        let _ = self.record_failure(slot, text);
        let _ = self.end(crate::job::Status::Failed);
        error
    }
}

/// What the policies say, where they may say anything.
pub(super) fn verdict_on<F: Flow>(
    cells: &F::Cells,
    undelivered: &Undelivered<F::Delivery>,
    attempt: u32,
) -> Verdict {
    // What is half done can be neither repeated nor left.
    let panicked = matches!(undelivered.fault, Fault::Panicked(_));
    let is_whole = !panicked || F::shape().whole.get(undelivered.slot as usize).is_none_or(|whole| *whole);
    if undelivered.after_handler || !undelivered.state_whole || !is_whole {
        return Verdict::Stop;
    }
    let asked = catch(|| F::verdict(cells, undelivered.slot as usize, &undelivered.fault, attempt));
    asked.unwrap_or(Verdict::Stop)
}

/// After how many milliseconds the error itself says that there should be another attempt.
pub(super) fn after_of(fault: &Fault) -> Option<u64> {
    match fault {
        Fault::Failed(error) => error.after().map(|after| crate::emit::millis(after).unwrap_or(1 << 40)),
        Fault::Panicked(_) => None,
    }
}

/// The user's `Display` may panic.
pub(super) fn text_of(fault: &Fault) -> String {
    catch(|| match fault {
        Fault::Failed(error) => error.to_string(),
        Fault::Panicked(panic) => panic.to_string(),
    })
    .unwrap_or_else(|panic| format!("(its text cannot be told: {})", panic.message))
}
