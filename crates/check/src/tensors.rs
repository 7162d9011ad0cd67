//! Tensors: a shape, values in a domain, and one of the layouts that views make.

use std::rc::Rc;

use wengert_core::Tensor;

use crate::draw::{Draw, Drawable, Drawn, draws, strategy};
use crate::shapes::{AnyShape, Shape};

/// Where elements come from.
#[derive(Clone, Debug)]
enum Domain {
    /// Mostly in [-3, 3].
    Reals,
    Within(f64, f64),
    Distinct,
    Probabilities,
    OneHot,
}

/// A strategy for tensors; made by [`tensor`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TensorStrategy {
    shape: AnyShape,
    domain: Domain,
    kinks: Vec<f64>,
    margin: f64,
    planted: Vec<f64>,
    contiguous: bool,
}
strategy!(TensorStrategy);

/// Tensors over a shape, by default with reals from [-3, 3] and in any layout: contiguous, transposed, a
/// part of a larger one, every second element of one.
///
/// They shrink to smaller extents, then to contiguous ones, then to simple values.
///
/// ```
/// use wengert_check::{proptest::prelude::*, tensor};
/// proptest!(|(x in tensor((1..4, 3)).positive())| prop_assert!(x.to_vec().iter().all(|&x| x > 0.0)));
/// ```
pub fn tensor(shape: impl Shape + 'static) -> TensorStrategy {
    TensorStrategy {
        shape: AnyShape(Rc::new(shape)),
        domain: Domain::Reals,
        kinks: Vec::new(),
        margin: 0.0,
        planted: Vec::new(),
        contiguous: false,
    }
}

/// A tensor in any layout: what a function gives must not depend on it. It shrinks to the contiguous
/// one.
///
/// ```
/// use wengert_check::{layouts_of, proptest::prelude::*};
/// use wengert_core::Tensor;
/// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// proptest!(|(same in layouts_of(&x))| prop_assert_eq!(same.to_vec(), x.to_vec()));
/// ```
pub fn layouts_of(tensor: &Tensor<f64>) -> Drawn<impl Fn(&mut Draw) -> Tensor<f64> + Clone> {
    let tensor = tensor.clone();
    draws(move |draw| Laid::draw(tensor.rank(), draw).lay(&tensor))
}

impl TensorStrategy {
    /// Values in `[low, high]`.
    pub fn within(mut self, low: f64, high: f64) -> Self {
        self.domain = Domain::Within(low, high);
        self
    }

    /// Values in `[0.1, 3]`.
    pub fn positive(self) -> Self {
        self.within(0.1, 3.0)
    }

    /// Values at least `margin` away from each of `kinks`, where a derivative jumps.
    pub fn away_from(mut self, kinks: &[f64], margin: f64) -> Self {
        self.kinks = kinks.to_vec();
        self.margin = margin;
        self
    }

    /// Values that are all different, neighbours by 1/4: nothing is near a tie.
    pub fn distinct(mut self) -> Self {
        self.domain = Domain::Distinct;
        self
    }

    /// Positive values that add up to 1 along the last axis.
    pub fn probabilities(mut self) -> Self {
        self.domain = Domain::Probabilities;
        self
    }

    /// Values that are a single 1 along the last axis, zeros else.
    pub fn one_hot(mut self) -> Self {
        self.domain = Domain::OneHot;
        self
    }

    /// Plants one of `values`, as zeros, infinities, NaN, now and then in place of an element.
    pub fn planted(mut self, values: &[f64]) -> Self {
        self.planted = values.to_vec();
        self
    }

    /// Tensors in row-major order only.
    pub fn contiguous(mut self) -> Self {
        self.contiguous = true;
        self
    }

    fn allows(&self, x: f64) -> bool {
        let inside = match self.domain {
            Domain::Reals => (-3.0..=3.0).contains(&x),
            Domain::Within(low, high) => (low..=high).contains(&x),
            Domain::Probabilities => (0.1..=1.0).contains(&x),
            Domain::Distinct | Domain::OneHot => (0.0..=1.0).contains(&x),
        };
        inside && self.kinks.iter().all(|kink| (x - kink).abs() >= self.margin)
    }

    /// A value from a number in [0, 1); near a kink, the margin's end that is still inside.
    fn fresh(&self, unit: f64) -> f64 {
        let (low, high) = match self.domain {
            Domain::Reals => (-3.0, 3.0),
            Domain::Within(low, high) => (low, high),
            Domain::Probabilities => (0.1, 1.0),
            Domain::Distinct | Domain::OneHot => (0.0, 1.0),
        };
        let x = low + unit * (high - low);
        let Some(kink) = self.kinks.iter().find(|kink| (x - **kink).abs() < self.margin) else { return x };
        let sides = [kink + self.margin * 1.01, kink - self.margin * 1.01];
        let sides = if x > *kink { sides } else { [sides[1], sides[0]] };
        sides.into_iter().find(|&x| self.allows(x)).unwrap_or(x)
    }

    fn values(&self, shape: &[usize], draw: &mut Draw) -> Vec<f64> {
        let count = shape.iter().product();
        let mut values = draw.reals(count, |unit| self.fresh(unit), |x| self.allows(x));
        let last = shape.last().copied().unwrap_or(1).max(1);
        match self.domain {
            Domain::Reals | Domain::Within(..) => {}
            Domain::Distinct => values = distinct(&values),
            Domain::Probabilities => values.chunks_mut(last).for_each(normalise),
            Domain::OneHot => values.chunks_mut(last).for_each(one_hot),
        }
        if !self.planted.is_empty() {
            for value in &mut values {
                // One in eight, and rather none in a smaller case.
                match draw.below(8 * self.planted.len()) {
                    0 => {}
                    n => *value = self.planted.get(n - 1).copied().unwrap_or(*value),
                }
            }
        }
        values
    }
}

/// Multiples of 1/4 around 0, in the order of the values.
fn distinct(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranked = vec![0.0; values.len()];
    let middle = (values.len() / 2) as f64;
    order.iter().enumerate().for_each(|(rank, &i)| ranked[i] = (rank as f64 - middle) / 4.0 + 0.125);
    ranked
}

fn normalise(row: &mut [f64]) {
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
}

fn one_hot(row: &mut [f64]) {
    let best = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)));
    row.iter_mut().enumerate().for_each(|(i, x)| *x = f64::from(Some(i) == best));
}

impl Drawable for TensorStrategy {
    type Value = Tensor<f64>;

    fn draw(&self, draw: &mut Draw) -> Tensor<f64> {
        let shape = self.shape.0.shape(draw);
        let layout = if self.contiguous { Laid::ROW_MAJOR } else { Laid::draw(shape.len(), draw) };
        let values = self.values(&shape, draw);
        layout.lay(&Tensor::from_vec(values, shape).expect("as many values as elements"))
    }
}

/// How elements lie in memory.
#[derive(Clone, Copy, Debug)]
struct Laid {
    kind: usize,
    axis: usize,
    other: usize,
}

impl Laid {
    const ROW_MAJOR: Laid = Laid { kind: 0, axis: 0, other: 0 };

    fn draw(rank: usize, draw: &mut Draw) -> Self {
        let kind = [0, 0, 0, 1, 1, 2, 3][draw.below(7)];
        if kind == 0 || rank == 0 {
            return Self::ROW_MAJOR;
        }
        Laid { kind, axis: draw.below(rank), other: draw.below(rank) }
    }

    /// The same tensor, laid out so.
    fn lay(self, tensor: &Tensor<f64>) -> Tensor<f64> {
        let (axis, other) = (self.axis as isize, self.other as isize);
        let laid = match self.kind {
            1 => tensor.transpose(axis, other).and_then(|t| t.contiguous().transpose(axis, other)),
            2 => widened(tensor, self.axis, 2, |i| i + 1).narrow(axis, 1, tensor.shape()[self.axis]),
            3 => {
                let extent = tensor.shape()[self.axis];
                widened(tensor, self.axis, extent, |i| 2 * i).slice(axis, 0, 2 * extent, 2)
            }
            _ => Ok(tensor.clone()),
        };
        laid.expect("a view of a larger tensor")
    }
}

/// A tensor that is `more` longer along `axis` and has element `i` of `tensor` at `place(i)`, NaN where
/// nothing is.
fn widened(tensor: &Tensor<f64>, axis: usize, more: usize, place: impl Fn(usize) -> usize) -> Tensor<f64> {
    let mut shape = tensor.shape().to_vec();
    let (extent, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
    shape[axis] += more;
    let mut values = vec![f64::NAN; shape.iter().product()];
    for (i, value) in tensor.to_vec().into_iter().enumerate() {
        let (outer, at, rest) = (i / (inner * extent), i / inner % extent, i % inner);
        values[(outer * shape[axis] + place(at)) * inner + rest] = value;
    }
    Tensor::from_vec(values, shape).expect("as many values as elements")
}
