use routilux::prelude::*;

#[derive(Default)]
struct Ledger(u64);

#[routine]
struct Account {
    #[state]
    ledger: Ledger,
}

#[routine]
impl Account {
    #[slot]
    fn pay(&mut self, cents: u64) {
        self.ledger.0 += cents;
    }
}

flow! {
    flow Bank() {
        account: Account;
        in pay -> account.pay;
    }
}

fn main() {}
//~ RTX0159
