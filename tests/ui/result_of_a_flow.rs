use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Inner() {
        tok: Tokenizer { lowercase: true };

        in line -> tok.line;
        tok.word -> return;
    }
}

flow! {
    flow Outer() {
        inner: Inner;

        in line -> inner.line;
        inner.return -> out words;
    }
}

fn main() {}
//~ RTX0012
