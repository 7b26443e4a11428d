use routilux::prelude::*;
use std::path::Path;

#[routine]
struct Handlers;

#[routine]
impl Handlers {
    #[event]
    fn seen(n: u64);

    #[slot]
    fn without_self(n: u64) {
        drop(n);
    }

    #[slot]
    fn by_value(self, n: u64) {
        drop(n);
    }

    #[slot]
    fn borrowed_path(&self, path: &Path) {
        drop(path);
    }

    #[slot]
    fn exclusive(&self, n: &mut u64) {
        *n = 1;
    }

    #[slot]
    fn order(&self, out: &mut Emit<Self>, n: u64) {
        out.seen(n);
    }

    #[slot]
    fn shared_outbox(&self, n: u64, out: &Emit<Self>) {
        drop((n, out));
    }

    #[slot]
    fn context_first(&self, cx: &Context, out: &mut Emit<Self>) {
        out.seen(cx.delivery());
    }

    #[slot]
    fn generic<T>(&self, n: T) {
        drop(n);
    }

    #[slot]
    fn any(&self, n: impl Into<u64>) {
        drop(n.into());
    }

    #[slot]
    fn owned_context(&self, n: u64, cx: Context) {
        drop((n, cx));
    }

    #[slot]
    fn owned_outbox(&self, n: u64, out: Emit<Self>) {
        drop((n, out));
    }

    #[slot]
    fn without_body(&self, n: u64);

    fn not_marked(n: u64);

    #[slot]
    #[event]
    fn both(n: u64);
}

fn main() {}
//~ RTX0118 RTX0118 RTX0111 RTX0119 RTX0119 RTX0119 RTX0119 RTX0123 RTX0111 RTX0119 RTX0119 RTX0123 RTX0123 RTX0130
