//! The sequential engine for flows with `async` handlers: one delivery after another, in the order they were emitted, each
//! awaited where it is its turn. No thread, and of the runtime only its timers.

use super::queue::{Fifo, Waiting};
use super::sequential::Advance;
use crate::asynchronous::{Begun, Outcome};
use crate::context::Context;
use crate::error::Result;
use crate::flow::Flow;
use crate::job::{Job, Status};
use std::future::Future;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;

impl<F: Flow> Job<F> {
    /// As [`run`](Self::run), for flows with `async` handlers and for those without: closes the inputs and runs to the end, or until the job
    /// is paused or cancelled. One handler after another: to have them wait at the same time, [`start`](Self::start) the job.
    ///
    /// If the future is dropped before it is ready, the job stands before the delivery that was being handled.
    ///
    /// ```
    /// use routilux::prelude::*;
    ///
    /// #[routine]
    /// struct Fetcher;
    ///
    /// #[routine]
    /// impl Fetcher {
    ///     #[event]
    ///     fn fetched(text: String);
    ///
    ///     #[slot(parallel = 16, timeout = "5s")]
    ///     async fn url(&self, url: String, out: &mut Emit<Self>) -> Result {
    ///         tokio::task::yield_now().await;
    ///         out.fetched(format!("what is at {url}"));
    ///         Ok(())
    ///     }
    /// }
    ///
    /// flow! {
    ///     flow Fetching() {
    ///         fetcher: Fetcher;
    ///         in url -> fetcher.url;
    ///         fetcher.fetched -> out texts;
    ///     }
    /// }
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let mut job = Fetching::new().job();
    /// job.inputs().url("a".into())?;
    /// assert_eq!(job.run_async().await?.status(), Status::Completed);
    /// assert_eq!(job.outputs().texts().next().as_deref(), Some("what is at a"));
    ///
    /// let job = Fetching::new().job().start()?;                // the same, many at once
    /// job.inputs().url("b".into())?;
    /// job.close_inputs();
    /// assert_eq!(job.clone().await?.status(), Status::Completed);
    /// assert_eq!(job.outputs().texts().next_async().await.as_deref(), Some("what is at b"));
    /// # Ok::<(), routilux::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Panics
    /// Where a slot has a `timeout`, outside of a tokio runtime with timers.
    pub async fn run_async(&mut self) -> Result<F::Report> {
        if self.begin()? {
            self.close_inputs();
            loop {
                match self.advance(u64::MAX, self.simulation.is_some())? {
                    Advance::Waits(waiting) => self.wait_for(waiting).await?,
                    Advance::Over(_) if self.status == Status::Waiting => self.sleep_until_due().await?,
                    Advance::Over(_) => break,
                }
            }
        }
        Ok(self.report())
    }

    /// Where the `async` handlers of the job run once it is [started](Self::start): in the runtime that it is started in,
    /// unless this says another.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Nothing is to be done before its time. Whoever asks for something meanwhile is heard within some milliseconds.
    async fn sleep_until_due(&mut self) -> Result<()> {
        const LONGEST: u64 = 20;
        let deadline = self.cx.deadline.map_or(u64::MAX, |deadline| deadline.millis().saturating_add(1));
        while let Some(due) = self.care.agenda.first() {
            let now = self.cx.clock.tick().millis();
            if now >= due.min(deadline) || self.cx.control.is_asked() {
                break;
            }
            let time = due.min(deadline) - now;
            self.cx.clock.sleep(Duration::from_millis(time.min(LONGEST))).await;
        }
        if self.cx.clock.tick().millis() >= deadline {
            return Err(self.stopped_by(super::concurrent::DEADLINE.to_owned()));
        }
        self.status = Status::Running;
        Ok(())
    }

    /// One delivery whose handler is `async`.
    async fn wait_for(&mut self, waiting: Waiting<F::Delivery>) -> Result<()> {
        let (id, attempts) = (waiting.id, waiting.attempts);
        let slot = F::slot_of(&waiting.delivery);
        let delivery = self.prepare(waiting)?;
        let ended = match F::begin(&self.cells, delivery, self.cx.clone()) {
            Ok(begun) => {
                let timeout = F::shape().placed[slot].mode.timeout;
                let cx = self.cx.clone();
                let mut step = Step { begun: Some(begun), queue: &mut self.post.queue, id, attempts };
                let ended = step.ended(timeout, &cx).await;
                step.begun = None;
                ended
            }
            Err(delivery) => {
                self.post.queue.push_front(Waiting { id, attempts, delivery });
                return Ok(());
            }
        };
        match ended {
            Ok((done, post)) => self.take_over(done, post),
            Err(undelivered) => self.faulted(*undelivered),
        }
    }
}

/// A step that is awaited. Dropped before its end, it has the delivery wait again.
struct Step<'j, F: Flow> {
    begun: Option<Begun<F>>,
    queue: &'j mut Fifo<F::Delivery>,
    id: u64,
    attempts: u32,
}

impl<F: Flow> Step<'_, F> {
    async fn ended(&mut self, timeout: u64, cx: &Context) -> Outcome<F> {
        let mut sleep = (timeout > 0).then(|| Box::pin(tokio::time::sleep(Duration::from_millis(timeout))));
        poll_fn(|waker| {
            let Some(begun) = &mut self.begun else { return Poll::Pending };
            if let Poll::Ready(ended) = begun.poll(waker, cx) {
                return Poll::Ready(ended);
            }
            match sleep.as_mut().map(|sleep| sleep.as_mut().poll(waker)) {
                Some(Poll::Ready(())) => Poll::Ready(Err(begun.time_out())),
                _ => Poll::Pending,
            }
        })
        .await
    }
}

impl<F: Flow> Drop for Step<'_, F> {
    fn drop(&mut self) {
        let delivery = self.begun.take().and_then(|mut begun| begun.give_up());
        if let Some(delivery) = delivery {
            self.queue.push_front(Waiting { id: self.id, attempts: self.attempts, delivery });
        }
    }
}
