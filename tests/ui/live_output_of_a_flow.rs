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
        writer.token -> out tokens;
    }
}

flow! {
    flow Around() {
        one: Chat;
        other: Chat;
        third: Chat;
        writer: Writer;
        in text -> one.text, other.text, third.text, writer.text;
        one.tokens -> out tokens, out more;
        other.tokens -> out tokens;
        writer.token -> out own, out again;
        third.tokens -> out own;
    }
}

fn main() {}
//~ RTX0027 RTX0027 RTX0027
