use routilux::prelude::*;

#[routine]
struct Count {
    #[state]
    count: u64,
}

#[routine]
impl Count {
    #[slot]
    fn add(&mut self, number: u64) {
        self.count += number;
    }

    #[slot]
    fn add(&mut self, number: u32) {
        self.count += u64::from(number);
    }
}

flow! {
    flow Counting() {
        count: Count;
        in number -> count.add;
    }
}

fn main() {}
//~ E0592
