use routilux::prelude::*;

#[routine]
struct Handlers;

struct Number(u64);

#[routine]
impl Handlers {
    #[slot]
    fn number(&self, n: u64) -> Number {
        Number(n)
    }

    #[slot]
    fn value(&self, n: u64) -> Result<u64> {
        Ok(n)
    }

    #[slot]
    fn failing(&self, n: u64) -> Result<(), u64> {
        Err(n)
    }
}

fn main() {}
//~ RTX0164 RTX0164 RTX0164
