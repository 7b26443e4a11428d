use routilux::prelude::*;

#[routine]
struct Read;

#[routine]
impl Read {
    #[event]
    fn number(n: u64);

    #[slot]
    fn text(&self, text: &str, out: &mut Emit<Self>) -> Result {
        out.number(text.parse()?);
        Ok(())
    }

    #[slot(optional)]
    fn word(&self, word: &u64) -> Result {
        drop(word);
        Ok(())
    }

    #[slot(optional)]
    fn takes(&self, failed: Failure<String>) {
        drop(failed);
    }
}

flow! {
    flow Numbers() {
        read: Read;
        in text -> read.text;
        in word -> read.word;
        read.number -> out numbers;
        on error of read.text if |error| error.kind() == 3 skip;
        on error of read.text if |error| error skip;
        on panic of read.text if |panic| panic.downcast_ref::<u64>() skip;
        on error -> loop read.takes;
    }
}

fn main() {}
//~ RTX0150 E0599 E0308 E0599
