use routilux::prelude::*;

#[routine]
struct Folds;

#[routine]
impl Folds {
    #[merge]
    fn with_self(&self, acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[merge]
    fn nothing() {}

    #[merge]
    fn by_value(acc: u64, n: u64) {
        drop((acc, n));
    }

    #[merge]
    fn shared(acc: &String, text: String) {
        drop((acc, text));
    }

    #[merge]
    fn slice(acc: &mut [u64], n: u64) {
        acc[0] = n;
    }

    #[merge]
    fn borrowed(acc: &mut String, text: &str) {
        acc.push_str(text);
    }

    #[merge]
    fn any(acc: &mut u64, n: impl Into<u64>) {
        *acc += n.into();
    }

    #[merge]
    fn generic<T>(acc: &mut u64, n: T) {
        drop((acc, n));
    }

    #[merge]
    fn returns(acc: &mut u64, n: u64) -> u64 {
        *acc + n
    }

    #[merge]
    fn emits(acc: &mut u64, n: u64, out: &mut Emit<Self>) {
        drop((acc, n, out));
    }

    #[merge]
    async fn waits(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[merge(append)]
    fn option(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[merge]
    #[slot]
    fn both(&self, n: u64) {
        drop(n);
    }

    #[merge]
    #[merge]
    fn twice(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[merge]
    #[cfg(debug_assertions)]
    fn sometimes(acc: &mut u64, n: u64) {
        *acc += n;
    }

    #[merge]
    fn without_body(acc: &mut u64, n: u64);

    // Whose fold has a mistake has none of its own.
    #[slot(merge = returns, when = "drained")]
    fn sum(&self, sum: u32) {
        drop(sum);
    }
}

fn main() {}
//~ RTX0124 RTX0124 RTX0124 RTX0124 RTX0124 RTX0124 RTX0111 RTX0124 RTX0124 RTX0124 RTX0124 RTX0124 RTX0130 RTX0130 RTX0107 RTX0124
