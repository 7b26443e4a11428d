use routilux::prelude::*;

#[routine(name = "shop")]
struct Shop;

#[routine(threads = 3)]
impl Shop {
    #[event]
    fn order(cents: u64);

    #[slot(emit = order)]
    fn cart(&self, prices: Vec<u64>) -> u64 {
        prices.iter().sum()
    }
}

#[routine]
struct Bank;

#[routine]
impl Bank {
    #[event]
    fn paid(cents: u64);
    #[event]
    fn refused(cents: u64);

    #[slot]
    fn pay(&self, cents: u64, out: &mut Emit) {
        out.paid(cents);
    }
}

#[routine]
struct Safe;

#[routine]
impl Safe {
    #[event]
    fn paid(cents: u64);
    #[event]
    fn refused(cents: u64);

    #[slot(emit = paid)]
    fn pay(&self, cents: u64) -> u64 {
        cents
    }
    #[slot(emit = refused)]
    fn refuse(&self, cents: u64) -> u64 {
        cents
    }
}

flow! {
    flow Alone() {
        safe: Safe;
        other: Safe;

        in cents -> safe, other.pay, other.refuse;
        other.paid -> out paid;
        other.refused -> out refused;
    }
}

flow! {
    flow TwoTypes(limit: u64) {
        safe: Safe;

        in pay -> safe.pay;
        in refuse -> safe.refuse;
        safe.paid -> out cents: u64, out cents: u32;
        safe.refused -> out refused;
    }
}

flow! {
    flow Limited(limit: u64) {
        safe: Safe;

        in pay -> safe.pay;
        in refuse -> safe.refuse;
        safe.paid -> out paid;
        ignore safe.refused;
    }
}

flow! {
    flow Outer() {
        inner: Limited { most: 3 };

        in pay -> inner.pay;
        in refuse -> inner.refuse;
        inner.paid -> return;
    }
}

fn main() {}
//~ RTX0100 RTX0100 RTX0119 RTX0016 RTX0077 RTX0058
