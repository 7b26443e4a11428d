//! What may travel between routines: values that a saved job can hold.

use crate::job::value::{Value, ValueError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that may arrive at a slot or leave by an output: it can be written down and read back,
/// so that a job can be stopped while it waits. Implemented for every type that is
/// `serde::Serialize + serde::Deserialize` and borrows nothing; never implemented by hand.
///
/// A value that its own type refuses to serialise, a `PathBuf` that is not UTF-8 say, can be handled but not saved: while
/// it waits, [`Job::state`](crate::Job::state) is an error that names the delivery.
///
/// ```
/// fn travels<T: routilux::Payload>() {}
///
/// travels::<Vec<(String, Option<f64>)>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between routines: a saved job could not hold it [RTX0155]",
    label = "a payload needs serde's `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, and own what it borrows"
)]
pub trait Payload: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Payload for T {}

/// How values of one type are saved, found out once: where it is made a type that is no payload has its one error,
/// and everything else asks for nothing.
#[doc(hidden)]
pub struct Codec<P> {
    pub(crate) save: fn(&P) -> Result<Value, ValueError>,
    pub(crate) load: fn(Value) -> Result<P, ValueError>,
}

/// Where a codec is made: by the name of a trait, so that a type that is no payload is told in our words.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between routines: a saved job could not hold it [RTX0155]",
    label = "a payload needs serde's `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, and own what it borrows"
)]
pub trait Saves: Sized {
    /// A number, which there is if it can be saved.
    const SAVED: usize = 0;
    fn codec() -> Codec<Self>;
}

#[diagnostic::do_not_recommend]
impl<P: Payload> Saves for P {
    fn codec() -> Codec<P> {
        Codec { save: Value::of::<P>, load: Value::read::<P> }
    }
}

impl<P> Codec<P> {
    pub(crate) fn save_all<'p>(&self, values: impl IntoIterator<Item = &'p P>) -> Result<Value, ValueError>
    where
        P: 'p,
    {
        Ok(Value::List(values.into_iter().map(self.save).collect::<Result<_, _>>()?))
    }

    pub(crate) fn load_all<C: FromIterator<P>>(&self, value: Value) -> Result<C, ValueError> {
        match value {
            Value::List(values) => values.into_iter().map(self.load).collect(),
            _ => Err(ValueError("expected a list".into())),
        }
    }
}
