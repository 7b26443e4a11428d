//! The program `hello` greets.

mod common;

#[test]
fn it_greets_the_world() {
    let said = common::run::<&str>(env!("CARGO_BIN_EXE_hello"), []).quiet();
    assert_eq!(said, "Hello, world!\n");
}
