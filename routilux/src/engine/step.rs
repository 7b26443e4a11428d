//! What a step means: one handler run with everything it changes, or nothing of it.

use super::queue::Fifo;
use crate::context::Context;
use crate::error::{Panic, TimedOut, catch};
use crate::flow::Flow;
use crate::merge::{Fault, Handover, Undo};
use crate::place::{Keeps, Place};
use crate::routine::{Contents, Outgoing, SlotPayload, SlotPort, This};

/// Where the deliveries of a step go, its outputs and its result.
#[doc(hidden)]
pub struct Post<F: Flow> {
    pub(crate) queue: Fifo<F::Delivery>,
    pub outbound: F::Outbound,
}

impl<F: Flow> Post<F> {
    pub(crate) fn empty() -> Self {
        Post { queue: Fifo::new(), outbound: F::Outbound::default() }
    }

    #[inline]
    pub fn send(&mut self, delivery: F::Delivery) {
        self.queue.push(delivery);
    }
}

/// A step that was done.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Done {
    pub slot: u32,
    pub emitted: u32,
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

/// A step in a thread that has the job to itself.
#[doc(hidden)]
#[inline]
pub fn step_here<R: SlotPort<I>, const I: usize, D, const GUARDED: bool>(
    place: &mut R::Place,
    store: impl Store<Contents<R, I>>,
    payload: SlotPayload<R, I>,
    cx: &Context,
    slot: u32,
    delivery: fn(SlotPayload<R, I>) -> D,
    route: impl FnMut(R::Event),
) -> Result<Done, Box<Undelivered<D>>> {
    store.with(|contents| {
        R::Undo::in_cell(place.get_mut(), |this, emit| {
            step::<R, I, D, GUARDED>(this, emit, contents, payload, cx, slot, delivery, route)
        })
    })
}

/// A step next to other threads.
#[doc(hidden)]
pub fn step_shared<R: SlotPort<I>, const I: usize, D, const GUARDED: bool>(
    place: &R::Place,
    store: impl Store<Contents<R, I>>,
    payload: SlotPayload<R, I>,
    cx: &Context,
    slot: u32,
    delivery: fn(SlotPayload<R, I>) -> D,
    route: impl FnMut(R::Event),
) -> Result<Done, Box<Undelivered<D>>> {
    store.with(|contents| {
        R::Undo::in_place(place, |this, emit| {
            step::<R, I, D, GUARDED>(this, emit, contents, payload, cx, slot, delivery, route)
        })
    })
}

/// One step: runs a handler and, when it has succeeded, sends its events on with `route`. When it fails the events
/// are dropped, the state is put back, and the arrival taken out of the slot; it is, if it can be had, in the
/// delivery that comes back.
#[allow(clippy::too_many_arguments)]
#[inline]
fn step<R: SlotPort<I>, const I: usize, D, const GUARDED: bool>(
    mut this: This<'_, R, I>,
    emit: &mut R::Emit,
    contents: &mut Contents<R, I>,
    payload: SlotPayload<R, I>,
    cx: &Context,
    slot: u32,
    delivery: fn(SlotPayload<R, I>) -> D,
    route: impl FnMut(R::Event),
) -> Result<Done, Box<Undelivered<D>>> {
    let copy = match R::Undo::before(&this) {
        Ok(copy) => copy,
        // The user's `Clone` panicked before the handler: nothing has changed.
        Err(panic) => return Err(undelivered(slot, Fault::Panicked(panic), Some(delivery(payload)), true)),
    };
    emit.outbox().begin();
    emit.begins(cx);
    let ran = R::Handover::hand_over(contents, payload, R::keep, |arrival| {
        match catch(|| R::call(R::Undo::again(&mut this), arrival, emit, cx)) {
            Ok(Ok(())) if R::MODE.timeout > 0 && cx.is_late() => {
                Err(Fault::Failed(TimedOut::after_millis(R::MODE.timeout).into()))
            }
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Fault::Failed(error)),
            Err(panic) => Err(Fault::Panicked(panic)),
        }
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
            let emitted = match GUARDED {
                false => emit.outbox().drain(route),
                // Between the receivers the user's `Clone` or `Drop` runs, and may panic. Some may have theirs by then,
                // so the step can be neither undone nor repeated.
                true => catch(|| emit.outbox().drain(route)).map_err(|panic| torn(slot, panic))?,
            };
            Ok(Done { slot, emitted })
        }
        Err((fault, payload)) => {
            // The user's `Drop` and `Default` run, and may panic: then the state is not to be trusted.
            let undo = || {
                emit.outbox().clear();
                R::Undo::after_fault(this, copy)
            };
            let whole = catch(undo).unwrap_or(false);
            Err(undelivered(slot, fault, payload.map(delivery), whole))
        }
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
    message = "`{T}` has to be `Clone`: this goes to several receivers",
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
