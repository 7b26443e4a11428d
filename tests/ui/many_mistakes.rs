use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        tok: Tokenizer { lowercase: false };
        count: Count;
        other: Count;

        in text -> lines.txt;
        lines.line -> tko.line;
        tok.wrod -> count.word;
        tok.line -> count.word;
        lines.done -> count.totals;
        lines.done -> count.end, count.end, other.end;
        count.totals -> return;
        count.totals -> retrun;
        other.totals -> return;
        tok.word => other.word;
        ignore other.total;
    }
}

fn main() {}
//~ RTX0013 RTX0003 RTX0001 RTX0002 RTX0006 RTX0005 RTX0014 RTX0077 RTX0017 RTX0002
