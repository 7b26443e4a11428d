//! `timeout` and `parallel` that say nothing that can be done.

use routilux::prelude::*;

#[routine]
pub struct Waits {
    #[state]
    count: u64,
}

#[routine]
impl Waits {
    #[slot(timeout = 5)]
    fn number(&self, _n: u64) {}

    #[slot(timeout = "5 lightyears")]
    fn unit(&self, _n: u64) {}

    #[slot(timeout = "10sec")]
    fn near(&self, _n: u64) {}

    #[slot(parallel = 0)]
    fn none(&self, _n: u64) {}

    #[slot(parallel = 4)]
    fn alone(&mut self, n: u64) {
        self.count += n;
    }

    #[slot(paralel = 4)]
    fn misspelt(&self, _n: u64) {}
}

fn main() {}
//~ RTX0088 RTX0088 RTX0088 RTX0113 RTX0132 RTX0112
