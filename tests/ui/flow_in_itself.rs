use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        again: Words;

        in text -> lines.text;
        lines.line -> again.text;
    }
}

fn main() {}
//~ RTX0053
