//! A cotangent is a sum of terms.
//!
//! Terms come in the order of the tape, last first. A term may cover only a part of the value (a slice, a
//! time step); all such parts are collected in one buffer. While nothing is recorded and nobody else
//! holds the buffer, terms are added in place. Where sums are recorded, parts wait for each other
//! ([`RecordedParts`]).

use crate::base::mode::is_recording;
use crate::ops::region::Embed;
use crate::tape::term::{Term, add_whole};
use crate::tape::{Float, Operation, Variable};
use crate::tensor::Region;

/// The term as one of the value's shape.
pub(crate) fn whole<T: Float>(term: Term<T>) -> Variable<T> {
    match term {
        Term::Whole(cotangent) => cotangent,
        Term::Part(part) => {
            let (region, cotangent) = *part;
            Embed::one(region).apply1(&[&cotangent])
        }
    }
}

/// Adds a term to the sum of those that have come so far.
pub(super) fn accumulate<T: Float>(sum: &mut Option<Variable<T>>, term: Term<T>) {
    match (sum.as_mut(), term) {
        (Some(so_far), Term::Part(part)) if !is_recording() => add_part(so_far, &part.0, &part.1),
        (_, term) => add_whole(sum, whole(term)),
    }
}

/// Adds to a region of a sum; of a copy, if somebody else holds it.
fn add_part<T: Float>(sum: &mut Variable<T>, region: &Region, part: &Variable<T>) {
    if let Some(target) = sum.exclusive_mut() {
        return region.add(target, &part.peek());
    }
    let mut copy = sum.value().copy();
    region.add(copy.fresh_mut(), &part.peek());
    *sum = Variable::from(copy);
}

/// Parts that wait to be put together by one recorded operation: each in a sum of its own would take as
/// long as the whole.
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
