use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words(least: usize) {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text: u64 -> |n| n + "1" -> lines.text;
        lines.line if |line| line.len() -> tok.line;
        lines.line if |line: &u64| *line > 3 -> out long;
        lines.line if |line| line.len() > leats -> out longer;
        lines.line if |line| line.lenght() > *least -> out longest;
        lines.done -> |n| n.to_string() -> count.end;
        tok.word -> |word| word.len() -> count.word, out lengths: usize;
        lines.done => tok.line;
        count.totals -> |totals| { let Some(first) = totals.first_key_value() else { return None; }; Some(*first.1) } -> return: u64;
    }
}

fn main() {}
//~ E0425 E0308 E0308 E0599 E0308 RTX0152 E0308 RTX0150 E0308 E0308 E0277
