//! What is asked of what a slot gathers, in the words of who wrote the fold or the handler.

use crate::job::value::Value;
use crate::payload::{Codec, Payload};

/// Where a fold begins.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `Default`, which a fold starts at [RTX0161]",
    label = "this fold starts at its `Default`",
    note = "write `#[derive(Default)]` on `{Self}`, or fold into an `Option<{Self}>`"
)]
pub trait StartsFold: Sized {
    fn start() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> StartsFold for T {
    fn start() -> T {
        T::default()
    }
}

/// What a fold gathers in is saved with the job.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be folded into: a saved job could not hold it [RTX0161]",
    label = "what a slot keeps needs serde's `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, and own what it borrows"
)]
pub trait SavesFold: Sized {
    fn codec() -> Codec<Self>;
}

#[diagnostic::do_not_recommend]
impl<T: Payload> SavesFold for T {
    fn codec() -> Codec<T> {
        Codec { save: Value::of::<T>, load: Value::read::<T> }
    }
}

/// A slot, which keeps something for a handler that can fail.
#[doc(hidden)]
pub struct InSlot;

/// How it clones what it keeps. A trait of the slot, and not of the type: of the type `&T` would have it too, and the compiler
/// would say to write that.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{T}` has to be `Clone`: its handler can fail, and what the slot kept is put back then [RTX0157]",
    label = "a clone of this is kept until the handler returns",
    note = "write `#[derive(Clone)]` on `{T}`, or `atomic = false` to give up resuming after a failure"
)]
pub trait Clones<T> {
    fn clone() -> fn(&T) -> T;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Clones<T> for InSlot {
    fn clone() -> fn(&T) -> T {
        T::clone
    }
}
