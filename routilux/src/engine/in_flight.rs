//! `async` handlers of a simulated job. What they wait for comes in virtual time, and it is picked which of those that were
//! woken goes on.

use super::failure::{Told, told};
use super::queue::Waiting;
use super::sequential::Stop;
use super::simulated::{Next, Passed, Simulation};
use super::step::Undelivered;
use crate::asynchronous::{Begun, Outcome};
use crate::clock::Clock;
use crate::context::Context;
use crate::error::Result;
use crate::flow::Flow;
use crate::job::{Failed, Job, Status};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Wake, Waker};

/// How many handlers are named that wait for ever.
const NAMED: usize = 8;

/// A handler that was begun and has not ended.
pub(super) struct Flight<F: Flow> {
    pub(super) slot: usize,
    /// How many there were before this one.
    attempts: u32,
    cx: Context,
    begun: Begun<F>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl<F: Flow> Flight<F> {
    pub(super) fn id(&self) -> u64 {
        self.cx.delivery
    }

    pub(super) fn is_ready(&self) -> bool {
        self.woken.0.load(Ordering::Acquire) || self.is_over_time()
    }

    fn is_over_time(&self) -> bool {
        self.cx.limit.is_some_and(|limit| self.cx.clock.tick() >= limit)
    }

    /// Goes on as far as it gets. What becomes of it, if it ends there.
    fn poll(&mut self) -> Option<Outcome<F>> {
        // Before, so that a handler that wakes itself is woken.
        self.woken.0.store(false, Ordering::Release);
        let waker = Waker::from(self.woken.clone());
        match self.begun.poll(&mut std::task::Context::from_waker(&waker), &self.cx) {
            Poll::Ready(ended) => Some(ended),
            Poll::Pending if self.is_over_time() => Some(Err(self.begun.time_out())),
            Poll::Pending => None,
        }
    }

    /// The delivery is as it was before.
    pub(super) fn give_up(mut self) -> Option<Waiting<F::Delivery>> {
        let (id, attempts) = (self.id(), self.attempts);
        self.begun.give_up().map(|delivery| Waiting { id, attempts, delivery })
    }
}

impl<F: Flow> Simulation<F> {
    /// Where nothing else is ready: has time pass until one of the handlers in flight is, or the first of the agenda is due. `starts`
    /// is when that is, if new ones start.
    pub(super) fn pass_time(&mut self, clock: &Clock, starts: Option<Option<u64>>) -> Passed {
        if self.flying.is_empty() {
            return Passed::Nothing;
        }
        while !self.flying.iter().any(Flight::is_ready) {
            let limits = self.flying.iter().filter_map(|flight| flight.cx.limit);
            let first = limits.map(|limit| limit.millis()).chain(clock.next_due()).min();
            match (first, starts.flatten()) {
                (first, Some(due)) if first.is_none_or(|first| due <= first) => {
                    clock.advance_to(due);
                    return Passed::Due;
                }
                (Some(first), _) => clock.advance_to(first),
                (None, _) => self.stand_still(starts.is_some()),
            }
        }
        Passed::Ready
    }

    fn stand_still(&mut self, new_ones_start: bool) -> ! {
        let named = self.flying.iter().take(NAMED).map(|flight| {
            let (routine, slot) = F::shape().slots[flight.slot];
            format!("{routine}.{slot} #{}", flight.id())
        });
        let mut named: Vec<String> = named.collect();
        match self.flying.len().saturating_sub(NAMED) {
            0 => {}
            others => named.push(format!("{others} more")),
        }
        let wait = if named.len() == 1 { "waits" } else { "wait" };
        let last = named.pop().unwrap_or_default();
        let all = match &*named {
            [] => last,
            others => format!("{} and {last}", others.join(", ")),
        };
        let why = match new_ones_start {
            true => "",
            false => "; nothing new is started, because the job comes to rest first",
        };
        self.stop(format!(
            "this job is at a standstill: {all} {wait} for ever{why}\n\
             note: what wakes a handler here is another handler, `cx.sleep(..)` or its own `timeout`, not the timers or the I/O \
             of a runtime"
        ))
    }
}

impl<F: Flow> Job<F> {
    /// A handler that was begun does its first step.
    pub(super) fn set_out(
        &mut self,
        slot: usize,
        attempts: u32,
        begun: Begun<F>,
    ) -> Result<Stop<F::Delivery>> {
        let last = self.simulation.as_ref().map_or(0, |simulation| simulation.flying.len());
        let flight = Flight { slot, attempts, cx: self.cx.clone(), begun, woken: Arc::default() };
        self.fly(flight, last)
    }

    /// The handler at this place among those in flight does its next step.
    pub(super) fn go_on(&mut self, at: usize) -> Result<Stop<F::Delivery>> {
        let Some(simulation) = &mut self.simulation else { return Ok(Stop::Idle) };
        let flight = simulation.flying.remove(at);
        self.fly(flight, at)
    }

    fn fly(&mut self, mut flight: Flight<F>, at: usize) -> Result<Stop<F::Delivery>> {
        let Some(ended) = flight.poll() else {
            if let Some(simulation) = &mut self.simulation {
                simulation.is_in_flight();
                simulation.flying.insert(at, flight);
            }
            return Ok(Stop::InFlight);
        };
        // What is recorded and what hooks are told is of this one.
        self.cx = flight.cx;
        match ended {
            Ok((done, post)) => self.take_over(done, post).map(|()| Stop::Single(done)),
            Err(undelivered) => Ok(Stop::Failed(undelivered)),
        }
    }

    /// Drives those in flight to their ends, while nothing new starts: so a job comes to rest.
    pub(super) fn land(&mut self) -> Result<()> {
        // Of a job that has failed the first error is the one to tell, and what is asked for comes too late.
        let has_failed = self.status == Status::Failed;
        loop {
            let Some(simulation) = &mut self.simulation else { return Ok(()) };
            let Next::GoOn(at) = simulation.next(&mut self.post.queue, &self.cx.clock, None) else {
                return Ok(());
            };
            let went = match self.go_on(at) {
                Ok(Stop::Failed(undelivered)) if has_failed => self.also_failed(*undelivered),
                Ok(Stop::Failed(undelivered)) => self.faulted(*undelivered),
                went => went.map(drop),
            };
            if !has_failed {
                went?;
                if self.cx.control.is_asked() {
                    self.obey()?;
                }
            }
        }
    }

    /// The job ends: who cancels it does not wait for those in flight.
    pub(super) fn end_flights(&mut self) {
        if self.simulation.is_some() {
            match self.status {
                Status::Cancelled => self.give_up_flights(),
                _ => drop(self.land()),
            }
        }
    }

    /// The deliveries of those in flight wait again, as they did before and before all others.
    pub(super) fn give_up_flights(&mut self) {
        let Some(simulation) = &mut self.simulation else { return };
        let mut waiting: Vec<_> = simulation.flying.drain(..).filter_map(Flight::give_up).collect();
        waiting.sort_by_key(|waiting| waiting.id);
        waiting.into_iter().rev().for_each(|waiting| self.post.queue.push_front(waiting));
    }

    /// A step that failed after another one had. That one is told of; the delivery of this one waits for its next attempt,
    /// if it can have one.
    fn also_failed(&mut self, undelivered: Undelivered<F::Delivery>) -> Result<()> {
        let slot = undelivered.slot;
        let (id, attempts) = (self.cx.delivery, self.cx.attempt);
        let Told { text, failed, .. } = told::<F>(&self.cx.job, id, attempts, undelivered);
        let Failed { what, refusal, delivery } = failed;
        match (delivery, &mut self.simulation) {
            (Some(delivery), _) => self.post.queue.push_front(delivery),
            (None, Some(simulation)) => simulation.also_lost += 1,
            (None, None) => {}
        }
        if let Some(refusal) = refusal {
            let known = self.failure.get_or_insert(Failed { what, refusal: None, delivery: None });
            known.refusal.get_or_insert(refusal);
        }
        self.record_failure(slot, text)
    }
}
