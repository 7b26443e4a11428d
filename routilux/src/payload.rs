//! What may travel between routines: values that a saved job can hold.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that may arrive at a slot or leave by an output: it can be written down and read back,
/// so that a job can be stopped while it waits. Implemented for every type that is
/// `serde::Serialize + serde::Deserialize` and borrows nothing; never implemented by hand.
///
/// ```
/// fn travels<T: routilux::Payload>() {}
///
/// travels::<Vec<(String, Option<f64>)>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot travel between routines: a saved job could not hold it",
    label = "a payload needs serde's `Serialize` and `Deserialize`",
    note = "write `#[derive(serde::Serialize, serde::Deserialize)]` on `{Self}`, and own what it borrows"
)]
pub trait Payload: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Payload for T {}
