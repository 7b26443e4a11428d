use routilux::prelude::*;
use tests::words::*;

flow! {
    flow Words() {
        lines: Lines;
        tok: Tokenizer { lowercase: true };
        count: Count;

        in text -> lines.text;
        lines.line when |line| !line.is_empty() -> tok.line;
        tok.word -> count.word & out words;
        lines.done -> count.end;
        tok.word -> loop 3 tok.line;
        count.totals -> return totals;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Words::new().job();
    job.inputs().text("a".into())?;
    println!("{:?}", job.run()?.result()?);
    for word in job.outputs().words() {
        println!("{}", word.len());
    }
    Ok(())
}
//~ RTX0078 RTX0072 RTX0082 RTX0072
