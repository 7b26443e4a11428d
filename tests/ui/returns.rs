//! What a handler returns, and how it is emitted.

use routilux::prelude::*;

#[routine]
struct Returns;

#[routine]
impl Returns {
    #[event]
    fn word(text: String);
    #[event]
    fn number(n: u64);
    #[event]
    fn broken(text: &str);

    #[slot]
    fn goes_nowhere(&self, n: u64) -> u64 {
        n
    }

    #[slot]
    fn all_go_nowhere(&self, n: u64) -> Vec<String> {
        vec![n.to_string()]
    }

    #[slot]
    fn neither_goes_anywhere(&self, n: u32) -> Result<u32, String> {
        Ok(n)
    }

    #[slot(emit = wrod)]
    fn misspelt(&self, n: u64) -> String {
        n.to_string()
    }

    #[slot(emit = letters)]
    fn unknown(&self, n: u64) -> String {
        n.to_string()
    }

    #[slot(emit = misspelt)]
    fn slot(&self, n: u64) -> String {
        n.to_string()
    }

    #[slot(emit = "word")]
    fn quoted(&self, n: u64) -> String {
        n.to_string()
    }

    #[slot(emit = word)]
    fn nothing(&self, n: u64) {
        drop(n);
    }

    #[slot(emit = word)]
    fn nothing_or_an_error(&self, n: u64) -> Result {
        drop(n);
        Ok(())
    }

    #[slot(emit = word)]
    fn borrowed(&self, n: u64) -> &'static str {
        drop(n);
        "word"
    }

    #[slot(emit = word)]
    fn any(&self, n: u64) -> impl Into<String> {
        n.to_string()
    }

    #[slot(emit = number)]
    fn lazily(&self, n: u64, out: &mut Emit<Self>) -> impl Iterator<Item = u64> {
        out.number(n);
        0..n
    }

    // The event has a mistake, and this has none.
    #[slot(emit = broken)]
    fn right(&self, n: u64) -> String {
        n.to_string()
    }
}

fn main() {}
//~ RTX0111 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129 RTX0129
