//! Softmax and its kin along one axis, shifted so that no exponential overflows.

use crate::dims::axis_of;
use crate::element::Float;
use crate::error::expect;
use crate::kernel::rows::{self, RowFunction};
use crate::operation::{Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants};
use crate::tensor::Tensor;
use crate::variable::Variable;

/// `f` on row-major rows along `axis`: brought to the end for it, and back.
fn along<T: Float>(x: &Tensor<T>, axis: usize, f: impl FnOnce(&[T], &mut [T], usize)) -> Tensor<T> {
    let swap = |x: &Tensor<T>| expect(x.transpose(axis as isize, -1));
    let x = swap(x).contiguous();
    let width = x.shape().last().copied().unwrap_or(1);
    swap(&Tensor::build(x.dims().clone(), |out| f(&x.raw()[..x.numel()], out, width)))
}

fn row_function<T: Float>(x: &Tensor<T>, axis: usize, function: RowFunction) -> Tensor<T> {
    along(x, axis, |source, out, width| T::dispatch(rows::Rows { function, source, out, width }))
}

struct Softmax {
    axis: usize,
}

impl<T: Float> Operation<T> for Softmax {
    const NAME: &'static str = "Softmax";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [row_function(inputs[0], self.axis, RowFunction::Softmax)].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let (y, g) = (saved.output(0), cotangents.only());
        let weighted = &y * g;
        gradients.add(0, &weighted - y * weighted.sum_dim(&[self.axis as isize], true));
    }
}

struct LogSoftmax {
    axis: usize,
}

impl<T: Float> Operation<T> for LogSoftmax {
    const NAME: &'static str = "LogSoftmax";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [row_function(inputs[0], self.axis, RowFunction::LogSoftmax)].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let g = cotangents.only();
        gradients.add(0, g - saved.output(0).exp() * g.sum_dim(&[self.axis as isize], true));
    }
}

/// `ln(sum exp x)` along an axis, kept with extent 1.
struct LogSumExp {
    axis: usize,
}

impl<T: Float> Operation<T> for LogSumExp {
    const NAME: &'static str = "LogSumExp";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let x = expect(inputs[0].transpose(self.axis as isize, -1)).contiguous();
        let mut shape = x.dims().clone();
        let last = shape.len() - 1;
        let width = std::mem::replace(&mut shape[last], 1);
        let out = Tensor::build(shape, |out| T::dispatch(rows::LogSumExp { source: x.raw(), out, width }));
        [expect(out.transpose(self.axis as isize, -1))].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, saved.input(0).softmax(self.axis as isize) * cotangents.only());
    }
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
        Softmax { axis: expect(axis_of("softmax", dim, self.rank())) }.apply1(&[self])
    }

    /// `x - ln(sum exp(x))` along axis `dim` (`torch.log_softmax`).
    #[track_caller]
    pub fn log_softmax(&self, dim: isize) -> Variable<T> {
        LogSoftmax { axis: expect(axis_of("log_softmax", dim, self.rank())) }.apply1(&[self])
    }

    /// `ln(sum exp(x))` along axis `dim` (`torch.logsumexp`).
    #[track_caller]
    pub fn logsumexp(&self, dim: isize, keepdim: bool) -> Variable<T> {
        let out = LogSumExp { axis: expect(axis_of("logsumexp", dim, self.rank())) }.apply1(&[self]);
        if keepdim { out } else { out.squeeze(dim) }
    }
}
