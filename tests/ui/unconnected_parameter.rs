use routilux::prelude::*;

#[routine]
struct Desk;

#[routine]
impl Desk {
    #[event]
    fn settled(number: u64);

    #[join(emit = settled)]
    fn settle(&self, order: u64, payment: u64) -> u64 {
        order + payment
    }
}

flow! {
    flow Orders() {
        desk: Desk;
        in order -> desk.settle.order;
        desk.settled -> return;
    }
}

fn main() {}
//~ RTX0019
