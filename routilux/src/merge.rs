//! How an arrival is handed to its handler, and what is undone when the handler fails. Which of
//! these a slot uses is read off the handler's signature by the macro; what they do is written here
//! once, for every engine.

use crate::context::Context;
use crate::error::{HandlerError, Panic, catch};
use crate::job::value::{Value, ValueError};
use crate::place::Place;
use crate::routine::{Fields, Routine, SlotPort, Snapshot};

/// Why a handler did not return `Ok`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Fault {
    Failed(HandlerError),
    Panicked(Panic),
}

/// How what arrives gets to the handler and, when it fails, back: `hand_over` gives the arrival back with the fault
/// unless it is lost.
#[doc(hidden)]
pub trait Handover<R: SlotPort<I>, const I: usize>: 'static {
    /// What travels to the slot.
    type Parcel: 'static;
    /// What the slot keeps between arrivals.
    type Contents: Default + 'static;
    /// What the handler takes.
    type Arg<'a>;
    /// What goes along an error wire.
    type Failed: 'static;

    /// Whether the handler runs for this one. If not, it is `kept`.
    #[inline]
    fn runs(_: &Self::Contents, _: &Self::Parcel, _: &Context) -> bool {
        true
    }

    /// Puts one into the slot for which the handler does not run.
    fn kept(
        _: &mut Self::Contents,
        parcel: Self::Parcel,
        _: &Context,
        _: &mut Ran,
    ) -> Result<(), (Fault, Option<Self::Parcel>)> {
        let _ = parcel;
        Ok(())
    }

    fn hand_over(
        contents: &mut Self::Contents,
        parcel: Self::Parcel,
        cx: &Context,
        ran: &mut Ran,
        call: impl FnOnce(Self::Arg<'_>) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<Self::Parcel>)>;

    /// Word that nothing more will come, where the slot has use for it.
    fn closing() -> Option<Self::Parcel> {
        None
    }

    /// Word that values may have been there too long, where the slot has use for it.
    fn expiring() -> Option<Self::Parcel> {
        None
    }

    /// What a source is called with again.
    fn again() -> Option<Self::Parcel> {
        None
    }

    /// What of a delivery that failed goes along an error wire, if anything does.
    fn payload(parcel: Self::Parcel) -> Option<Self::Failed>;

    fn save_parcel(parcel: &Self::Parcel) -> Result<Value, ValueError>;
    fn load_parcel(value: Value) -> Result<Self::Parcel, ValueError>;

    /// What the slot keeps, as data.
    fn save(_: &Self::Contents) -> Result<Value, ValueError> {
        Ok(Value::List(Vec::new()))
    }

    fn load(_: &mut Self::Contents, _: Value) -> Result<(), ValueError> {
        Ok(())
    }

    /// How many values wait in a slot that has not what it needs to run; of a join, for each parameter.
    fn held(_: &Self::Contents) -> Vec<Held> {
        Vec::new()
    }
}

/// What came of an arrival beside the events.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Ran {
    /// How many values a newer one has taken the place of.
    pub(crate) superseded: u64,
    /// When it is to be looked whether values have been there too long, from now on, in milliseconds.
    pub(crate) look_after: Option<u64>,
}

/// Values in a slot that wait for others.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Held {
    /// Of a join, the parameter that they are for.
    pub(crate) parameter: Option<&'static str>,
    pub(crate) count: u64,
    /// The parameters, or the numbers of the connections, that nothing came from.
    pub(crate) missing: Vec<&'static str>,
    pub(crate) missing_connections: Vec<u16>,
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
    message = "`{Self}` has to be `Clone`: its handler takes it by value and can fail, and it is kept for the next attempt [RTX0157]",
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
        Ok(()) => match catch(|| drop(payload)) {
            Ok(()) => Ok(()),
            Err(panic) => Err((Fault::Panicked(panic), None)),
        },
    }
}

/// A source or a finish: it is called with nothing.
#[doc(hidden)]
pub struct Called;

impl<R: SlotPort<I, Payload = ()>, const I: usize> Handover<R, I> for Called {
    type Parcel = ();
    type Contents = ();
    type Arg<'a> = ();

    fn hand_over(
        _: &mut (),
        (): (),
        _: &Context,
        _: &mut Ran,
        call: impl FnOnce(()) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<()>)> {
        match call(()) {
            Ok(()) => Ok(()),
            Err(fault) => Err((fault, Some(()))),
        }
    }

    fn again() -> Option<()> {
        Some(())
    }

    fn closing() -> Option<()> {
        (!R::MODE.source).then_some(())
    }

    plain_parcel!();
}

/// What those have in common where the payload travels as it is.
macro_rules! plain_parcel {
    () => {
        type Failed = R::Payload;

        fn payload(parcel: R::Payload) -> Option<R::Payload> {
            Some(parcel)
        }

        fn save_parcel(parcel: &R::Payload) -> Result<Value, ValueError> {
            (R::codec().save)(parcel)
        }

        fn load_parcel(value: Value) -> Result<R::Payload, ValueError> {
            (R::codec().load)(value)
        }
    };
}
pub(crate) use plain_parcel;

impl<R: SlotPort<I>, const I: usize> Handover<R, I> for GivenAway {
    type Parcel = R::Payload;
    type Contents = ();
    type Arg<'a> = R::Payload;

    #[inline]
    fn hand_over(
        _: &mut (),
        payload: R::Payload,
        _: &Context,
        _: &mut Ran,
        call: impl FnOnce(R::Payload) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<R::Payload>)> {
        match call(payload) {
            Ok(()) => Ok(()),
            Err(fault) => Err((fault, None)),
        }
    }

    plain_parcel!();
}

impl<R: SlotPort<I>, const I: usize> Handover<R, I> for Kept {
    type Parcel = R::Payload;
    type Contents = ();
    type Arg<'a> = R::Payload;

    #[inline]
    fn hand_over(
        _: &mut (),
        payload: R::Payload,
        _: &Context,
        _: &mut Ran,
        call: impl FnOnce(R::Payload) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<R::Payload>)> {
        // A panic in the user's `Clone` is a failure of the step like one in the handler.
        match catch(|| R::keep(&payload)) {
            Ok(copy) => spend(payload, call(copy)),
            Err(panic) => Err((Fault::Panicked(panic), Some(payload))),
        }
    }

    plain_parcel!();
}

impl<R: SlotPort<I>, const I: usize> Handover<R, I> for Lent {
    type Parcel = R::Payload;
    type Contents = ();
    type Arg<'a> = &'a R::Payload;

    #[inline]
    fn hand_over(
        _: &mut (),
        payload: R::Payload,
        _: &Context,
        _: &mut Ran,
        call: impl FnOnce(&R::Payload) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<R::Payload>)> {
        let ran = call(&payload);
        spend(payload, ran)
    }

    plain_parcel!();
}

impl<R: SlotPort<I>, const I: usize> Handover<R, I> for Appended {
    type Parcel = R::Payload;
    type Contents = Vec<R::Payload>;
    type Arg<'a> = &'a [R::Payload];

    #[inline]
    fn hand_over(
        contents: &mut Vec<R::Payload>,
        payload: R::Payload,
        _: &Context,
        _: &mut Ran,
        call: impl FnOnce(&[R::Payload]) -> Result<(), Fault>,
    ) -> Result<(), (Fault, Option<R::Payload>)> {
        contents.push(payload);
        // The arrival came with the attempt and leaves the slot with it.
        match call(contents) {
            Ok(()) => Ok(()),
            Err(fault) => Err((fault, contents.pop())),
        }
    }

    plain_parcel!();

    fn save(contents: &Vec<R::Payload>) -> Result<Value, ValueError> {
        R::codec().save_all(contents)
    }

    fn load(contents: &mut Vec<R::Payload>, value: Value) -> Result<(), ValueError> {
        *contents = R::codec().load_all(value)?;
        Ok(())
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
