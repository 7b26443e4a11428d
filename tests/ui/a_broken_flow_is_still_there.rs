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
    job.inputs().text("a b".into())?;
    let report = job.run()?;
    let counts: &std::collections::BTreeMap<String, u64> = report.result()?;
    println!("{:?} {}", report.result()?, counts.len());
    for word in job.outputs().words() {
        println!("{word} {}", word.len() + word.trim().chars().count());
    }
    let state = job.state()?;
    Words::new().resume(state)?;
    Ok(())
}

fn main() {}
//~ RTX0001
