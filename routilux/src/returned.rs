//! What a handler returns that is emitted, and what it fails with.

use crate::error::HandlerError;

/// The value that a handler returns, as the payload of the event that it is emitted as.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "this handler returns `{Self}`, and the event that it is emitted as carries `{P}` [RTX0165]",
    label = "not what the event carries",
    note = "an `Option`, a `Vec` or an `impl Iterator` is emitted one by one; several parameters of an event are a tuple"
)]
pub trait EmittedAs<P> {
    fn emitted(value: Self) -> P;
}

impl<P> EmittedAs<P> for P {
    #[inline]
    fn emitted(value: P) -> P {
        value
    }
}

/// The error of a handler.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no error that a handler can return [RTX0164]",
    label = "the `E` of this `Result` is no error",
    note = "it is any error, a `String` or a `&str`"
)]
pub trait Fails {
    fn failed(error: Self) -> HandlerError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<HandlerError>> Fails for E {
    #[inline]
    fn failed(error: E) -> HandlerError {
        error.into()
    }
}
