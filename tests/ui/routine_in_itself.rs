use routilux::prelude::*;

#[routine]
struct Sink {
    path: String,
    next: Option<Box<Sink>>,
}

#[routine]
impl Sink {
    #[slot]
    fn value(&self, value: u64) {
        drop(value);
    }
}

fn main() {}
//~ RTX0108
