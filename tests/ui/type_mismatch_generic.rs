use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        tok: Tokenizer { lowercase: true };
        latest: Latest<u64>;

        in line -> tok.line;
        tok.word -> latest.next;
        latest.moved -> return;
    }
}

fn main() {}
//~ RTX0150
