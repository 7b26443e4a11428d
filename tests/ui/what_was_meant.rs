#![allow(dead_code, unused)]
use routilux::prelude::*;
#[routine]
struct R {}
#[routine]
impl R {
    #[event]
    fn e(n: u64);
    #[event]
    fn g(n: u64);
    #[slot(emit = e)]
    fn s(&self, n: u64) -> Result<u64> {
        Ok(n)
    }
    #[join]
    fn j(&self, a: u64, b: u64) {}
}
#[routine]
struct M {}
#[routine]
impl M {
    #[sloot]
    fn s(&self, n: u64) {}
    #[evnt]
    fn e(n: u64);
    #[event]
    async fn asy(n: u64);
    #[slot("append")]
    fn a(&self, n: Vec<u64>) {}
    #[slot(merge: "append")]
    fn b(&self, n: Vec<u64>) {}
}
#[routine]
struct S {}
#[routine]
impl S {
    #[source]
    fn go(&mut self) -> More {
        More::Done
    }
}
flow! { flow OnlySources() { s: S; } }
flow! { flow Nothing() { } }
flow! { flow Par(offset) { } }
flow! { flow Par2(offset:) { } }
flow! { flow Ret() -> u64 { r: R; in n -> r.s; r.e -> return; } }
flow! { pub fn Fun() { r: R; in n -> r.s; } }
flow! {
    flow F() {
        out: R;
        self: R;
        in: R;
        r: R;
        q: 3 + 4;
        in a -> r.j.c;
        in b -> r.j.b;
        in n -> r.s;
        r.s.eror -> out failed;
        r.e -> retrun;
        r.e -> ot name;
        r.e -> lop r.s;
        inn m -> r.s;
        ignor r.e;
        r.e if |n| *n > 3 -> out x1 else if |n| *n < 3 -> out x2;
        ignore r.e, r.g;
        r.e() -> out e;
        r.e -> out e2 if |n| *n < 3;
        r.e -> n + 1 -> out e3: u64;
        r.e if n < 3 -> out e4;
        r.e -> loop(-3) r.s;
        on error r.s skip;
        on error in r.s skip;
        on error r skip;
        on error of r.s skip if |_| true;
        on error of r.s retry(3, 1s, 2x);
        on error of r.s retry(-1);
        on error -> |e| e -> r.s;
    }
}
fn main() {}
//~ RTX0104 RTX0104 RTX0110 RTX0113 RTX0113 RTX0023 RTX0071 RTX0071 RTX0070 RTX0070 RTX0090 RTX0090 RTX0090 RTX0076 RTX0004 RTX0002 RTX0077 RTX0077 RTX0077 RTX0077 RTX0072 RTX0081 RTX0072 RTX0077 RTX0078 RTX0079 RTX0078 RTX0082 RTX0085 RTX0085 RTX0085 RTX0085 RTX0087 RTX0087 RTX0089 RTX0023
