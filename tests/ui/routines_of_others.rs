use routilux::prelude::*;
use tests::words::*;

mod one {
    use routilux::prelude::*;

    #[routine]
    struct Hidden;

    #[routine]
    impl Hidden {
        #[slot]
        fn word(&self, word: &str) {
            drop(word.len());
        }
    }

    #[routine]
    pub struct Sink;

    #[routine]
    impl Sink {
        #[slot]
        fn word(&self, word: &str) {
            drop(word.len());
        }
    }
}

mod two {
    use routilux::prelude::*;

    #[routine]
    pub struct Sink;

    #[routine]
    impl Sink {
        #[slot]
        fn word(&self, word: &str) {
            drop(word.len());
        }
    }
}

#[allow(unused_imports)]
use one::*;
#[allow(unused_imports)]
use two::*;

flow! {
    flow Private() {
        tok: Tokenizer { lowercase: true };
        hidden: one::Hidden;
        in line -> tok.line;
        tok.word -> hidden.word;
    }
}

flow! {
    flow Ambiguous() {
        tok: Tokenizer { lowercase: true };
        sink: Sink;
        in line -> tok.line;
        tok.word -> sink.word;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Private::new().job();
    job.inputs().line("a b".into())?;
    job.run()?;
    let mut job = Ambiguous::new().job();
    job.inputs().line("a b".into())?;
    job.run()?;
    Ok(())
}
//~ E0659 E0603
