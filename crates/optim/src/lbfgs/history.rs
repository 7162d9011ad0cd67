//! What L-BFGS remembers from iteration to iteration.

use std::collections::VecDeque;

use super::dot;

/// The last changes, and the iteration that goes on from them.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) iterations: u64,
    pub(super) direction: Vec<f64>,
    /// How far the last iteration went in the direction.
    pub(super) length: f64,
    /// The gradient before the last iteration.
    pub(super) grad: Vec<f64>,
    pub(super) changes: VecDeque<Change>,
    /// The inverse Hessian's diagonal before any change.
    pub(super) diagonal: f64,
}

/// A change of the parameters and that of the gradient.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) grad: Vec<f64>,
    pub(super) values: Vec<f64>,
}

impl Change {
    fn product(&self) -> f64 {
        dot(&self.grad, &self.values)
    }
}

impl Default for History {
    fn default() -> Self {
        let (direction, grad) = (Vec::new(), Vec::new());
        History { iterations: 0, direction, length: 0.0, grad, changes: VecDeque::new(), diagonal: 1.0 }
    }
}

/// Below it the curvature says nothing.
const LEAST_CURVATURE: f64 = 1e-10;

impl History {
    /// Takes note of the gradient that the last iteration came to, and finds the next direction.
    pub(super) fn learn(&mut self, grad: &[f64], size: u64) {
        self.iterations += 1;
        if self.iterations > 1 {
            let change = Change {
                grad: grad.iter().zip(&self.grad).map(|(new, old)| new - old).collect(),
                values: self.direction.iter().map(|d| d * self.length).collect(),
            };
            let product = change.product();
            if product > LEAST_CURVATURE {
                self.diagonal = product / dot(&change.grad, &change.grad);
                self.changes.push_back(change);
            }
            while self.changes.len() as u64 > size {
                self.changes.pop_front();
            }
        }
        self.direction = self.toward(grad);
    }

    /// The inverse Hessian's product with the negated gradient, by the two loops of Nocedal (1980).
    fn toward(&self, grad: &[f64]) -> Vec<f64> {
        let mut d: Vec<f64> = grad.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(self.changes.len());
        for change in self.changes.iter().rev() {
            let share = dot(&change.values, &d) / change.product();
            add(&mut d, -share, &change.grad);
            shares.push(share);
        }
        d.iter_mut().for_each(|d| *d *= self.diagonal);
        for (change, share) in self.changes.iter().zip(shares.into_iter().rev()) {
            let less = dot(&change.grad, &d) / change.product();
            add(&mut d, share - less, &change.values);
        }
        d
    }
}

fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to += factor * other);
}
