use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Inner() {
        lines: Lines;
        in text -> lines.text;
        lines.line -> out lines;
        lines.don -> out done;
    }
}

flow! {
    flow Outer() {
        inner: Inner;
        tok: Tokenizer { lowercase: true };
        in text -> inner.text;
        inner.lines -> tok.line;
        tok.word -> out words;
        inner.done -> out done;
    }
}

fn use_it() -> routilux::Result<()> {
    let mut job = Outer::new().job();
    job.inputs().text("a b".to_owned())?;
    job.run()?;
    job.outputs().words().for_each(drop);
    Ok(())
}

fn main() {}
//~ RTX0002
