//! What has a mistake where it is declared can be emitted all the same.

use routilux::prelude::*;

#[routine]
struct Emitting;

#[routine]
impl Emitting {
    #[event]
    fn with_self(&self, n: u64);

    #[event]
    fn error(text: String);

    #[event]
    fn later(n: u64);

    #[source]
    fn lines(&self) -> More {
        More::Done
    }

    #[slot]
    fn text(&self, text: String, out: &mut Emit<Self>) {
        out.with_self(1);
        out.error(text);
        out.lines();
    }
}

fn main() {}
//~ RTX0110 RTX0090 RTX0090 RTX0118
