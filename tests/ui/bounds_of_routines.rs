use routilux::prelude::*;

#[routine]
struct Last<T: Payload> {
    #[state]
    last: Option<T>,
}

#[routine]
impl<T> Last<T> {
    #[slot]
    fn value(&mut self, value: T) {
        self.last = Some(value);
    }
}

#[routine]
struct Cloned<T: Clone + Default> {
    #[state]
    last: Option<T>,
}

#[routine]
impl<T> Cloned<T>
where
    T: Clone + Default,
{
    #[event]
    fn again(value: T);

    #[slot]
    fn value(&mut self, value: &T, out: &mut Emit<Self>) {
        self.last = Some(value.clone());
        out.again(value.clone());
    }
}

flow! {
    flow Values() {
        last: Last<u64>;
        cloned: Cloned<u64>;
        in value -> last.value, cloned.value;
        cloned.again -> out again;
    }
}

fn main() {}
//~ RTX0109 RTX0109 RTX0109
