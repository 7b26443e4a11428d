//! The sequential engine: one delivery after another in the caller's thread, in the order they were emitted.
//! The same input gives the same steps, always.

use super::concurrent::DEADLINE;
use super::failure::limit_of;
use super::queue::Waiting;
use super::step::{Done, Post, Undelivered};
use crate::error::{Error, Result, catch};
use crate::flow::Flow;
use crate::job::{Failed, Handler, HistoryEntry, Job, Outcome, Request, Status, entry_of};

/// Why a burst of deliveries ended.
pub(super) enum Stop<D> {
    /// Someone asked for something.
    Asked,
    /// No delivery waits.
    Idle,
    /// A step could not be done.
    Failed(Box<Undelivered<D>>),
    /// One was to be done, and was.
    Single(Done),
    /// One was to be done, and waits for something; in a simulated job.
    InFlight,
}

/// How far a job went.
pub(super) enum Advance<D> {
    /// As far as it was to; `false` if it stands still before that.
    Over(bool),
    /// To a delivery whose handler is `async`.
    Waits(Waiting<D>),
}

#[cold]
fn needs_run_async<F: Flow>(method: &str) -> Error {
    let slot = F::shape().placed.iter().position(|placed| placed.mode.waits).unwrap_or_default();
    let (routine, slot) = F::shape().slots[slot];
    Error::Configuration {
        what: format!(
            "`{method}()` cannot run the flow `{}`: its `{routine}.{slot}` is `async`. Use `run_async().await`, or `start()` \
             it within a tokio runtime",
            F::NAME
        ),
    }
}

impl<F: Flow> Job<F> {
    /// Closes the inputs and runs to the end, or until the job is paused or cancelled.
    ///
    /// Deliveries are handled in the order they were emitted, one at a time. So when a handler emits a thousand events in
    /// one step, the next routine handles all of them before what it emits for the first one is handled.
    ///
    /// # Errors
    /// [`Error::SlotHandler`] if a handler fails or panics: the job is then [`Failed`](Status::Failed), what the
    /// attempt did is undone, and the delivery is kept. [`Error::Execution`] if a hook panics.
    /// [`Error::State`] if the job has already failed. [`Error::Configuration`] if the flow has `async` handlers: those need
    /// `run_async()`.
    ///
    /// A job that is paused stays so, and the report says it; [`resume`](Self::resume) it first.
    pub fn run(&mut self) -> Result<F::Report> {
        self.needs_no_runtime("run")?;
        if self.begin()? {
            self.close_inputs();
            self.drive(u64::MAX, true)?;
        }
        Ok(self.report())
    }

    /// Handles every delivery that waits and every one that follows, and leaves the inputs open: the status
    /// is then [`Waiting`](Status::Waiting), or [`Completed`](Status::Completed) if they were closed before. For what is to happen
    /// later, the next attempt at a delivery say, it does not wait: the status is `Waiting` then, and what is due by the next
    /// call is done by that.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn run_until_idle(&mut self) -> Result<Status> {
        self.needs_no_runtime("run_until_idle")?;
        if self.begin()? {
            self.drive(u64::MAX, false)?;
        }
        Ok(self.status)
    }

    /// Handles one delivery. `false` if there was none to handle: the job is idle, paused or at its end, which
    /// [`status`](Self::status) tells; or what is to come is not due yet, as for [`run_until_idle`](Self::run_until_idle).
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn step(&mut self) -> Result<bool> {
        self.needs_no_runtime("step")?;
        Ok(self.begin()? && self.drive(1, false)?)
    }

    /// `async` handlers are awaited, and these methods are not `async`.
    #[inline]
    fn needs_no_runtime(&self, method: &str) -> Result<()> {
        match self.is_async && self.simulation.is_none() {
            true => Err(needs_run_async::<F>(method)),
            false => Ok(()),
        }
    }

    /// Whether the job may run.
    #[inline]
    pub(super) fn begin(&mut self) -> Result<bool> {
        match self.status {
            Status::Running | Status::Waiting if self.started => {
                self.status = Status::Running;
                Ok(true)
            }
            _ => self.begin_anew(),
        }
    }

    fn begin_anew(&mut self) -> Result<bool> {
        match self.status {
            Status::Failed => Err(self.error_of(format!(
                "it has failed ({}); call `resume()` to run the failed delivery again",
                self.failure_text()
            ))),
            Status::Completed | Status::Cancelled => Ok(false),
            Status::Paused => {
                // To be cancelled is possible while paused; to be paused again changes nothing.
                self.obey()?;
                Ok(false)
            }
            Status::Pending | Status::Running | Status::Waiting => {
                self.status = Status::Running;
                if !self.started
                    && let Some(most) = self.deadline_after
                {
                    self.cx.deadline = Some(self.cx.clock.tick().later(most.as_millis() as u64));
                }
                self.fire_at_once();
                if !std::mem::replace(&mut self.started, true)
                    && let Some(hooks) = &mut self.hooks
                {
                    let called = catch(|| hooks.start.iter_mut().for_each(|hook| hook(&self.cx)));
                    called.map_err(|panic| {
                        self.stopped_by(format!("its `on_start` hook panicked: {}", panic.message))
                    })?;
                }
                Ok(true)
            }
        }
    }

    /// Handles up to `most` deliveries. `false` if there were fewer, and then the status says why. With `waits` it waits for what
    /// is to happen later.
    #[inline]
    fn drive(&mut self, most: u64, waits: bool) -> Result<bool> {
        // Most runs are this and nothing else: an input, and all that follows from it.
        if most == u64::MAX && self.is_plain() {
            match self.burst(None) {
                Stop::Idle => {
                    self.idle()?;
                    return Ok(false);
                }
                Stop::Failed(undelivered) => self.faulted(*undelivered)?,
                Stop::Asked | Stop::Single(_) | Stop::InFlight => {}
            }
        }
        self.drive_with_care(most, waits)
    }

    /// Whether nothing is to be done for a delivery but to handle it.
    #[inline]
    fn is_plain(&self) -> bool {
        self.hooks.is_none()
            & !self.is_timed
            & !self.is_async
            & self.simulation.is_none()
            & !self.is_counted
            & !self.is_streaming
            & self.care.agenda.is_empty()
            & self.post.timed.is_empty()
            & !self.post.queue.has_returned()
    }

    #[cold]
    fn drive_with_care(&mut self, most: u64, waits: bool) -> Result<bool> {
        match self.advance(most, waits)? {
            Advance::Over(done) => Ok(done),
            Advance::Waits(waiting) => {
                self.put_front(waiting);
                Err(needs_run_async::<F>("run"))
            }
        }
    }

    /// Handles up to `most` deliveries, and stops at one whose handler is `async`.
    pub(super) fn advance(&mut self, most: u64, waits: bool) -> Result<Advance<F::Delivery>> {
        let mut left = most;
        while left > 0 {
            self.plan_timed()?;
            if !self.care.agenda.is_empty() {
                self.take_due()?;
            }
            let stop = match most == u64::MAX && self.is_plain() {
                true => self.burst(None),
                false => {
                    if self.cx.control.is_asked() && self.obey()? {
                        return Ok(Advance::Over(false));
                    }
                    if self.simulation.is_some() && self.crash_if_due() {
                        match self.begin()? {
                            true => continue,
                            false => return Ok(Advance::Over(false)),
                        }
                    }
                    left -= 1;
                    match self.simulation.is_some() {
                        true => self.simulated_step()?,
                        false => match self.next_waiting()? {
                            None => Stop::Idle,
                            Some(waiting) if F::shape().placed[F::slot_of(&waiting.delivery)].mode.waits => {
                                return Ok(Advance::Waits(waiting));
                            }
                            Some(waiting) => self.with_care(waiting)?,
                        },
                    }
                }
            };
            if !matches!(stop, Stop::Failed(_)) {
                self.plan_timed()?;
            }
            // What the handler asked for is done before anyone can look at the job.
            if matches!(stop, Stop::Single(_)) && left == 0 && self.cx.control.is_asked() {
                self.obey()?;
            }
            match stop {
                Stop::Asked => {
                    if self.obey()? {
                        return Ok(Advance::Over(false));
                    }
                }
                Stop::Idle => {
                    left = left.saturating_add(u64::from(most < u64::MAX));
                    if self.has_more()? || waits && self.wait_until_due()? {
                        continue;
                    }
                    self.idle()?;
                    return Ok(Advance::Over(false));
                }
                Stop::Failed(undelivered) => self.faulted(*undelivered)?,
                Stop::Single(_) | Stop::InFlight => {}
            }
        }
        self.plan_timed()?;
        self.land()?;
        Ok(Advance::Over(true))
    }

    /// The loop that every delivery goes through: `single`, where there is one, and otherwise those that came in order
    /// until something stops it. Everything rare is done by who called.
    fn burst(&mut self, single: Option<F::Delivery>) -> Stop<F::Delivery> {
        let Job { cells, post, cx, history, care, .. } = self;
        let keeps_history = history.is_on();
        let is_single = single.is_some();
        // Ids are counted here, and not in memory.
        let start = match single {
            Some(delivery) => {
                post.queue.put_back(delivery);
                cx.delivery.wrapping_sub(1)
            }
            None => {
                cx.attempt = 1;
                post.queue.first_id() - 1
            }
        };
        // Runs are numbered in step with the deliveries.
        let ahead = history.next_sequence().wrapping_sub(start.wrapping_add(1));
        let mut id = start;
        let stop = loop {
            if cx.control.is_asked() && !is_single {
                break Stop::Asked;
            }
            let Some(delivery) = post.queue.pop_regular() else { break Stop::Idle };
            id = id.wrapping_add(1);
            cx.delivery = id;
            let to = if F::OPERATES { &mut care.scratch } else { &mut *post };
            match F::deliver(cells, delivery, cx, to, ()) {
                Ok(done) => {
                    if F::OPERATES {
                        care.scratch.hand_to(post);
                    }
                    if keeps_history {
                        history.record_at(
                            id.wrapping_add(ahead),
                            cx.clock.tick(),
                            done.slot,
                            id,
                            done.emitted,
                        );
                    }
                    if is_single {
                        break Stop::Single(done);
                    }
                }
                Err(undelivered) => break Stop::Failed(undelivered),
            }
        };
        let taken = id.wrapping_sub(start);
        if !is_single {
            post.queue.took(taken);
        }
        // What failed is counted where it is told.
        history.count(taken - u64::from(matches!(stop, Stop::Failed(_))));
        stop
    }

    /// One delivery that may bring its own id, and its hooks.
    fn with_care(&mut self, waiting: Waiting<F::Delivery>) -> Result<Stop<F::Delivery>> {
        let delivery = self.prepare(waiting)?;
        let mark = self.post.queue.regular_len();
        let stop = self.burst(Some(delivery));
        if let Stop::Single(done) = &stop {
            if self.is_counted {
                self.absorb_from(mark, Some(done.slot as usize))?;
            }
            self.plan_timed()?;
            self.stream()?;
            self.done(*done)?;
        }
        Ok(stop)
    }

    /// A step that was done beside the job: what came of it is the job's now.
    pub(super) fn take_over(&mut self, done: Done, mut post: Post<F>) -> Result<()> {
        post.hand_to(&mut self.care.scratch);
        self.step_done(done)
    }

    /// A step has sent what it has to send into `scratch`.
    pub(super) fn step_done(&mut self, done: Done) -> Result<()> {
        self.record(done);
        self.absorb(Some(done.slot as usize))?;
        self.stream()?;
        self.done(done)
    }

    /// What has come out goes to those who have it streamed.
    #[inline]
    pub(super) fn stream(&mut self) -> Result<()> {
        match self.is_streaming {
            true => self.stream_outputs(),
            false => Ok(()),
        }
    }

    fn stream_outputs(&mut self) -> Result<()> {
        let mut failed = None;
        for (name, part) in F::outbound_mut(&mut self.post.outbound) {
            if let Some(Err((panic, rest))) = part.batch().map(|batch| batch()) {
                part.put_back(rest);
                failed = Some(format!("what the output `{name}` is streamed to panicked: {}", panic.message));
            }
        }
        failed.map_or(Ok(()), |what| Err(self.stopped_by(what)))
    }

    pub(super) fn record(&mut self, done: Done) {
        match self.history.is_on() {
            true => self.history.record(self.cx.clock.tick(), done.slot, self.cx.delivery, done.emitted),
            false => self.history.count(1),
        }
    }

    /// After a step that was done.
    pub(super) fn done(&mut self, done: Done) -> Result<()> {
        if let Some(simulation) = &mut self.simulation {
            simulation.sent(done.slot, &mut self.post.queue);
        }
        self.after(done.slot, Outcome::Handled, done.emitted)
    }

    /// One whose turn it was has to wait again.
    fn put_front(&mut self, waiting: Waiting<F::Delivery>) {
        self.care.note_newest(&waiting.delivery);
        self.post.queue.push_front(waiting);
    }

    /// What the handler will know, and the hooks before it.
    pub(super) fn prepare(&mut self, waiting: Waiting<F::Delivery>) -> Result<F::Delivery> {
        self.cx.delivery = waiting.id;
        self.cx.attempt = waiting.attempts.saturating_add(1);
        if self.is_timed {
            let now = self.cx.clock.tick();
            if self.cx.deadline.is_some_and(|deadline| now > deadline) {
                self.put_front(waiting);
                return Err(self.stopped_by(DEADLINE.to_owned()));
            }
            self.cx.limit = limit_of::<F>(F::slot_of(&waiting.delivery), now);
        }
        self.before(waiting)
    }

    /// Does what was asked for. `true` if the job is to stand still.
    #[cold]
    pub(super) fn obey(&mut self) -> Result<bool> {
        match self.cx.control.take() {
            Some(Request::Cancel(reason)) => {
                self.reason = Some(reason);
                self.end(Status::Cancelled)?;
                Ok(true)
            }
            Some(Request::Pause(_)) if self.status == Status::Paused => Ok(true),
            Some(Request::Pause(reason)) => {
                self.status = Status::Paused;
                self.land()?;
                // Unless someone has cancelled it meanwhile.
                if self.status == Status::Paused {
                    self.reason = Some(reason);
                }
                Ok(true)
            }
            None => Ok(false),
        }
    }

    #[inline]
    fn idle(&mut self) -> Result<()> {
        match self.inputs_closed && self.care.agenda.work() == 0 {
            true => self.end(Status::Completed),
            false => {
                self.status = Status::Waiting;
                Ok(())
            }
        }
    }

    pub(crate) fn end(&mut self, status: Status) -> Result<()> {
        self.status = status;
        if status == Status::Completed {
            self.care.agenda.end();
        }
        self.end_flights();
        self.cx.delivery = 0;
        // Whatever else was asked for came too late.
        self.cx.control.forget_all();
        F::close_live(&self.cells);
        if let Some(hooks) = &mut self.hooks {
            let called = catch(|| hooks.end.iter_mut().for_each(|hook| hook(&self.cx, status)));
            called
                .map_err(|panic| self.stopped_by(format!("its `on_end` hook panicked: {}", panic.message)))?;
        }
        Ok(())
    }

    fn before(&mut self, waiting: Waiting<F::Delivery>) -> Result<F::Delivery> {
        let (routine, slot) = F::shape().slots[F::slot_of(&waiting.delivery)];
        let Some(hooks) = &mut self.hooks else { return Ok(waiting.delivery) };
        match catch(|| hooks.before.iter_mut().for_each(|hook| hook(&self.cx, Handler { routine, slot }))) {
            Ok(()) => Ok(waiting.delivery),
            Err(panic) => {
                // The handler has not run: its delivery stays the next one.
                self.put_front(waiting);
                Err(self
                    .stopped_by(format!("the hook before `{routine}.{slot}` panicked: {}", panic.message)))
            }
        }
    }

    #[cold]
    fn after(&mut self, slot: u32, outcome: Outcome, emitted: u32) -> Result<()> {
        let sequence = self.history.next_sequence() - 1;
        let entry: HistoryEntry = match self.history.newest() {
            Some(entry) if entry.sequence == sequence => entry,
            _ => entry_of(
                &F::shape().slots,
                sequence,
                self.cx.clock.tick(),
                slot,
                self.cx.delivery,
                outcome,
                emitted,
            ),
        };
        let Some(hooks) = &mut self.hooks else { return Ok(()) };
        let called = catch(|| hooks.after.iter_mut().for_each(|hook| hook(&self.cx, &entry)));
        called.map_err(|panic| {
            let (routine, slot) = F::shape().slots[slot as usize];
            self.stopped_by(format!("the hook after `{routine}.{slot}` panicked: {}", panic.message))
        })
    }

    /// The job failed without a delivery that failed.
    pub(super) fn stopped_by(&mut self, what: String) -> Error {
        match self.status {
            // It failed before, with a delivery to keep, or was ended for good: that stands.
            Status::Failed | Status::Cancelled => {}
            was => {
                self.status = Status::Failed;
                self.failure = Some(Failed { what: what.clone(), refusal: None, delivery: None });
                if was != Status::Completed {
                    // The first error is the one to tell.
                    let _ = self.end(Status::Failed);
                }
            }
        }
        Error::Execution { job: self.cx.job.to_string(), what }
    }

    pub(super) fn record_failure(&mut self, slot: u32, text: String) -> Result<()> {
        match self.history.is_on() {
            true => {
                self.history.record_failure(self.cx.clock.tick(), slot, self.cx.delivery, text.clone());
            }
            false => self.history.count(1),
        }
        self.faults += 1;
        self.after(slot, Outcome::Failed(text), 0)
    }
}
