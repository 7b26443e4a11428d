//! What a slot keeps cannot be saved, has no beginning, or cannot be put back.

use routilux::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default)]
struct NotSaved;

#[derive(Serialize, Deserialize)]
struct NoDefault;

#[derive(Default, Serialize, Deserialize)]
struct NoClone;

#[routine]
struct Gathers {
    #[state]
    failed: u64,
}

#[routine]
impl Gathers {
    #[merge]
    fn into_not_saved(acc: &mut NotSaved, n: u64) {
        drop((acc, n));
    }

    #[merge]
    fn into_no_default(acc: &mut NoDefault, n: u64) {
        drop((acc, n));
    }

    #[merge]
    fn into_no_clone(acc: &mut NoClone, n: u64) {
        drop((acc, n));
    }

    #[slot(merge = into_not_saved, when = "drained")]
    fn not_saved(&mut self, all: NotSaved) {
        drop(all);
    }

    #[slot(merge = into_not_saved)]
    fn not_saved_either(&mut self, all: &NotSaved) {
        drop(all);
    }

    #[slot(merge = into_no_default, when = "drained")]
    fn no_default(&mut self, all: NoDefault) {
        drop(all);
    }

    #[slot(merge = into_no_clone, when = "drained")]
    fn no_clone(&mut self, all: NoClone) -> Result {
        drop(all);
        Ok(())
    }

    #[slot(merge = "append", when = "all")]
    fn batch(&mut self, all: Vec<NoClone>) -> Result {
        drop(all);
        Ok(())
    }

    // These cannot fail, or need not be put back.
    #[slot(merge = "append", when = "all")]
    fn fine(&mut self, all: Vec<NoClone>) {
        drop(all);
    }

    #[slot(merge = into_no_clone, when = "drained", atomic = false)]
    fn fine_too(&mut self, all: NoClone) -> Result {
        drop(all);
        Ok(())
    }
}

#[derive(Clone)]
struct Opaque;

#[routine]
struct Joins;

#[routine]
impl Joins {
    #[join]
    fn by_value(&self, order: u64, opaque: Opaque) {
        drop((order, opaque));
    }

    #[join(within = "1s")]
    fn by_reference(&self, order: &u64, opaque: &Opaque) {
        drop((order, opaque));
    }

    #[join]
    fn fallible(&self, order: u64, other: NoClone) -> Result {
        drop((order, other));
        Ok(())
    }

    #[join]
    fn fallible_by_reference(&self, order: &u64, other: &NoClone) -> Result {
        drop((order, other));
        Ok(())
    }
}

fn main() {}
//~ RTX0161 RTX0161 RTX0157 RTX0157 RTX0155 RTX0155 RTX0157
