use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Inner(lowercase: bool) {
        lines: Lines;
        tok: Tokenizer { lowercase };
        in text -> lines.text;
        lines.line -> tok.line;
        lines.done -> out done;
        tok.word -> out words;
    }
}

flow! {
    flow Outer() {
        inner: Inner { lowercase: true };
        other: Inner { lowercase: false };
        third: Inner { lowercase: true };
        fourth: Inner { lowercase: true };
        count: Count;

        in text -> inner.txet, other.text, third.text, fourth.text;
        inner.word -> count.word;
        other.words -> count.end;
        inner.done -> count.end;
        inner.tok.word -> out inside;
        inner.error -> out failed;
        on error of inner.tok skip;
        on error of inner.tok.line skip;
        in more -> inner.text.text;
        on error of inner -> out all;
        third.words -> inner.lines.text;
        count.totals -> return;
    }
}

fn main() {}
//~ RTX0003 RTX0002 RTX0012 RTX0012 RTX0012 RTX0012 RTX0012 RTX0034 RTX0012
