use routilux::prelude::*;

#[routine]
struct Sink<T> {
    #[cfg(unix)]
    path: String,
    #[state]
    value: Option<T>,
    next: Option<Box<Self>>,
}

#[routine]
impl<T: Payload> Sink<T> {
    #[cfg(unix)]
    #[event]
    fn stored(path: String);

    #[event]
    fn moved(sink: Self);

    #[cfg(unix)]
    #[slot]
    fn value(&mut self, value: T) {
        self.value = Some(value);
    }
}

fn main() {}
//~ RTX0109 RTX0107 RTX0108 RTX0107 RTX0111 RTX0107
