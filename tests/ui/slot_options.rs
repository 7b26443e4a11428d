use routilux::prelude::*;

#[routine]
struct Options;

#[routine]
impl Options {
    #[merge]
    fn add(acc: &mut u64, n: u64) {
        *acc += n;
    }

    fn multiply(acc: &mut u64, n: u64) {
        *acc *= n;
    }

    #[slot(merge = "appendd")]
    fn misspelt(&self, all: &[u64]) {
        drop(all);
    }

    #[slot(merge = append)]
    fn without_quotes(&self, all: &[u64]) {
        drop(all);
    }

    #[slot(merge = "add")]
    fn with_quotes(&self, sum: &u64) {
        drop(sum);
    }

    #[slot(merge = ad)]
    fn near(&self, sum: &u64) {
        drop(sum);
    }

    #[slot(merge = multiply)]
    fn not_marked(&self, product: &u64) {
        drop(product);
    }

    #[slot(merge = 3)]
    fn number(&self, n: u64) {
        drop(n);
    }

    #[slot(when = "drained")]
    fn drained(&self, n: u64) {
        drop(n);
    }

    #[slot(merge = "override", when = 3)]
    fn three(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append", when = 0)]
    fn never(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append", when = 5_000_000_000)]
    fn too_many(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append", when = "3")]
    fn quoted(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append", when = drained)]
    fn not_quoted(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append", when = "drain")]
    fn nearly(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append", when = -1)]
    fn negative(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(mrege = "append")]
    fn key(&self, all: &[u64]) {
        drop(all);
    }

    #[slot(merge)]
    fn value(&self, n: u64) {
        drop(n);
    }

    #[slot(atomic = "no")]
    fn atomic(&self, n: u64) {
        drop(n);
    }

    #[slot(optional, optional)]
    fn twice(&self, n: u64) {
        drop(n);
    }

    #[slot(latest)]
    fn elsewhere(&self, n: u64) {
        drop(n);
    }

    #[slot = "append"]
    fn brackets(&self, n: u64) {
        drop(n);
    }
}

fn main() {}
//~ RTX0115 RTX0115 RTX0115 RTX0115 RTX0115 RTX0115 RTX0117 RTX0117 RTX0116 RTX0116 RTX0116 RTX0116 RTX0116 RTX0116 RTX0112 RTX0113 RTX0113 RTX0114 RTX0112 RTX0113
