//! A cotangent is a sum of terms.
//!
//! Terms come in the order of the tape, last first. A term may cover only a part of the value (a slice, a
//! time step); all such parts are collected in one buffer. While nothing is recorded and nobody else
//! holds the buffer, terms are added in place.

use crate::dims::Dims;
use crate::element::Float;
use crate::kernel::copy;
use crate::ops::region::Embed;
use crate::operation::Operation;
use crate::tape::is_recording;
use crate::tensor::{Region, Tensor};
use crate::variable::Variable;

/// What a pullback contributes to a cotangent.
pub(crate) enum Term<T: Float> {
    /// A term of the value's shape.
    Whole(Variable<T>),
    /// A term that is zero outside a region of the value.
    Part(Region, Variable<T>),
}

impl<T: Float> Term<T> {
    /// The shape of the value whose cotangent this is a term of.
    pub(crate) fn shape(&self) -> &[usize] {
        match self {
            Term::Whole(cotangent) => cotangent.shape(),
            Term::Part(region, _) => &region.base,
        }
    }

    fn whole(self) -> Variable<T> {
        match self {
            Term::Whole(cotangent) => cotangent,
            Term::Part(region, cotangent) => Embed { region }.apply1(&[&cotangent]),
        }
    }
}

/// The terms of one cotangent that have come so far.
pub(crate) struct Accumulator<T: Float> {
    sum: Option<Variable<T>>,
}

impl<T: Float> Accumulator<T> {
    pub(crate) const EMPTY: Self = Accumulator { sum: None };

    /// Adds a term.
    pub(crate) fn add(&mut self, term: Term<T>) {
        let Some(mut sum) = self.sum.take() else {
            self.sum = Some(term.whole());
            return;
        };
        if is_recording() {
            self.sum = Some(&sum + &term.whole());
            return;
        }
        self.sum = match (sum.exclusive_mut(), term) {
            (Some(target), term) => {
                add_in_place(target, &term);
                Some(sum)
            }
            (None, Term::Whole(cotangent)) => Some(&sum + &cotangent),
            (None, term) => {
                let mut copy = sum.value().copy();
                add_in_place(copy.fresh_mut(), &term);
                Some(Variable::computed(copy, None))
            }
        };
    }

    /// The sum, if anything came.
    pub(crate) fn finish(self) -> Option<Variable<T>> {
        self.sum
    }
}

fn add_in_place<T: Float>(target: &mut [T], term: &Term<T>) {
    match term {
        Term::Whole(cotangent) => {
            let source = cotangent.peek();
            let strides = Dims::from(source.shape()).row_major();
            copy::update(target, &strides, source.raw(), source.strides(), source.shape(), |a, b| a + b);
        }
        Term::Part(region, cotangent) => {
            let source = cotangent.peek();
            let target = &mut target[region.offset..];
            copy::update(target, &region.strides, source.raw(), source.strides(), &region.shape, |a, b| a + b);
        }
    }
}

/// `source` at its region of a tensor that is zero elsewhere.
pub(crate) fn embed<T: Float>(region: &Region, source: &Tensor<T>) -> Tensor<T> {
    Tensor::build(region.base.clone(), |out| {
        out.fill(T::ZERO);
        if source.numel() > 0 {
            let target = &mut out[region.offset..];
            copy::update(target, &region.strides, source.raw(), source.strides(), &region.shape, |_, b| b);
        }
    })
}
