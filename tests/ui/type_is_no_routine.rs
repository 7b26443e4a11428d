use routilux::prelude::*;

#[routine]
struct Sink;

#[routine]
impl Sink {
    #[slot]
    fn n(&self, n: u64) {
        drop(n);
    }
}

flow! {
    flow Misspelt() {
        sink: Snik;
        in n -> sink.n;
    }
}

fn main() {}
//~ compiler
