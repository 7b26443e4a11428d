//! The ends of a job that face the world: what an input sends to, what an output takes from.

use super::{Job, LiveOutlet, LiveOutput, Outlet, Taken};
use crate::engine::Post;
use crate::error::Result;
use crate::flow::Flow;
use crate::merge::Fault;

/// What the inputs of a flow send to.
#[doc(hidden)]
pub trait Entry<F: Flow> {
    /// What sending comes to.
    type Sent<P>;

    /// Lets `send` send, unless the inputs are closed. It waits for room where others can make some.
    fn accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> Self::Sent<P>;

    /// As `accept`, but it gives the value back instead of waiting.
    fn try_accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> std::result::Result<(), TrySendError<P>>;
}

/// Why a value was not sent; it comes back, where it can.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrySendError<P> {
    /// As many deliveries wait as the job's [`capacity`](Job::capacity) allows.
    #[error("the job has no room: as many deliveries wait as its capacity allows")]
    Full(P),
    /// The job takes nothing more, or a guard or map of the input failed.
    #[error(transparent)]
    Refused(crate::Error),
}

/// Sends without waiting.
#[doc(hidden)]
pub struct Trying<'e, E>(pub &'e mut E);

impl<F: Flow, E: Entry<F>> Entry<F> for Trying<'_, E> {
    type Sent<P> = std::result::Result<(), TrySendError<P>>;

    fn accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> Self::Sent<P> {
        self.0.try_accept(input, value, send)
    }

    fn try_accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> Self::Sent<P> {
        self.0.try_accept(input, value, send)
    }
}

/// What the outputs of a flow take from.
#[doc(hidden)]
pub trait Exit<F: Flow> {
    type Output<P: 'static>;
    fn take<P: 'static>(self, outlet: fn(&mut F::Outbound) -> &mut Outlet<P>) -> Self::Output<P>;
    /// One more receiver of live events. It is the same for every engine: it holds nothing of the job.
    fn live<P: 'static>(self, outlet: fn(&F::Cells) -> &LiveOutlet<P>) -> LiveOutput<P>;
}

impl<F: Flow> Entry<F> for &mut Job<F> {
    type Sent<P> = Result<()>;

    #[inline]
    fn accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> Result<()> {
        if self.takes_no_more() {
            return Err(self.refused(input));
        }
        if F::OPERATES || self.is_counted {
            return self.accept_with_care(input, value, send);
        }
        let _ = send(value, &self.cells, &mut self.post);
        Ok(())
    }

    fn try_accept<P>(
        &mut self,
        input: &'static str,
        value: P,
        send: impl FnOnce(P, &F::Cells, &mut Post<F>) -> std::result::Result<(), Fault>,
    ) -> std::result::Result<(), TrySendError<P>> {
        match self.has_room() {
            true => self.accept(input, value, send).map_err(TrySendError::Refused),
            false => Err(TrySendError::Full(value)),
        }
    }
}

impl<'j, F: Flow> Exit<F> for &'j mut Job<F> {
    type Output<P: 'static> = Taken<'j, P>;

    fn take<P: 'static>(self, outlet: fn(&mut F::Outbound) -> &mut Outlet<P>) -> Taken<'j, P> {
        outlet(&mut self.post.outbound).take(&mut self.is_streaming)
    }

    fn live<P: 'static>(self, outlet: fn(&F::Cells) -> &LiveOutlet<P>) -> LiveOutput<P> {
        outlet(&self.cells).receiver()
    }
}
