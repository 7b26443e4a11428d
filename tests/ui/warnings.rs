#![deny(deprecated)]

use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        again: Tokenizer { lowercase: true };

        in text -> lines.text;
        lines.line -> tok.line;
        tok.word -> out words;
        again.word -> loop again.line;
    }
}

fn main() {}
//~ RTX0035 RTX0036
