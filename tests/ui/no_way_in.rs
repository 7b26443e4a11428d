use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        first: Tokenizer { lowercase: true };
        second: Tokenizer { lowercase: true };

        first.word -> second.line;
        second.word -> loop first.line;
    }
}

fn main() {}
//~ RTX0023
