//! Options and history as named tensors, the vectors cut by parameter.

use std::collections::VecDeque;

use wengert_core::__private::{filled, or_refused, vec_of};
use wengert_core::{Float, Parameter, Result, StateReader, Stateful, Tensor, TensorMap};

use super::history::{Change, History};
use super::{Lbfgs, LbfgsOptions, count};
use crate::options::Options;
use crate::state_dict::{CURRENT, VERSION, check_version, keys, option};

const ITERATIONS: &str = "state.n_iter";
const LENGTH: &str = "state.t";
const DIAGONAL: &str = "state.H_diag";

impl<T: Float> Lbfgs<T> {
    /// Options and history, for going on later as if never stopped: `version`, `group.0.OPTION` for each
    /// option; `state.n_iter`, the number of iterations, `state.t`, the last one's length, and
    /// `state.H_diag`; and after the first iteration for each parameter, in its shape, `state.NAME.d` and
    /// `state.NAME.prev_flat_grad`, the last direction and gradient, and `state.NAME.old_dirs` and
    /// `state.NAME.old_stps`, the remembered changes of gradient and values one behind the other. `NAME` is
    /// as for an [`Optimizer`](crate::Optimizer::state_dict), the other names are PyTorch's.
    pub fn state_dict(&self) -> TensorMap {
        let mut map = TensorMap::new();
        map.insert_number(VERSION, CURRENT);
        for (option, value) in self.options.list() {
            map.insert_number(format!("group.0.{option}"), value);
        }
        let History { iterations, direction, length, grad, changes, diagonal } = &self.history;
        map.insert_number(ITERATIONS, *iterations as f64);
        map.insert_number(LENGTH, *length);
        map.insert_number(DIAGONAL, *diagonal);
        if *iterations == 0 {
            return map;
        }
        for Place { parameter, key, start } in self.places() {
            let own = start..start + count(parameter);
            for (name, vector) in [("d", direction), ("prev_flat_grad", grad)] {
                let values = &vector[own.clone()];
                let tensor = Tensor::from_fn(parameter.shape(), |i| values[i]);
                map.insert(format!("state.{key}.{name}"), tensor);
            }
            let shape = [&[changes.len()], parameter.shape()].concat();
            let mut insert = |name: &str, rows: Vec<&[T]>| {
                let rows = rows.concat();
                map.insert(format!("state.{key}.{name}"), Tensor::from_fn(&shape, |i| rows[i]));
            };
            insert("old_dirs", changes.iter().map(|change| &change.grad[own.clone()]).collect());
            insert("old_stps", changes.iter().map(|change| &change.values[own.clone()]).collect());
        }
        map
    }

    /// Takes over options and history, for parameters of the same names, or for those without a name in the
    /// same places. What goes on is the same bit for bit if the parameters are in the same order; in another
    /// one sums of all their elements are rounded otherwise.
    ///
    /// # Errors
    /// [`Error::Mismatch`](wengert_core::Error::Mismatch) lists the names that are missing or unexpected and
    /// vectors of another shape; [`Error::Argument`](wengert_core::Error::Argument) names an option or a
    /// number out of its range, or a version that is not known; or the allocator refuses memory. Then nothing
    /// has changed.
    pub fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        or_refused(LbfgsOptions::NAME, || self.load(map))
    }

    fn load(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new(LbfgsOptions::NAME, map);
        check_version(&mut reader, LbfgsOptions::NAME)?;
        let mut options = self.options.clone();
        for (name, _) in self.options.list() {
            option(&mut reader, &format!("group.0.{name}"), name, &mut options);
        }
        let mut history = History {
            iterations: reader.whole(ITERATIONS),
            length: reader.number(LENGTH),
            diagonal: reader.number(DIAGONAL),
            ..History::default()
        };
        if history.iterations > 0 {
            self.read_vectors(&mut reader, map, &mut history);
        }
        reader.finish()?;
        options.check_ranges()?;
        (self.options, self.history) = (options, history);
        Ok(())
    }

    fn read_vectors(&self, reader: &mut StateReader<'_>, map: &TensorMap, history: &mut History<T>) {
        let places = self.places();
        let rows = |place: &Place<'_, T>| {
            map.get(&format!("state.{}.old_dirs", place.key)).and_then(|entry| entry.shape().first().copied())
        };
        // As many as the first parameter has; the others are held to it.
        let remembered = places.first().and_then(rows).unwrap_or_default();
        let all = self.parameters.iter().map(count).sum();
        let vectors = || -> Vec<Vec<T>> {
            let mut vectors = vec_of(remembered);
            vectors.extend((0..remembered).map(|_| vec_of(all)));
            vectors
        };
        let (mut grads, mut values) = (vectors(), vectors());
        (history.direction, history.grad) = (vec_of(all), vec_of(all));
        for Place { parameter, key, .. } in places {
            let len = count(parameter);
            let mut read = |name: &str, rows: &[usize]| {
                let shape = [rows, parameter.shape()].concat();
                let zeros = || filled(0.0, shape.iter().product());
                reader.numbers(&format!("state.{key}.{name}"), &shape).unwrap_or_else(zeros)
            };
            history.direction.extend(read("d", &[]));
            history.grad.extend(read("prev_flat_grad", &[]));
            for (to, name) in [(&mut grads, "old_dirs"), (&mut values, "old_stps")] {
                let found = read(name, &[remembered]);
                for (row, to) in to.iter_mut().enumerate() {
                    to.extend(found[row * len..(row + 1) * len].iter().map(|&x| T::from_f64(x)));
                }
            }
        }
        let changes = grads.into_iter().zip(values).map(|(grad, values)| Change::new(grad, values));
        history.changes = changes.collect::<VecDeque<_>>();
    }

    /// Where each parameter's elements are in the vectors.
    fn places(&self) -> Vec<Place<'_, T>> {
        let parameters: Vec<&Parameter<T>> = self.parameters.iter().collect();
        let mut end = 0;
        let keyed = keys(&parameters).into_iter().zip(parameters);
        keyed
            .map(|(key, parameter)| {
                end += count(parameter);
                Place { parameter, key, start: end - count(parameter) }
            })
            .collect()
    }
}

/// A parameter, what its entries go by, and where its elements begin.
struct Place<'p, T: Float> {
    parameter: &'p Parameter<T>,
    key: String,
    start: usize,
}

impl<T: Float> Stateful for Lbfgs<T> {
    fn state_dict(&self) -> TensorMap {
        Lbfgs::state_dict(self)
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        Lbfgs::load_state_dict(self, map)
    }
}
