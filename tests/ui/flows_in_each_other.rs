use routilux::prelude::*;
use tests::words::*;

flow! {
    flow One() {
        lines: Lines;
        other: Other;
        in text -> lines.text;
        lines.line -> other.text;
        lines.done -> out done;
    }
}

flow! {
    flow Other() {
        one: One;
        in text -> one.text;
        one.done -> out done;
    }
}

fn main() {}
//~ compiler compiler
