//! Steps whose handler is `async`: begun, awaited by whatever engine, and then done or not like any other.

use crate::context::Context;
use crate::engine::{Done, Post, Routed, Undelivered, later, routed};
use crate::error::{HandlerError, Panic, TimedOut, catch};
use crate::flow::Flow;
use crate::merge::Fault;
use crate::place::Lasting;
use crate::routine::{Outgoing, Routine, SlotPayload, SlotPort};
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A handler that was begun: it gives its `Emit` back.
#[doc(hidden)]
pub type Handling<E> = BoxFuture<(E, Result<(), HandlerError>)>;

#[doc(hidden)]
pub fn boxed<T>(future: impl Future<Output = T> + Send + 'static) -> BoxFuture<T> {
    Box::pin(future)
}

/// The slot number `I` of a routine, whose handler is `async`.
#[doc(hidden)]
pub trait AsyncPort<const I: usize>:
    SlotPort<I, Payload: Send> + Routine<Place = Lasting<Self>, Emit: Send> + Send + Sync
{
    type Given: GivenFor<Self::Payload>;

    fn begin(
        this: Arc<Self>,
        arrival: <Self::Given as GivenFor<Self::Payload>>::Value,
        emit: Self::Emit,
        cx: Context,
    ) -> Handling<Self::Emit>;
}

/// How a payload is given to a handler that lasts, so that it can be had back whenever that is given up.
#[doc(hidden)]
pub trait GivenFor<P> {
    type Value: Send + 'static;
    type Kept: Send + 'static;
    /// Fails if the user's `Clone` panics: then the payload comes back.
    fn give(payload: P, copy: impl FnOnce(&P) -> P) -> Result<(Self::Value, Self::Kept), (Panic, P)>;
    fn back(kept: Self::Kept) -> Option<P>;
}

/// `T`: a clone is given.
#[doc(hidden)]
pub struct KeptFor<P>(PhantomData<P>);

/// `&T`: it is shared.
#[doc(hidden)]
pub struct LentFor<P>(PhantomData<P>);

impl<P: Send + 'static> GivenFor<P> for KeptFor<P> {
    type Value = P;
    type Kept = P;

    fn give(payload: P, copy: impl FnOnce(&P) -> P) -> Result<(P, P), (Panic, P)> {
        match catch(|| copy(&payload)) {
            Ok(copy) => Ok((copy, payload)),
            Err(panic) => Err((panic, payload)),
        }
    }

    fn back(kept: P) -> Option<P> {
        Some(kept)
    }
}

impl<P: Send + Sync + 'static> GivenFor<P> for LentFor<P> {
    type Value = Arc<P>;
    type Kept = Arc<P>;

    fn give(payload: P, _: impl FnOnce(&P) -> P) -> Result<(Arc<P>, Arc<P>), (Panic, P)> {
        let payload = Arc::new(payload);
        Ok((payload.clone(), payload))
    }

    fn back(kept: Arc<P>) -> Option<P> {
        Arc::into_inner(kept)
    }
}

/// What becomes of a step that was begun.
pub(crate) type Outcome<F> = Result<(Done, Post<F>), Box<Undelivered<<F as Flow>::Delivery>>>;

/// A step that was begun.
#[doc(hidden)]
pub struct Begun<F: Flow> {
    slot: u32,
    timeout: u64,
    /// What the step has emitted, when it is done. `None` when it has ended.
    handling: Option<Steps<F>>,
    /// Gives the delivery back. To be called when `handling` is gone, which has a part in the payload.
    back: Option<Box<dyn FnOnce() -> Option<F::Delivery> + Send>>,
}

type Steps<F> = BoxFuture<Result<(Done, Post<F>), Ended>>;

/// How a step ended that was not done.
struct Ended {
    fault: Fault,
    /// Whether the fault came after the handler, while its events were sent on.
    after_handler: bool,
}

impl Ended {
    fn in_handler(fault: Fault) -> Self {
        Ended { fault, after_handler: false }
    }
}

#[doc(hidden)]
pub fn begin<R: AsyncPort<I>, const I: usize, F: Flow, Z: Routed>(
    place: &R::Place,
    payload: SlotPayload<R, I>,
    cx: Context,
    slot: u32,
    delivery: impl FnOnce(SlotPayload<R, I>) -> F::Delivery + Send + 'static,
    route: impl Fn(R::Event, &mut Post<F>) -> Z + Send + 'static,
) -> Begun<F> {
    let timeout = R::MODE.timeout;
    let (value, kept) = match R::Given::give(payload, R::keep) {
        Ok(given) => given,
        Err((panic, payload)) => {
            let ended = Ended::in_handler(Fault::Panicked(panic));
            return Begun {
                slot,
                timeout,
                handling: Some(Box::pin(async move { Err(ended) })),
                back: Some(Box::new(move || Some(delivery(payload)))),
            };
        }
    };
    let (routine, mut emit) = place.hold();
    emit.begins(&cx);
    let asking = cx.clone();
    let handling = async move {
        let handling = catch(|| R::begin(routine, value, emit, cx));
        let handled = match handling {
            Ok(handling) => caught(handling).await,
            Err(panic) => Err(panic),
        };
        let (mut emit, ran) = handled.map_err(|panic| Ended::in_handler(Fault::Panicked(panic)))?;
        ran.map_err(|error| Ended::in_handler(Fault::Failed(error)))?;
        let mut post = Post::keeping_all();
        // Nobody has any of it yet: if an operator fails, all is dropped.
        if emit.outbox().has_asks() {
            later::<F, R, Z>(&mut emit, slot, &mut post, &route, &asking).map_err(Ended::in_handler)?;
        }
        match routed::<F, R, Z>(&mut emit, &mut post, &route) {
            Ok(emitted) => Ok((Done { slot, emitted }, post)),
            Err(fault) => {
                post.undo();
                Err(Ended::in_handler(fault))
            }
        }
    };
    Begun {
        slot,
        timeout,
        handling: Some(Box::pin(handling)),
        back: Some(Box::new(move || R::Given::back(kept).map(delivery))),
    }
}

/// A panic in the future becomes a value. What it held is gone then.
async fn caught<T>(future: BoxFuture<T>) -> Result<T, Panic> {
    let mut future = Some(future);
    poll_fn(|cx| {
        let Some(running) = &mut future else { return Poll::Pending };
        let polled = catch(|| running.as_mut().poll(cx));
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(value)) => Ok(value),
            Err(panic) => Err(panic),
        };
        // The user's `Drop` may panic too: then the first thing that went wrong is told.
        let dropped = catch(|| future = None);
        Poll::Ready(ended.and_then(|value| dropped.map(|()| value)))
    })
    .await
}

impl<F: Flow> Begun<F> {
    /// As the flow around sees it; `lift` takes what the step has emitted there.
    pub fn within<O: Flow>(
        self,
        offset: u32,
        wrap: fn(F::Delivery) -> O::Delivery,
        lift: impl FnOnce(&mut Post<F>, &mut Post<O>) -> Result<(), Fault> + Send + 'static,
    ) -> Begun<O>
    where
        F::Delivery: 'static,
    {
        let Begun { slot, timeout, handling, back } = self;
        let handling: Option<Steps<O>> = handling.map(|handling| -> Steps<O> {
            Box::pin(async move {
                let (done, mut inner) = handling.await?;
                let mut post = Post::keeping_all();
                match catch(|| lift(&mut inner, &mut post))
                    .unwrap_or_else(|panic| Err(Fault::Panicked(panic)))
                {
                    Ok(()) => Ok((done.within(offset), post)),
                    Err(fault) => {
                        post.undo();
                        Err(Ended::in_handler(fault))
                    }
                }
            })
        });
        let back = back.map(|back| -> Box<dyn FnOnce() -> Option<O::Delivery> + Send> {
            Box::new(move || back().map(wrap))
        });
        Begun { slot: slot + offset, timeout, handling, back }
    }

    /// Goes on with the handler. Not to be polled again once it has ended.
    pub(crate) fn poll(&mut self, waker: &mut std::task::Context<'_>, cx: &Context) -> Poll<Outcome<F>> {
        let Some(handling) = &mut self.handling else { return Poll::Pending };
        match handling.as_mut().poll(waker) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(_)) if cx.is_late() => Poll::Ready(Err(self.time_out())),
            Poll::Ready(Ok(done)) => {
                self.handling = None;
                // The payload that was kept goes: the user's `Drop` may panic, as after any other handler.
                Poll::Ready(match catch(|| self.back = None) {
                    Ok(()) => Ok(done),
                    Err(panic) => Err(self.undelivered(Fault::Panicked(panic), false)),
                })
            }
            Poll::Ready(Err(Ended { fault, after_handler })) => {
                Poll::Ready(Err(self.undelivered(fault, after_handler)))
            }
        }
    }

    /// Gives the handler up, as one that took too long.
    pub(crate) fn time_out(&mut self) -> Box<Undelivered<F::Delivery>> {
        let millis = self.timeout;
        self.undelivered(Fault::Failed(TimedOut::after_millis(millis).into()), false)
    }

    /// Gives the handler up, and has the delivery for another attempt.
    pub(crate) fn give_up(&mut self) -> Option<F::Delivery> {
        // The user's `Drop` may panic. The delivery is not to be lost for that.
        let _ = catch(|| self.handling = None);
        self.back.take().and_then(|back| back())
    }

    fn undelivered(&mut self, fault: Fault, after_handler: bool) -> Box<Undelivered<F::Delivery>> {
        let delivery = self.give_up().filter(|_| !after_handler);
        Box::new(Undelivered { slot: self.slot, fault, delivery, state_whole: !after_handler, after_handler })
    }
}
