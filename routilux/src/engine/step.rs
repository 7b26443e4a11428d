//! What a step means: one handler run with everything it changes, or nothing of it.

use super::later::{Later, Timed};
use super::queue::Fifo;
use crate::context::Context;
use crate::emit::{Ask, More, millis};
use crate::error::{HandlerError, Panic, TimedOut, catch};
use crate::flow::Flow;
use crate::merge::{Fault, Handover, Ran, Undo};
use crate::place::{Keeps, Place};
use crate::routine::{Contents, Outgoing, Parcel, SlotPort, This};
use serde::{Deserialize, Serialize};

/// Where the deliveries of a step go, its outputs and its result.
#[doc(hidden)]
pub struct Post<F: Flow> {
    pub(crate) queue: Fifo<F::Delivery>,
    pub outbound: F::Outbound,
    /// What is to happen later.
    pub(crate) timed: Vec<Timed<F>>,
    pub(crate) tally: Tally,
    /// The bounded loops that the step has taken.
    pub(crate) taken: Vec<super::bound::Taken>,
}

/// What became of values that no handler was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tally {
    /// Those that a guard rejected, with no `else`.
    pub(crate) filtered: u64,
    /// Those that a newer one has taken the place of.
    pub(crate) superseded: u64,
    /// Those that failed, and that a policy skipped.
    pub(crate) skipped: u64,
    /// Those that failed, and went along an error wire.
    pub(crate) diverted: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Tally) {
        self.filtered += other.filtered;
        self.superseded += other.superseded;
        self.skipped += other.skipped;
        self.diverted += other.diverted;
    }
}

impl<F: Flow> Default for Post<F> {
    fn default() -> Self {
        Post::empty()
    }
}

impl<F: Flow> Post<F> {
    pub(crate) fn empty() -> Self {
        Post {
            queue: Fifo::new(),
            outbound: F::Outbound::default(),
            timed: Vec::new(),
            tally: Tally::default(),
            taken: Vec::new(),
        }
    }

    /// One in which every value that comes to `return` is kept, as in a flow within another each of them is an event.
    pub(crate) fn keeping_all() -> Self {
        let mut post = Post::empty();
        if let Some(result) = F::__result_mut(&mut post.outbound) {
            result.keep_all();
        }
        post
    }

    #[inline]
    pub fn send(&mut self, delivery: F::Delivery) {
        self.queue.push(delivery);
    }

    /// A guard has rejected an event, and there is no `else`.
    #[inline]
    pub fn filter(&mut self) {
        self.tally.filtered += 1;
    }

    /// Whether there is something in it that is neither a delivery nor an output.
    pub(crate) fn has_rest(&self) -> bool {
        !self.timed.is_empty() || self.tally != Tally::default() || !self.taken.is_empty()
    }

    /// Keeps deliveries to those slots only. Whether anything is left.
    pub(crate) fn keep_to(&mut self, keeps: impl Fn(usize) -> bool) -> bool {
        for _ in 0..self.queue.regular_len() {
            match self.queue.pop_regular() {
                Some(delivery) if keeps(F::slot_of(&delivery)) => self.queue.push(delivery),
                _ => {}
            }
        }
        self.queue.regular_len() > 0 || F::has_output(&self.outbound)
    }

    /// Takes everything to `other`, after what is there.
    pub(crate) fn hand_to(&mut self, other: &mut Self) {
        self.queue.hand_to(&mut other.queue);
        if F::has_output(&self.outbound) {
            F::merge_outbound(&mut other.outbound, &mut self.outbound);
        }
        if !self.timed.is_empty() {
            other.timed.append(&mut self.timed);
        }
        other.tally.add(std::mem::take(&mut self.tally));
        self.taken.drain(..).for_each(super::bound::Taken::keep);
    }

    /// Drops everything: the step that sent it has failed.
    pub fn undo(&mut self) {
        self.taken.clear();
        // The user's `Drop` may panic, and the step has failed by then.
        let _ = catch(|| {
            while self.queue.pop_regular().is_some() {}
            self.timed.clear();
            self.outbound = F::Outbound::default();
        });
        self.tally = Tally::default();
    }

    /// What is decided about events that leave later is counted in the step that has decided it.
    fn count_now<O: Flow>(&mut self, step: &mut Post<O>) {
        step.tally.add(std::mem::take(&mut self.tally));
        step.taken.append(&mut self.taken);
    }

    /// The next delivery of an inner flow, for the one around it.
    pub fn next_inner(&mut self) -> Option<F::Delivery> {
        self.queue.pop_regular()
    }

    /// What an inner flow has counted and asked for, for the one around it. `lift` lifts a part of it alone.
    pub fn lift_rest<O: Flow>(
        &mut self,
        outer: &mut Post<O>,
        offset: u32,
        wrap: fn(F::Delivery) -> O::Delivery,
        mut lift: impl FnMut(&mut Post<F>, &mut Post<O>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        outer.tally.add(std::mem::take(&mut self.tally));
        outer.taken.append(&mut self.taken);
        for timed in std::mem::take(&mut self.timed) {
            let lifted = timed.lifted(offset, wrap, |mut inner| {
                let mut post = Post::empty();
                match lift(&mut inner, &mut post) {
                    Ok(()) => {
                        post.count_now(outer);
                        Ok(post)
                    }
                    Err(fault) => {
                        post.undo();
                        Err(fault)
                    }
                }
            })?;
            outer.timed.push(lifted);
        }
        Ok(())
    }
}

/// A step that was done.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Done {
    pub slot: u32,
    pub emitted: u32,
}

impl Done {
    /// As the flow around sees it, whose slots begin before it.
    pub fn within(self, offset: u32) -> Done {
        Done { slot: self.slot + offset, ..self }
    }
}

/// A step that was not: what it changed is undone, as far as can be.
#[doc(hidden)]
pub struct Undelivered<D> {
    pub(crate) slot: u32,
    pub(crate) fault: Fault,
    /// The delivery, unless its payload is lost.
    pub(crate) delivery: Option<D>,
    /// Whether the routine's state is what it was before the attempt.
    pub(crate) state_whole: bool,
    /// Whether the fault came after the handler, while its events were sent on.
    pub(crate) after_handler: bool,
}

impl<D> Undelivered<D> {
    /// As the flow around sees it.
    pub fn within<O>(self, offset: u32, wrap: fn(D) -> O) -> Undelivered<O> {
        let Undelivered { slot, fault, delivery, state_whole, after_handler } = self;
        Undelivered { slot: slot + offset, fault, delivery: delivery.map(wrap), state_whole, after_handler }
    }
}

/// Where a slot keeps what it keeps, if anything.
#[doc(hidden)]
pub trait Store<C> {
    fn with<T>(self, step: impl FnOnce(&mut C) -> T) -> T;
}

/// A slot that keeps nothing.
#[doc(hidden)]
pub struct Nothing;

impl Store<()> for Nothing {
    #[inline]
    fn with<T>(self, step: impl FnOnce(&mut ()) -> T) -> T {
        step(&mut ())
    }
}

impl<C> Store<C> for &mut Keeps<C> {
    #[inline]
    fn with<T>(self, step: impl FnOnce(&mut C) -> T) -> T {
        step(self.get_mut())
    }
}

impl<C> Store<C> for &Keeps<C> {
    fn with<T>(self, step: impl FnOnce(&mut C) -> T) -> T {
        Keeps::with(self, step)
    }
}

/// What a flow around takes of what a step of an inner one has emitted. `()` where there is none.
#[doc(hidden)]
pub trait Lift<F: Flow> {
    const NEEDED: bool;
    fn lift(&mut self, post: &mut Post<F>) -> Result<(), Fault>;
}

impl<F: Flow> Lift<F> for () {
    const NEEDED: bool = false;

    #[inline]
    fn lift(&mut self, _: &mut Post<F>) -> Result<(), Fault> {
        Ok(())
    }
}

impl<F: Flow, L: FnMut(&mut Post<F>) -> Result<(), Fault>> Lift<F> for L {
    const NEEDED: bool = true;

    fn lift(&mut self, post: &mut Post<F>) -> Result<(), Fault> {
        self(post)
    }
}

/// What a route comes to: nothing where no code of the user's is in it that can fail.
#[doc(hidden)]
pub trait Routed {
    fn routed(self) -> Result<(), Fault>;
}

impl Routed for () {
    #[inline]
    fn routed(self) -> Result<(), Fault> {
        Ok(())
    }
}

impl Routed for Result<(), Fault> {
    #[inline]
    fn routed(self) -> Result<(), Fault> {
        self
    }
}

/// Runs a guard or a map of the user's. `what` names it.
#[doc(hidden)]
#[inline]
pub fn operate<T>(what: &'static str, run: impl FnOnce() -> T) -> Result<T, Fault> {
    catch(run).map_err(|panic| operator_panicked(what, panic))
}

#[cold]
fn operator_panicked(what: &str, panic: Panic) -> Fault {
    Fault::Panicked(Panic { message: format!("{what}: {}", panic.message) })
}

/// How the ways that the events of a routine go may fail.
#[doc(hidden)]
pub mod ways {
    /// Not at all.
    pub const PLAIN: u8 = 0;
    /// In the user's `Clone` or `Drop`.
    pub const GUARDED: u8 = 1;
    /// In operators of the user's: they are a part of the handler.
    pub const OPERATED: u8 = 2;
}

/// A step in a thread that has the job to itself.
#[doc(hidden)]
#[allow(clippy::too_many_arguments)]
#[inline]
pub fn step_here<F: Flow, R: SlotPort<I>, const I: usize, const WAYS: u8, Z: Routed>(
    place: &mut R::Place,
    store: impl Store<Contents<R, I>>,
    parcel: Parcel<R, I>,
    cx: &Context,
    slot: u32,
    wrap: impl Fn(Parcel<R, I>) -> F::Delivery,
    post: &mut Post<F>,
    route: impl Fn(R::Event, &mut Post<F>) -> Z,
    lift: impl Lift<F>,
) -> Result<Done, Box<Undelivered<F::Delivery>>> {
    store.with(|contents| {
        R::Undo::in_cell(place.get_mut(), |this, emit| {
            step::<F, R, I, WAYS, Z, _>(this, emit, contents, parcel, cx, slot, wrap, post, route, lift)
        })
    })
}

/// A step next to other threads.
#[doc(hidden)]
#[allow(clippy::too_many_arguments)]
pub fn step_shared<F: Flow, R: SlotPort<I>, const I: usize, const WAYS: u8, Z: Routed>(
    place: &R::Place,
    store: impl Store<Contents<R, I>>,
    parcel: Parcel<R, I>,
    cx: &Context,
    slot: u32,
    wrap: impl Fn(Parcel<R, I>) -> F::Delivery,
    post: &mut Post<F>,
    route: impl Fn(R::Event, &mut Post<F>) -> Z,
    lift: impl Lift<F>,
) -> Result<Done, Box<Undelivered<F::Delivery>>> {
    store.with(|contents| {
        R::Undo::in_place(place, |this, emit| {
            step::<F, R, I, WAYS, Z, _>(this, emit, contents, parcel, cx, slot, wrap, post, route, lift)
        })
    })
}

/// One step: runs a handler and, when it has succeeded, sends its events on with `route`. When it fails the events
/// are dropped, the state is put back, and the arrival taken out of the slot; it is, if it can be had, in the
/// delivery that comes back. What operators have put into `post` until then is the caller's to drop.
#[allow(clippy::too_many_arguments)]
#[inline]
fn step<F: Flow, R: SlotPort<I>, const I: usize, const WAYS: u8, Z: Routed, L: Lift<F>>(
    mut this: This<'_, R, I>,
    emit: &mut R::Emit,
    contents: &mut Contents<R, I>,
    parcel: Parcel<R, I>,
    cx: &Context,
    slot: u32,
    wrap: impl Fn(Parcel<R, I>) -> F::Delivery,
    post: &mut Post<F>,
    route: impl Fn(R::Event, &mut Post<F>) -> Z,
    mut lift: L,
) -> Result<Done, Box<Undelivered<F::Delivery>>> {
    if !R::Handover::runs(contents, &parcel, cx) {
        let mut ran = Ran::default();
        return match R::Handover::kept(contents, parcel, cx, &mut ran) {
            Ok(()) => {
                note::<F, R, I>(ran, &wrap, post);
                if L::NEEDED {
                    lifted(&mut lift, post).map_err(|fault| undelivered(slot, fault, None, false))?;
                }
                Ok(Done { slot, emitted: 0 })
            }
            Err((fault, parcel)) => Err(undelivered(slot, fault, parcel.map(wrap), true)),
        };
    }
    let copy = match R::Undo::before(&this) {
        Ok(copy) => copy,
        // The user's `Clone` panicked before the handler: nothing has changed.
        Err(panic) => return Err(undelivered(slot, Fault::Panicked(panic), Some(wrap(parcel)), true)),
    };
    emit.outbox().begin();
    emit.begins(cx);
    let is_operated = WAYS == ways::OPERATED || L::NEEDED;
    let mut emitted = 0;
    let mut noted = Ran::default();
    let ran = R::Handover::hand_over(contents, parcel, cx, &mut noted, |arrival| {
        match catch(|| R::call(R::Undo::again(&mut this), arrival, emit, cx)) {
            Ok(Ok(())) if R::MODE.timeout > 0 && cx.is_late() => {
                Err(Fault::Failed(TimedOut::after_millis(R::MODE.timeout).into()))
            }
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::Failed(error)),
            Err(panic) => Err(Fault::Panicked(panic)),
        }?;
        if emit.outbox().has_asks() {
            later::<F, R, Z>(emit, slot, post, &route, cx)?;
        }
        if R::MODE.source {
            again::<F, R, I>(emit, &wrap, post)?;
        }
        if is_operated {
            emitted = routed::<F, R, Z>(emit, post, &route)?;
            lifted(&mut lift, post)?;
        }
        Ok(())
    });
    match ran {
        Ok(()) => {
            if std::mem::needs_drop::<<R::Undo as Undo<R>>::Copy>() {
                // The user's `Drop` may panic; the handler has run by then.
                catch(|| drop(copy)).map_err(|panic| {
                    emit.outbox().clear();
                    torn(slot, panic)
                })?;
            }
            if !is_operated {
                emitted = match WAYS {
                    ways::PLAIN => emit.outbox().drain(|event| {
                        let _ = route(event, post);
                    }),
                    // Between the receivers the user's `Clone` or `Drop` runs, and may panic. Some may have theirs by
                    // then, so the step can be neither undone nor repeated.
                    _ => catch(|| {
                        emit.outbox().drain(|event| {
                            let _ = route(event, post);
                        })
                    })
                    .map_err(|panic| torn(slot, panic))?,
                };
            }
            note::<F, R, I>(noted, &wrap, post);
            Ok(Done { slot, emitted })
        }
        Err((fault, parcel)) => {
            // The user's `Drop` and `Default` run, and may panic: then the state is not to be trusted.
            let undo = || {
                emit.outbox().clear();
                R::Undo::after_fault(this, copy)
            };
            let whole = catch(undo).unwrap_or(false);
            Err(undelivered(slot, fault, parcel.map(wrap), whole))
        }
    }
}

/// On the ways of the flow around the user's code runs, and may panic.
fn lifted<F: Flow>(lift: &mut impl Lift<F>, post: &mut Post<F>) -> Result<(), Fault> {
    catch(|| lift.lift(post)).unwrap_or_else(|panic| Err(Fault::Panicked(panic)))
}

/// Sends the events of a step along ways with code of the user's.
pub(crate) fn routed<F: Flow, R: crate::routine::Routine, Z: Routed>(
    emit: &mut R::Emit,
    post: &mut Post<F>,
    route: &impl Fn(R::Event, &mut Post<F>) -> Z,
) -> Result<u32, Fault> {
    let mut failed = None;
    let sent = catch(|| {
        emit.outbox().drain(|event| {
            if failed.is_none() {
                failed = route(event, post).routed().err();
            }
        })
    });
    match (sent, failed) {
        (Err(panic), _) => Err(Fault::Panicked(panic)),
        (Ok(_), Some(fault)) => Err(fault),
        (Ok(emitted), None) => Ok(emitted),
    }
}

/// What a handler has asked for that is to happen later.
#[cold]
pub(crate) fn later<F: Flow, R: crate::routine::Routine, Z: Routed>(
    emit: &mut R::Emit,
    slot: u32,
    post: &mut Post<F>,
    route: &impl Fn(R::Event, &mut Post<F>) -> Z,
    cx: &Context,
) -> Result<(), Fault> {
    for ask in emit.outbox().take_asks() {
        let (time, name, event, repeats) = match ask {
            Ask::Cancel { name } => {
                post.timed.push(Timed { after: 0, what: Later::Cancel { slot, name } });
                continue;
            }
            Ask::After { after, name, event } => (after, name, event, false),
            Ask::Every { period, name, event } => (period, name, event, true),
        };
        let after = millis(time).map_err(|why| Fault::Failed(HandlerError::from(why)))?;
        if repeats && after == 0 {
            return Err(Fault::Failed(
                "an event that is emitted every 0 ms would leave no time for others".into(),
            ));
        }
        let mut parcel = Box::new(Post::empty());
        let routed = catch(|| route(event, &mut parcel).routed());
        if let Err(fault) = routed.unwrap_or_else(|panic| Err(Fault::Panicked(panic))) {
            parcel.undo();
            return Err(fault);
        }
        parcel.count_now(post);
        let what = match repeats {
            false => Later::Events { slot, name, parcel },
            true => Later::Every { slot, name, period: after, parcel },
        };
        post.timed.push(Timed { after, what });
    }
    cx.control.raise();
    Ok(())
}

/// A source has said whether it goes on.
fn again<F: Flow, R: SlotPort<I>, const I: usize>(
    emit: &mut R::Emit,
    wrap: &impl Fn(Parcel<R, I>) -> F::Delivery,
    post: &mut Post<F>,
) -> Result<(), Fault> {
    let after = match emit.outbox().more() {
        More::Done => return Ok(()),
        More::Now => 0,
        More::After(time) => millis(time).map_err(|why| Fault::Failed(HandlerError::from(why)))?,
    };
    if let Some(parcel) = R::Handover::again() {
        let what = Later::Again { delivery: wrap(parcel), is_work: true };
        post.timed.push(Timed { after, what });
    }
    Ok(())
}

/// What came of an arrival beside the events.
#[inline]
fn note<F: Flow, R: SlotPort<I>, const I: usize>(
    ran: Ran,
    wrap: &impl Fn(Parcel<R, I>) -> F::Delivery,
    post: &mut Post<F>,
) {
    if ran.superseded > 0 {
        post.tally.superseded += ran.superseded;
    }
    if R::MODE.within > 0
        && let (Some(after), Some(parcel)) = (ran.look_after, R::Handover::expiring())
    {
        post.timed.push(Timed { after, what: Later::Again { delivery: wrap(parcel), is_work: false } });
    }
}

#[cold]
fn torn<D>(slot: u32, panic: Panic) -> Box<Undelivered<D>> {
    Box::new(Undelivered {
        slot,
        fault: Fault::Panicked(panic),
        delivery: None,
        state_whole: false,
        after_handler: true,
    })
}

#[cold]
fn undelivered<D>(slot: u32, fault: Fault, delivery: Option<D>, state_whole: bool) -> Box<Undelivered<D>> {
    Box::new(Undelivered { slot, fault, delivery, state_whole, after_handler: false })
}

/// Receivers of one event: all but the last are given a clone.
#[doc(hidden)]
pub struct Receivers;

/// `Receivers: FanOut<T>` where `T` is `Clone`. Not a trait of `T`, for which the compiler would propose to send `&T`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{T}` has to be `Clone`: this goes to several receivers [RTX0156]",
    label = "each receiver but the last is given a clone",
    note = "write `#[derive(Clone)]` on `{T}`, or send an `Arc<{T}>`"
)]
pub trait FanOut<T> {
    fn copy(payload: &T) -> T;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> FanOut<T> for Receivers {
    #[inline]
    fn copy(payload: &T) -> T {
        payload.clone()
    }
}
