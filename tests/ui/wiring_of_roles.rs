use routilux::prelude::*;

#[routine]
struct Desk;

#[routine]
impl Desk {
    #[event]
    fn pair(text: String);

    #[join(within = "5s")]
    fn settle(&mut self, order: u64, payment: String, out: &mut Emit<Self>) -> Result {
        out.pair(format!("{order} {payment}"));
        Ok(())
    }

    #[source]
    fn lines(&mut self) -> More {
        More::Done
    }

    #[slot]
    fn open(&mut self, path: String, out: &mut Emit<Self>) -> Result {
        drop(path);
        out.lines();
        Ok(())
    }

    #[slot]
    fn note(&mut self, text: String) {
        drop(text);
    }

    #[finish]
    fn flush(&mut self) {}
}

flow! {
    flow Orders() {
        desk: Desk;
        in order -> desk.settle;
        in payment -> desk.settle.paymnt;
        in path -> desk.open, desk.lines, desk.flush;
        desk.settle.unpaird -> out unpaired;
        desk.pair -> loop desk.note;
        desk.error -> out failed;
        desk.note.error -> out noted;
        on error of desk.note skip;
        on error of desk.opne skip;
        on error of dsk skip;
        on panic of desk.note skip;
        on error of desk.open skip;
        on error of desk.open stop;
        on error skip;
        on error stop;
    }
}

fn main() {}
//~ RTX0008 RTX0004 RTX0009 RTX0009 RTX0002 RTX0011 RTX0010 RTX0010 RTX0003 RTX0001 RTX0031 RTX0032 RTX0033
