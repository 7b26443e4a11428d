use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> lines.text;
        lines.line -> tok.line;
        tok.word -> count.end;
        in word -> count.word;
        ignore lines.done;
        count.totals -> return;
    }
}

fn main() {}
//~ RTX0150
