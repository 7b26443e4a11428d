//! The sequential engine itself allocates nothing per delivery: counted by the allocator, for payloads that own no
//! memory of their own.
#![allow(missing_docs, unsafe_code, clippy::unwrap_used)]

use routilux::Retention;
use routilux::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[routine]
struct Hop {
    #[state]
    passed: u64,
}

#[routine]
impl Hop {
    #[event]
    fn on(n: u64);
    #[event]
    fn back(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) -> Result {
        self.passed += 1;
        out.on(n);
        if n.is_multiple_of(3) {
            out.on(n + 1);
            out.back(n + 1);
        }
        Ok(())
    }
}

flow! {
    /// `b.on -> a.n` is feedback that never ends: one delivery goes round for ever.
    flow Round() {
        a: Hop;
        b: Hop;
        in n -> a.n;
        a.on -> b.n;
        b.on -> loop a.n;
        ignore a.back;
        ignore b.back;
    }
}

fn allocations_of_a_run(retention: Retention, steps: u64) -> u64 {
    let mut job = Round::new().job().retention(retention);
    job.inputs().n(1).unwrap();
    (0..5_000).for_each(|_| assert!(job.step().unwrap()));
    let before = ALLOCATIONS.get();
    (0..steps).for_each(|_| assert!(job.step().unwrap()));
    ALLOCATIONS.get() - before
}

#[test]
fn nothing_is_allocated_per_delivery() {
    for retention in [Retention::none(), Retention::default()] {
        assert_eq!(allocations_of_a_run(retention, 100_000), 0);
    }
}

flow! {
    /// Emits up to three events a step, to two receivers each, and drains: the queue is as long before as after.
    flow Spread() {
        a: Hop;
        b: Hop;
        c: Hop;
        in n -> a.n;
        a.on -> b.n, c.n;
        a.back -> c.n;
        ignore b.on;
        ignore b.back;
        ignore c.on;
        ignore c.back;
    }
}

#[test]
fn nothing_is_allocated_by_a_fan_out_or_by_several_events_a_step() {
    let mut job = Spread::new().job();
    let mut round = |n: u64| {
        job.inputs().n(n).unwrap();
        assert_eq!(job.run_until_idle().unwrap(), Status::Waiting);
    };
    (0..2_000).for_each(&mut round);
    let before = ALLOCATIONS.get();
    (0..20_000).for_each(&mut round);
    assert_eq!(ALLOCATIONS.get() - before, 0);
}
