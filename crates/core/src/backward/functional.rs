//! Derivatives of functions, rather than of recorded values: products with vectors, and whole matrices.
//!
//! A function takes variables and gives variables. It is called with fresh leaves that hold the inputs'
//! values, so nothing that the inputs were computed from is touched, and no leaf's `grad()` changes.
//! (`torch.autograd.functional`.)

use super::grad::{GradOptions, grad};
use crate::base::error::{Error, Result};
use crate::base::refusal::or_refused;
use crate::tape::{Float, Variable};
use crate::tensor::Tensor;

type Values<T> = Vec<Variable<T>>;

/// The outputs of a function, and a product of its derivative: one variable for each input (`vjp`) or
/// output (`jvp`).
pub type OutputsAndProduct<T> = (Vec<Variable<T>>, Vec<Variable<T>>);

/// The outputs of `f` at `inputs`, and the cotangents of the inputs: for each input `x` the sum over the
/// outputs `y` of `cotangent(y)^T dy/dx` (`torch.func.vjp`). One call of `f` and one walk back.
///
/// # Errors
/// Another number of cotangents than of outputs, or one of another shape.
///
/// ```
/// use wengert_core::{vjp, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f64, 2.0]));
/// let c = Variable::new(Tensor::from([1.0, 10.0]));
/// let (y, g) = vjp(|x| vec![x[0].square()], &[&x], &[&c])?;
/// assert_eq!((y[0].to_vec(), g[0].to_vec()), (vec![1.0, 4.0], vec![2.0, 40.0]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn vjp<T: Float>(
    f: impl FnOnce(&[Variable<T>]) -> Vec<Variable<T>>,
    inputs: &[&Variable<T>],
    cotangents: &[&Variable<T>],
) -> Result<(Values<T>, Values<T>)> {
    or_refused("vjp", || {
        let x = leaves(inputs);
        let y = f(&x);
        let found = pull_back(&y, &x, cotangents, GradOptions::default())?;
        Ok((detached(&y), found))
    })
}

/// The outputs of `f` at `inputs`, and their tangents: for each output `y` the sum over the inputs `x` of
/// `dy/dx tangent(x)` (`torch.func.jvp`).
///
/// The pullback of `f` is linear in the cotangents, so its own pullback at any of them is the product asked
/// for: it costs one call of `f`, one recorded walk back, and one walk back through that.
///
/// # Errors
/// Another number of tangents than of inputs, or one of another shape.
///
/// ```
/// use wengert_core::{jvp, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f64, 2.0]));
/// let t = Variable::new(Tensor::from([1.0, 10.0]));
/// let (_, tangent) = jvp(|x| vec![(&x[0] * &x[0]).sum()], &[&x], &[&t])?;
/// assert_eq!(tangent[0].item()?, 42.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn jvp<T: Float>(
    f: impl FnOnce(&[Variable<T>]) -> Vec<Variable<T>>,
    inputs: &[&Variable<T>],
    tangents: &[&Variable<T>],
) -> Result<(Values<T>, Values<T>)> {
    or_refused("jvp", || {
        let x = leaves(inputs);
        let y = f(&x);
        let at: Vec<Variable<T>> = y.iter().map(|y| leaf(Tensor::zeros(y.shape()))).collect();
        let back = pull_back(&y, &x, &refs(&at), GradOptions::default().create_graph(true))?;
        let found = pull_back(&back, &at, tangents, GradOptions::default())?;
        Ok((detached(&y), found))
    })
}

/// All derivatives: `jacobian[k][i]` is `d y_k / d x_i`, of the shape of output `k` followed by that of
/// input `i`. One walk back for each element of the outputs (`torch.autograd.functional.jacobian`).
///
/// # Errors
/// If a hook gives a gradient of another shape, or the allocator refuses memory.
///
/// ```
/// use wengert_core::{jacobian, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f64, 2.0]));
/// let found = jacobian(|x| vec![x[0].square()], &[&x])?;
/// assert_eq!(found[0][0], Tensor::from([[2.0, 0.0], [0.0, 4.0]]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn jacobian<T: Float>(
    f: impl FnOnce(&[Variable<T>]) -> Vec<Variable<T>>,
    inputs: &[&Variable<T>],
) -> Result<Vec<Vec<Tensor<T>>>> {
    or_refused("jacobian", || {
        let x = leaves(inputs);
        let outputs = f(&x);
        outputs.iter().map(|y| rows(y, &x)).collect()
    })
}

/// Second derivatives of a scalar: `hessian[i][j]` is `d^2 y / d x_i d x_j`, of the shape of input `i`
/// followed by that of input `j` (`torch.func.hessian`). One recorded walk back, and one more for each
/// element of the inputs.
///
/// # Errors
/// If `f` does not give a single element.
///
/// ```
/// use wengert_core::{hessian, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f64, 2.0]));
/// let found = hessian(|x| (&x[0] * &x[0] * &x[0]).sum(), &[&x])?;
/// assert_eq!(found[0][0], Tensor::from([[6.0, 0.0], [0.0, 12.0]]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn hessian<T: Float>(
    f: impl FnOnce(&[Variable<T>]) -> Variable<T>,
    inputs: &[&Variable<T>],
) -> Result<Vec<Vec<Tensor<T>>>> {
    or_refused("hessian", || {
        let x = leaves(inputs);
        let (_, slope) = slope(f, &x)?;
        slope.iter().map(|slope| rows(slope, &x)).collect()
    })
}

/// The scalar `f` at `inputs`, and the product of its second derivatives with `tangents`, without forming
/// them (`torch.autograd.functional.hvp`): the slope's walk back is recorded, and walked back.
///
/// # Errors
/// If `f` does not give a single element; another number of tangents than of inputs, or one of another
/// shape.
///
/// ```
/// use wengert_core::{hvp, Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f64, 2.0]));
/// let t = Variable::new(Tensor::from([1.0, 10.0]));
/// let (_, product) = hvp(|x| (&x[0] * &x[0] * &x[0]).sum(), &[&x], &[&t])?;
/// assert_eq!(product[0].to_vec(), vec![6.0, 120.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn hvp<T: Float>(
    f: impl FnOnce(&[Variable<T>]) -> Variable<T>,
    inputs: &[&Variable<T>],
    tangents: &[&Variable<T>],
) -> Result<(Variable<T>, Vec<Variable<T>>)> {
    or_refused("hvp", || {
        let x = leaves(inputs);
        let (y, slope) = slope(f, &x)?;
        // The second derivatives are symmetric: a cotangent of the slope is a tangent.
        Ok((y.detach(), pull_back(&slope, &x, tangents, GradOptions::default())?))
    })
}

/// The value and the recorded gradients of a scalar.
fn slope<T: Float>(
    f: impl FnOnce(&[Variable<T>]) -> Variable<T>,
    x: &[Variable<T>],
) -> Result<(Variable<T>, Vec<Variable<T>>)> {
    let y = f(x);
    if y.numel() != 1 {
        return Err(Error::NonScalar { shape: format!("{:?}", y.shape()) });
    }
    let one = Variable::from(Tensor::ones(y.shape()));
    let found = pull_back(std::slice::from_ref(&y), x, &[&one], GradOptions::default().create_graph(true))?;
    Ok((y, found))
}

/// The derivatives of each element of `y`, one after the other.
fn rows<T: Float>(y: &Variable<T>, x: &[Variable<T>]) -> Result<Vec<Tensor<T>>> {
    let mut rows: Vec<Vec<T>> = vec![Vec::new(); x.len()];
    for element in 0..y.numel() {
        let one = Tensor::from_fn(y.shape(), |i| if i == element { T::ONE } else { T::ZERO });
        let options = GradOptions::default().retain_graph(true);
        let found = pull_back(std::slice::from_ref(y), x, &[&Variable::from(one)], options)?;
        rows.iter_mut().zip(found).for_each(|(rows, row)| rows.extend(row.to_vec()));
    }
    let shape = |x: &Variable<T>| [y.shape(), x.shape()].concat();
    rows.into_iter().zip(x).map(|(rows, x)| Tensor::from_vec(rows, shape(x))).collect()
}

/// The cotangents of `x`: zeros where `y` does not depend on them.
fn pull_back<T: Float>(
    y: &[Variable<T>],
    x: &[Variable<T>],
    cotangents: &[&Variable<T>],
    options: GradOptions<T>,
) -> Result<Vec<Variable<T>>> {
    if cotangents.len() != y.len() {
        let expected = format!("{} products, one for each variable", y.len());
        return Err(Error::shape("derivative", expected, cotangents.len()));
    }
    for (y, cotangent) in y.iter().zip(cotangents) {
        if y.shape() != cotangent.shape() {
            let expected = format!("a factor of the variable's shape {:?}", y.shape());
            return Err(Error::shape("derivative", expected, format!("{:?}", cotangent.shape())));
        }
    }
    let flows = y.iter().zip(cotangents).filter(|(y, _)| y.requires_grad());
    let (y, given): (Vec<_>, Vec<_>) = flows.map(|(y, &cotangent)| (y, cotangent.clone())).unzip();
    if y.is_empty() {
        return Ok(x.iter().map(|x| Variable::from(Tensor::zeros(x.shape()))).collect());
    }
    grad(&y, &refs(x), options.allow_unused(true).cotangents(given))
}

fn leaf<T: Float>(value: Tensor<T>) -> Variable<T> {
    Variable::new(value).requires_grad_(true)
}

fn leaves<T: Float>(inputs: &[&Variable<T>]) -> Vec<Variable<T>> {
    inputs.iter().map(|input| leaf(input.value())).collect()
}

fn refs<T: Float>(variables: &[Variable<T>]) -> Vec<&Variable<T>> {
    variables.iter().collect()
}

fn detached<T: Float>(variables: &[Variable<T>]) -> Vec<Variable<T>> {
    variables.iter().map(Variable::detach).collect()
}
