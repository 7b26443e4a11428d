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
