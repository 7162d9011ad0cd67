//! What L-BFGS remembers from iteration to iteration.

use std::collections::VecDeque;

use wengert_core::{Error, Result, Tensor, TensorMap};

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
    changes: VecDeque<Change>,
    /// The inverse Hessian's diagonal before any change.
    diagonal: f64,
}

/// A change of the parameters and that of the gradient.
#[derive(Clone, Debug)]
struct Change {
    grad: Vec<f64>,
    values: Vec<f64>,
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

    pub(super) fn save(&self, map: &mut TensorMap) {
        map.insert_number("state.n_iter", self.iterations as f64);
        map.insert_number("state.t", self.length);
        map.insert_number("state.H_diag", self.diagonal);
        map.insert("state.d", vector(&self.direction));
        map.insert("state.prev_flat_grad", vector(&self.grad));
        let matrix = |of: fn(&Change) -> &Vec<f64>| {
            let rows: Vec<f64> = self.changes.iter().flat_map(|change| of(change).clone()).collect();
            Tensor::from_fn([self.changes.len(), self.direction.len()], |i| rows[i])
        };
        map.insert("state.old_dirs", matrix(|change| &change.grad));
        map.insert("state.old_stps", matrix(|change| &change.values));
    }

    /// The history of so many elements.
    pub(super) fn load(map: &TensorMap, len: usize) -> Result<Self> {
        let iterations = map.number("state.n_iter")? as u64;
        let own = if iterations == 0 { 0 } else { len };
        let mut misshapen = Vec::new();
        let mut read = |name: &str, shape: &[usize]| -> Result<Vec<f64>> {
            let tensor = map.tensor::<f64>(name)?;
            if tensor.shape() != shape {
                misshapen.push(format!("{name} expected {shape:?}, got {:?}", tensor.shape()));
            }
            Ok(tensor.to_vec())
        };
        let direction = read("state.d", &[own])?;
        let grad = read("state.prev_flat_grad", &[own])?;
        let count = map.tensor::<f64>("state.old_dirs")?.shape().first().copied().unwrap_or(0);
        let [grads, values] = ["state.old_dirs", "state.old_stps"].map(|name| read(name, &[count, own]));
        let (grads, values) = (grads?, values?);
        if !misshapen.is_empty() {
            return Err(Error::Mismatch { missing: Vec::new(), unexpected: Vec::new(), misshapen });
        }
        let rows = grads.chunks(own.max(1)).zip(values.chunks(own.max(1)));
        let changes = rows.map(|(grad, values)| Change { grad: grad.to_vec(), values: values.to_vec() });
        let (length, diagonal) = (map.number("state.t")?, map.number("state.H_diag")?);
        Ok(History { iterations, direction, length, grad, changes: changes.collect(), diagonal })
    }
}

fn vector(values: &[f64]) -> Tensor<f64> {
    Tensor::from_fn([values.len()], |i| values[i])
}

fn add(to: &mut [f64], factor: f64, other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(to, other)| *to += factor * other);
}
