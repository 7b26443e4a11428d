use routilux::prelude::*;
use std::rc::Rc;

#[routine]
struct Writer;

#[routine]
impl Writer {
    #[event(live)]
    fn token(number: u64, text: Rc<str>);

    #[slot]
    fn ask(&self, question: String, out: &mut Emit<Self>) {
        out.token(1, question.into());
    }
}

#[routine]
struct Echo<T: Payload> {
    last: Option<T>,
}

#[routine]
impl<T: Payload> Echo<T> {
    #[event(live)]
    fn heard(what: T);

    #[slot]
    fn say(&mut self, what: T, out: &mut Emit<Self>) {
        self.last = None;
        out.heard(what);
    }
}

flow! {
    flow Chat() {
        writer: Writer;
        echo: Echo<String> { last: None };
        in ask -> writer.ask, echo.say;
        writer.token -> out tokens;
        echo.heard -> out heard;
    }
}

fn main() {
    let mut job = Chat::new().job();
    let tokens = job.outputs().tokens();
    assert!(tokens.try_next().is_none());
}
//~ RTX0163 E0277
