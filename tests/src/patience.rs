//! What tests with threads need: a failed assertion where something hangs, and random numbers that can be had again.
#![allow(clippy::panic, clippy::print_stderr)]

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Longer than anything here takes on a slow machine.
pub const LONG: Duration = Duration::from_secs(60);

/// Runs `test` in a thread of its own, and panics if it has not ended after [`LONG`] or a multiple of it. A thread that hangs is left
/// behind.
#[track_caller]
pub fn within<T: Send + 'static>(times: u32, test: impl FnOnce() -> T + Send + 'static) -> T {
    let (told, ended) = channel();
    let name = std::thread::current().name().unwrap_or("test").to_owned();
    let spawned = std::thread::Builder::new().name(name).spawn(move || {
        let _ = told.send(test());
    });
    let Ok(thread) = spawned else { panic!("the system gives no thread") };
    match ended.recv_timeout(LONG * times) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("it hangs"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("it sends before it ends"),
        },
    }
}

/// Waits until `holds` does, and panics with `what` if that takes too long.
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < LONG, "{what}: not after {LONG:?}");
        std::thread::yield_now();
    }
}

/// Random numbers from a seed, which is told if the test panics.
#[derive(Debug)]
pub struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// Those of a seed, or of the one that the variable `SEED` gives.
    pub fn new(seed: u64) -> Self {
        let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or(seed);
        Random { seed, state: seed }
    }

    /// One of all there are.
    pub fn any(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.state)
    }

    /// One that is less than `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.any() % end
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("run it again with SEED={}", self.seed);
        }
    }
}

/// A number that looks random, of one that does not.
pub fn mixed(n: u64) -> u64 {
    // splitmix64
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}
