use routilux::prelude::*;

use std::cell::RefCell;
use std::sync::atomic::AtomicU64;

#[routine]
struct Account {
    #[state]
    balance: RefCell<u64>,
    #[state]
    payments: std::sync::Arc<AtomicU64>,
    #[transient]
    cache: RefCell<u64>,
}

#[routine]
impl Account {
    #[slot]
    fn pay(&self, cents: u64) {
        *self.balance.borrow_mut() += cents;
    }
}

fn main() {}
//~ RTX0106 RTX0106
