use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        tok: Tokenizer { lowercase: true };

        tok.word -> out words;
    }
}

flow! {
    flow Configured() {
        tok: Tokenizer(3);

        tok.word -> out words;
    }
}

fn main() {}
//~ RTX0018 RTX0059
