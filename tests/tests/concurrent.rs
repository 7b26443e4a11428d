//! The concurrent engine, and control of running jobs.

use routilux::prelude::*;

/// Spins a number on.
#[routine]
pub struct Pass;

#[routine]
impl Pass {
    #[event]
    fn passed(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.passed(n + 1);
    }
}

/// Adds up, one at a time.
#[routine]
pub struct Sum {
    #[state]
    total: u64,
    #[state]
    seen: Vec<u64>,
}

#[routine]
impl Sum {
    #[event]
    fn so_far(total: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        self.total += n;
        self.seen.push(n);
        out.so_far(self.total);
    }
}

flow! {
    /// Two that pass, and one that sums.
    pub flow Chain() {
        a: Pass;
        b: Pass;
        sum: Sum;
        in n -> a.n;
        a.passed -> b.n;
        b.passed -> sum.n;
        sum.so_far -> out totals;
    }
}

#[test]
fn a_flow_gives_on_threads_what_it_gives_in_one() {
    for workers in [1, 2, 8] {
        let job = Chain::new().job().workers(workers).start().unwrap();
        for n in 0..1000 {
            job.inputs().n(n).unwrap();
        }
        let report = job.finish().unwrap();
        assert_eq!((report.status(), report.handled()), (Status::Completed, 3000));
        assert_eq!(job.outputs().totals().last(), Some((0..1000).map(|n| n + 2).sum()));
        assert_eq!(job.history().len(), 1000);
    }
}

#[test]
fn pause_pauses_and_nothing_is_lost() {
    let job = Chain::new().job().workers(2).start().unwrap();
    let mut sent = 0;
    for round in 0..50 {
        for n in 0..100 {
            job.inputs().n(n).unwrap();
            sent += 1;
        }
        job.pause("a moment");
        assert_eq!(job.status(), Status::Paused);
        let before = job.progress();
        assert_eq!(before.running(), 0);
        std::thread::yield_now();
        assert_eq!(job.progress(), before, "round {round}");
        job.resume().unwrap();
    }
    assert_eq!(job.finish().unwrap().handled(), 3 * sent);
}

#[test]
fn a_running_job_is_saved_and_goes_on_in_one_thread() {
    let job = Chain::new().job().workers(2).start().unwrap();
    for n in 0..5000 {
        job.inputs().n(n).unwrap();
    }
    let state = job.state().unwrap();
    let _ = job.finish().unwrap();
    let all: Vec<u64> = job.outputs().totals().collect();

    let mut moved = Chain::new().resume(state).unwrap();
    let report = moved.run().unwrap();
    assert_eq!(report.handled(), 15_000);
    let moved: Vec<u64> = moved.outputs().totals().collect();
    assert_eq!((moved.len(), moved.last()), (5000, all.last()));
}
