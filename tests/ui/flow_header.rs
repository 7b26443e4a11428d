use routilux::prelude::*;

flow! {
    pub flow (n: u64) {}
}

flow! {
    fow Misspelt() {}
}

flow! {
    flow Borrows<'a>() {}
}

flow! {
    flow Bounded<T>() where T {}
}

flow! {
    flow WithoutBody();
}

flow! {
    flow Parameters(n) {}
}

flow! {
    flow One() {}
    flow Two() {}
}

fn main() {}
//~ RTX0070 RTX0070 RTX0070 RTX0070 RTX0070 RTX0071 RTX0070
