use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;
        tok: Tokenizer { lowercase: false };

        in text -> lines.text;
        lines.line -> tok.line;
        tok.word -> count.word;
        lines.done -> count.end;
        count.totals -> return;
    }
}

fn main() {}
//~ RTX0013
