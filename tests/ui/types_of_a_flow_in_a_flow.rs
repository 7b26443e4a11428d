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
        other: Inner { lowercase: 3 };
        third: Inner { lowercase: true };
        fourth: Inner { lowercase: true };
        count: Count;

        in text -> other.text, third.text, fourth.text;
        other.words -> count.end;
        fourth.words -> count.word;
        third.words -> out words;
        fourth.done -> third.text, out words;
        ignore other.done;
        ignore third.done;
        ignore count.totals;
    }
}

fn main() {}
//~ RTX0150 RTX0150 RTX0150 E0308
