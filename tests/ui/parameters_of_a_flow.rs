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
        other: Inner { lowercsae: true };
        third: Inner { lower: true };
        fourth: Inner;
        count: Count;

        in text -> other.text, third.text, fourth.text;
        other.words -> out others;
        third.words -> count.word;
        fourth.words -> count.word;
        fourth.done -> count.end;
        ignore other.done;
        ignore third.done;
        ignore count.totals;
    }
}

fn main() {}
//~ RTX0058 RTX0058 RTX0057
