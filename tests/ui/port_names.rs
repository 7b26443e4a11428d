//! Names that ports cannot have.

use routilux::prelude::*;

#[routine]
struct Names;

#[routine]
impl Names {
    #[event]
    fn later(n: u64);

    #[event]
    fn line(n: u64);

    #[event]
    fn lines(n: u64);

    #[event]
    fn r#gen(n: u64);

    #[slot]
    fn after(&self, n: u64) {
        drop(n);
    }

    #[slot]
    fn line(&self, n: u64) {
        drop(n);
    }

    #[source]
    fn lines(&mut self) -> More {
        More::Done
    }

    #[join]
    fn r#gen(&self, a: u64, b: u64) {
        drop((a, b));
    }

    #[finish]
    fn cancel(&self) {}
}

fn main() {}
//~ RTX0090 RTX0090 RTX0128 RTX0128 RTX0128 RTX0090
