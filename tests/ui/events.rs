use routilux::prelude::*;

#[routine]
struct Events;

#[routine]
impl Events {
    #[event]
    fn with_body(n: u64) {}

    #[event]
    fn with_self(&self, n: u64);

    #[event]
    fn with_result(n: u64) -> u64;

    #[event]
    fn generic<T>(n: T);

    #[event]
    fn borrowed(text: &str, list: &[u8]);

    #[event]
    fn error(text: String);

    #[event]
    fn events(n: u64);

    #[event(liev)]
    fn token(text: String);

    #[event(durable)]
    fn saved(text: String);

    #[event(live = true)]
    fn progress(text: String);

    #[event = "live"]
    fn note(text: String);

    #[event]
    fn twice(n: u64);

    #[event]
    fn twice(n: u64);

    #[event]
    fn both(n: u64);

    #[slot]
    fn both(&self, n: u64) {
        drop(n);
    }
}

fn main() {}
//~ RTX0110 RTX0110 RTX0110 RTX0110 RTX0111 RTX0090 RTX0090 RTX0112 RTX0112 RTX0113 RTX0113 RTX0128 RTX0128
