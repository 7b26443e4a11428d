//! Every mistake of `tests/ui` has the error that its `.stderr` says, and no other. To take over what the compiler
//! says now, run with `TRYBUILD=overwrite`, and read it as the person who made the mistake.

#[test]
fn mistakes_are_told() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
