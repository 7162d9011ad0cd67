//! What a pullback gives, and to whom.

use wengert_kernel::rows::copy;

use super::{Float, Variable};
use crate::base::dims::Dims;
use crate::base::error::Error;
use crate::base::mode::is_recording;
use crate::tensor::storage::Claim;
use crate::tensor::{Region, Tensor};

/// What a pullback contributes to a cotangent.
pub(crate) enum Term<T: Float> {
    /// A term of the value's shape.
    Whole(Variable<T>),
    /// A term that is zero outside a region of the value; boxed, so that the common term stays small.
    Part(Box<(Region, Variable<T>)>),
}

impl<T: Float> Term<T> {
    /// The shape of the value whose cotangent this is a term of.
    #[inline]
    pub(crate) fn dims(&self) -> &Dims {
        match self {
            Term::Whole(cotangent) => cotangent.dims(),
            Term::Part(part) => &part.0.base,
        }
    }

    /// The term, or the part of it that is not zero.
    pub(crate) fn value(&self) -> &Variable<T> {
        match self {
            Term::Whole(cotangent) => cotangent,
            Term::Part(part) => &part.1,
        }
    }
}

/// Where the terms of a node's inputs go.
pub(crate) trait Arrivals<T: Float> {
    /// Whether a cotangent of input `i` is of use.
    fn wants(&self, i: usize) -> bool;

    /// Ends the walk with an error once the pullback at work is done; the first one counts.
    fn refuse(&mut self, error: Error);

    /// A wanted term arrives at input `i`.
    fn arrive(&mut self, i: usize, term: Term<T>);

    /// [`Arrivals::arrive`] for a value without history, the common case.
    fn arrive_value(&mut self, i: usize, value: Tensor<T>);

    /// The term `left^T right` arrives at input `i`, to be summed later.
    fn arrive_late(&mut self, i: usize, left: Variable<T>, right: Variable<T>);

    /// The right to write the cotangent of input `i` to the place where it will be wanted, if there is one.
    fn claim(&mut self, i: usize) -> Option<Claim<T>>;
}

/// Adds a term of a value's shape to the sum of those that have come so far: in place, unless sums are
/// recorded or somebody else holds this one.
pub(crate) fn add_whole<T: Float>(sum: &mut Option<Variable<T>>, term: Variable<T>) {
    let Some(so_far) = sum else {
        *sum = Some(term);
        return;
    };
    match so_far.exclusive_mut().filter(|_| !is_recording()) {
        Some(target) => {
            let source = term.peek();
            copy::update(target, &source.dims().row_major(), source.as_view(), |a, b| a + b);
        }
        None => *so_far = &*so_far + &term,
    }
}
