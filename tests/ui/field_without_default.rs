use routilux::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Mode(u64);

#[routine]
struct Reader {
    #[transient]
    reader: std::fs::File,
    #[state]
    mode: Mode,
}

#[routine]
impl Reader {
    #[slot]
    fn n(&mut self, n: u64) {
        self.mode.0 = n;
        let _ = &self.reader;
    }
}

fn main() {}
//~ RTX0160 RTX0160
