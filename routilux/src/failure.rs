//! What travels along an error wire.

use serde::{Deserialize, Serialize};

/// A delivery that failed for good, with its payload: what `id.slot.error -> ..` carries.
///
/// ```
/// use routilux::prelude::*;
///
/// /// Reads numbers.
/// #[routine]
/// struct Parse;
///
/// #[routine]
/// impl Parse {
///     #[event]
///     fn number(n: u64);
///
///     #[slot]
///     fn text(&self, text: &str, out: &mut Emit<Self>) -> Result {
///         out.number(text.parse()?);
///         Ok(())
///     }
/// }
///
/// flow! {
///     flow Numbers() {
///         parse: Parse;
///         in text          -> parse.text;
///         parse.number     -> out numbers;
///         parse.text.error -> out rejected;
///     }
/// }
///
/// let mut job = Numbers::new().job();
/// job.inputs().text("7".into())?;
/// job.inputs().text("seven".into())?;
/// assert_eq!(job.run()?.status(), Status::Completed);
/// let rejected: Vec<Failure<String>> = job.outputs().rejected().collect();
/// assert_eq!((rejected[0].payload.as_str(), rejected[0].attempts), ("seven", 1));
/// assert_eq!(rejected[0].error, "invalid digit found in string");
/// # Ok::<(), routilux::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure<P> {
    /// What its handler was given.
    pub payload: P,
    /// The text of the last error.
    pub error: String,
    /// How many attempts there were.
    pub attempts: u32,
    /// The id of the delivery in its job.
    pub delivery: u64,
}

impl<P> Failure<P> {
    /// For the test of a handler that takes one.
    pub fn test(payload: P, error: impl Into<String>) -> Self {
        Failure { payload, error: error.into(), attempts: 1, delivery: 1 }
    }
}
