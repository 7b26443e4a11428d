//! What a flow is to an editor. Where rust-analyzer expands them, the macros repeat a flow as plain Rust, its names as fields: those
//! an editor completes, explains, finds and renames. None of it is ever run.

use crate::error::{HandlerError, Panic};
use std::marker::PhantomData;

/// What can stand in a flow, a routine or another flow, by its names.
pub trait Named {
    /// A struct with a field for each thing that the flow gives it.
    type Configuration;
    /// A struct with a field for each event, of the type of its payload.
    type Events;
    /// The same for slots.
    type Slots;
}

/// A routine of a flow, or a flow in it.
pub struct Instance<T: Named> {
    pub events: T::Events,
    pub slots: T::Slots,
}

/// A source is called and not sent to; a policy may be about it.
pub struct Source;

/// A finish runs at the end; a policy may be about it.
pub struct Finish;

/// A payload of this type, on its way.
pub struct Way<T>(PhantomData<fn() -> T>);

impl<T> Clone for Way<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Way<T> {}

pub fn value<T>(_: &T) -> T {
    never()
}

/// From an event or an input.
pub fn way<T>(_: &T) -> Way<T> {
    Way(PhantomData)
}

impl<T> Way<T> {
    pub fn filter(self, _: impl FnOnce(&T) -> bool) -> Self {
        self
    }

    pub fn map<U>(self, _: impl FnOnce(T) -> U) -> Way<U> {
        Way(PhantomData)
    }

    /// What a map has to make.
    pub fn to(self, _: &T) {}
}

pub fn on_error(_: impl FnOnce(&HandlerError) -> bool) {}

pub fn on_panic(_: impl FnOnce(&Panic) -> bool) {}

/// What follows is never run: so nothing in it moves or borrows.
pub fn never() -> ! {
    unreachable!("it is written for an editor")
}
