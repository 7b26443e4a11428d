use routilux::prelude::*;

struct Sink;

#[routine]
impl Sink {
    #[slot]
    fn n(&self, n: u64) {
        drop(n);
    }
}

fn main() {}
//~ RTX0101
