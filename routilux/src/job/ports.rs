//! The ends of a job that face the world: what an input sends to, what an output takes from.

use super::{Job, LiveOutlet, LiveOutput, Outlet, Taken};
use crate::engine::Post;
use crate::error::Result;
use crate::flow::Flow;

/// What the inputs of a flow send to.
#[doc(hidden)]
pub trait Entry<F: Flow> {
    /// Lets `send` send, unless the inputs are closed.
    fn accept(&mut self, input: &'static str, send: impl FnOnce(&mut Post<F>)) -> Result<()>;
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
    #[inline]
    fn accept(&mut self, input: &'static str, send: impl FnOnce(&mut Post<F>)) -> Result<()> {
        if self.takes_no_more() {
            return Err(self.refused(input));
        }
        send(&mut self.post);
        Ok(())
    }
}

impl<'j, F: Flow> Exit<F> for &'j mut Job<F> {
    type Output<P: 'static> = Taken<'j, P>;

    fn take<P: 'static>(self, outlet: fn(&mut F::Outbound) -> &mut Outlet<P>) -> Taken<'j, P> {
        outlet(&mut self.post.outbound).take()
    }

    fn live<P: 'static>(self, outlet: fn(&F::Cells) -> &LiveOutlet<P>) -> LiveOutput<P> {
        outlet(&self.cells).receiver()
    }
}
