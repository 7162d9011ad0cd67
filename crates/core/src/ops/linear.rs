//! The affine map `x W^T + b` of every layer and every recurrent step.

use wengert_kernel::gemm::{MatRef, Start};

use crate::base::dims::{Dims, OfTensor, product};
use crate::base::error::{Error, Result, expect};
use crate::ops::registry::{Domain, Fitted, Listed, broadcastable};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::record::{peeks, record1, tensors};
use crate::tape::rule::{Flow, Rule};
use crate::tape::{Attributes, Cotangents, Gradients, Saved, Saves, Wants};
use crate::tensor::{Matrix, Tensor};

use super::matmul::{multiply, rows, saves_of_product};

/// `x W^T`, and `+ b` if there is a third input: one pass, that begins with `b`.
///
/// `ON`: the third input has the result's shape, and so the result's cotangent.
struct Linear<const ON: bool>;

fn out_shape(x: &Dims, weight: &[usize], bias: Option<&Dims>) -> Result<Dims> {
    let misfit = |expected: String, got: String| Err(Error::shape("linear", expected, got));
    if weight.len() != 2 {
        return misfit("a weight of shape (out, in)".to_string(), format!("{weight:?}"));
    }
    if x.last() != Some(&weight[1]) {
        return misfit(format!("an input whose last axis is {}", weight[1]), format!("{x:?}"));
    }
    let mut shape = x.clone();
    let last = shape.len() - 1;
    shape[last] = weight[0];
    let shape = shape.sized("linear")?;
    if let Some(bias) = bias.filter(|bias| **bias != shape) {
        let stretched = crate::base::dims::broadcast("linear", bias, &shape);
        if stretched.as_ref() != Ok(&shape) {
            return misfit(format!("a bias that broadcasts to {shape:?}"), format!("{bias:?}"));
        }
    }
    Ok(shape)
}

/// `x` as a matrix of these extents, which `shape` has in all but its last axis; what is made for that is
/// put into `made`.
#[inline]
fn flat<'x, T: Float>(
    x: &'x Tensor<T>,
    shape: &Dims,
    extents: [usize; 2],
    made: &'x mut Option<Tensor<T>>,
) -> Matrix<'x, T> {
    if x.shape() == extents {
        return Matrix::of(x);
    }
    let whole = expect(x.expand(shape).and_then(|whole| whole.reshape(extents)));
    Matrix::of(made.insert(whole))
}

/// The result.
#[track_caller]
fn forward<T: Float>(inputs: &[&Tensor<T>]) -> Tensor<T> {
    let (x, weight, bias) = (inputs[0], inputs[1], inputs.get(2));
    let shape = expect(out_shape(x.dims(), weight.shape(), bias.map(|bias| bias.dims())));
    let weight = Matrix::of(weight).t();
    let [k, n] = weight.extents;
    let m = product(&x.shape()[..x.rank() - 1]);
    let (mut flat_x, mut flat_bias) = (None, None);
    let x = flat(x, x.dims(), [m, k], &mut flat_x);
    let start = match bias {
        Some(bias) if bias.shape() == [n] => Start::Matrix(MatRef::repeated(bias.as_view(), m)),
        Some(bias) => Start::Matrix(flat(bias, &shape, [m, n], &mut flat_bias).at(0)),
        None => Start::Zero,
    };
    Tensor::build(shape, |out| multiply(x, weight, start, out))
}

impl<T: Float, const ON: bool> Rule<T> for Linear<ON> {
    fn name(&self) -> &'static &'static str {
        &"Linear"
    }

    fn saves(&self, wants: Wants) -> Saves {
        saves_of_product(wants)
    }

    fn flow(&self) -> Flow {
        if ON { Flow::On(2) } else { Flow::Through }
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let g = cotangents.only();
        if gradients.wants(0) {
            gradients.comes_from_product(0);
            gradients.add(0, g.matmul(&saved.input(1)));
        }
        if gradients.wants(1) {
            gradients.add_product(1, rows(g), rows(&saved.input(0)));
        }
        if gradients.wants(2) {
            gradients.add(2, g.sum_to_dims(&saved.input_dims(2)));
        }
    }
}

/// The result, recorded.
#[track_caller]
fn applied<T: Float, const ON: bool>(rule: Linear<ON>, inputs: &[&Variable<T>]) -> Variable<T> {
    let peeks = peeks(inputs);
    let tensors = tensors(&peeks);
    let out = forward(&tensors);
    record1(rule, inputs, &tensors, out)
}

/// Whether a bias has the extents of the result.
fn is_result_like<T: Float>(x: &Variable<T>, weight: &Variable<T>, bias: &Variable<T>) -> bool {
    let (x, bias) = (x.shape(), bias.shape());
    let alike = |axes: usize| (0..axes).all(|axis| x[axis] == bias[axis]);
    bias.len() == x.len() && bias.last() == weight.shape().first() && alike(x.len().saturating_sub(1))
}

impl<T: Float> Variable<T> {
    /// `x W^T + b` (`torch.nn.functional.linear`): x of shape (.., in), W (out, in), b any shape that
    /// broadcasts to the result (.., out), so that a recurrent step adds its product to a projected input.
    ///
    /// # Panics
    /// If the shapes don't fit.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 2.0]]));
    /// let w = Variable::new(Tensor::from([[1.0f32, 1.0], [0.0, 1.0], [1.0, 0.0]]));
    /// let b = Variable::new(Tensor::from([0.5f32, 0.0, 0.0]));
    /// assert_eq!(x.linear(&w, Some(&b)).to_vec(), vec![3.5, 2.0, 1.0]);
    /// ```
    #[doc(alias = "dense")]
    #[doc(alias = "addmm")]
    #[track_caller]
    pub fn linear(&self, weight: &Variable<T>, bias: Option<&Variable<T>>) -> Variable<T> {
        match bias {
            Some(bias) if is_result_like(self, weight, bias) => {
                applied(Linear::<true>, &[self, weight, bias])
            }
            Some(bias) => applied(Linear::<false>, &[self, weight, bias]),
            None => applied(Linear::<false>, &[self, weight]),
        }
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![L::new(
        "Linear",
        &[Domain::Any],
        &|choose, shape| {
            let (&inner, leading) = shape.split_last()?;
            let outer = [1, 2, 3, 5, 16, 33, 0][choose(7)];
            let out = [leading, &[outer]].concat();
            let mut shapes = vec![shape.to_vec(), vec![outer, inner]];
            match choose(4) {
                0 => {}
                1 => shapes.push(vec![outer]),
                2 => shapes.push(out),
                _ => shapes.push(broadcastable(choose, &out)),
            }
            Some(Fitted::new(shapes, Attributes::none()))
        },
        &|_, v| vec![v[0].linear(v[1], v.get(2).copied())],
    )]
}
