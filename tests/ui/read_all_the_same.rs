use routilux::prelude::*;
use tests::words::*;

#[routine]
struct Parse;

#[routine]
impl Parse {
    #[event]
    fn number(number: u64);

    #[slot(emit = number)]
    fn text(&self, text: &str) -> Result<u64> {
        Ok(text.parse()?)
    }
}

#[routine]
struct Shout;

#[routine]
impl Shout {
    #[event]
    fn word(text: &str);

    #[slot]
    fn line(&self, line: String, out: Emit<Self>) {
        out.word(line.to_uppercase());
    }
}

flow! {
    flow Statements() {
        lines = Lines;
        tok Tokenizer { lowercase: true };
        shout: Shout;
        in text -> lines.text;
        in word tok.line;
        lines.line -> tok.line;
        tok.word -> words;
        lines.done -> out.done;
    }
}

flow! {
    flow BesideABrokenRoutine() {
        lines: Lines;
        shout: Shout;
        in text -> lines.txet;
        lines.line -> shout.line;
        shout.word -> out words;
        lines.don -> out done;
    }
}

flow! {
    flow TwoOfOneName(word: String, word: u64) {
        lines: Lines;
    }
}

flow! {
    flow DeadWire() {
        parse: Parse;
        in text -> parse.text;
        parse.number -> return;
        parse.text.error -> out failed;
        on error of parse.text skip;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Statements::new().job();
    job.inputs().text("a".into())?;
    job.inputs().word("a".into())?;
    job.run()?;
    for word in job.outputs().words() {
        println!("{}", word.len());
    }
    let mut job = BesideABrokenRoutine::new().job();
    job.inputs().text("a".into())?;
    for word in job.outputs().words() {
        println!("{}", word.len());
    }
    Ok(())
}
//~ RTX0111 RTX0119 RTX0071 RTX0032 RTX0003 RTX0002 RTX0076 RTX0076 RTX0075 RTX0077 RTX0001
