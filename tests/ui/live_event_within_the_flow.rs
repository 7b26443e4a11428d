use routilux::prelude::*;

#[routine]
struct Writer;

#[routine]
impl Writer {
    #[event(live)]
    fn token(text: String);
    #[event]
    fn answer(text: String);

    #[slot]
    fn ask(&self, question: String, out: &mut Emit<Self>) {
        out.token(question.clone());
        out.answer(question);
    }
}

flow! {
    flow Chat() {
        writer: Writer;
        second: Writer;
        in ask -> writer.ask;
        writer.token -> out tokens, second.ask;
        writer.answer -> return;
        second.token -> return;
        second.answer -> loop writer.ask;
    }
}

fn main() {
    let mut job = Chat::new().job();
    for token in job.outputs().tokens() {
        println!("{}: {}", token.attempt, token.payload);
    }
}
//~ RTX0026 RTX0026
