//! Other mistakes leave what receives live events as it is.
use routilux::prelude::*;

#[routine]
struct Writer;

#[routine]
impl Writer {
    #[event(live)]
    fn token(text: String);
    #[event]
    fn done();

    #[slot]
    fn ask(&self, out: &mut Emit<Self>) {
        out.token("a".into());
        out.done();
    }
}

/// A handler of it is wrong.
#[routine]
struct Clerk;

#[routine]
impl Clerk {
    #[event(live)]
    fn token(text: String);

    #[slot]
    fn ask(self, out: &mut Emit<Self>) {
        out.token("a".into());
    }
}

flow! {
    flow Misspelt() {
        writer: Writer;
        in ask -> writer.ask;
        writer.tokne -> out tokens;
        writer.done -> retrun;
    }
}

flow! {
    flow WithClerk() {
        clerk: Clerk;
        in ask -> clerk.ask;
        clerk.token -> out tokens;
    }
}

fn main() {
    let mut job = Misspelt::new().job();
    let tokens = job.outputs().tokens();
    for token in tokens {
        println!("{} {}", token.attempt, token.payload);
    }
    let mut job = WithClerk::new().job();
    let tokens = job.outputs().tokens();
    for token in tokens {
        println!("{} {}", token.attempt, token.payload);
    }
}
//~ RTX0118 RTX0002 RTX0077
