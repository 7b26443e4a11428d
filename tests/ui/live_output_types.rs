use routilux::prelude::*;

struct Token;

#[routine]
struct Writer;

#[routine]
impl Writer {
    #[event(live)]
    fn token(token: Token);
    #[event(live)]
    fn progress(percent: u32);

    #[slot]
    fn ask(&self, out: &mut Emit<Self>) {
        out.token(Token);
        out.progress(100);
    }
}

flow! {
    flow Mixed() {
        writer: Writer;
        in ask -> writer.ask;
        writer.token -> out live;
        writer.progress -> out live;
    }
}

flow! {
    flow Fan() {
        writer: Writer;
        in ask -> writer.ask;
        writer.token -> out tokens, out more, out most;
        writer.progress -> out percent, out percents;
    }
}

fn main() {}
//~ RTX0150 RTX0156
