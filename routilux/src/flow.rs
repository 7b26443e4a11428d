//! What `flow!` makes of a flow: the one trait that the engines know.

use crate::asynchronous::Begun;
use crate::context::Context;
use crate::engine::{Bound, Done, Failing, Lift, Post, Undelivered, Verdict};
use crate::job::part::{Part, PartMut};
use crate::job::value::{Value, ValueError};
use crate::job::{Entry, Exit, Job, JobState, LiveOutlet, Report, SavedResult};
use crate::merge::{Fault, Held};
use crate::shape::{Shape, Within, shape_of};
use routilux_graph::Graph;
use std::sync::Arc;

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
    /// What the ways of its events need beside them: parameters that operators name, counts of bounded loops, and the same of
    /// the flows within. `()` where they need nothing.
    #[doc(hidden)]
    type Ways: 'static;

    /// The flow's name.
    const NAME: &'static str;
    /// How many slots it has, those of the flows within it among them.
    #[doc(hidden)]
    const SLOT_COUNT: usize;
    /// Whether the ways of events have code of the user's in them: then a step that fails may have sent some already, and
    /// sends into a `Post` of its own.
    #[doc(hidden)]
    const OPERATES: bool;
    /// How many error wires it has, those of the flows within it among them.
    #[doc(hidden)]
    const WIRE_COUNT: u16 = 0;
    /// Its routines and slots.
    #[doc(hidden)]
    fn shape() -> &'static Shape {
        shape_of::<Self>()
    }
    #[doc(hidden)]
    fn shaped(within: &mut Within<'_>);

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
    fn deliver_shared<L: Lift<Self>>(
        cells: &Self::Cells,
        delivery: Self::Delivery,
        cx: &Context,
        post: &mut Post<Self>,
        lift: L,
    ) -> Result<Done, Box<Undelivered<Self::Delivery>>>;
    /// Begins one delivery whose handler is `async`; that of another gives it back.
    #[doc(hidden)]
    fn begin(_: &Self::Cells, delivery: Self::Delivery, _: Context) -> Result<Begun<Self>, Self::Delivery> {
        Err(delivery)
    }
    /// Runs one delivery and routes what it emitted.
    #[doc(hidden)]
    fn deliver<L: Lift<Self>>(
        cells: &mut Self::Cells,
        delivery: Self::Delivery,
        cx: &Context,
        post: &mut Post<Self>,
        lift: L,
    ) -> Result<Done, Box<Undelivered<Self::Delivery>>>;
    /// Sends to the sources that are armed from the start.
    #[doc(hidden)]
    fn start(_post: &mut Post<Self>) {}
    /// Word to a slot that nothing more will come.
    #[doc(hidden)]
    fn closing(_slot: usize) -> Option<Self::Delivery> {
        None
    }
    /// What the flow's policies say of a failed attempt, counted from 1.
    #[doc(hidden)]
    fn verdict(_: &Self::Cells, _slot: usize, _: &Fault, _attempt: u32) -> Verdict {
        Verdict::Leave
    }
    /// Sends a delivery that failed along an error wire. It comes back if it carries no payload; with a fault it is lost.
    #[doc(hidden)]
    fn divert<L: Lift<Self>>(
        _: &Self::Cells,
        failing: Failing<Self::Delivery>,
        _wire: u16,
        _: &mut Post<Self>,
        _: L,
    ) -> Result<(), Result<Failing<Self::Delivery>, Fault>> {
        Err(Ok(failing))
    }
    /// What its ways need.
    #[doc(hidden)]
    fn ways(cells: &Self::Cells) -> Arc<Self::Ways>;
    /// Over which of its slot's connections it came, where that is known.
    #[doc(hidden)]
    fn connection_of(_: &Self::Delivery) -> u16 {
        0
    }
    /// What a slot keeps that has not what it needs to run.
    #[doc(hidden)]
    fn held(_: &Self::Cells, _slot: usize) -> Vec<Held> {
        Vec::new()
    }
    /// How often bounded loops were taken: the text of each connection, and its count.
    #[doc(hidden)]
    fn loops(_: &Self::Ways) -> Vec<(String, &Bound)> {
        Vec::new()
    }
    #[doc(hidden)]
    fn slot_of(delivery: &Self::Delivery) -> usize;
    #[doc(hidden)]
    fn save_delivery(delivery: &Self::Delivery) -> Result<Value, ValueError>;
    #[doc(hidden)]
    fn load_delivery(slot: usize, value: Value) -> Result<Self::Delivery, ValueError>;
    /// The routines, by number.
    #[doc(hidden)]
    fn routines(cells: &Self::Cells) -> Vec<Part<'_>>;
    #[doc(hidden)]
    fn routines_mut(cells: &mut Self::Cells) -> Vec<PartMut<'_>>;
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

/// The input number `K` of a flow that is an instance in another one.
#[doc(hidden)]
pub trait InPort<const K: usize>: Flow {
    type Payload: 'static;
    fn enter(ways: &Self::Ways, value: Self::Payload, post: &mut Post<Self>) -> Result<(), Fault>;
}

/// The output number `K` of a flow that is an instance in another one; the last is its result, if it has one.
#[doc(hidden)]
pub trait OutPort<const K: usize>: Flow {
    type Payload: 'static;
    /// Takes what came out.
    fn next(outbound: &mut Self::Outbound) -> Option<Self::Payload>;
}

/// The live output number `K` of a flow that is an instance in another one, among all its outputs.
#[doc(hidden)]
pub trait LiveOutPort<const K: usize>: Flow {
    type Payload: 'static;
    fn outlet(cells: &Self::Cells) -> &LiveOutlet<Self::Payload>;
}

/// A flow with its parameters by name, as an instance in another one gives them.
#[doc(hidden)]
pub trait Given: Flow {
    type Parameters;
    fn given(parameters: Self::Parameters) -> Self;
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
    message = "the flow `{Self}` may not be one that can run on threads [RTX0162]",
    label = "needs a flow that can run on threads",
    note = "in a generic function write `F: routilux::Threaded` instead of `F: Flow`"
)]
pub trait Threaded: Flow<Cells: Send + Sync, Delivery: Send, Outbound: Send, Ways: Send + Sync> {}

/// How many of a flow's routine types could not be asked for their ports; more than none is an error of the compiler.
pub struct Asked<const MISSING: usize>;

/// A routine type, where nothing is wrong with it that has been told. Where something is, no use of it is an error again.
pub trait Sound<R> {
    /// `R`.
    type Routine;
}

impl<R> Sound<R> for Asked<0> {
    type Routine = R;
}

/// The type of the jobs of a flow whose routine types are known.
pub trait JobOf<F> {
    /// `Job<F>`.
    type Job;
}

impl<F: Flow> JobOf<F> for Asked<0> {
    type Job = Job<F>;
}

/// What a flow can do, by the type of its jobs: where that type is not known, nothing of this is an error.
pub trait OfFlow<F>: Sized {
    /// A new job.
    fn made(flow: &F) -> Self;
    /// A saved job.
    fn resumed(flow: &F, state: JobState) -> crate::Result<Self>;
    /// The flow as data.
    fn graph() -> Graph;
}

impl<F: Flow> OfFlow<F> for Job<F> {
    fn made(flow: &F) -> Self {
        flow.job()
    }

    fn resumed(flow: &F, state: JobState) -> crate::Result<Self> {
        flow.resume(state)
    }

    fn graph() -> Graph {
        F::graph()
    }
}

/// A routine or a flow with mistakes in it, which have been told.
pub trait Wrong {
    /// A value that the compiler knows to be wrong. What has it in its type is no error again.
    const MISTAKES: usize;
}
