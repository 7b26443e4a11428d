use routilux::prelude::*;

#[routine]
struct Writer;

#[routine]
impl Writer {
    #[event(live)]
    fn token(text: String);

    #[slot]
    fn text(&self, text: String, out: &mut Emit<Self>) {
        out.token(text);
    }
}

flow! {
    flow Chat() {
        writer: Writer;
        in text -> writer.text;
        writer.token if |token| token.len() > 3 -> out long;
        writer.token -> |token| token.len() -> out lengths: usize;
        writer.token => out boxed: Box<str>;
    }
}

fn main() {}
//~ RTX0028 RTX0028 RTX0028
