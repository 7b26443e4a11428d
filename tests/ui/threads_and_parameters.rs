use routilux::prelude::*;
use std::rc::Rc;
use tests::words::*;

flow! {
    flow Words(least: Rc<usize>, other: Rc<u8>) {
        lines: Lines;
        tok: Tokenizer { lowercase: *other > 0 };
        in text -> lines.text;
        lines.line if |line| line.len() > **least -> tok.line;
        tok.word -> out words;
        ignore lines.done;
    }
}

flow! {
    flow Around() {
        words: Words { least: Rc::new(3), other: Rc::new(3) };
        in text -> words.text;
        words.words -> out words;
    }
}

fn main() {
    let _ = Words::new(Rc::new(3), Rc::new(3)).job().start();
    let _ = Around::new().job().start();
}
//~ RTX0162 RTX0162
