//! The time of a job: a coarse clock that costs a few nanoseconds, or one that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Where a job takes the time from.
///
/// [`Clock::coarse`], the default, is the system's wall clock as of its last tick: on Linux at most one
/// tick of the kernel late, which is 1 to 10 milliseconds; elsewhere it is read anew. It is read at
/// every use and so is never staler than that, however long a handler runs.
///
/// ```
/// use routilux::Clock;
/// use std::time::{Duration, SystemTime};
///
/// let clock = Clock::manual(SystemTime::UNIX_EPOCH);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Coarse,
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The system's wall clock, to some milliseconds.
    pub fn coarse() -> Self {
        Clock(Source::Coarse)
    }

    /// A clock that stands still until [`advance`](Self::advance) is called on it or a clone of it.
    pub fn manual(start: SystemTime) -> Self {
        Clock(Source::Manual(Arc::new(AtomicU64::new(millis_of(start)))))
    }

    /// Moves a manual clock on, by whole milliseconds. Does nothing to the coarse clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(millis) = &self.0 {
            millis.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
        }
    }

    /// The time now.
    pub fn now(&self) -> SystemTime {
        time_of(self.millis())
    }

    /// Milliseconds since the Unix epoch.
    #[inline]
    pub(crate) fn millis(&self) -> u64 {
        match &self.0 {
            Source::Coarse => coarse_millis(),
            Source::Manual(millis) => millis.load(Ordering::Relaxed),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn coarse_millis() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::RealtimeCoarse);
    // Before 1970 the clock is not set at all.
    (time.tv_sec.max(0) as u64) * 1_000 + (time.tv_nsec as u64) / 1_000_000
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn coarse_millis() -> u64 {
    millis_of(SystemTime::now())
}

pub(crate) fn millis_of(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

pub(crate) fn time_of(millis: u64) -> SystemTime {
    // A time from an edited file may lie beyond what the system can tell.
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)).unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clock_is_at_most_some_milliseconds_late() {
        for _ in 0..20 {
            let exact = millis_of(SystemTime::now());
            let coarse = Clock::coarse().millis();
            let late = exact.abs_diff(coarse);
            assert!(late <= 50, "{late} ms");
            std::thread::sleep(Duration::from_millis(3));
        }
    }
}
