use routilux::prelude::*;

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Total(u64);

#[routine]
struct Account {
    #[state]
    cents: Total,
    #[state]
    fees: Total,
}

#[routine]
impl Account {
    #[slot]
    fn deposit(&mut self, cents: &u64) -> Result {
        self.cents.0 += cents;
        Ok(())
    }
    #[slot]
    fn withdraw(&mut self, cents: &u64) -> Result {
        self.cents.0 = self.cents.0.checked_sub(*cents).ok_or("not enough")?;
        Ok(())
    }
}

struct Note(u64);

#[routine]
struct Notes;

#[routine]
impl Notes {
    #[event]
    fn note(note: Note);

    #[slot(emit = note)]
    fn count(&self, count: u64) -> Note {
        Note(count)
    }
}

flow! {
    flow Banking() {
        account: Account;
        notes: Notes;
        in deposit -> account.deposit;
        in withdrawal -> account.withdraw;
        in note -> notes.count;
        notes.note -> out notes, out copies;
    }
}

fn main() {}
//~ RTX0158 RTX0155 RTX0156
