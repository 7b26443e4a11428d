//! What `flow!` makes of a flow: the one trait that the engines know.

use crate::asynchronous::Begun;
use crate::context::Context;
use crate::engine::{Done, Post, Undelivered};
use crate::job::part::{Part, PartMut};
use crate::job::value::{Value, ValueError};
use crate::job::{Entry, Exit, Job, JobState, Report, SavedResult};
use crate::routine::PlacedSlot;
use routilux_graph::Graph;

/// A flow: a named set of routines and connections, declared with [`flow!`](crate::flow). Never implemented by
/// hand. The methods that users call, `new`, `job`, `resume` and `graph`, are the flow's own.
pub trait Flow: Sized + 'static {
    /// What a run comes to: a [`Report`] and, where the flow has a `return`, `result()`. To name it, write
    /// `<WordCount as Flow>::Report`.
    type Report;
    /// Sends to the flow's inputs: one method for each `in`.
    type Inputs<E: Entry<Self>>;
    /// Takes from the flow's outputs: one method for each `out`.
    type Outputs<X: Exit<Self>>;

    /// The routines of one job.
    #[doc(hidden)]
    type Cells;
    /// One variant for each connected slot.
    #[doc(hidden)]
    type Delivery;
    /// What waits at the outputs, and the result.
    #[doc(hidden)]
    type Outbound: Default;

    /// The flow's name.
    const NAME: &'static str;
    /// The slots of the flow, `(routine, slot)`: history and saved jobs number them in this order.
    #[doc(hidden)]
    const SLOTS: &'static [(&'static str, &'static str)];
    /// The same slots: whose they are, and how they are run.
    #[doc(hidden)]
    const PLACED: &'static [PlacedSlot];
    /// The ids of the routines.
    #[doc(hidden)]
    const ROUTINES: &'static [&'static str];

    /// The flow as data.
    fn graph() -> Graph;

    /// A new job of this flow, in this thread: its configuration is evaluated now.
    fn job(&self) -> Job<Self> {
        Job::new(self)
    }

    /// Goes on with a saved job; see [`JobState`].
    fn resume(&self, state: JobState) -> crate::Result<Job<Self>> {
        Job::restore(self, state)
    }

    #[doc(hidden)]
    fn cells(&self) -> Self::Cells;
    #[doc(hidden)]
    fn inputs<E: Entry<Self>>(entry: E) -> Self::Inputs<E>;
    #[doc(hidden)]
    fn outputs<X: Exit<Self>>(exit: X) -> Self::Outputs<X>;
    /// Puts new configuration and resources in, and keeps the state.
    #[doc(hidden)]
    fn reconfigure(cells: &Self::Cells, new: Self::Cells);
    /// Ends the receivers of live events: the job has ended, or failed. To drop the cells does the same.
    #[doc(hidden)]
    fn close_live(_cells: &Self::Cells) {}
    /// They go on: a job that failed is resumed.
    #[doc(hidden)]
    fn open_live(_cells: &Self::Cells) {}
    /// Whether anything waits at an output, or a result.
    #[doc(hidden)]
    fn has_output(outbound: &Self::Outbound) -> bool;
    /// Adds what a thread has gathered for the outputs.
    #[doc(hidden)]
    fn merge_outbound(into: &mut Self::Outbound, from: &mut Self::Outbound);
    /// As `deliver`, next to other threads.
    #[doc(hidden)]
    fn deliver_shared(
        cells: &Self::Cells,
        delivery: Self::Delivery,
        cx: &Context,
        post: &mut Post<Self>,
    ) -> Result<Done, Box<Undelivered<Self::Delivery>>>;
    /// Begins one delivery whose handler is `async`; that of another gives it back.
    #[doc(hidden)]
    fn begin(_: &Self::Cells, delivery: Self::Delivery, _: Context) -> Result<Begun<Self>, Self::Delivery> {
        Err(delivery)
    }
    /// Runs one delivery and routes what it emitted.
    #[doc(hidden)]
    fn deliver(
        cells: &mut Self::Cells,
        delivery: Self::Delivery,
        cx: &Context,
        post: &mut Post<Self>,
    ) -> Result<Done, Box<Undelivered<Self::Delivery>>>;
    #[doc(hidden)]
    fn slot_of(delivery: &Self::Delivery) -> usize;
    #[doc(hidden)]
    fn save_delivery(delivery: &Self::Delivery) -> Result<Value, ValueError>;
    #[doc(hidden)]
    fn load_delivery(slot: usize, value: Value) -> Result<Self::Delivery, ValueError>;
    /// The routines by id.
    #[doc(hidden)]
    fn routines(cells: &Self::Cells) -> Vec<(&'static str, Part<'_>)>;
    #[doc(hidden)]
    fn routines_mut(cells: &mut Self::Cells) -> Vec<(&'static str, PartMut<'_>)>;
    /// The slots that keep something, by number.
    #[doc(hidden)]
    const KEEPING: &'static [usize];
    #[doc(hidden)]
    fn save_contents(cells: &Self::Cells, slot: usize) -> Result<Value, ValueError>;
    #[doc(hidden)]
    fn load_contents(cells: &mut Self::Cells, slot: usize, value: Value) -> Result<(), ValueError>;
    /// What came to `return`; `None` where the flow has none.
    #[doc(hidden)]
    fn __result(outbound: &Self::Outbound) -> Option<&dyn SavedResult>;
    #[doc(hidden)]
    fn __result_mut(outbound: &mut Self::Outbound) -> Option<&mut dyn SavedResult>;
    #[doc(hidden)]
    fn __report(outbound: &Self::Outbound, report: Report) -> Self::Report;
    /// The outputs by name.
    #[doc(hidden)]
    fn outbound(outbound: &Self::Outbound) -> Vec<(&'static str, Part<'_>)>;
    #[doc(hidden)]
    fn outbound_mut(outbound: &mut Self::Outbound) -> Vec<(&'static str, PartMut<'_>)>;
}

/// A flow that can run on threads: every field of its routines can, and every payload. Every flow that can implements it,
/// and none by hand; it is the bound of functions over flows that start jobs:
///
/// ```
/// use routilux::{JobHandle, Pool, Threaded};
///
/// fn started<F: Threaded>(flow: &F, pool: &Pool) -> routilux::Result<JobHandle<F>> {
///     flow.job().start_on(pool)
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the flow `{Self}` may not be one that can run on threads",
    label = "needs a flow that can run on threads",
    note = "in a generic function write `F: routilux::Threaded` instead of `F: Flow`"
)]
pub trait Threaded: Flow<Cells: Send + Sync, Delivery: Send, Outbound: Send> {}
