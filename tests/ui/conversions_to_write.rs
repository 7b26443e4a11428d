use routilux::prelude::*;

#[routine]
struct Measure;

#[routine]
impl Measure {
    #[event]
    fn length(length: u32);

    #[slot(emit = length)]
    fn text(&self, text: &str) -> u32 {
        u32::try_from(text.len()).unwrap_or(u32::MAX)
    }
}

#[routine]
struct Sum;

#[routine]
impl Sum {
    #[slot]
    fn number(&self, number: u64) {
        drop(number);
    }
    #[slot]
    fn maybe(&self, number: Option<u32>) {
        drop(number);
    }
}

flow! {
    flow Lengths() {
        measure: Measure;
        sum: Sum;
        in text -> measure.text;
        measure.length -> sum.number, sum.maybe, out lengths: f64;
    }
}

fn main() {}
//~ RTX0151 RTX0151 RTX0151
