//! The tape as data: what was recorded, in order, to be read, printed, drawn and run again.

mod display;
mod failed;
mod gather;
mod kept;
mod placed;
mod pulled;
mod replay;

use std::borrow::Cow;

pub use failed::{FailedRecording, try_record};
pub use kept::KeptStorage;
pub use pulled::{LateProducts, Pulled};
pub use replay::{Deviation, Replay};

use crate::io::AnyTensor;
use crate::tape::{Attributes, Program};

/// The recorded operations that a value was computed by, in order.
///
/// Leaves stand first, then operations as they were recorded. What was computed inside
/// [`record`](crate::record) has its values too, and after a backward their gradients.
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable};
/// let x = Variable::new(Tensor::from([[1.0f32, 2.0]])).requires_grad_(true);
/// let w = Variable::new(Tensor::from([[3.0f32], [4.0]])).requires_grad_(true);
/// let loss = (x.matmul(&w) * 2.0).tanh().sum();
/// assert_eq!(Tape::of(&loss).to_string(), "\
/// %0 = leaf                        [1, 2]  grad
/// %1 = leaf                        [2, 1]  grad
/// %2 = MatMul(%0, %1)              [1, 1]  grad
/// %3 = MulScalar(%2, c=2)          [1, 1]  grad
/// %4 = Tanh(%3)                    [1, 1]  grad
/// %5 = Sum(%4, dim=[0, 1])         []      grad
/// ");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tape {
    entries: Vec<TapeEntry>,
}

/// A line of a [`Tape`]: a leaf or an operation.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TapeEntry {
    /// The line's place in the listing; inputs have lower numbers.
    pub number: usize,
    /// The operation's name, or `leaf`.
    pub operation: Cow<'static, str>,
    /// The name of a leaf that is a named parameter, else empty.
    pub name: String,
    /// The arguments that the operation was called with beside its inputs.
    pub attributes: Attributes,
    /// The origin of each input.
    pub inputs: Vec<TapeInput>,
    /// The outputs; a leaf has one.
    pub outputs: Vec<TapeValue>,
    /// Whether a gradient flows through the value to a leaf that still exists.
    pub requires_grad: bool,
    /// The module path that the operation was recorded in; of a named leaf, that of the first operation that
    /// takes it.
    pub path: String,
    /// The line of the source that recorded the operation; none for a leaf.
    pub location: Option<Line>,
    /// The values that wait for the pullback; none once a backward has used it up.
    pub kept: Vec<KeptValue>,
    /// How the outputs are computed again.
    pub recompute: Recompute,
}

/// An input of an operation on a [`Tape`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum TapeInput {
    /// An output of an earlier line.
    Value {
        /// The line's number.
        number: usize,
        /// The number of the output among those of the line.
        output: usize,
    },
    /// A value that no gradient flows to; known if it was recorded.
    Constant(Option<AnyTensor>),
}

/// An output of an operation on a [`Tape`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TapeValue {
    /// The extents of the axes.
    pub shape: Vec<usize>,
    /// The value, if it was recorded.
    pub value: Option<AnyTensor>,
    /// The gradient that the last backward brought, if the value was recorded or is a leaf's.
    pub grad: Option<AnyTensor>,
}

/// A value that waits for the pullback of an operation on a [`Tape`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct KeptValue {
    /// The number of the input or, behind these, of the output that it is.
    pub place: usize,
    /// The bytes of its elements; memory that others hold too is counted at each.
    pub bytes: usize,
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Line {
    /// The file, as the compiler was given it.
    pub file: Cow<'static, str>,
    /// The line, from 1 on.
    pub line: u32,
    /// The column, from 1 on.
    pub column: u32,
}

/// How the outputs of a line on a [`Tape`] are computed again.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Recompute {
    /// A leaf, which is given and not computed.
    Leaf,
    /// The operation of this name, with its attributes, from the [registry](crate::operations).
    Registered,
    /// The steps of the formula.
    Formula(Program),
    /// An operation that can't be computed: the code is the user's, and the tape has only what came of it.
    Opaque,
}

impl Tape {
    /// The lines, in order.
    pub fn entries(&self) -> &[TapeEntry] {
        &self.entries
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The line of this number, which a [part](Tape::between) of a tape need not have.
    pub fn entry(&self, number: usize) -> Option<&TapeEntry> {
        let place = self.entries.binary_search_by_key(&number, |entry| entry.number).ok()?;
        Some(&self.entries[place])
    }

    /// A tape of these lines alone, which keep their numbers.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
    /// let tape = Tape::of(&x.exp().sum());
    /// assert_eq!(tape.filtered(|entry| entry.operation != "leaf").to_string(), "\
    /// %1 = Exp(%0)                     [1]     grad
    /// %2 = Sum(%1, dim=0)              []      grad
    /// ");
    /// ```
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&TapeEntry) -> bool) -> Tape {
        Tape { entries: self.entries.iter().filter(|entry| keep(entry)).cloned().collect() }
    }
}

impl TapeEntry {
    /// The bytes that wait for the pullback.
    pub fn kept_bytes(&self) -> usize {
        self.kept.iter().map(|kept| kept.bytes).sum()
    }

    /// Whether it is a leaf, and no operation.
    pub fn is_leaf(&self) -> bool {
        self.recompute == Recompute::Leaf
    }
}

impl TapeInput {
    /// The line that the input came from; none for a constant.
    pub fn number(&self) -> Option<usize> {
        match self {
            TapeInput::Value { number, .. } => Some(*number),
            TapeInput::Constant(_) => None,
        }
    }
}

impl TapeValue {
    /// The gradient's norm, the root of the sum of its squares, if there is a gradient.
    pub fn grad_norm(&self) -> Option<f64> {
        let grad = self.grad.as_ref()?.cast::<f64>();
        Some(grad.to_vec().into_iter().map(|x| x * x).sum::<f64>().sqrt())
    }
}
