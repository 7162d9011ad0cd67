//! What the compiler says to common mistakes: that it names what to write instead.

mod right;

/// Each case stands beside its message; `TRYBUILD=overwrite` writes the messages anew.
#[test]
fn a_mistake_is_answered_with_what_to_write() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
