use routilux::prelude::*;

#[routine]
struct Word {
    word: &str,
    #[state]
    seen: Vec<&str>,
    name: &'static str,
}

#[routine]
impl Word {
    #[event]
    fn found(line: String);

    #[slot]
    fn line(&self, line: &str, out: &mut Emit<Self>) {
        if line.contains(self.word) {
            out.found(line.to_owned());
        }
    }
}

#[routine]
struct Find<'a> {
    word: &'a str,
}

#[routine]
impl Find<'_> {
    #[slot]
    fn line(&self, line: &str) {}
}

struct Unmarked<'a> {
    word: &'a str,
}

#[routine]
impl Unmarked<'_> {
    #[slot]
    fn line(&self, line: &str) {}
}

flow! {
    flow Search() {
        word: Word { word: "a", name: "b" };
        find: Find { word: "a" };
        in line -> word.line, find.line;
        word.found -> out lines;
    }
}

fn main() {}
//~ RTX0131 RTX0131 RTX0131 RTX0101
