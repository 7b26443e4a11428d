use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;
        many: [u64] Count;

        in text: String -> lines.text;
        lines.line if |line| !line.is_empty() -> tok.line;
        tok.word -> |word| word -> count.word;
        lines.done => count.end;
        count.totals -> return;
        tok.word -> loop(3) tok.line;
        on error of tok.line skip;
        tok.line.error -> count.word;
    }
}

fn main() {}
