//! The simulated engine: which delivery comes next is picked among those that a pool of workers could be done with next.
//! What becomes of a step is the sequential engine's. What users see of it is in `sim`.

use super::in_flight::Flight;
use super::mailbox::WAITING;
use super::queue::{Fifo, Waiting};
use super::sequential::Stop;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::flow::Flow;
use crate::job::Job;
use crate::routine::{PlacedSlot, SlotMode};
use fastrand::Rng;
use std::collections::{BTreeMap, VecDeque};
use std::panic::resume_unwind;
use std::time::Duration;

/// How many steps a failure tells.
const TOLD: usize = 20;
/// How often a run is interrupted by a crash: under a seed, with twice the time between two each time, so that a
/// long run does not spend its time on being saved; and where all is explored, at each of its first steps.
const CRASHES: u32 = 12;
const LISTED_CRASHES: u64 = 64;

/// What makes a job a simulated one.
pub(crate) struct Simulation<F: Flow> {
    pub(crate) picks: Picks,
    pub(crate) workers: usize,
    /// How many steps the job may take.
    pub(crate) most: u64,
    pub(crate) steps: u64,
    /// When the job crashes, the last time first, and the routines that it goes on with: the flow that makes them
    /// is out of a job's reach.
    crashes: Vec<(u64, F::Cells)>,
    /// Those that routines have sent, by id.
    sent: BTreeMap<u64, Sent>,
    /// The `async` handlers that were begun and have not ended, in the order they were begun.
    pub(super) flying: Vec<Flight<F>>,
    /// Deliveries lost by failures after the first.
    pub(crate) also_lost: u64,
    last: VecDeque<Did>,
    /// Why the run was stopped from here, where it was.
    pub(crate) fault: Option<String>,
}

#[derive(Clone, Copy)]
struct Sent {
    by: usize,
    /// Whether its step had sent something to another routine before: then that one may have run, and what it has
    /// sent on arrived, before this does.
    late: bool,
}

enum Did {
    Step { slot: usize, delivery: u64, part: Part },
    Crash,
}

/// Of a handler that is `async` a step may be a part.
#[derive(Clone, Copy)]
enum Part {
    Whole,
    First,
    Middle,
    Last,
}

/// What a simulated job does next.
pub(super) enum Next<D> {
    /// All is done.
    Nothing,
    Start(Waiting<D>),
    /// What is on the agenda is due.
    Due,
    /// The handler at this place among those in flight goes on.
    GoOn(usize),
}

/// New handlers may start.
pub(super) struct Starts<'w, D> {
    /// Whether one for that slot waits for something else than its turn.
    pub(super) waits_aside: &'w mut dyn FnMut(usize, &D) -> bool,
    /// When the first of the agenda is due.
    pub(super) due: Option<u64>,
}

/// How far time has passed.
pub(super) enum Passed {
    /// Not at all: there is nothing to wait for.
    Nothing,
    /// Until one in flight is ready.
    Ready,
    /// Until something on the agenda is due.
    Due,
}

/// One of those that this is picked from.
#[derive(Clone, Copy)]
enum Ready {
    /// At this place among those in flight.
    InFlight(usize),
    /// At this place in the queue.
    Waits(usize),
}

/// What a run is unwound with: it is no panic of the user's, and no panic hook is to tell it.
struct Stopped;

impl<F: Flow> Simulation<F> {
    pub(crate) fn new(picks: Picks, workers: usize, most: u64) -> Self {
        Simulation {
            picks,
            workers,
            most,
            steps: 0,
            crashes: Vec::new(),
            sent: BTreeMap::new(),
            flying: Vec::new(),
            also_lost: 0,
            last: VecDeque::new(),
            fault: None,
        }
    }

    pub(crate) fn with_crashes(mut self, flow: &F) -> Self {
        let times = self.picks.crashes();
        self.crashes = times.into_iter().rev().map(|step| (step, flow.cells())).collect();
        self
    }

    /// What is done next. Unless new ones start, only those in flight go on.
    pub(super) fn next(
        &mut self,
        queue: &mut Fifo<F::Delivery>,
        clock: &Clock,
        mut starts: Option<Starts<'_, F::Delivery>>,
    ) -> Next<F::Delivery> {
        // What came since the last step came from outside.
        queue.number();
        let all: Vec<(usize, Arrived)> = queue
            .iter()
            .enumerate()
            .filter(|(_, (_, _, delivery))| {
                starts.as_mut().is_none_or(|starts| !(starts.waits_aside)(F::slot_of(delivery), delivery))
            })
            .map(|(at, (id, _, delivery))| {
                (at, Arrived { slot: F::slot_of(delivery), sent: self.sent.get(&id).copied() })
            })
            .collect();
        let arrived: Vec<Arrived> = all.iter().map(|(_, arrived)| *arrived).collect();
        let waiting = match &starts {
            Some(_) => {
                let flying: Vec<usize> = self.flying.iter().map(|flight| flight.slot).collect();
                ready(&arrived, &flying, &F::shape().placed, self.workers)
            }
            None => Vec::new(),
        };
        if waiting.is_empty() {
            match self.pass_time(clock, starts.as_ref().map(|starts| starts.due)) {
                Passed::Nothing => return Next::Nothing,
                Passed::Due => return Next::Due,
                Passed::Ready => {}
            }
        }
        if self.steps == self.most {
            self.stop(format!("this job does not come to an end in {} steps", self.most));
        }
        // Whoever sleeps until then is ready too: a timer may be late by as much.
        clock.advance(self.picks.pause());
        let flying = (0..self.flying.len()).filter(|at| self.flying[*at].is_ready()).map(Ready::InFlight);
        let ready: Vec<Ready> = flying.chain(waiting.into_iter().map(Ready::Waits)).collect();
        let next = match &*ready {
            [only] => *only,
            several => {
                let slot_of = |ready: &Ready| match *ready {
                    Ready::InFlight(at) => self.flying[at].slot,
                    Ready::Waits(at) => arrived[at].slot,
                };
                let routines: Vec<usize> =
                    several.iter().map(|ready| F::shape().placed[slot_of(ready)].routine).collect();
                match self.picks.pick(&routines, F::shape().routines.len()) {
                    Ok(pick) => several[pick],
                    Err(fault) => self.stop(fault),
                }
            }
        };
        self.steps += 1;
        match next {
            Ready::InFlight(at) => {
                let (slot, delivery) = (self.flying[at].slot, self.flying[at].id());
                self.did(Did::Step { slot, delivery, part: Part::Last });
                Next::GoOn(at)
            }
            Ready::Waits(at) => {
                let Some(waiting) = queue.take(all[at].0) else { return Next::Nothing };
                self.sent.remove(&waiting.id);
                self.did(Did::Step { slot: arrived[at].slot, delivery: waiting.id, part: Part::Whole });
                Next::Start(waiting)
            }
        }
    }

    /// The step that was told last has not brought its handler to the end.
    pub(super) fn is_in_flight(&mut self) {
        if let Some(Did::Step { part, .. }) = self.last.back_mut() {
            *part = match part {
                Part::Whole => Part::First,
                _ => Part::Middle,
            };
        }
    }

    /// Takes note of what a step has sent.
    pub(crate) fn sent(&mut self, slot: u32, queue: &mut Fifo<F::Delivery>) {
        let new = queue.number();
        let by = F::shape().placed[slot as usize].routine;
        let (mut first, mut several) = (None, false);
        for (id, _, delivery) in queue.iter() {
            if new.contains(&id) {
                let to = F::shape().placed[F::slot_of(delivery)].routine;
                several |= *first.get_or_insert(to) != to;
                self.sent.insert(id, Sent { by, late: several });
            }
        }
    }

    fn crash_due(&mut self) -> Option<F::Cells> {
        match self.crashes.last() {
            Some((step, _)) if *step <= self.steps => self.crashes.pop().map(|(_, cells)| cells),
            _ => None,
        }
    }

    fn did(&mut self, did: Did) {
        if self.last.len() == TOLD {
            self.last.pop_front();
        }
        self.last.push_back(did);
    }

    /// The last steps, a line for each.
    pub(crate) fn told(&self) -> impl Iterator<Item = String> {
        self.last.iter().map(|did| match did {
            Did::Step { slot, delivery, part } => {
                let (routine, slot) = F::shape().slots[*slot];
                let part = match part {
                    Part::Whole => "",
                    Part::First => " begins",
                    Part::Middle => " goes on",
                    Part::Last => " ends",
                };
                format!("{routine}.{slot} #{delivery}{part}")
            }
            Did::Crash => "(a crash: saved, dropped and restored)".to_owned(),
        })
    }

    /// Ends the run, out of whatever the test does.
    pub(super) fn stop(&mut self, fault: String) -> ! {
        self.fault = Some(fault);
        // Their `Drop` is the user's and may panic, which is nothing to tell of any more.
        self.flying.drain(..).for_each(|flight| drop(flight.give_up()));
        resume_unwind(Box::new(Stopped))
    }
}

impl<F: Flow> Job<F> {
    /// One step of a simulated job.
    pub(super) fn simulated_step(&mut self) -> Result<Stop<F::Delivery>> {
        if self.is_counted {
            self.supersede_all()?;
        }
        let has_room = !self.is_counted || self.has_room();
        let Job { simulation: Some(simulation), post, cx, care, .. } = self else { return Ok(Stop::Idle) };
        let shape = F::shape();
        let mut waits_aside = |slot: usize, delivery: &F::Delivery| {
            let placed = shape.placed[slot];
            placed.mode.source && !has_room
                || placed.in_order && care.agenda.holds(slot, F::connection_of(delivery))
        };
        let starts = Starts { waits_aside: &mut waits_aside, due: care.agenda.first() };
        match simulation.next(&mut post.queue, &cx.clock, Some(starts)) {
            Next::Nothing => Ok(Stop::Idle),
            // The engine looks at it before the next step.
            Next::Due => Ok(Stop::InFlight),
            Next::GoOn(at) => self.go_on(at),
            Next::Start(waiting) => {
                let (slot, attempts) = (F::slot_of(&waiting.delivery), waiting.attempts);
                if shape.mode(slot).latest {
                    self.supersede_older(slot, F::connection_of(&waiting.delivery), waiting.id)?;
                }
                let delivery = self.prepare(waiting)?;
                let delivery = match F::begin(&self.cells, delivery, self.cx.clone()) {
                    Ok(begun) => return self.set_out(slot, attempts, begun),
                    Err(delivery) => delivery,
                };
                // As next to other threads: an `async` handler that is in flight may share the routine.
                match F::deliver_shared(&self.cells, delivery, &self.cx, &mut self.care.scratch, ()) {
                    Ok(done) => {
                        self.step_done(done)?;
                        Ok(Stop::Single(done))
                    }
                    Err(undelivered) => Ok(Stop::Failed(undelivered)),
                }
            }
        }
    }

    /// In slots that are given the latest, of those that wait over one connection all but the newest are superseded.
    fn supersede_all(&mut self) -> Result<()> {
        let shape = F::shape();
        if !shape.placed.iter().any(|placed| placed.mode.latest) {
            return Ok(());
        }
        self.post.queue.number();
        let mut seen = Vec::new();
        let mut old = Vec::new();
        for (at, (_, _, delivery)) in self.post.queue.iter().enumerate() {
            let slot = F::slot_of(delivery);
            if !shape.mode(slot).latest {
                continue;
            }
            let of = (slot, F::connection_of(delivery));
            match seen.iter_mut().find(|(known, _)| *known == of) {
                Some((_, newest)) => old.push(std::mem::replace(newest, at)),
                None => seen.push((of, at)),
            }
        }
        old.sort_unstable();
        for at in old.into_iter().rev() {
            if let Some(waiting) = self.post.queue.take(at) {
                self.supersede(waiting)?;
            }
        }
        Ok(())
    }

    /// In a simulation with crashes: if it is time, the job is saved and dropped, and one that is made of what was saved
    /// takes its place, with its hooks. Whether that was done.
    #[cold]
    pub(super) fn crash_if_due(&mut self) -> bool {
        let Some(simulation) = &mut self.simulation else { return false };
        let Some(cells) = simulation.crash_due() else { return false };
        simulation.did(Did::Crash);
        // What waits is in the mailboxes when a restored job starts.
        simulation.sent.clear();
        self.give_up_flights();
        if let Err(error) = self.crash(cells)
            && let Some(simulation) = &mut self.simulation
        {
            simulation.stop(format!("the job does not survive a crash: {error}"));
        }
        true
    }

    fn crash(&mut self, cells: F::Cells) -> Result<()> {
        let in_text = |what: &str, error: serde_json::Error| Error::Serialization {
            what: format!("the job could not be {what}"),
            path: None,
            source: Some(error.into()),
        };
        let text = serde_json::to_string(&self.state()?).map_err(|error| in_text("saved", error))?;
        let mut fresh = Job::of(cells);
        fresh.hooks = self.hooks.take();
        fresh.simulation = self.simulation.take();
        fresh.capacity = self.capacity;
        fresh.is_streaming = self.is_streaming;
        for ((_, new), (_, old)) in
            F::outbound_mut(&mut fresh.post.outbound).into_iter().zip(F::outbound(&self.post.outbound))
        {
            if let Some(stream) = old.stream() {
                new.set_stream(stream);
            }
        }
        fresh.cx.clock = self.cx.clock.clone();
        // Who holds a handle to the job is not told that it is another one.
        fresh.cx.control = self.cx.control.clone();
        *self = fresh;
        self.load(serde_json::from_str(&text).map_err(|error| in_text("read back", error))?)
    }
}

/// What picks among the deliveries that are ready.
#[derive(Debug)]
pub(crate) enum Picks {
    Seeded {
        rng: Rng,
        /// Of their own, so that neither depends on how many picks there were.
        time: Rng,
        crashes: Rng,
        /// Half of the seeds take any that is ready, each as likely; the other half give each routine a rank and have
        /// the highest go as long as it can. The first finds what takes many small changes of turn, the second what
        /// takes one routine to fall far behind the others.
        by_rank: bool,
        ranks: Vec<u64>,
    },
    /// Those that are listed, then always the first. `at` is the next.
    Listed { choices: Vec<Choice>, at: usize },
}

/// One of several that were ready.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    pub(crate) pick: usize,
    /// Of how many; 0 where that is not known yet.
    pub(crate) of: usize,
}

impl Picks {
    pub(crate) fn seeded(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (time, crashes) = (rng.fork(), rng.fork());
        Picks::Seeded { by_rank: rng.bool(), rng, time, crashes, ranks: Vec::new() }
    }

    pub(crate) fn listed(choices: Vec<Choice>) -> Self {
        Picks::Listed { choices, at: 0 }
    }

    /// Picks one of those that are ready, by their routines.
    fn pick(&mut self, ready: &[usize], routines: usize) -> Result<usize, String> {
        match self {
            Picks::Seeded { rng, by_rank: false, .. } => Ok(rng.usize(..ready.len())),
            Picks::Seeded { rng, ranks, .. } => {
                ranks.resize_with(routines, || rng.u64(..));
                let highest = ready.iter().copied().max_by_key(|routine| ranks[*routine]);
                let its: Vec<usize> = (0..ready.len()).filter(|pick| Some(ready[*pick]) == highest).collect();
                // Now and then the one that is ahead falls back.
                if let (Some(routine), 0) = (highest, rng.u8(..8)) {
                    ranks[routine] = rng.u64(..);
                }
                Ok(its[rng.usize(..its.len())])
            }
            Picks::Listed { choices, at } => {
                let of = ready.len();
                let choice = match choices.get_mut(*at) {
                    Some(choice) if choice.pick >= of || ![0, of].contains(&choice.of) => {
                        return Err(format!(
                            "choice {} is between {of} deliveries, and was not before: the same choices do not lead to the \
                             same steps. Look for what depends on the time, on threads or on the order of a hash map",
                            *at + 1
                        ));
                    }
                    Some(choice) => {
                        choice.of = of;
                        *choice
                    }
                    None => {
                        choices.push(Choice { pick: 0, of });
                        Choice { pick: 0, of }
                    }
                };
                *at += 1;
                Ok(choice.pick)
            }
        }
    }

    /// The choices that were made, where they are listed.
    pub(crate) fn made(self) -> Vec<Choice> {
        match self {
            Picks::Seeded { .. } => Vec::new(),
            Picks::Listed { mut choices, at } => {
                choices.truncate(at);
                choices
            }
        }
    }

    /// How much time passes before a step.
    fn pause(&mut self) -> Duration {
        Duration::from_millis(match self {
            Picks::Seeded { time, .. } => time.u64(0..=10),
            Picks::Listed { .. } => 1,
        })
    }

    /// After how many steps there are crashes.
    fn crashes(&mut self) -> Vec<u64> {
        match self {
            Picks::Seeded { crashes, .. } => (0..CRASHES)
                .scan(0, |step, nth| {
                    *step += crashes.u64(u64::from(nth > 0)..1 << nth.max(1));
                    Some(*step)
                })
                .collect(),
            Picks::Listed { .. } => (0..LISTED_CRASHES).collect(),
        }
    }
}

/// A delivery that waits for its routine.
#[derive(Clone, Copy)]
struct Arrived {
    slot: usize,
    /// `None` where it came from outside.
    sent: Option<Sent>,
}

/// Those before a delivery that it cannot overtake, unless at the same time.
#[derive(Default)]
struct Before {
    any: bool,
    /// Whether one of them needs the routine alone.
    alone: bool,
    /// How many hold a worker.
    running: usize,
    running_in: BTreeMap<usize, usize>,
}

impl Before {
    fn add(&mut self, slot: usize, mode: SlotMode, runs: bool) {
        self.any = true;
        self.alone |= mode.alone;
        if runs {
            self.running += usize::from(!mode.waits);
            *self.running_in.entry(slot).or_default() += 1;
        }
    }

    fn running_in(&self, slot: usize) -> usize {
        self.running_in.get(&slot).copied().unwrap_or(0)
    }
}

/// Which of the deliveries, in the order they arrived, a pool could be done with next. To each routine they go in that
/// order: one that needs the routine alone waits for all before it and lets none after it pass; others run at the same
/// time, as many as there are workers and their slot allows, and any of those may be the first to be done. One that is
/// late is waited for only by those of the routine that sent it. Handlers that are `async` need no worker; those that are
/// in flight, by their slots, run already.
fn ready(arrived: &[Arrived], flying: &[usize], placed: &[PlacedSlot], workers: usize) -> Vec<usize> {
    /// Those in the mailbox of a routine, and those on their way to it, by who sent them.
    #[derive(Default)]
    struct Mailbox {
        here: Before,
        late: BTreeMap<usize, Before>,
    }
    let mut boxes: BTreeMap<usize, Mailbox> = BTreeMap::new();
    for slot in flying {
        let PlacedSlot { routine, mode, .. } = placed[*slot];
        boxes.entry(routine).or_default().here.add(*slot, mode, true);
    }
    let mut ready = Vec::new();
    for (at, Arrived { slot, sent }) in arrived.iter().enumerate() {
        let PlacedSlot { routine, mode, .. } = placed[*slot];
        let Mailbox { here, late } = boxes.entry(routine).or_default();
        let nothing = Before::default();
        let late_too = sent.and_then(|sent| late.get(&sent.by)).unwrap_or(&nothing);
        let limit = match mode {
            SlotMode { parallel: 0, waits: true, .. } => WAITING as usize,
            SlotMode { parallel: 0, .. } => workers,
            SlotMode { parallel, .. } => parallel as usize,
        };
        let is_ready = match mode.alone {
            true => !here.any && !late_too.any,
            false => {
                !here.alone
                    && !late_too.alone
                    && (mode.waits || here.running + late_too.running < workers)
                    && here.running_in(*slot) + late_too.running_in(*slot) < limit
            }
        };
        if is_ready {
            ready.push(at);
        }
        let before = match sent {
            Some(Sent { by, late: true }) => late.entry(*by).or_default(),
            _ => here,
        };
        before.add(*slot, mode, is_ready);
    }
    ready
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn placed(routine: usize, alone: bool, parallel: u32) -> PlacedSlot {
        PlacedSlot { routine, mode: SlotMode { alone, parallel, ..SlotMode::PLAIN }, in_order: false }
    }

    /// Routine 0 has two slots that need it alone and two that share it, of which one at most two at a time; routine 1
    /// has one of each.
    const PLACED: &[PlacedSlot] = &[
        placed(0, true, 0),
        placed(0, true, 0),
        placed(0, false, 0),
        placed(0, false, 2),
        placed(1, true, 0),
        placed(1, false, 1),
    ];

    fn of_inputs(slots: &[usize]) -> Vec<usize> {
        let arrived: Vec<_> = slots.iter().map(|slot| Arrived { slot: *slot, sent: None }).collect();
        ready(&arrived, &[], PLACED, 4)
    }

    #[test]
    fn one_that_needs_its_routine_alone_waits_for_those_before_it_and_lets_none_pass() {
        assert_eq!(of_inputs(&[0, 0, 1]), [0]);
        assert_eq!(of_inputs(&[0, 2, 2]), [0]);
        assert_eq!(of_inputs(&[2, 2, 0, 2]), [0, 1]);
        assert_eq!(of_inputs(&[0, 4, 0, 4]), [0, 1]);
        assert!(of_inputs(&[]).is_empty());
    }

    #[test]
    fn those_that_share_run_as_many_as_there_are_workers_and_the_slot_allows() {
        assert_eq!(of_inputs(&[2, 2, 2, 2, 2, 2]), [0, 1, 2, 3]);
        assert_eq!(of_inputs(&[3, 3, 3, 3, 2]), [0, 1, 4]);
        assert_eq!(of_inputs(&[3, 3, 3, 0, 2]), [0, 1]);
        assert_eq!(of_inputs(&[5, 5, 2, 5]), [0, 2]);
    }

    #[test]
    fn one_on_its_way_is_overtaken_by_others_but_not_by_those_of_its_sender() {
        let by = |by: usize, late: bool, slot: usize| Arrived { slot, sent: Some(Sent { by, late }) };
        let input = |slot: usize| Arrived { slot, sent: None };
        let ready = |arrived: &[Arrived]| super::ready(arrived, &[], PLACED, 4);
        assert_eq!(ready(&[by(1, true, 0), by(2, false, 0)]), [0, 1]);
        assert_eq!(ready(&[by(1, true, 0), by(1, false, 0)]), [0]);
        assert_eq!(ready(&[by(1, false, 0), by(2, true, 0)]), [0]);
        assert_eq!(ready(&[input(0), by(2, true, 0)]), [0]);
        assert_eq!(ready(&[by(1, true, 0), by(2, false, 0), by(3, false, 0)]), [0, 1]);
        // Nor at the same time, where the slot does not allow it.
        assert_eq!(ready(&[by(0, true, 5), by(0, true, 5), by(2, false, 5)]), [0, 2]);
    }

    #[test]
    fn those_in_flight_hold_their_routine_and_their_place_and_no_worker() {
        const fn waits(routine: usize, parallel: u32) -> PlacedSlot {
            PlacedSlot {
                routine,
                mode: SlotMode { parallel, waits: true, ..SlotMode::PLAIN },
                in_order: false,
            }
        }
        let flow = [waits(0, 0), waits(0, 2), placed(0, false, 0), placed(0, true, 0), placed(1, true, 0)];
        let ready = |flying: &[usize], arrived: &[usize]| {
            let arrived: Vec<_> = arrived.iter().map(|slot| Arrived { slot: *slot, sent: None }).collect();
            ready(&arrived, flying, &flow, 1)
        };
        assert_eq!(ready(&[], &[0, 0, 2, 2, 0]), [0, 1, 2, 4]);
        assert_eq!(ready(&[], &[0; 70]).len(), 64);
        assert_eq!(ready(&[0; 60], &[0; 70]).len(), 4);
        assert_eq!(ready(&[1], &[1, 1, 0]), [0, 2]);
        assert_eq!(ready(&[1, 1], &[1, 0, 2]), [1, 2]);
        // One that needs the routine alone waits for it, and none passes it.
        assert_eq!(ready(&[0], &[3, 0, 2, 4]), [3]);
        assert_eq!(ready(&[0], &[0, 3, 0]), [0]);
    }

    #[test]
    fn crashes_come_soon_and_then_less_often() {
        for seed in 0..100 {
            let steps = Picks::seeded(seed).crashes();
            assert!(steps[0] <= 1 && steps[1] <= 2 && steps.is_sorted_by(|a, b| a < b), "{steps:?}");
        }
    }
}
