use routilux::prelude::*;
use tests::words::*;

struct Plain;

type Alias = Tokenizer;

flow! {
    flow Misspelt() {
        lines: Liens;
        tok: Tokenizr { lowercase: true };
        plain: Plain;
        other: Alias { lowercase: true };

        in text -> lines.text;
        lines.line -> tok.line;
        tok.word -> other.line;
        other.word -> plain.word;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Misspelt::new().job();
    job.inputs().text("a".into())?;
    let report = job.run()?;
    for word in job.outputs().words() {
        println!("{}", word.len());
    }
    println!("{} {:?}", report.result()?, Misspelt::graph());
    let again = Misspelt::new().resume(job.state()?)?;
    drop(again.start());
    Ok(())
}
//~ compiler compiler compiler compiler
