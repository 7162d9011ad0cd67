//! What L-BFGS remembers from iteration to iteration.

use std::collections::VecDeque;

use wengert_core::__private::{filled, vec_of};
use wengert_core::Float;

use super::sums::{add_and_dot, dot};

/// The last changes, and the iteration that goes on from them.
#[derive(Clone, Debug)]
pub(super) struct History<T> {
    pub(super) iterations: u64,
    pub(super) direction: Vec<f64>,
    /// How far the last iteration went in the direction.
    pub(super) length: f64,
    /// The gradient before the last iteration.
    pub(super) grad: Vec<f64>,
    pub(super) changes: VecDeque<Change<T>>,
    /// The inverse Hessian's diagonal before any change.
    pub(super) diagonal: f64,
}

/// A change of the parameters and that of the gradient.
#[derive(Clone, Debug)]
pub(super) struct Change<T> {
    pub(super) grad: Vec<T>,
    pub(super) values: Vec<T>,
    /// Their scalar product.
    curvature: f64,
}

impl<T: Float> Change<T> {
    pub(super) fn new(grad: Vec<T>, values: Vec<T>) -> Self {
        let curvature = dot(&grad, &values);
        Change { grad, values, curvature }
    }
}

impl<T> Default for History<T> {
    fn default() -> Self {
        let (direction, grad) = (Vec::new(), Vec::new());
        History { iterations: 0, direction, length: 0.0, grad, changes: VecDeque::new(), diagonal: 1.0 }
    }
}

/// Below it the curvature says nothing.
const LEAST_CURVATURE: f64 = 1e-10;

impl<T: Float> History<T> {
    /// Takes note of the gradient that the last iteration came to, and finds the next direction. All memory
    /// comes before anything changes.
    pub(super) fn learn(&mut self, grad: &[f64], size: u64) {
        let mut shares = filled(0.0, self.changes.len() + 1);
        if self.iterations == 0 {
            (self.direction, self.grad) = (vec_of(grad.len()), vec_of(grad.len()));
        } else {
            let change = self.change(grad);
            if change.curvature > LEAST_CURVATURE {
                self.diagonal = change.curvature / dot(&change.grad, &change.grad);
                self.changes.push_back(change);
            }
            while self.changes.len() as u64 > size {
                self.changes.pop_front();
            }
        }
        self.iterations += 1;
        self.turn(grad, &mut shares);
        self.grad.clear();
        self.grad.extend_from_slice(grad);
    }

    /// What the last iteration has changed.
    fn change(&self, now: &[f64]) -> Change<T> {
        let (mut grad, mut values) = (vec_of(now.len()), vec_of(now.len()));
        grad.extend(now.iter().zip(&self.grad).map(|(new, old)| T::from_f64(new - old)));
        values.extend(self.direction.iter().map(|d| T::from_f64(d * self.length)));
        Change::new(grad, values)
    }

    /// Sets the direction to the inverse Hessian's product with the negated gradient, by the two loops of
    /// Nocedal (1980). Each pass adds one change's share and takes the product that the next one needs.
    fn turn(&mut self, grad: &[f64], shares: &mut [f64]) {
        let (d, changes) = (&mut self.direction, &self.changes);
        d.clear();
        d.extend(grad.iter().map(|g| -g));
        let mut product = changes.back().map_or(0.0, |change| dot(&change.values, d));
        for (i, change) in changes.iter().enumerate().rev() {
            shares[i] = product / change.curvature;
            let next = i.checked_sub(1).map(|before| &changes[before].values);
            product = add_and_dot(d, -shares[i], &change.grad, next);
        }
        d.iter_mut().for_each(|d| *d *= self.diagonal);
        product = changes.front().map_or(0.0, |change| dot(&change.grad, d));
        for (i, change) in changes.iter().enumerate() {
            let less = product / change.curvature;
            let next = changes.get(i + 1).map(|after| &after.grad);
            product = add_and_dot(d, shares[i] - less, &change.values, next);
        }
    }
}
