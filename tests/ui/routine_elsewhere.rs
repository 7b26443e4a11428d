use routilux::prelude::*;

#[routine]
enum NotAStruct {
    Variant,
}

struct Thing;

#[routine]
impl Clone for Thing {
    fn clone(&self) -> Self {
        Thing
    }
}

#[routine(lowercase = true)]
struct Arguments;

fn main() {}
//~ RTX0100 RTX0100 RTX0100
