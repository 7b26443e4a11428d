//! What a handler takes where its slot keeps something, and does not.

use routilux::prelude::*;
use std::collections::HashMap;

#[routine]
struct Gathers;

#[routine]
impl Gathers {
    #[merge]
    fn add(acc: &mut HashMap<String, u64>, n: u64) {
        *acc.entry(String::new()).or_default() += n;
    }

    #[slot(merge = "append")]
    fn one(&self, n: u64) {
        drop(n);
    }

    #[slot(merge = "append")]
    fn owned(&self, all: Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append")]
    fn two(&self, n: u64, text: &str) {
        drop((n, text));
    }

    #[slot(merge = "append")]
    fn nothing(&self) {}

    #[slot(merge = "append", when = "drained")]
    fn slice(&self, all: &[u64]) {
        drop(all);
    }

    #[slot(merge = "append", when = "all")]
    fn referred(&self, all: &Vec<u64>) {
        drop(all);
    }

    #[slot(merge = "append", when = 3)]
    fn single(&self, text: &str) {
        drop(text);
    }

    #[slot(merge = "latest", when = "all")]
    fn newest(&self, a: u64, b: u64) {
        drop((a, b));
    }

    #[slot(merge = "latest")]
    fn list(&self, all: &[u64]) {
        drop(all);
    }

    #[slot(merge = add)]
    fn folded(&self, n: u64) {
        drop(n);
    }

    #[slot(merge = add)]
    fn folded_owned(&self, counts: HashMap<String, u64>) {
        drop(counts);
    }

    #[slot(merge = add, when = "drained")]
    fn folded_by_reference(&self, counts: &HashMap<String, u64>) {
        drop(counts);
    }

    #[slot(merge = add, when = "drained")]
    fn other_type(&self, counts: std::collections::HashMap<String, u32>) {
        drop(counts);
    }

    #[slot]
    fn plain(&self, all: &[u64]) {
        drop(all);
    }

    #[slot(merge = "append", when = "drained", parallel = 4)]
    fn at_once(&self, all: Vec<u64>) {
        drop(all);
    }
}

fn main() {}
//~ RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0120 RTX0132
