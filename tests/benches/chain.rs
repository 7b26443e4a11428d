//! What a delivery costs: a chain of 8 routines and 1 M events, beside a hand-written loop over a
//! `VecDeque` of an enum that does the same. Run with `cargo bench --bench chain`; one run has all variants,
//! so that they can be compared as ratios.
#![allow(missing_docs, clippy::unwrap_used)]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use routilux::Retention;
use routilux::prelude::*;
use std::collections::VecDeque;

const EVENTS: u64 = 1_000_000;
const HOPS: u64 = 8;

fn main() {
    divan::main();
}

#[routine]
pub struct Add {
    by: u64,
}

#[routine]
impl Add {
    #[event]
    fn sum(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        out.sum(n + self.by);
    }
}

#[routine]
pub struct Last {
    #[state]
    total: u64,
}

#[routine]
impl Last {
    #[event]
    fn total(total: u64);

    #[slot]
    fn n(&mut self, n: u64) {
        self.total = self.total.wrapping_add(n);
    }

    #[slot]
    fn end(&mut self, _end: u64, out: &mut Emit<Self>) {
        out.total(self.total);
    }
}

flow! {
    flow Chain(by: u64) {
        a: Add { by };
        b: Add { by };
        c: Add { by };
        d: Add { by };
        e: Add { by };
        f: Add { by };
        g: Add { by };
        h: Last;

        in n -> a.n;
        in end -> h.end;
        a.sum -> b.n;
        b.sum -> c.n;
        c.sum -> d.n;
        d.sum -> e.n;
        e.sum -> f.n;
        f.sum -> g.n;
        g.sum -> h.n;
        h.total -> return;
    }
}

enum Hop {
    A(u64),
    B(u64),
    C(u64),
    D(u64),
    E(u64),
    F(u64),
    G(u64),
    H(u64),
    End,
}

/// The loop that someone would write who knows the flow beforehand.
struct Loop {
    by: [u64; 7],
    total: u64,
    result: Option<u64>,
    queue: VecDeque<Hop>,
}

impl Loop {
    fn new(by: u64) -> Self {
        Loop { by: [by; 7], total: 0, result: None, queue: VecDeque::new() }
    }

    fn run(&mut self) {
        while let Some(hop) = self.queue.pop_front() {
            match hop {
                Hop::A(n) => self.queue.push_back(Hop::B(n + self.by[0])),
                Hop::B(n) => self.queue.push_back(Hop::C(n + self.by[1])),
                Hop::C(n) => self.queue.push_back(Hop::D(n + self.by[2])),
                Hop::D(n) => self.queue.push_back(Hop::E(n + self.by[3])),
                Hop::E(n) => self.queue.push_back(Hop::F(n + self.by[4])),
                Hop::F(n) => self.queue.push_back(Hop::G(n + self.by[5])),
                Hop::G(n) => self.queue.push_back(Hop::H(n + self.by[6])),
                Hop::H(n) => self.total = self.total.wrapping_add(n),
                Hop::End => self.result = Some(self.total),
            }
        }
    }
}

fn expected() -> u64 {
    (0..EVENTS).map(|n| n + 7).sum()
}

mod all_at_once {
    //! All events wait at the first routine before the run: the queue is as long as it gets.
    use super::*;

    #[divan::bench]
    fn a_loop(bencher: Bencher<'_, '_>) {
        bencher.counter(ItemsCount::new(EVENTS * HOPS)).bench(|| {
            let mut all = Loop::new(black_box(1));
            (0..EVENTS).for_each(|n| all.queue.push_back(Hop::A(n)));
            all.run();
            all.queue.push_back(Hop::End);
            all.run();
            assert_eq!(all.result, Some(expected()));
        });
    }

    fn flow(bencher: Bencher<'_, '_>, retention: Retention) {
        bencher.counter(ItemsCount::new(EVENTS * HOPS)).bench(|| {
            let mut job = Chain::new(black_box(1)).job().retention(retention);
            (0..EVENTS).for_each(|n| job.inputs().n(n).unwrap());
            job.run_until_idle().unwrap();
            job.inputs().end(0).unwrap();
            assert_eq!(job.run().unwrap().result().unwrap(), &expected());
        });
    }

    #[divan::bench]
    fn b_history_off(bencher: Bencher<'_, '_>) {
        flow(bencher, Retention::none());
    }

    #[divan::bench]
    fn c_history_on(bencher: Bencher<'_, '_>) {
        flow(bencher, Retention::default());
    }
}

mod one_by_one {
    //! Each event runs to the end of the chain before the next one is sent: the queue is short and in the cache.
    use super::*;

    #[divan::bench]
    fn a_loop(bencher: Bencher<'_, '_>) {
        bencher.counter(ItemsCount::new(EVENTS * HOPS)).bench(|| {
            let mut all = Loop::new(black_box(1));
            for n in 0..EVENTS {
                all.queue.push_back(Hop::A(black_box(n)));
                all.run();
            }
            all.queue.push_back(Hop::End);
            all.run();
            assert_eq!(all.result, Some(expected()));
        });
    }

    fn flow(bencher: Bencher<'_, '_>, retention: Retention) {
        bencher.counter(ItemsCount::new(EVENTS * HOPS)).bench(|| {
            let mut job = Chain::new(black_box(1)).job().retention(retention);
            for n in 0..EVENTS {
                job.inputs().n(black_box(n)).unwrap();
                job.run_until_idle().unwrap();
            }
            job.inputs().end(0).unwrap();
            assert_eq!(job.run().unwrap().result().unwrap(), &expected());
        });
    }

    #[divan::bench]
    fn b_history_off(bencher: Bencher<'_, '_>) {
        flow(bencher, Retention::none());
    }

    #[divan::bench]
    fn c_history_on(bencher: Bencher<'_, '_>) {
        flow(bencher, Retention::default());
    }
}
