use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        missing: Tokenizer;
        unknown: Tokenizer { lower: true };
        mistyped: Tokenizer { lowercase: 1 };
        state: Tokenizer { lowercase: true, words: 3 };

        in line -> missing.line, unknown.line, mistyped.line, state.line;
        missing.word -> out words;
        unknown.word -> out words;
        mistyped.word -> out words;
        state.word -> out words;
    }
}

fn main() {}
//~ E0063 E0560 E0308 E0560
