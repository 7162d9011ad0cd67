//! Pointwise formulas: written once, read as forward kernel, fused backward and recorded derivative.
//!
//! [`Pointwise::eval`] is generic over the number it computes with. With plain numbers in a vectorised
//! loop it is the forward kernel; with [`Dual`] numbers in the same loop it is the backward kernel, which
//! needs the inputs alone; with duals over symbols it is traced once and replayed as variable operations,
//! which are recorded, and so come the higher orders. (Revels et al. 2018, arXiv 1810.08297, for the duals
//! inside reverse mode.)

/// A function of one number that a formula's step names, of a number or of a variable.
macro_rules! unary_of {
    ($function:expr, $x:expr) => {
        match $function {
            Unary::Neg => -$x,
            Unary::Exp => $x.exp(),
            Unary::ExpM1 => $x.exp_m1(),
            Unary::Ln => $x.ln(),
            Unary::Ln1p => $x.ln_1p(),
            Unary::Sqrt => $x.sqrt(),
            Unary::Tanh => $x.tanh(),
            Unary::Sigmoid => $x.sigmoid(),
            Unary::Abs => $x.abs(),
            Unary::Sin => $x.sin(),
            Unary::Cos => $x.cos(),
            Unary::Erf => $x.erf(),
            Unary::Ndtr => $x.ndtr(),
        }
    };
}

mod compiled;
mod dependence;
mod macros;
mod operation;
mod run;
#[cfg(not(feature = "small"))]
mod shared;
#[cfg(feature = "small")]
mod steps;
mod symbol;
mod trace;

pub(crate) use trace::run_program;

#[doc(hidden)]
pub use dependence::{Dependence, dependence};
#[doc(hidden)]
pub use trace::{Trace, trace};

use wengert_kernel::formula::{BackwardJob, Formula, ForwardJob};
use wengert_kernel::real::Real;

use crate::tape::{Float, Variable};

/// A formula of `I` numbers that gives `O` numbers, applied to tensors element by element.
///
/// The struct's fields are the formula's constants. [`pointwise!`](crate::pointwise!) writes struct and
/// implementation; by hand it is:
///
/// ```
/// use wengert_core::{Pointwise, Real, Tensor, Variable};
///
/// /// `x^2 + c`
/// #[derive(Clone)]
/// struct SquarePlus { c: f64 }
///
/// impl Pointwise<1, 1> for SquarePlus {
///     const NAME: &'static str = "SquarePlus";
///     #[inline(always)]
///     fn eval<R: Real>(&self, [x]: [R; 1]) -> [R; 1] {
///         [x * x + R::lit(self.c)]
///     }
/// }
///
/// let x = Variable::new(Tensor::from([1.0f32, 2.0])).requires_grad_(true);
/// let y = SquarePlus { c: 1.0 }.apply1([&x]);
/// assert_eq!(y.value().to_vec(), vec![2.0, 5.0]);
/// y.sum().backward()?;
/// assert_eq!(x.grad().unwrap().value().to_vec(), vec![2.0, 4.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Pointwise<const I: usize, const O: usize>: Clone + Send + Sync + Sized + 'static {
    /// The name on the tape and in `grad_fn`.
    const NAME: &'static str;

    /// The formula. Mark it `#[inline(always)]`: the loops around it are compiled per instruction set.
    fn eval<R: Real>(&self, inputs: [R; I]) -> [R; O];

    /// The constants by name, for the [tape's listing](crate::Tape).
    fn constants(&self) -> Vec<(&'static str, f64)> {
        Vec::new()
    }

    /// Applies the formula to variables that broadcast with each other, and records one operation.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    fn apply<T: Float>(&self, inputs: [&Variable<T>; I]) -> [Variable<T>; O] {
        #[cfg(feature = "small")]
        let formula = steps::Steps::of(self);
        #[cfg(not(feature = "small"))]
        let formula = self.clone();
        operation::apply(formula, inputs)
    }

    /// [`Pointwise::apply`] for a formula with one result.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// use wengert_core::{Pointwise, Tensor, Variable, pointwise};
    ///
    /// pointwise! { struct Cube; fn eval(x) -> 1 { [x * x * x] } }
    ///
    /// let x = Variable::new(Tensor::from([2.0f64]));
    /// assert_eq!(Cube.apply1([&x]).item()?, 8.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[track_caller]
    fn apply1<T: Float>(&self, inputs: [&Variable<T>; I]) -> Variable<T>
    where
        Self: Pointwise<I, 1>,
    {
        #[cfg(feature = "small")]
        let formula = steps::Steps::of::<Self>(self);
        #[cfg(not(feature = "small"))]
        let formula = <Self as Clone>::clone(self);
        operation::apply1(formula, inputs)
    }

    /// The values that the cotangent of each input is made of: inputs that none depends on are not saved.
    #[doc(hidden)]
    fn dependence(&self) -> Dependence<I> {
        self.dependence_found()
    }

    // The macro repeats these six without generics, so that they are compiled in the formula's crate alone.
    #[doc(hidden)]
    fn dependence_found(&self) -> Dependence<I> {
        dependence(self)
    }
    #[doc(hidden)]
    fn trace(&self, absent: [bool; O]) -> Trace {
        trace(self, absent)
    }
    #[doc(hidden)]
    fn forward_f32(&self, job: &ForwardJob<'_, f32, I, O>) {
        job.forward(&Of(self));
    }
    #[doc(hidden)]
    fn forward_f64(&self, job: &ForwardJob<'_, f64, I, O>) {
        job.forward(&Of(self));
    }
    #[doc(hidden)]
    fn backward_f32(&self, job: &BackwardJob<'_, f32, I, O>) {
        job.backward(&Of(self));
    }
    #[doc(hidden)]
    fn backward_f64(&self, job: &BackwardJob<'_, f64, I, O>) {
        job.backward(&Of(self));
    }
}

/// [`Pointwise::apply`] for whoever applies all formulas there are: what records them is not compiled for
/// each.
#[track_caller]
pub(crate) fn apply_one_of_many<T, P, const I: usize, const O: usize>(
    formula: P,
    inputs: [&Variable<T>; I],
) -> Vec<Variable<T>>
where
    T: Float,
    P: Pointwise<I, O>,
{
    #[cfg(feature = "small")]
    let formula = steps::Steps::of(&formula);
    #[cfg(not(feature = "small"))]
    let formula = shared::Shared(std::sync::Arc::new(formula));
    operation::apply(formula, inputs).into()
}

/// A formula as kernels see it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Of<'p, P>(pub &'p P);

impl<P: Pointwise<I, O>, const I: usize, const O: usize> Formula<I, O> for Of<'_, P> {
    #[inline(always)]
    fn eval<R: Real>(&self, inputs: [R; I]) -> [R; O] {
        self.0.eval(inputs)
    }
}
