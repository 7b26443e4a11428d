use routilux::prelude::*;

#[routine]
struct Pair(u64, #[state] u64);

#[routine]
impl Pair {
    #[slot]
    fn n(&self, _n: u64) {}
}

#[routine]
struct Marks {
    #[state]
    #[resource]
    both: u64,
    #[state(default)]
    argument: u64,
    #[stat]
    misspelt: u64,
}

#[routine]
impl Marks {
    #[slot]
    fn n(&self, _n: u64) {}
}

fn main() {}
//~ RTX0105 RTX0104 RTX0104 RTX0104
