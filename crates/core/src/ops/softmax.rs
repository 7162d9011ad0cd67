//! Softmax and its kin along one axis, shifted so that no exponential overflows.

use wengert_kernel::rows::softmax::{self as rows, RowFunction};
use wengert_kernel::run::divide::dispatch_shared;

use crate::base::dims::axis_of;
use crate::base::error::expect;
use crate::ops::registry::{Domain, Fitted, Listed, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::record::record1;
use crate::tape::rule::Rule;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants};
use crate::tensor::Tensor;

/// `f` on row-major rows along `axis`: brought to the end for it, and back.
fn along<T: Float, const I: usize>(
    inputs: [&Tensor<T>; I],
    axis: usize,
    f: impl FnOnce([&[T]; I], &mut [T], usize),
) -> Tensor<T> {
    let swap = |x: &Tensor<T>| expect(x.transpose(axis as isize, -1));
    let inputs = inputs.map(|x| swap(x).contiguous());
    let width = inputs[0].shape().last().copied().unwrap_or(1);
    let sources = inputs.each_ref().map(|x| x.in_order());
    swap(&Tensor::build(inputs[0].dims().clone(), |out| f(sources, out, width)))
}

fn row_function<T: Float>(x: &Tensor<T>, axis: usize, function: RowFunction) -> Tensor<T> {
    along([x], axis, |[source], out, width| dispatch_shared(rows::OverRows { function, source, out, width }))
}

/// The fused pullback: the cotangent of the input in one pass over the output and its cotangent.
fn give_back<T: Float>(
    axis: usize,
    function: RowFunction,
    saved: &Saved<'_, T>,
    cotangents: &Cotangents<T>,
    gradients: &mut Gradients<'_, T>,
) {
    if gradients.wants(0) {
        let (y, g) = (saved.expect_output(0), cotangents.only().peek());
        let found = along([y, &g], axis, |[result, cotangent], out, width| {
            dispatch_shared(rows::OverRowsBack { function, result, cotangent, out, width });
        });
        gradients.add_value(0, found);
    }
}

struct Softmax {
    axis: usize,
}

impl<T: Float> Rule<T> for Softmax {
    fn name(&self) -> &'static &'static str {
        &"Softmax"
    }

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let (y, g) = (saved.output(0), cotangents.only());
        let weighted = &y * g;
        gradients.add(0, &weighted - y * weighted.sum_keepdim(&[self.axis as isize]));
    }

    fn fused(&self, saved: &Saved<'_, T>, cotangents: &mut Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        give_back(self.axis, RowFunction::Softmax, saved, cotangents, gradients);
    }
}

struct LogSoftmax {
    axis: usize,
}

impl<T: Float> Rule<T> for LogSoftmax {
    fn name(&self) -> &'static &'static str {
        &"LogSoftmax"
    }

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let g = cotangents.only();
        gradients.add(0, g - saved.output(0).exp() * g.sum_keepdim(&[self.axis as isize]));
    }

    fn fused(&self, saved: &Saved<'_, T>, cotangents: &mut Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        give_back(self.axis, RowFunction::LogSoftmax, saved, cotangents, gradients);
    }
}

/// `ln(sum exp x)` along an axis, kept with extent 1.
struct LogSumExp {
    axis: usize,
}

impl<T: Float> Operation<T> for LogSumExp {
    const NAME: &'static str = "LogSumExp";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let x = expect(inputs[0].transpose(self.axis as isize, -1)).contiguous();
        let mut shape = x.dims().clone();
        let last = shape.len() - 1;
        let width = std::mem::replace(&mut shape[last], 1);
        let out =
            Tensor::build(shape, |out| dispatch_shared(rows::LogSumExp { source: x.in_order(), out, width }));
        [expect(out.transpose(self.axis as isize, -1))].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS.and_input(0)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let (x, sum) = (saved.input(0), saved.output(0));
        gradients.add(0, shares(&x, &sum, self.axis as isize) * cotangents.only());
    }
}

/// `softmax(x)`, and in rows whose `logsumexp` is infinite the limits that exist: 0 beside the infinity,
/// whose own is NaN.
fn shares<T: Float>(x: &Variable<T>, logsumexp: &Variable<T>, axis: isize) -> Variable<T> {
    let infinite = logsumexp.peek().map(|sum| sum.to_f64() == f64::INFINITY);
    if !infinite.contiguous().in_order().contains(&true) {
        return x.softmax(axis);
    }
    // By `masked_fill`, for what is not chosen must pass nothing on, at any order.
    let beside = (x - Variable::from(logsumexp.value())).exp();
    x.masked_fill(&infinite, 0.0).softmax(axis).where_(&infinite.map(|is| !is), &beside)
}

impl<T: Float> Variable<T> {
    /// `exp(x) / sum exp(x)` along axis `dim` (`torch.softmax`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1000.0f32, 1000.0]));
    /// assert_eq!(x.softmax(0).to_vec(), vec![0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn softmax(&self, dim: isize) -> Variable<T> {
        let axis = expect(axis_of("softmax", dim, self.rank()));
        let x = self.peek();
        let out = row_function(&x, axis, RowFunction::Softmax);
        record1(Softmax { axis }, &[self], &[&x], out)
    }

    /// `x - ln(sum exp(x))` along axis `dim` (`torch.log_softmax`); numbers of any size keep their
    /// differences.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1e30f32, 1e30]));
    /// assert_eq!(x.log_softmax(0).to_vec(), vec![-std::f32::consts::LN_2; 2]);
    /// ```
    #[track_caller]
    pub fn log_softmax(&self, dim: isize) -> Variable<T> {
        let axis = expect(axis_of("log_softmax", dim, self.rank()));
        let x = self.peek();
        let out = row_function(&x, axis, RowFunction::LogSoftmax);
        record1(LogSoftmax { axis }, &[self], &[&x], out)
    }

    /// `ln(sum exp(x))` along axis `dim` (`torch.logsumexp`): infinite where an element is, and negative
    /// infinity where all are. The derivative is the softmax, which is NaN where all elements are negative
    /// infinity; where one is positive infinity, it is NaN there and 0 beside it, as in PyTorch.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
    /// let x = Variable::new(Tensor::from([[high, 1.0], [low, low], [1000.0, low]]));
    /// assert_eq!(x.logsumexp(1).to_vec(), vec![high, low, 1000.0]);
    /// ```
    #[track_caller]
    pub fn logsumexp(&self, dim: isize) -> Variable<T> {
        self.logsumexp_with(dim, false)
    }

    /// [`Variable::logsumexp`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn logsumexp_keepdim(&self, dim: isize) -> Variable<T> {
        self.logsumexp_with(dim, true)
    }

    #[track_caller]
    pub(super) fn logsumexp_with(&self, dim: isize, keepdim: bool) -> Variable<T> {
        let out = LogSumExp { axis: expect(axis_of("logsumexp", dim, self.rank())) }.apply1(&[self]);
        if keepdim { out } else { out.squeeze(dim) }
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    macro_rules! along {
        ($name:literal, |$x:ident, $dim:ident| $value:expr) => {
            L::new(
                $name,
                &[Domain::Any],
                &|choose, shape| {
                    let axis = axis(choose, shape).filter(|&axis| shape[axis] > 0)?;
                    Fitted::one(shape, Attributes::none().int("dim", axis as i64))
                },
                &|attributes, v| {
                    let ($x, $dim) = (v[0], attributes.get_int("dim"));
                    vec![$value]
                },
            )
        };
    }
    vec![
        along!("Softmax", |x, dim| x.softmax(dim)),
        along!("LogSoftmax", |x, dim| x.log_softmax(dim)),
        along!("LogSumExp", |x, dim| x.logsumexp_keepdim(dim)),
    ]
}
