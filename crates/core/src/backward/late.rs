//! Products that wait to be summed.
//!
//! A weight that was used at T steps gets T terms `x_t^T dy_t`. They are kept as pairs of factors and
//! become one product over the rows of all steps: one pass over the gradient instead of T, and the fast
//! shape of a product. Whoever looks at the cotangent before (a hook, another rule) sees the sum; views of
//! a matrix hand their pairs on, so a weight that each step transposes or narrows collects them too.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use smallvec::SmallVec;

use wengert_kernel::gemm::{MatMut, Start, gemm};

use super::accumulate::{RecordedParts, accumulate};
use crate::base::dims::Dims;
use crate::base::mode::is_recording;
use crate::base::table::AddressHasher;
use crate::ops::{cat, one_behind_the_other};
use crate::tape::recycle::{Pairs, Recycled};
use crate::tape::rule::MatrixView;
use crate::tape::term::Term;
use crate::tape::{Float, Variable};
use crate::tensor::{Matrix, Region, Tensor};

/// Rows from which on a product is as fast as it gets, and no more are kept waiting.
const ENOUGH: usize = 1024;

/// Pairs that have one sum, of a whole cotangent or of a part of it.
pub(crate) struct Late<T: Float> {
    region: Option<Region>,
    pairs: Pairs<T>,
    rows: usize,
}

/// What of one cotangent has yet to be summed.
pub(crate) struct Waiting<T: Float> {
    products: SmallVec<[Late<T>; 1]>,
    /// Where in the list the products of a region are, once there are many.
    places: HashMap<Option<Region>, usize, BuildHasherDefault<AddressHasher>>,
    parts: RecordedParts<T>,
}

/// Regions that are found sooner one after the other than in a table.
const FEW_REGIONS: usize = 8;

impl<T: Float> Default for Waiting<T> {
    fn default() -> Self {
        Waiting { products: SmallVec::new(), places: HashMap::default(), parts: RecordedParts::default() }
    }
}

impl<T: Float> Waiting<T> {
    /// More pairs; what has become enough is added to `sum`.
    pub(crate) fn push(&mut self, mut other: Late<T>, sum: &mut Option<Variable<T>>) {
        let Some(at) = self.place(&other.region) else { return self.begin(other) };
        let late = &mut self.products[at];
        if !late.pairs.spilled() {
            let mut few = std::mem::replace(&mut late.pairs, Pairs::spare());
            late.pairs.append(&mut few);
        }
        late.pairs.append(&mut other.pairs);
        late.rows += other.rows;
        if late.rows >= ENOUGH {
            late.add_to(sum, &mut self.parts);
        }
    }

    /// How many pairs of a whole matrix wait.
    pub(crate) fn pairs(&self) -> usize {
        self.place(&None).map_or(0, |at| self.products[at].pairs.len())
    }

    fn place(&self, region: &Option<Region>) -> Option<usize> {
        if self.places.is_empty() {
            self.products.iter().position(|late| late.region == *region)
        } else {
            self.places.get(region).copied()
        }
    }

    /// The first pairs of a region.
    fn begin(&mut self, late: Late<T>) {
        self.products.push(late);
        if self.products.len() > FEW_REGIONS {
            let known = self.places.len();
            let new = self.products.iter().enumerate().skip(known);
            self.places.extend(new.map(|(place, late)| (late.region.clone(), place)));
        }
    }

    /// A term of a sum that is recorded.
    pub(crate) fn arrive(&mut self, term: Term<T>, sum: &mut Option<Variable<T>>) {
        self.parts.arrive(term, sum);
    }

    /// Adds everything to `sum`.
    pub(crate) fn add_to(mut self, sum: &mut Option<Variable<T>>) {
        for mut late in self.products {
            late.add_to(sum, &mut self.parts);
            if late.pairs.spilled() {
                late.pairs.keep();
            }
        }
        self.parts.add_to(sum);
    }

    /// Hands on, as pairs of the base's cotangent, what can be; the rest is to be added up, nothing more
    /// comes.
    pub(crate) fn through(&mut self, view: &MatrixView) -> Option<Late<T>> {
        let at = self.place(&None)?;
        let Late { pairs, rows, .. } = self.products.swap_remove(at);
        Some(match view {
            MatrixView::Transposed => {
                let pairs = pairs.into_iter().map(|(left, right)| (right, left)).collect();
                Late { region: None, pairs, rows }
            }
            MatrixView::Part(region) => Late { region: Some(region.clone()), pairs, rows },
        })
    }
}

impl<T: Float> Late<T> {
    /// The term `left^T right`, of (r, m) and (r, n), of the cotangent of a matrix (m, n).
    pub(crate) fn of(left: Variable<T>, right: Variable<T>) -> Self {
        let rows = left.shape()[0];
        Late { region: None, pairs: SmallVec::from_buf([(left, right)]), rows }
    }

    /// Adds the product of all pairs, which came last step first, to `sum`; to the parts that wait if it is
    /// recorded and one of them.
    fn add_to(&mut self, sum: &mut Option<Variable<T>>, parts: &mut RecordedParts<T>) {
        if self.pairs.is_empty() {
            return;
        }
        self.rows = 0;
        if is_recording() {
            let (left, right): (Vec<_>, Vec<_>) = self.pairs.drain(..).rev().unzip();
            let product = catenated(&left).t().matmul(&catenated(&right));
            return parts.arrive(self.term(product), sum);
        }
        let left = stacked(self.pairs.iter().rev().map(|(left, _)| left));
        let right = stacked(self.pairs.iter().rev().map(|(_, right)| right));
        self.pairs.clear();
        let whole = if self.region.is_none() { sum.as_mut().and_then(Variable::exclusive_mut) } else { None };
        match whole {
            Some(target) => product(&left, &right, Start::Own, target),
            None => {
                let shape = Dims::from(&[left.shape()[1], right.shape()[1]][..]);
                let value = Tensor::build(shape, |out| product(&left, &right, Start::Zero, out));
                accumulate(sum, self.term(Variable::from(value)));
            }
        }
    }

    fn term(&self, product: Variable<T>) -> Term<T> {
        match &self.region {
            None => Term::Whole(product),
            Some(region) => Term::Part(Box::new((region.clone(), product))),
        }
    }
}

fn catenated<T: Float>(parts: &[Variable<T>]) -> Variable<T> {
    match parts {
        [only] => only.clone(),
        parts => cat(parts, 0),
    }
}

/// `left^T right + start`.
fn product<T: Float>(left: &Tensor<T>, right: &Tensor<T>, start: Start<'_, T>, out: &mut [T]) {
    let c = MatMut::rows(out, left.shape()[1], right.shape()[1]);
    gemm(Matrix::of(left).t().at(0), Matrix::of(right).at(0), start, c);
}

/// Matrices below each other: where they lie, if they lie so, else gathered.
fn stacked<'v, T: Float>(parts: impl Iterator<Item = &'v Variable<T>>) -> Tensor<T> {
    let values: SmallVec<[Tensor<T>; 32]> = parts.map(Variable::value).collect();
    let (first, others) = values.split_first().expect("there is a pair");
    if let Some(whole) = first.followed_by(others) {
        return whole;
    }
    let rows = values.iter().map(|value| value.shape()[0]).sum();
    one_behind_the_other(&values, Dims::from(&[rows, first.shape()[1]][..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_one_region_wait_together_however_many_there_are() {
        let region = |row: usize| {
            let base = Dims::from(&[50, 3][..]);
            let strides = base.row_major();
            Some(Region { base, offset: 3 * row, shape: Dims::from(&[1, 3][..]), strides })
        };
        let factor = |width: usize| Variable::from(Tensor::<f64>::ones([2, width]));
        let (mut waiting, mut sum) = (Waiting::default(), None);
        for row in (0..50).chain(0..50) {
            waiting.push(Late { region: region(row), ..Late::of(factor(1), factor(3)) }, &mut sum);
        }
        waiting.push(Late::of(factor(50), factor(3)), &mut sum);
        assert!(sum.is_none() && waiting.products.len() == 51);
        assert!(waiting.products[..50].iter().all(|late| late.pairs.len() == 2 && late.rows == 4));
        waiting.add_to(&mut sum);
        assert_eq!(sum.unwrap().to_vec(), [4.0 + 2.0; 150]);
    }
}
