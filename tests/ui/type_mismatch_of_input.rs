use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> lines.text, count.end;
        lines.line -> tok.line;
        tok.word -> count.word;
        ignore lines.done;
        count.totals -> return;
    }
}

fn main() {}
//~ RTX0150
