use routilux::prelude::*;

#[routine]
struct Source;

#[routine]
impl Source {
    #[event]
    fn word(text: String);

    #[slot]
    fn go(&self, out: &mut Emit<Self>) {
        out.wrod("x".to_owned());
    }
}

fn main() {}
//~ E0599
