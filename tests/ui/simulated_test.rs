// A simulated test comes to nothing, or to a `Result` of nothing.
#![allow(missing_docs)]

use routilux::prelude::*;
use routilux::sim;

#[routine]
struct Sink;

#[routine]
impl Sink {
    #[slot]
    fn n(&self, _n: u64) {}
}

flow! {
    flow Sinks() {
        sink: Sink;
        in n -> sink.n;
    }
}

fn main() {
    sim::explore(Sinks::new(), 10, |job| job.run());
}
//~ E0277
