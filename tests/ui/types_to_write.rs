use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> |text| format!("{text}\n") -> lines.text;
        in line => tok.line;
        in past -> out past;
        in word if |word| !word.is_empty() -> |word| word -> count.word else => out empty;
        lines.line -> tok.line;
        tok.word => out upper;
        tok.word -> |word| word.len() -> out length, out size: usize;
        tok.word -> out word: String;
        lines.line -> out word: std::string::String;
        lines.done -> count.end;
        count.totals => return;
    }
}

fn main() {}
//~ RTX0030 RTX0030 RTX0030 RTX0030 RTX0030 RTX0030 RTX0030 RTX0016 RTX0030
