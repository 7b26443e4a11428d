use routilux::prelude::*;

#[routine]
struct Find<'a> {
    word: &'a str,
}

#[routine]
impl<'a> Find<'a> {
    #[event]
    fn found(line: String);

    #[slot]
    fn line(&self, line: &str, out: &mut Emit<Self>) {
        if line.contains(self.word) {
            out.found(line.to_owned());
        }
    }
}

flow! {
    flow Search() {
        find: Find { word: "a" };
        in line -> find.line;
        find.found -> out lines;
    }
}

fn main() -> routilux::Result<()> {
    let mut job = Search::new().job();
    job.inputs().line("a".to_owned())?;
    job.run()?;
    Ok(())
}
//~ RTX0131
