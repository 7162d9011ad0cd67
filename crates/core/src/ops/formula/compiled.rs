//! What one formula's code is: its kernels and its trace. All that plans, claims and records around them is
//! compiled once for the formulas of so many inputs and outputs.

use wengert_kernel::formula::{BackwardJob, ForwardJob};
use wengert_kernel::number::{Arithmetic, ByType};

use super::Pointwise;
use super::dependence::Dependence;
use super::trace::Trace;
use crate::tape::Float;

/// A formula of which the type is not known.
pub(super) trait Compiled<T: Float, const I: usize, const O: usize>: Send + Sync + 'static {
    fn name(&self) -> &'static &'static str;
    /// The constants by name.
    fn constants(&self) -> Vec<(&'static str, f64)>;
    /// The values that the cotangent of each input is made of.
    fn dependence(&self) -> Dependence<I>;
    /// Its forward kernel.
    fn forward(&self, job: &ForwardJob<'_, T, I, O>);
    /// Its backward kernel.
    fn backward(&self, job: &BackwardJob<'_, T, I, O>);
    /// Its pullback's steps, where the cotangents of some outputs are `absent`.
    fn trace(&self, absent: [bool; O]) -> Trace;
}

impl<T, P, const I: usize, const O: usize> Compiled<T, I, O> for P
where
    T: Float,
    P: Pointwise<I, O>,
{
    #[inline]
    fn name(&self) -> &'static &'static str {
        &P::NAME
    }

    #[inline]
    fn constants(&self) -> Vec<(&'static str, f64)> {
        Pointwise::constants(self)
    }

    #[inline]
    fn dependence(&self) -> Dependence<I> {
        Pointwise::dependence(self)
    }

    fn forward(&self, job: &ForwardJob<'_, T, I, O>) {
        T::choose(ForwardOf(self), job);
    }

    fn backward(&self, job: &BackwardJob<'_, T, I, O>) {
        T::choose(BackwardOf(self), job);
    }

    fn trace(&self, absent: [bool; O]) -> Trace {
        Pointwise::trace(self, absent)
    }
}

/// A formula's kernels by type: they are compiled where the formula is defined.
struct ForwardOf<'j, P, const I: usize, const O: usize>(&'j P);

impl<'j, P: Pointwise<I, O>, const I: usize, const O: usize> ByType for ForwardOf<'j, P, I, O> {
    type Of<T: Arithmetic> = &'j ForwardJob<'j, T, I, O>;

    #[inline]
    fn f32(self, job: &ForwardJob<'_, f32, I, O>) {
        self.0.forward_f32(job);
    }

    #[inline]
    fn f64(self, job: &ForwardJob<'_, f64, I, O>) {
        self.0.forward_f64(job);
    }
}

/// [`ForwardOf`] for cotangents.
struct BackwardOf<'j, P, const I: usize, const O: usize>(&'j P);

impl<'j, P: Pointwise<I, O>, const I: usize, const O: usize> ByType for BackwardOf<'j, P, I, O> {
    type Of<T: Arithmetic> = &'j BackwardJob<'j, T, I, O>;

    #[inline]
    fn f32(self, job: &BackwardJob<'_, f32, I, O>) {
        self.0.backward_f32(job);
    }

    #[inline]
    fn f64(self, job: &BackwardJob<'_, f64, I, O>) {
        self.0.backward_f64(job);
    }
}
