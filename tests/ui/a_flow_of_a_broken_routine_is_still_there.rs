use routilux::prelude::*;
use tests::words::*;

#[routine]
struct Shout;

#[routine]
impl Shout {
    #[event]
    fn word(word: &str);

    #[slot(mrege = "append")]
    fn line(&self, line: String, out: &mut Emit<Self>) {
        out.word(line.to_uppercase());
    }
}

flow! {
    flow Words() {
        lines: Lines;
        shout: Shout;

        in text -> lines.text;
        in line -> shout.line;
        lines.line -> shout.line;
        shout.word -> out words;
        lines.done -> return;
    }
}

flow! {
    flow Outer() {
        inner: Words;
        in text -> inner.text;
        inner.words -> out words;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Words::new().job();
    job.inputs().text("a b".into())?;
    job.inputs().line("a b".into())?;
    let report = job.run()?;
    println!("{}", report.result()? + 1);
    for word in job.outputs().words() {
        println!("{}", word.len());
    }
    let mut job = Outer::new().job();
    job.inputs().text("a b".into())?;
    job.run()?;
    for word in job.outputs().words() {
        println!("{}", word.len());
    }
    Ok(())
}
//~ RTX0111 RTX0112
