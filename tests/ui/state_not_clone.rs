use routilux::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Ledger(u64);

#[routine]
struct Account {
    #[state]
    ledger: Ledger,
}

#[routine]
impl Account {
    #[slot]
    fn pay(&mut self, cents: u64) -> Result {
        self.ledger.0 = self.ledger.0.checked_sub(cents).ok_or("not enough")?;
        Ok(())
    }
}

fn main() {}
//~ RTX0158
