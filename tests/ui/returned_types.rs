//! What a handler returns is not what its event carries.

use routilux::prelude::*;

#[routine]
struct Returns;

#[routine]
impl Returns {
    #[event]
    fn word(text: String);
    #[event]
    fn counted(words: usize, letters: usize);

    #[slot(emit = word)]
    fn number(&self, n: u64) -> u64 {
        n
    }

    #[slot(emit = word)]
    fn numbers(&self, n: u64) -> Result<Vec<u64>> {
        Ok(vec![n])
    }

    #[slot(emit = word)]
    fn range(&self, n: u64) -> impl Iterator<Item = u64> {
        0..n
    }

    #[slot(emit = counted)]
    fn one_of_two(&self, text: String) -> usize {
        text.len()
    }

    #[slot(emit = word)]
    fn no_error(&self, text: String) -> Result<String, u64> {
        Ok(text)
    }

    #[source]
    fn lines(&mut self) -> Result<More, u64> {
        Ok(More::Done)
    }
}

fn main() {}
//~ RTX0165 RTX0165 RTX0165 RTX0165 RTX0164 RTX0164
