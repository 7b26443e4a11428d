use routilux::prelude::*;

struct Sink;

#[routine]
impl Sink {
    #[event]
    fn seen(n: u64);

    #[slot]
    fn n(&self, n: u64, out: &mut Emit<Self>) {
        out.seen(n);
    }
}

struct Held<T> {
    held: T,
}

#[routine]
impl<T: Payload> Held<T> {
    #[slot]
    fn value(&self, value: T) {
        drop(value);
    }
}

flow! {
    flow Sinks(n: u64) {
        sink: Sink;
        in n -> sink.n;
        sink.seen -> out seen;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Sinks::new(3).job();
    job.inputs().n(3)?;
    job.run()?;
    for seen in job.outputs().seen() {
        println!("{seen}");
    }
    Ok(())
}
//~ RTX0101 RTX0101
