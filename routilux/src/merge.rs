//! How an arrival is handed to its handler, and what is undone when the handler fails. Which of
//! these a slot uses is read off the handler's signature by the macro; what they do is written here
//! once, for every engine.

use crate::error::{HandlerError, Panic, catch};
use crate::place::Place;
use crate::routine::{Fields, Routine, Snapshot};

/// Why a handler did not return `Ok`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Fault {
    Failed(HandlerError),
    Panicked(Panic),
}

/// How the payload gets to the handler and, when it fails, back: `hand_over` gives the payload back with the
/// fault unless it is lost.
#[doc(hidden)]
pub trait Handover<P: 'static>: 'static {
    /// What the slot keeps between arrivals.
    type Contents: Default + 'static;
    /// What the handler takes.
    type Arg<'a>;

    /// `copy` is called by `Kept` only.
    fn hand_over(
        contents: &mut Self::Contents,
        payload: P,
        copy: impl FnOnce(&P) -> P,
        call: impl FnOnce(Self::Arg<'_>) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<P>)>;

    /// The values in the slot, where it keeps any.
    fn kept(_: &Self::Contents) -> Option<&Vec<P>> {
        None
    }

    fn kept_mut(_: &mut Self::Contents) -> Option<&mut Vec<P>> {
        None
    }
}

/// `T`, and the handler cannot fail: given away. Lost if the handler panics.
#[doc(hidden)]
pub struct GivenAway;

/// `T`, and the handler can fail: a clone is kept until it returns.
#[doc(hidden)]
pub struct Kept;

/// `&T`: the engine keeps it.
#[doc(hidden)]
pub struct Lent;

/// `&[T]`: all arrivals so far, kept in the slot.
#[doc(hidden)]
pub struct Appended;

/// What `Kept` asks of a payload.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has to be `Clone`: its handler takes it by value and can fail, and it is kept for the next attempt",
    label = "a clone of this is kept until the handler returns",
    note = "write `#[derive(Clone)]` on `{Self}`, or take it as `&{Self}`: then nothing is cloned"
)]
pub trait KeptPayload: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> KeptPayload for T {}

/// The clone that `Kept` makes.
#[doc(hidden)]
#[inline]
pub fn keep<T: KeptPayload>(payload: &T) -> T {
    payload.clone()
}

/// What becomes of a payload that the engine kept: given back with a fault, dropped otherwise. The user's `Drop` may
/// panic: then the attempt is one that failed, and the payload is gone.
#[inline]
fn spend<P>(payload: P, ran: Result<(), Fault>) -> Result<(), (Fault, Option<P>)> {
    match ran {
        Err(fault) => Err((fault, Some(payload))),
        Ok(()) if !std::mem::needs_drop::<P>() => Ok(()),
        Ok(()) => catch(|| drop(payload)).map_err(|panic| (Fault::Panicked(panic), None)),
    }
}

impl<P: 'static> Handover<P> for GivenAway {
    type Contents = ();
    type Arg<'a> = P;

    #[inline]
    fn hand_over(
        _: &mut (),
        payload: P,
        _: impl FnOnce(&P) -> P,
        call: impl FnOnce(P) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<P>)> {
        call(payload).map_err(|fault| (fault, None))
    }
}

impl<P: 'static> Handover<P> for Kept {
    type Contents = ();
    type Arg<'a> = P;

    #[inline]
    fn hand_over(
        _: &mut (),
        payload: P,
        copy: impl FnOnce(&P) -> P,
        call: impl FnOnce(P) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<P>)> {
        // A panic in the user's `Clone` is a failure of the step like one in the handler.
        match catch(|| copy(&payload)) {
            Ok(copy) => spend(payload, call(copy)),
            Err(panic) => Err((Fault::Panicked(panic), Some(payload))),
        }
    }
}

impl<P: 'static> Handover<P> for Lent {
    type Contents = ();
    type Arg<'a> = &'a P;

    #[inline]
    fn hand_over(
        _: &mut (),
        payload: P,
        _: impl FnOnce(&P) -> P,
        call: impl FnOnce(&P) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<P>)> {
        let ran = call(&payload);
        spend(payload, ran)
    }
}

impl<P: 'static> Handover<P> for Appended {
    type Contents = Vec<P>;
    type Arg<'a> = &'a [P];

    #[inline]
    fn hand_over(
        contents: &mut Vec<P>,
        payload: P,
        _: impl FnOnce(&P) -> P,
        call: impl FnOnce(&[P]) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<P>)> {
        contents.push(payload);
        // The arrival came with the attempt and leaves the slot with it.
        call(contents).map_err(|fault| (fault, contents.pop()))
    }

    fn kept(contents: &Vec<P>) -> Option<&Vec<P>> {
        Some(contents)
    }

    fn kept_mut(contents: &mut Vec<P>) -> Option<&mut Vec<P>> {
        Some(contents)
    }
}

/// How a handler takes its routine.
#[doc(hidden)]
pub trait Takes<R: Routine> {
    /// `&R` or `&mut R`.
    type This<'a>;
}

/// What happens to the routine when the handler fails. Beside `Takes`, so that where a routine's state cannot be put back
/// that is told once, and not again for what its handler takes.
#[doc(hidden)]
pub trait Undo<R: Routine>: Takes<R> {
    type Copy;

    /// Runs `step` with the routine, in a thread that has the whole job to itself.
    fn in_cell<T>(cell: (&mut R, &mut R::Emit), step: impl FnOnce(Self::This<'_>, &mut R::Emit) -> T) -> T;

    /// Runs `step` with the routine, next to other threads.
    fn in_place<T>(place: &R::Place, step: impl FnOnce(Self::This<'_>, &mut R::Emit) -> T) -> T;

    fn again<'b>(this: &'b mut Self::This<'_>) -> Self::This<'b>;

    /// Fails if the user's `Clone` panics.
    fn before(this: &Self::This<'_>) -> Result<Self::Copy, Panic>;

    /// Undoes what the handler did. `false` where that cannot be done and the state may be torn.
    fn after_fault(this: Self::This<'_>, copy: Self::Copy) -> bool;
}

/// `&self`: there is nothing to undo, and others may run at the same time.
#[doc(hidden)]
pub struct Untouched;

/// `&mut self`, and the handler can fail: the state as it was is put back.
#[doc(hidden)]
pub struct PutBack;

/// `&mut self`, and the handler cannot fail or is not atomic: after a panic or a failure its state is not to be
/// trusted.
#[doc(hidden)]
pub struct Exposed;

impl<R: Routine> Takes<R> for Untouched {
    type This<'a> = &'a R;
}

impl<R: Routine> Takes<R> for PutBack {
    type This<'a> = &'a mut R;
}

impl<R: Routine> Takes<R> for Exposed {
    type This<'a> = &'a mut R;
}

impl<R: Routine> Undo<R> for Untouched {
    type Copy = ();

    #[inline]
    fn in_cell<T>(cell: (&mut R, &mut R::Emit), step: impl FnOnce(&R, &mut R::Emit) -> T) -> T {
        step(cell.0, cell.1)
    }

    #[inline]
    fn in_place<T>(place: &R::Place, step: impl FnOnce(&R, &mut R::Emit) -> T) -> T {
        place.along(step)
    }

    #[inline]
    fn again<'b>(this: &'b mut &R) -> &'b R {
        this
    }

    #[inline]
    fn before(_: &&R) -> Result<(), Panic> {
        Ok(())
    }

    fn after_fault(_: &R, (): ()) -> bool {
        true
    }
}

/// What the two kinds of `&mut self` have in common.
macro_rules! exclusive {
    () => {
        #[inline]
        fn in_cell<T>(cell: (&mut R, &mut R::Emit), step: impl FnOnce(&mut R, &mut R::Emit) -> T) -> T {
            step(cell.0, cell.1)
        }

        #[inline]
        fn in_place<T>(place: &R::Place, step: impl FnOnce(&mut R, &mut R::Emit) -> T) -> T {
            place.alone(step)
        }

        #[inline]
        fn again<'b>(this: &'b mut &mut R) -> &'b mut R {
            this
        }
    };
}

impl<R: Routine + Snapshot> Undo<R> for PutBack {
    type Copy = <R as Snapshot>::Copy;

    exclusive!();

    #[inline]
    fn before(this: &&mut R) -> Result<<R as Snapshot>::Copy, Panic> {
        catch(|| this.copy())
    }

    fn after_fault(this: &mut R, copy: <R as Snapshot>::Copy) -> bool {
        this.put_back(copy);
        this.reset_transient();
        true
    }
}

impl<R: Routine + Fields> Undo<R> for Exposed {
    type Copy = ();

    exclusive!();

    #[inline]
    fn before(_: &&mut R) -> Result<(), Panic> {
        Ok(())
    }

    fn after_fault(this: &mut R, (): ()) -> bool {
        this.reset_transient();
        R::STATE.is_empty()
    }
}
