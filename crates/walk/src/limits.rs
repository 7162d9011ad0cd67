//! How much is taken in, and how much is shown.

/// The most lines of a tape that are shown with values.
pub(crate) const MOST_LINES: usize = 2000;
/// The most lines that are drawn one by one.
pub(crate) const MOST_UNROLLED: usize = 400;
/// The most elements of a leaf that one can change.
pub(crate) const MOST_EDITED: usize = 64;
/// The most operations that the differences of a check may take.
pub(crate) const MOST_CHECKED: usize = 400_000;
/// The most bytes of a request.
pub(crate) const MOST_REQUEST: usize = 64 << 20;
/// The most characters of a program.
pub(crate) const MOST_SOURCE: usize = 20_000;
/// The most lines of a program.
pub(crate) const MOST_STATEMENTS: usize = 500;
/// How deep brackets and loops may be nested in a program.
pub(crate) const MOST_DEPTH: usize = 48;
/// The most steps of all loops of a program together.
pub(crate) const MOST_STEPS: usize = 1000;
/// The most operations that a program may record.
pub(crate) const MOST_NODES: usize = 20_000;
/// The most elements of a tensor of a program.
pub(crate) const MOST_SCRIPT_ELEMENTS: usize = 1 << 18;
/// The most elements of all tensors of a program together, and multiplications of all its products.
pub(crate) const MOST_WORK: usize = 1 << 26;
/// The most axes of a tensor of a program.
pub(crate) const MOST_AXES: usize = 6;
