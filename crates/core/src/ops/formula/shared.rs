//! A formula of which the type is not known, for whoever applies all there are: what records it is compiled
//! once for all of so many inputs and outputs.

use std::sync::Arc;

use wengert_kernel::formula::{BackwardJob, ForwardJob};

use super::compiled::Compiled;
use super::dependence::Dependence;
use super::trace::Trace;
use crate::tape::Float;

/// Some formula of so many inputs and outputs.
pub(super) struct Shared<T: Float, const I: usize, const O: usize>(pub(super) Arc<dyn Compiled<T, I, O>>);

impl<T: Float, const I: usize, const O: usize> Compiled<T, I, O> for Shared<T, I, O> {
    fn name(&self) -> &'static &'static str {
        self.0.name()
    }

    fn constants(&self) -> Vec<(&'static str, f64)> {
        self.0.constants()
    }

    fn dependence(&self) -> Dependence<I> {
        self.0.dependence()
    }

    fn forward(&self, job: &ForwardJob<'_, T, I, O>) {
        self.0.forward(job);
    }

    fn backward(&self, job: &BackwardJob<'_, T, I, O>) {
        self.0.backward(job);
    }

    fn trace(&self, absent: [bool; O]) -> Trace {
        self.0.trace(absent)
    }
}
