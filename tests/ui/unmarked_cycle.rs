use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        first: Tokenizer { lowercase: true };
        second: Tokenizer { lowercase: true };
        third: Tokenizer { lowercase: true };

        in line -> first.line;
        first.word -> second.line;
        second.word -> third.line;
        third.word -> first.line, out words;
    }
}

fn main() {}
//~ RTX0020
