//! `#[source]` and `#[finish]`.

use routilux::prelude::*;

#[routine]
struct Sources;

#[routine]
impl Sources {
    #[source]
    fn shared(&self) -> More {
        More::Done
    }

    #[source]
    fn payload(&mut self, path: String, out: &mut Emit<Self>) -> Result<More> {
        drop((path, out));
        Ok(More::Done)
    }

    #[source]
    fn says_nothing(&mut self) {}

    #[source]
    fn says_whether_it_failed(&mut self) -> Result {
        Ok(())
    }

    #[source]
    fn says_something_else(&mut self) -> bool {
        false
    }

    #[source]
    async fn waits(&mut self) -> More {
        More::Done
    }

    #[source(begin)]
    fn misspelt(&mut self) -> More {
        More::Done
    }

    #[source(start = true)]
    fn value(&mut self) -> More {
        More::Done
    }

    #[source(emit = line)]
    fn emits(&mut self) -> More {
        More::Done
    }

    #[source]
    fn every(&mut self) -> More {
        More::Done
    }

    #[source]
    fn without_self() -> More {
        More::Done
    }

    #[source]
    fn without_body(&mut self) -> More;

    #[finish]
    fn flush(&mut self, n: u64) {
        drop(n);
    }

    #[finish]
    fn first(&mut self) {}

    #[finish]
    fn second(&self) {}

    #[finish]
    async fn afterwards(&self) {}

    #[finish(when = "drained")]
    fn option(&self) {}

    #[finish]
    fn without_body(&mut self);
}

fn main() {}
//~ RTX0118 RTX0126 RTX0126 RTX0126 RTX0126 RTX0122 RTX0112 RTX0113 RTX0112 RTX0090 RTX0118 RTX0123 RTX0127 RTX0127 RTX0122 RTX0112 RTX0123
