use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> lines.text;
        in text -> tok.line;
        lines.line -> tok.line;
        tok.word -> count.word;
        lines.done -> count.end;
        count.totals -> return;
    }
}

fn main() {}
//~ RTX0015
