use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;
        broken: ;
        wrong: Tokenizer(true);

        in text -> lines.text;
        lines.
        ;
        lines.line -> ;
        tok. -> count.word;
        -> count.end;
        count -> return;
        wrong.word -> count;
        in -> tok.line;
        tok.word count.word;
        count.totals -> out;
        count.totals -> return
    }
}

fn main() {}
//~ RTX0076 RTX0059 RTX0075 RTX0074 RTX0077 RTX0074 RTX0077 RTX0077 RTX0072 RTX0075 RTX0077 RTX0073
