//! The smallest flow: one routine, one input, one result.

use routilux::prelude::*;
use std::io::Write;

/// Greets whom it is told to.
#[routine]
struct Greeter {
    greeting: String,
}

#[routine]
impl Greeter {
    /// The finished greeting.
    #[event]
    fn greeted(text: String);

    /// Takes a name.
    #[slot]
    fn name(&self, name: String, out: &mut Emit<Self>) {
        out.greeted(format!("{}, {name}!", self.greeting));
    }
}

flow! {
    /// A name goes in, a greeting comes out.
    flow Hello(greeting: String) {
        greeter: Greeter { greeting };

        in name         -> greeter.name;
        greeter.greeted -> return;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Hello::new("Hello".into()).job();
    job.inputs().name("world".into())?;
    let report = job.run()?;
    // Where stdout is closed, nobody asks for it.
    let _ = writeln!(std::io::stdout(), "{}", report.result()?);
    Ok(())
}
