/// A handle to the output of a node.
#[derive(Clone, Copy)]
pub struct Variable<'t> {
    tape: &'t Tape,
    number: usize,
}
