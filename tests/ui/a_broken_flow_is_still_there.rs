use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> lines.text;
        lines.line -> tok.line;
        tok.word -> cuont.word;
        lines.done -> count.end;
        count.totals -> return;
        tok.word -> out words;
    }
}

fn use_it() -> routilux::Result<()> {
    let mut job = Words::new().job();
    job.inputs().text("a b".to_owned())?;
    let report = job.run()?;
    println!("{:?}", report.result()?);
    for word in job.outputs().words() {
        println!("{word}");
    }
    let state = job.state()?;
    Words::new().resume(state)?;
    Ok(())
}

fn main() {}
