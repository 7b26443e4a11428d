use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words(least: usize) {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> lines.text;
        lines.done -> count.end;
        count.totals -> return;
        lines.line if line.len() > 3 -> tok.line;
        lines.line if || true -> tok.line;
        lines.line if |a, b| true -> tok.line;
        lines.line if -> tok.line;
        lines.line if |line| -> tok.line;
        lines.line if |line| line. -> tok.line;
        lines.line if async |line| true -> tok.line;
        lines.line -> |line| line;
        lines.line -> |line| line, line -> tok.line;
        lines.line -> |line| line -> |line| line -> tok.line;
        lines.line => |line| line -> tok.line;
        lines.line -> |line| line => tok.line;
        lines.line -> |line| line + -> tok.line;
        lines.line -> to_upper -> tok.line;
        lines.line -> tok.line -> count.word;
        lines.line -> tok.line else -> count.word;
        lines.line if |l| l.is_empty() -> tok.line else -> count.word else -> out long;
        lines.line if |l| l.is_empty() -> tok.line else count.word;
        else -> tok.line;
        lines.line if |l| l.is_empty() -> tok.line; else -> count.word; else -> out long;
        lines.line if |l| l.is_empty() -> tok.line;
        else if |l| l.len() > 3 -> count.word;
        tok.word -> loop(0) tok.line;
        tok.word -> loop() tok.line;
        tok.word -> loop(least) tok.line;
        tok.word -> loop(5000000000) tok.line;
        tok.word -> loop(3) out long;
        tok.word -> out long short;
        tok.word -> out long: ;
        tok.word -> out long: 3;
        tok.word.more.and.more -> count.word;
        in a b -> tok.line;
        lines.line, tok.word -> count.word;
        lines.line --> tok.line;
        lines.line, -> tok.line;
    }
}

fn main() {}
//~ RTX0078 RTX0078 RTX0078 RTX0078 RTX0080 RTX0080 RTX0078 RTX0079 RTX0080 RTX0079 RTX0079 RTX0079 RTX0080 RTX0079 RTX0072 RTX0029 RTX0081 RTX0081 RTX0081 RTX0014 RTX0081 RTX0082 RTX0082 RTX0082 RTX0082 RTX0083 RTX0073 RTX0084 RTX0084 RTX0077 RTX0072 RTX0072 RTX0075 RTX0072
