//! The time of a job: a coarse clock that costs a few nanoseconds, or one that a test moves.

use crate::job::Control;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
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
    Manual(Arc<Hands>),
}

/// What a manual clock shows, and who sleeps by it.
#[derive(Debug)]
struct Hands {
    millis: AtomicU64,
    /// By when they are to be woken, and a number of their own.
    sleepers: Mutex<BTreeMap<(u64, u64), Waker>>,
}

impl Hands {
    /// The clock shows the time before it is looked who sleeps no longer. Who lies down looks at the time under this lock,
    /// and so is never forgotten.
    fn sleepers(&self) -> MutexGuard<'_, BTreeMap<(u64, u64), Waker>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn millis(&self) -> u64 {
        self.millis.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        let now = (self.millis(), u64::MAX);
        let due = {
            let mut sleepers = self.sleepers();
            let later = sleepers.split_off(&now);
            std::mem::replace(&mut *sleepers, later)
        };
        // What a waker does is not ours to know: the lock is free by then.
        due.into_values().for_each(Waker::wake);
    }
}

/// A number for who is woken without sleeping: none of those who sleep comes to it.
fn unique() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1 << 48);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

impl Clock {
    /// The system's wall clock, to some milliseconds.
    pub fn coarse() -> Self {
        Clock(Source::Coarse)
    }

    /// A clock that stands still until [`advance`](Self::advance) is called on it or a clone of it: for tests of what happens later.
    /// `run()` would wait for another thread to move it; `run_until_idle()` does what is due and waits for nothing.
    ///
    /// ```
    /// use routilux::Clock;
    /// use routilux::prelude::*;
    /// use std::time::{Duration, SystemTime};
    ///
    /// #[routine]
    /// struct Remind;
    ///
    /// #[routine]
    /// impl Remind {
    ///     #[event]
    ///     fn due(what: String);
    ///
    ///     #[slot]
    ///     fn note(&self, what: String, out: &mut Emit<Self>) {
    ///         out.after(Duration::from_secs(3600)).due(what);
    ///     }
    /// }
    ///
    /// flow! {
    ///     flow Reminders() {
    ///         remind: Remind;
    ///         in note -> remind.note;
    ///         remind.due -> out due;
    ///     }
    /// }
    ///
    /// let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    /// let mut job = Reminders::new().job().clock(clock.clone());
    /// job.inputs().note("water the plants".into())?;
    /// assert_eq!(job.run_until_idle()?, Status::Waiting);
    /// assert_eq!(job.outputs().due().next(), None);
    /// clock.advance(Duration::from_secs(3600));
    /// job.run_until_idle()?;
    /// assert_eq!(job.outputs().due().next().as_deref(), Some("water the plants"));
    /// # Ok::<(), routilux::Error>(())
    /// ```
    pub fn manual(start: SystemTime) -> Self {
        let millis = AtomicU64::new(Tick::of(start).millis());
        Clock(Source::Manual(Arc::new(Hands { millis, sleepers: Mutex::default() })))
    }

    /// Moves a manual clock on, by whole milliseconds. Does nothing to the coarse clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(hands) = &self.0 {
            hands.millis.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
            hands.wake();
        }
    }

    /// Moves a manual clock on to this time, unless it is later already.
    pub(crate) fn advance_to(&self, millis: u64) {
        if let Source::Manual(hands) = &self.0 {
            hands.millis.fetch_max(millis, Ordering::Relaxed);
            hands.wake();
        }
    }

    /// Waits until the clock shows this time, or something is asked for.
    pub(crate) fn wait_until(&self, due: u64, control: &Control) {
        while !control.is_asked() {
            let now = self.tick().millis();
            if now >= due {
                return;
            }
            match &self.0 {
                // The coarse clock may be a tick late: then it is a little more than that.
                Source::Coarse => control.wait(Some(Duration::from_millis(due - now)), drop),
                Source::Manual(hands) => {
                    let key = (due, unique());
                    control.wait(None, |waker| {
                        hands.sleepers().insert(key, waker.clone());
                        // It may have been moved on before that.
                        if hands.millis() >= due {
                            waker.wake();
                        }
                    });
                    hands.sleepers().remove(&key);
                }
            }
        }
    }

    /// For a clock that is moved by hand: has `waker` woken when it shows this time. `false` for another clock.
    pub(crate) fn wake_at(&self, due: u64, waker: impl FnOnce() -> Waker) -> bool {
        let Source::Manual(hands) = &self.0 else { return false };
        let waker = waker();
        hands.sleepers().insert((due, unique()), waker);
        // It may have been moved on before that.
        if hands.millis() >= due {
            hands.wake();
        }
        true
    }

    /// When the next of those is to be woken who sleep by a manual clock.
    pub(crate) fn next_due(&self) -> Option<u64> {
        match &self.0 {
            Source::Coarse => None,
            Source::Manual(hands) => hands.sleepers().keys().next().map(|(due, _)| *due),
        }
    }

    /// Sleeps by this clock.
    #[cfg(feature = "tokio")]
    pub(crate) async fn sleep(&self, time: Duration) {
        match &self.0 {
            Source::Coarse => tokio::time::sleep(time).await,
            Source::Manual(hands) => sleep::by_hands(hands, time).await,
        }
    }

    /// The time now.
    pub fn now(&self) -> SystemTime {
        self.tick().time()
    }

    #[inline]
    pub(crate) fn tick(&self) -> Tick {
        match &self.0 {
            Source::Coarse => coarse(),
            Source::Manual(hands) => read_manual(hands),
        }
    }
}

// Out of the way of the coarse clock's, which every delivery goes by.
#[cold]
fn read_manual(hands: &Hands) -> Tick {
    Tick::of_millis(hands.millis())
}

#[cfg(feature = "tokio")]
mod sleep {
    use super::{Hands, Tick};
    use std::future::{pending, poll_fn};
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::Poll;
    use std::time::Duration;

    /// Who sleeps no longer, or is given up, is not to be woken.
    struct Sleeper<'h> {
        hands: &'h Hands,
        key: (u64, u64),
    }

    impl Drop for Sleeper<'_> {
        fn drop(&mut self) {
            let waker = self.hands.sleepers().remove(&self.key);
            drop(waker);
        }
    }

    pub(super) async fn by_hands(hands: &Hands, time: Duration) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // Not a moment less.
        let millis = u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        let due = hands.millis().saturating_add(millis);
        if Tick::of_millis(due).millis() != due {
            // Later than any time there is.
            pending::<()>().await;
        }
        let sleeper = Sleeper { hands, key: (due, NUMBER.fetch_add(1, Ordering::Relaxed)) };
        poll_fn(|cx| {
            let waker = cx.waker().clone();
            let mut sleepers = hands.sleepers();
            if hands.millis() >= due {
                return Poll::Ready(());
            }
            let before = sleepers.insert(sleeper.key, waker);
            drop(sleepers);
            drop(before);
            Poll::Pending
        })
        .await;
    }
}

/// A time to the millisecond, since the Unix epoch. As the system tells it: nanoseconds in the low 30 bits and seconds
/// above, so that taking it costs no arithmetic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

impl Tick {
    #[inline]
    fn new(seconds: u64, nanos: u32) -> Self {
        Tick(seconds << 30 | u64::from(nanos))
    }

    pub(crate) fn of_millis(millis: u64) -> Self {
        // No time of a job is later than the 34 bits of seconds can tell, 500 years on; one from an edited file may be.
        Tick::new((millis / 1_000).min((1 << 34) - 1), (millis % 1_000) as u32 * 1_000_000)
    }

    pub(crate) fn of(time: SystemTime) -> Self {
        Tick::of_millis(
            time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64),
        )
    }

    pub(crate) fn millis(self) -> u64 {
        (self.0 >> 30) * 1_000 + (self.0 & ((1 << 30) - 1)) / 1_000_000
    }

    pub(crate) fn later(self, millis: u64) -> Self {
        Tick::of_millis(self.millis().saturating_add(millis))
    }

    pub(crate) fn time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.millis())
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn coarse() -> Tick {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::RealtimeCoarse);
    Tick::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn coarse() -> Tick {
    Tick::of(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_keeps_the_millisecond() {
        for millis in [0, 1, 999, 1_000, 1_795_395_268_479] {
            assert_eq!(Tick::of_millis(millis).millis(), millis);
            assert_eq!(Tick::of(Tick::of_millis(millis).time()).millis(), millis);
        }
        let _ = Tick::of_millis(u64::MAX).time();
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn who_is_given_up_sleeps_no_longer() {
        use std::task::Context;
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let sleep = |nanos| Box::pin(clock.sleep(Duration::from_nanos(nanos)));
        fn is_awake(sleep: &mut std::pin::Pin<Box<impl Future>>) -> bool {
            sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()
        }
        let (mut short, mut long) = (sleep(1_000_001), sleep(5_000_000));
        assert!(!is_awake(&mut short) && !is_awake(&mut long));
        assert_eq!(clock.next_due(), Some(2));
        drop(short);
        assert_eq!(clock.next_due(), Some(5));
        clock.advance_to(5);
        assert_eq!((clock.next_due(), is_awake(&mut long)), (None, true));
        assert!(is_awake(&mut sleep(0)));
    }

    #[test]
    fn the_coarse_clock_is_at_most_some_milliseconds_late() {
        for _ in 0..20 {
            let exact = Tick::of(SystemTime::now()).millis();
            let coarse = Clock::coarse().tick().millis();
            let late = exact.abs_diff(coarse);
            assert!(late <= 50, "{late} ms");
            std::thread::sleep(Duration::from_millis(3));
        }
    }
}
