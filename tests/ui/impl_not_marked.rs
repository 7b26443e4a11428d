use routilux::prelude::*;

#[routine]
struct Greeter {
    greeting: String,
}

impl Greeter {
    #[event]
    fn greeted(text: String);

    #[slot]
    fn name(&self, name: &str, out: &mut Emit<Self>) {
        out.greeted(format!("{}, {name}!", self.greeting));
    }

    #[finish]
    fn end(&self) {}
}

fn main() {}
//~ RTX0102
