//! What is told of a step that could not be done, the same under every engine.

use super::queue::Waiting;
use super::step::Undelivered;
use crate::clock::Tick;
use crate::error::{BoxError, Error, catch};
use crate::flow::Flow;
use crate::job::{Failed, JobId};
use crate::merge::Fault;

pub(crate) struct Told<D> {
    /// For the history.
    pub(crate) text: String,
    /// What the job keeps.
    pub(crate) failed: Failed<D>,
    /// For the caller.
    pub(crate) error: Error,
}

pub(crate) fn told<F: Flow>(
    job: &JobId,
    id: u64,
    attempts: u32,
    undelivered: Undelivered<F::Delivery>,
) -> Told<F::Delivery> {
    let Undelivered { slot, fault, delivery, state_whole, after_handler } = undelivered;
    let (routine, name) = F::shape().slots[slot as usize];
    let panicked = matches!(fault, Fault::Panicked(_));
    let source: BoxError = match fault {
        Fault::Failed(error) => error.into_inner(),
        Fault::Panicked(panic) => panic.into(),
    };
    // The user's `Display` may fail, and may panic.
    let text = catch(|| source.to_string())
        .unwrap_or_else(|panic| format!("(its text cannot be told: {})", panic.message));
    let did = if panicked { "panicked" } else { "failed" };
    let refusal = if after_handler {
        Some(format!(
            "a `Clone` or `Drop` panicked after `{routine}.{name}` had run, and some of its events may have been sent"
        ))
    } else if !state_whole {
        Some(format!(
            "the state of `{routine}` may be half-changed: `{routine}.{name}` {did}, and was not atomic"
        ))
    } else if delivery.is_none() {
        Some(format!(
            "the payload of delivery {id} is lost: `{routine}.{name}` had taken it by value and {did}"
        ))
    } else {
        None
    };
    let payload_lost = delivery.is_none() && !after_handler;
    let failed = Failed {
        what: format!("`{routine}.{name}` on delivery {id}: {text}"),
        refusal,
        delivery: delivery.map(|delivery| Waiting { id, attempts, delivery }),
    };
    let error = match after_handler {
        true => Error::Execution {
            job: job.to_string(),
            what: format!("a `Clone` or `Drop` after `{routine}.{name}` {text}"),
        },
        false => Error::SlotHandler {
            routine: routine.to_owned(),
            slot: name.to_owned(),
            delivery: id,
            attempts,
            payload_lost,
            source,
        },
    };
    Told { text, failed, error }
}

/// When a handler of that slot which starts now has taken too long.
pub(crate) fn limit_of<F: Flow>(slot: usize, now: Tick) -> Option<Tick> {
    match F::shape().placed[slot].mode.timeout {
        0 => None,
        most => Some(now.later(most)),
    }
}

/// Whether any handler of the flow has a timeout.
pub(crate) fn has_timeouts<F: Flow>() -> bool {
    F::shape().placed.iter().any(|placed| placed.mode.timeout > 0)
}
