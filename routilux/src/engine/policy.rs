//! What becomes of an attempt that failed: what the flow's policies can say.

/// What a policy says of a failed attempt.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// No policy speaks of it: what the flow around says, and the job stops if there is none.
    Leave,
    /// The job fails, and keeps the delivery.
    Stop,
    /// The delivery is recorded as failed, and the job goes on.
    Skip,
    /// Another attempt.
    Retry {
        /// In so many milliseconds, before jitter; what the error says outweighs it.
        after: u64,
        /// In so many at most, with jitter.
        longest: u64,
        /// Whether those that came later over the same connection wait for it.
        in_order: bool,
    },
    /// It goes along the error wire of that number.
    Divert(u16),
}

/// How a policy repeats attempts: `retry(times, delay, xfactor, max longest, in_order)`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// How often after the first attempt; `u32::MAX` is for ever.
    pub times: u32,
    /// In milliseconds.
    pub delay: u64,
    pub factor: f64,
    /// In milliseconds.
    pub longest: u64,
    pub in_order: bool,
}

impl Retry {
    /// What it says after so many attempts; `None` when they are used up.
    pub fn after(&self, attempt: u32) -> Option<Verdict> {
        if self.times != u32::MAX && attempt > self.times {
            return None;
        }
        // As long as it has to be at most: a factor that is applied very often comes to infinity.
        let grown = self.delay as f64
            * self.factor.powi(i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX));
        let after = if grown < self.longest as f64 { grown as u64 } else { self.longest };
        Some(Verdict::Retry { after, longest: self.longest, in_order: self.in_order })
    }
}

/// A delivery that failed for good, on its way along an error wire.
#[doc(hidden)]
pub struct Failing<D> {
    pub delivery: D,
    pub error: String,
    pub attempts: u32,
    pub id: u64,
}

impl<D> Failing<D> {
    pub fn map<O>(self, map: impl FnOnce(D) -> O) -> Failing<O> {
        let Failing { delivery, error, attempts, id } = self;
        Failing { delivery: map(delivery), error, attempts, id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_longest_and_attempts_are_used_up() {
        let retry = Retry { times: 3, delay: 100, factor: 2.0, longest: 350, in_order: false };
        let after = |attempt| match retry.after(attempt) {
            Some(Verdict::Retry { after, .. }) => Some(after),
            _ => None,
        };
        assert_eq!([1, 2, 3, 4].map(after), [Some(100), Some(200), Some(350), None]);
        let forever = Retry { times: u32::MAX, ..retry };
        assert_eq!(
            forever.after(u32::MAX),
            Some(Verdict::Retry { after: 350, longest: 350, in_order: false })
        );
    }
}
