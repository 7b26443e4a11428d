use routilux::prelude::*;

#[routine]
struct Options;

#[routine]
impl Options {
    #[slot(merge = "appendd")]
    fn misspelt(&self, all: &[u64]) {
        drop(all);
    }

    #[slot(merge = "latest")]
    fn later(&self, n: u64) {
        drop(n);
    }

    #[slot(when = "drained")]
    fn drained(&self, n: u64) {
        drop(n);
    }

    #[slot(mrege = "append")]
    fn key(&self, n: u64) {
        drop(n);
    }

    #[slot(merge)]
    fn value(&self, n: u64) {
        drop(n);
    }

    #[slot(atomic = "no")]
    fn atomic(&self, n: u64) {
        drop(n);
    }

    #[slot(merge = "append")]
    fn one(&self, n: u64) {
        drop(n);
    }

    #[slot]
    fn slice(&self, all: &[u64]) {
        drop(all);
    }
}

fn main() {}
