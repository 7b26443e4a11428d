#![deny(deprecated)]

use routilux::prelude::*;

#[routine]
struct Shop;

#[routine]
impl Shop {
    #[event]
    fn order(number: u64);
    #[event]
    fn paid(number: u64);

    #[slot]
    fn open(&self, number: u64, out: &mut Emit<Self>) {
        out.order(number);
        out.paid(number);
    }
}

#[routine]
struct Bank;

#[routine]
impl Bank {
    #[event]
    fn done(number: u64);

    #[slot(emit = done)]
    fn pay(&self, number: u64) -> Result<u64> {
        Ok(number)
    }
}

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

#[routine]
struct Next;

#[routine]
impl Next {
    #[event]
    fn next(number: u64);

    #[slot(emit = next)]
    fn number(&self, number: u64) -> u64 {
        number + 1
    }
}

flow! {
    flow EitherOr() {
        shop: Shop;
        desk: Desk;
        in number -> shop.open;
        shop.order if |number| *number > 3 -> desk.settle.order;
        else -> desk.settle.payment;
        shop.paid -> out paid;
        desk.settled -> out settled;
    }
}

flow! {
    flow Skipping() {
        shop: Shop;
        bank: Bank;
        desk: Desk;
        in number -> shop.open;
        shop.order -> desk.settle.order;
        shop.paid -> bank.pay;
        bank.done -> desk.settle.payment;
        desk.settled -> out settled;
        on error of bank.pay skip;
    }
}

flow! {
    flow Counting() {
        first: Next;
        second: Next;
        in number -> first.number;
        first.next -> second.number, out numbers;
        second.next -> loop first.number;
    }
}

fn main() {}
//~ RTX0037 RTX0037 RTX0038
