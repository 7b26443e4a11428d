use routilux::prelude::*;
use tests::words::*;

#[routine]
struct Keep<T: Payload> {
    #[state]
    all: Vec<T>,
}

#[routine]
impl<T: Payload> Keep<T> {
    #[slot]
    fn value(&mut self, value: T) {
        self.all.push(value);
    }
}

flow! {
    flow Kept() {
        tok: Tokenizer { lowercase: true };
        keep: Keep;
        in line -> tok.line;
        tok.word -> keep.value;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Kept::new().job();
    job.inputs().line("a b".into())?;
    job.run()?;
    Ok(())
}
//~ E0107
