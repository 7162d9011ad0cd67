//! The loss as a function of all parameters one after the other, and along a direction.

use std::rc::Rc;

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Float, Parameter, Result, Tensor, Variable};

use super::line_search::{Point, strong_wolfe};
use super::{LbfgsOptions, count};
use crate::options::Options;

/// Parameters, and a closure that gives the loss at their values.
pub(super) struct Objective<'a, T: Float, C> {
    pub(super) parameters: &'a [Parameter<T>],
    pub(super) closure: C,
}

impl<T: Float, C: FnMut() -> Result<Variable<T>>> Objective<'_, T, C> {
    /// Goes from a point in a direction; gives where it came to, and how often the loss was evaluated. A line
    /// search evaluates it once, and at most so often again.
    pub(super) fn go(
        &mut self,
        start: Point,
        length: f64,
        direction: &[f64],
        (is_last, most): (bool, u64),
        options: &LbfgsOptions,
    ) -> Result<(Point, u64)> {
        let from = self.values();
        if options.strong_wolfe {
            let (found, asked) = strong_wolfe(start, length, direction, most, |at| {
                self.set_along(&from, at, direction)?;
                self.evaluate()
            })?;
            self.set_along(&from, found.at, direction)?;
            return Ok((found, asked));
        }
        self.set_along(&from, length, direction)?;
        if is_last {
            return Ok((Point { at: length, ..start }, 0));
        }
        Ok((Point::new(length, self.evaluate()?, direction), 1))
    }

    /// The loss, and the gradient of all parameters one after the other; 0 where there is none.
    pub(super) fn evaluate(&mut self) -> Result<(f64, Rc<Vec<f64>>)> {
        self.parameters.iter().for_each(|parameter| parameter.zero_grad());
        let loss = (self.closure)()?;
        loss.backward()?;
        let mut flat = vec_of(self.parameters.iter().map(count).sum());
        for parameter in self.parameters {
            match parameter.grad().filter(|_| parameter.requires_grad()) {
                Some(grad) => extend(&mut flat, &grad.value()),
                None => flat.resize(flat.len() + count(parameter), 0.0),
            }
        }
        Ok((loss.item()?.to_f64(), Rc::new(flat)))
    }

    fn values(&self) -> Vec<Tensor<T>> {
        self.parameters.iter().map(|parameter| parameter.value()).collect()
    }

    /// Sets the parameters, or, if there is no memory for one of them, all to where they come from.
    fn set_along(&self, from: &[Tensor<T>], length: f64, direction: &[f64]) -> Result<()> {
        let set = or_refused(LbfgsOptions::NAME, || self.move_along(from, length, direction));
        if set.is_err() {
            let mut moving =
                self.parameters.iter().zip(from).filter(|(parameter, _)| parameter.requires_grad());
            moving.try_for_each(|(parameter, from)| parameter.set_value(from.clone()))?;
        }
        set
    }

    fn move_along(&self, from: &[Tensor<T>], length: f64, direction: &[f64]) -> Result<()> {
        let mut start = 0;
        for (parameter, from) in self.parameters.iter().zip(from) {
            let own = start..start + count(parameter);
            start = own.end;
            if !parameter.requires_grad() {
                continue;
            }
            let (from, direction) = (from.contiguous(), &direction[own]);
            let from = from.as_slice().expect("contiguous");
            let moved = |i: usize| T::from_f64(from[i].to_f64() + length * direction[i]);
            parameter.set_value(Tensor::from_fn(parameter.shape(), moved))?;
        }
        Ok(())
    }
}

fn extend<T: Float>(flat: &mut Vec<f64>, tensor: &Tensor<T>) {
    let tensor = tensor.contiguous();
    flat.extend(tensor.as_slice().expect("contiguous").iter().map(|&x| x.to_f64()));
}
