use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        tok: Tokenizer { lowercase: true };

        in line -> tok.line;
        tok.word -> tok.line;
    }
}

fn main() {}
//~ RTX0020
