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
    flow Tokens() {
        writer: Writer;
        in ask -> writer.ask;
        writer.token -> out text;
        writer.answer -> out text;
    }
}

flow! {
    flow Answers() {
        writer: Writer;
        in ask -> writer.ask;
        writer.answer -> out text;
        writer.token -> out text;
    }
}

fn main() {
    let tokens = Tokens::new().job().outputs().text();
    while let Some(token) = tokens.try_next() {
        println!("{}", token.payload);
    }
    for answer in Answers::new().job().outputs().text() {
        println!("{answer}");
    }
}
//~ RTX0027 RTX0027
