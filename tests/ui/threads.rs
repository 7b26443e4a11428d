//! A routine or payload that is not safe for threads: the flow runs in one thread, and does not start on several.

use routilux::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

#[routine]
pub struct Remembers {
    limit: u64,
    #[transient]
    last: Option<Rc<u64>>,
}

#[routine]
impl Remembers {
    #[event]
    fn same(n: u64);

    #[slot]
    fn n(&mut self, n: u64, out: &mut Emit<Self>) {
        if n < self.limit && self.last.as_deref() == Some(&n) {
            out.same(n);
        }
        self.last = Some(Rc::new(n));
    }
}

#[routine]
pub struct Notes {
    #[resource]
    notes: Arc<RefCell<Vec<u64>>>,
}

#[routine]
impl Notes {
    #[slot]
    fn n(&self, n: u64) {
        self.notes.borrow_mut().push(n);
    }
}

flow! {
    flow Remembering() {
        r: Remembers { limit: 3 };
        in n -> r.n;
        r.same -> out same;
    }
}

flow! {
    flow Noting(notes: Arc<RefCell<Vec<u64>>>) {
        notes: Notes { notes };
        in n -> notes.n;
    }
}

/// A cell is all right where handlers take `&mut self`.
#[routine]
pub struct Alone {
    #[transient]
    cell: RefCell<u64>,
}

#[routine]
impl Alone {
    #[slot]
    fn n(&mut self, n: u64) {
        *self.cell.get_mut() = n;
    }
}

flow! {
    flow Alones() {
        alone: Alone;
        in n -> alone.n;
    }
}

fn main() -> routilux::Result<()> {
    let _ = Remembering::new().job().run()?;
    let _ = Remembering::new().job().start()?;
    let _ = Noting::new(Default::default()).job().run()?;
    let _ = Noting::new(Default::default()).job().workers(2).start()?;
    let _ = Alones::new().job().start()?;
    Ok(())
}
//~ RTX0162 RTX0162
