use routilux::prelude::*;

#[routine]
struct Keep<T: Payload + Clone> {
    #[state]
    kept: Vec<T>,
}

#[routine]
impl<T: Payload + Clone> Keep<T> {
    #[event]
    fn all(values: Vec<T>);

    #[slot]
    fn value(&mut self, value: &T, out: &mut Emit<Self>) -> Result {
        self.kept.push(value.clone());
        out.all(self.kept.clone());
        Ok(())
    }
}

flow! {
    flow NoBound<T>() {
        keep: Keep<T>;
        in value -> keep.value;
        keep.all -> out all;
    }
}

flow! {
    flow TooLittle<T: Payload>() {
        keep: Keep<T>;
        in value -> keep.value;
        keep.all -> out all;
    }
}

flow! {
    flow ParameterNotClone<T: Payload>(first: T) {
        keep: Keep<u64>;
        in value -> keep.value;
        keep.all -> out all;
    }
}

flow! {
    flow Right<T>(first: T) where T: Payload + Clone {
        keep: Keep<T>;
        in value -> keep.value;
        keep.all -> out all;
    }
}

struct NotSaved;

fn main() {
    let _ = Right::new(3).job();
    let _ = Right::new(NotSaved).job();
}
//~ RTX0054 RTX0054 RTX0054 E0599
