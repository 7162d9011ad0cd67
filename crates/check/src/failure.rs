//! What a check can find, and how it says so.

use std::fmt;

use crate::matrix::Matrix;
use crate::worst::excess;

/// The reason why a check did not pass. Its `Debug` is its message, for `fn main() -> Result<(), Failure>`.
///
/// ```
/// use wengert_check::{Failure, gradcheck};
/// use wengert_core::{Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0, 2.0]));
/// let failure: Failure = gradcheck(|x| x[0].sum(), &[&x]).unwrap_err();
/// assert!(matches!(failure, Failure::NothingToCheck));
/// assert_eq!(format!("{failure:?}"), failure.to_string());
/// ```
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// A function none of whose inputs requires a gradient: there is nothing to check.
    #[error("gradcheck: no input requires a gradient; ask for it with requires_grad_(true)")]
    NothingToCheck,

    /// One element of an input stands at several places, so it can't be changed alone.
    #[error(
        "gradcheck: {input} of shape {shape:?} has strides {strides:?}: an axis of stride 0 repeats its \
         elements; make it contiguous(), or allow it with Gradcheck::expanded(true)"
    )]
    Expanded {
        /// The input's name.
        input: String,
        /// The input's shape.
        shape: Vec<usize>,
        /// The input's strides.
        strides: Vec<usize>,
    },

    /// The function itself gave an error.
    #[error("gradcheck: the function failed: {error}")]
    Function {
        /// The function's error, as it says it.
        error: String,
    },

    /// Going back gave an error.
    #[error("gradcheck, order {order}: the backward failed: {error}")]
    Backward {
        /// The order of the derivative that was taken, from 1.
        order: usize,
        /// The error of the walk back.
        error: Box<wengert_core::Error>,
    },

    /// A function that gave different values in two calls at the same inputs: neither derivative means
    /// anything.
    #[error(
        "gradcheck: the function is not deterministic: two calls gave {first} and {second} at {place}; \
         is there dropout in training mode, or state that a call changes?"
    )]
    NotDeterministic {
        /// The element of an output.
        place: Box<ElementPlace>,
        /// The value from the first call.
        first: f64,
        /// The value from the second call.
        second: f64,
    },

    /// Going back twice through one record gave different gradients: a pullback that changes what it reads.
    #[error(
        "gradcheck, order {order}: the backward is not reentrant: the gradient in {input} was {first}, \
         then {second}"
    )]
    NotReentrant {
        /// The order of the derivative that was taken, from 1.
        order: usize,
        /// The element of an input.
        input: Box<ElementPlace>,
        /// The gradient from the first walk.
        first: f64,
        /// The gradient from the second walk.
        second: f64,
    },

    /// A pullback that isn't linear in its cotangent: zero in must be zero out.
    #[error("gradcheck, order {order}: cotangents of zero gave a gradient of {value} in {input}")]
    ZeroCotangent {
        /// The order of the derivative that was taken, from 1.
        order: usize,
        /// The element of an input.
        input: Box<ElementPlace>,
        /// The gradient that came out.
        value: f64,
    },

    /// A cotangent that is missing must count as zero.
    #[error(
        "gradcheck, order {order}: with a cotangent for {output} alone, {input} got {left_out}; \
         with zeros for the other outputs, {zeros}"
    )]
    MissingCotangent {
        /// The order of the derivative that was taken, from 1.
        order: usize,
        /// The output that had a cotangent.
        output: String,
        /// The element of an input.
        input: Box<ElementPlace>,
        /// The gradient with the other cotangents left out.
        left_out: f64,
        /// The gradient with zeros in their place.
        zeros: f64,
    },

    /// The gradient is another one when its computation is recorded.
    #[error(
        "gradcheck, order {order}: the gradient in {input} is {plain}, and {recorded} when it is recorded \
         (create_graph)"
    )]
    RecordedDiffers {
        /// The order of the derivative that was taken, from 1.
        order: usize,
        /// The element of an input.
        input: Box<ElementPlace>,
        /// The gradient from an ordinary walk.
        plain: f64,
        /// The gradient from a recorded walk.
        recorded: f64,
    },

    /// The derivative is not that of differences.
    #[error("{0}")]
    Mismatch(Box<Mismatch>),
}

impl fmt::Debug for Failure {
    /// The message: what `main` and `unwrap` print is to be read by people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An element of an input or output.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ElementPlace {
    /// The name of the input or output.
    pub name: String,
    /// The element's index.
    pub index: Vec<usize>,
    /// The time step, where an axis is time.
    pub step: Option<usize>,
}

impl ElementPlace {
    pub(crate) fn of(label: &crate::subject::Label, shape: &[usize], element: usize) -> Box<Self> {
        Box::new(Self::new(label, shape, element))
    }

    pub(crate) fn new(label: &crate::subject::Label, shape: &[usize], element: usize) -> Self {
        let mut rest = element;
        let mut index: Vec<usize> = shape
            .iter()
            .rev()
            .map(|&extent| {
                let i = rest % extent.max(1);
                rest /= extent.max(1);
                i
            })
            .collect();
        index.reverse();
        ElementPlace { name: label.name.clone(), index, step: label.step(shape, element) }
    }
}

impl fmt::Display for ElementPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if !self.index.is_empty() {
            write!(f, " {:?}", self.index)?;
        }
        self.step.map_or(Ok(()), |step| write!(f, " (time step {step})"))
    }
}

/// The element where the derivative by the tape and the one by differences are furthest apart; in a
/// recurrence, at the first time step where they are too far.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mismatch {
    /// The order of the derivative that was taken: 1 for the gradient, 2 for the gradient of the gradient.
    pub order: usize,
    /// The element of an output.
    pub output: ElementPlace,
    /// The element of an input or parameter.
    pub input: ElementPlace,
    /// The derivative from the tape.
    pub analytical: f64,
    /// The derivative from differences; at a kink the one from the nearer side.
    pub numerical: f64,
    /// The derivatives from below and from above, at a kink.
    pub sides: Option<[f64; 2]>,
    /// How sure the differences are.
    pub uncertainty: f64,
    /// How far apart the two may be here.
    pub allowed: f64,
    /// All derivatives of this output in this input: rows are the output's elements, columns the input's.
    pub jacobians: Option<Box<[Matrix; 2]>>,
    /// Row and column of the element.
    pub at: (usize, usize),
    /// The operations that lie between the input and the output's element, in order; none without a tape.
    pub operations: Vec<String>,
    /// The seed of cotangents and projections, where there are any.
    pub seed: Option<u64>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { order, output, input, analytical, numerical, uncertainty, allowed, .. } = self;
        let off = (analytical - numerical).abs();
        writeln!(f, "the derivative of {output} in {input} is wrong (order {order})")?;
        let unsure = *uncertainty > 1e-8 * numerical.abs();
        let unsure = if unsure { format!("  (to {uncertainty:.1e})") } else { String::new() };
        writeln!(f, "  analytical  {}", short(*analytical))?;
        writeln!(f, "  numerical   {}{unsure}", short(*numerical))?;
        if let Some([below, above]) = self.sides {
            writeln!(f, "  a kink      {} from below, {} from above", short(below), short(above))?;
        }
        writeln!(f, "  off by      {off:.3e}, {:.3e} of it; allowed {allowed:.3e}", off / numerical.abs())?;
        let mut lines = Vec::new();
        if !self.operations.is_empty() {
            lines.push(format!("  operations  {}", chain(&self.operations)));
        }
        lines.extend(self.seed.map(|seed| format!("  seed        {seed}")));
        if let Some(jacobians) = &self.jacobians {
            let [analytical, numerical] = &**jacobians;
            lines.push(Matrix::beside(analytical, numerical, self.at));
        }
        f.write_str(&lines.join("\n"))
    }
}

/// At most this many operations are printed at either end.
const ENDS: usize = 8;

fn chain(operations: &[String]) -> String {
    match operations.len() {
        count if count <= 2 * ENDS => operations.join(" -> "),
        count => {
            let (first, last) = (&operations[..ENDS], &operations[count - ENDS..]);
            format!("{} -> .. {} more .. -> {}", first.join(" -> "), count - 2 * ENDS, last.join(" -> "))
        }
    }
}

/// What kind of failure it is: a smaller case must be of the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A wrong derivative of this order, this many times what is allowed off.
    Mismatch { order: usize, excess: f64 },
    /// A broken law of this order; one of [`Failure`]'s kinds.
    Law(std::mem::Discriminant<Failure>, usize),
    /// A panic there.
    Panic(String),
    /// What a property said itself.
    Said,
}

impl Kind {
    /// Whether this, of a smaller case, is the same failure, as clear or nearly so: not one that only just
    /// fails.
    pub fn is_like(&self, first: &Kind) -> bool {
        match (self, first) {
            (Kind::Mismatch { order, excess }, Kind::Mismatch { order: first, excess: clear }) => {
                order == first && (*excess >= clear / 10.0 || *excess == f64::INFINITY)
            }
            _ => self == first,
        }
    }
}

impl Failure {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Failure::Mismatch(mismatch) => {
                let Mismatch { order, analytical, numerical, allowed, .. } = **mismatch;
                Kind::Mismatch { order, excess: excess(analytical, numerical, allowed) }
            }
            Failure::Backward { order, .. }
            | Failure::NotReentrant { order, .. }
            | Failure::ZeroCotangent { order, .. }
            | Failure::MissingCotangent { order, .. }
            | Failure::RecordedDiffers { order, .. } => Kind::Law(std::mem::discriminant(self), *order),
            _ => Kind::Law(std::mem::discriminant(self), 1),
        }
    }
}

/// A number to ten digits, without trailing zeros.
fn short(x: f64) -> String {
    let rounded: f64 = format!("{x:.9e}").parse().unwrap_or(x);
    match rounded == 0.0 || (1e-4..1e7).contains(&rounded.abs()) {
        true => rounded.to_string(),
        false => format!("{rounded:e}"),
    }
}
