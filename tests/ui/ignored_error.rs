use routilux::prelude::*;

#[routine]
struct Parse;

#[routine]
impl Parse {
    #[event]
    fn number(number: u64);

    #[slot(emit = number)]
    fn text(&self, text: &str) -> Result<u64> {
        Ok(text.parse()?)
    }
}

flow! {
    flow Numbers() {
        parse: Parse;
        in text -> parse.text;
        parse.number -> out numbers;
        ignore parse.text.error;
    }
}

fn main() {}
//~ RTX0025
