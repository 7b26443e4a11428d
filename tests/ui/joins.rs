use routilux::prelude::*;

#[routine]
struct Joins;

#[routine]
impl Joins {
    #[event]
    fn late_unpaired(n: u64);

    #[join]
    fn nothing(&mut self) {}

    #[join]
    fn one(&mut self, order: u64, out: &mut Emit<Self>) {
        drop((order, out));
    }

    #[join]
    fn without_name(&mut self, (a, b): (u64, u64), other: u64) {
        drop((a, b, other));
    }

    #[join]
    fn not_looked_at(&mut self, _: u64, other: u64) {
        drop(other);
    }

    #[join]
    fn numbered(&mut self, _1: u64, _2: u64) {}

    #[join]
    fn many(
        &mut self,
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
    ) {
        drop((a, b, c, d, e, f, g, h, i, j, k, l, m));
    }

    #[join]
    fn slice(&mut self, orders: &[u64], payment: u64) {
        drop((orders, payment));
    }

    #[join]
    fn exclusive(&mut self, order: &mut u64, payment: u64) {
        *order = payment;
    }

    #[join]
    fn twice(&mut self, order: u64, _order: u64) {
        drop(order);
    }

    #[join]
    fn reserved(&mut self, error: u64, payment: u64) {
        drop((error, payment));
    }

    #[join]
    async fn waits(&self, order: u64, payment: u64) {
        drop((order, payment));
    }

    #[join(optional)]
    fn optional(&mut self, order: u64, payment: u64) {
        drop((order, payment));
    }

    #[join(merge = "latest")]
    fn merges(&mut self, order: u64, payment: u64) {
        drop((order, payment));
    }

    #[join(lates)]
    fn misspelt(&mut self, order: u64, payment: u64) {
        drop((order, payment));
    }

    #[join(within = 30)]
    fn number(&mut self, order: u64, payment: u64) {
        drop((order, payment));
    }

    #[join(within = "30 minuts")]
    fn unit(&mut self, order: u64, payment: u64) {
        drop((order, payment));
    }

    #[join(within = "1h")]
    fn late(&mut self, order: u64, payment: u64) {
        drop((order, payment));
    }

    #[join]
    fn without_body(&mut self, order: u64, payment: u64);

    #[join]
    #[slot]
    fn both(&mut self, order: u64, payment: u64) {
        drop((order, payment));
    }
}

/// What names the enum of a join in a routine with mistakes has none of its own.
#[routine]
struct Late;

#[routine]
impl Late {
    #[slot]
    fn unpaired(&self, unpaired: LateUnpaired) {
        drop(unpaired);
    }
}

fn main() {}
//~ RTX0128 RTX0125 RTX0125 RTX0125 RTX0125 RTX0125 RTX0125 RTX0125 RTX0119 RTX0128 RTX0090 RTX0122 RTX0112 RTX0112 RTX0112 RTX0088 RTX0088 RTX0123 RTX0130
