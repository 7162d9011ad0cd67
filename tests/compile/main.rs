//! What the compiler says to common mistakes: that it names what to write instead.

/// Each case stands beside its message; `TRYBUILD=overwrite` writes the messages anew.
#[test]
fn a_mistake_is_answered_with_what_to_write() {
    let cases = trybuild::TestCases::new();
    cases.pass("cases/right/*.rs");
    cases.compile_fail("cases/*.rs");
}
