use routilux::prelude::*;

#[routine]
struct Sum;

#[routine]
impl Sum {
    #[event]
    fn total(number: u64);

    #[slot(merge = "append", when = "drained", emit = total)]
    fn number(&self, numbers: Vec<u64>) -> u64 {
        numbers.iter().sum()
    }
}

flow! {
    flow Sums() {
        sum: Sum;
        in number -> sum.number;
        sum.total -> loop sum.number, out totals;
    }
}

fn main() {}
//~ RTX0022
