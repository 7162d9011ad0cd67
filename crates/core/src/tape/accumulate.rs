//! A cotangent is a sum of terms.
//!
//! Terms come in the order of the tape, last first. A term may cover only a part of the value (a slice, a
//! time step); all such parts are collected in one buffer. While nothing is recorded and nobody else
//! holds the buffer, terms are added in place. Where sums are recorded, parts wait for each other
//! ([`RecordedParts`]).

use wengert_kernel::rows::copy;

use crate::dims::Dims;
use crate::element::Float;
use crate::operation::Operation;
use crate::ops::region::Embed;
use crate::tape::is_recording;
use crate::tensor::{Region, Tensor};
use crate::variable::Variable;

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

    #[inline]
    pub(crate) fn whole(self) -> Variable<T> {
        match self {
            Term::Whole(cotangent) => cotangent,
            Term::Part(part) => {
                let (region, cotangent) = *part;
                Embed::one(region).apply1(&[&cotangent])
            }
        }
    }
}

/// Adds a term to the sum of those that have come so far.
pub(crate) fn accumulate<T: Float>(sum: &mut Option<Variable<T>>, term: Term<T>) {
    let Some(so_far) = sum else {
        *sum = Some(term.whole());
        return;
    };
    if is_recording() {
        *so_far = &*so_far + &term.whole();
        return;
    }
    match (so_far.exclusive_mut(), term) {
        (Some(target), term) => add_in_place(target, &term),
        (None, Term::Whole(cotangent)) => *so_far = &*so_far + &cotangent,
        (None, term) => {
            let mut copy = so_far.value().copy();
            add_in_place(copy.fresh_mut(), &term);
            *so_far = Variable::computed(copy, None);
        }
    }
}

fn add_in_place<T: Float>(target: &mut [T], term: &Term<T>) {
    match term {
        Term::Whole(cotangent) => {
            let source = cotangent.peek();
            copy::update(target, &source.dims().row_major(), source.view(), |a, b| a + b);
        }
        Term::Part(part) => {
            let (region, cotangent) = &**part;
            add_part(target, region, &cotangent.peek());
        }
    }
}

/// Adds `source` to its region of a row-major tensor.
pub(crate) fn add_part<T: Float>(target: &mut [T], region: &Region, source: &Tensor<T>) {
    if source.numel() > 0 {
        copy::update(&mut target[region.offset..], &region.strides, source.view(), |a, b| a + b);
    }
}

/// Parts that wait to be put together by one recorded operation: each in a sum of its own would take as long as the whole.
pub(crate) struct RecordedParts<T: Float> {
    waiting: Vec<(Region, Variable<T>)>,
    elements: usize,
}

impl<T: Float> Default for RecordedParts<T> {
    fn default() -> Self {
        RecordedParts { waiting: Vec::new(), elements: 0 }
    }
}

impl<T: Float> RecordedParts<T> {
    /// A term arrives. Whatever is added to `sum` comes behind the parts that came before it.
    pub(crate) fn arrive(&mut self, term: Term<T>, sum: &mut Option<Variable<T>>) {
        let Term::Part(part) = term else {
            self.add_to(sum);
            return accumulate(sum, term);
        };
        let most = part.0.base.count();
        self.elements += part.1.numel();
        self.waiting.push(*part);
        if self.elements > most {
            // They hold as much memory as the sum, and adding them takes no longer than making them did.
            self.add_to(sum);
        }
    }

    /// Adds everything to `sum`.
    pub(crate) fn add_to(&mut self, sum: &mut Option<Variable<T>>) {
        if self.waiting.is_empty() {
            return;
        }
        self.elements = 0;
        let (regions, parts): (Vec<_>, Vec<_>) = self.waiting.drain(..).unzip();
        let inputs: Vec<&Variable<T>> = sum.iter().chain(&parts).collect();
        let whole = Embed::all(regions.into_iter(), sum.is_some()).apply1(&inputs);
        *sum = Some(whole);
    }
}

/// `source` at its region of a tensor that is zero elsewhere.
pub(crate) fn embed<T: Float>(region: &Region, source: &Tensor<T>) -> Tensor<T> {
    Tensor::build(region.base.clone(), |out| {
        out.fill(T::ZERO);
        if source.numel() > 0 {
            copy::place(&mut out[region.offset..], &region.strides, source.view());
        }
    })
}
