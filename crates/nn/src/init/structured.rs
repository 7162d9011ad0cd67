//! Initialisers that set a structure: identities, and zeros among draws.

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Tensor};

/// Sets a matrix to ones on its diagonal and zeros elsewhere (`torch.nn.init.eye_`).
///
/// # Errors
/// If the parameter is no matrix, or there is no memory for the new value.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_nn::init;
/// let w = Parameter::new(Tensor::<f32>::zeros([2, 3]));
/// init::eye(&w)?;
/// assert_eq!(w.to_vec(), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "Identity")]
pub fn eye<T: Float>(parameter: &Parameter<T>) -> Result<()> {
    scaled_eye("eye", parameter, 1.0)
}

/// `scale` times the identity.
pub(super) fn scaled_eye<T: Float>(operation: &'static str, to: &Parameter<T>, scale: f64) -> Result<()> {
    let [_, columns] = matrix(operation, to)?;
    let at = |i: usize| T::from_f64(if i / columns == i % columns { scale } else { 0.0 });
    to.set_value(or_refused(operation, || Ok(Tensor::from_fn(to.shape(), at)))?)
}

fn matrix<T: Float>(operation: &'static str, parameter: &Parameter<T>) -> Result<[usize; 2]> {
    let shape = parameter.shape();
    shape.try_into().map_err(|_| Error::shape(operation, "a parameter of two axes", format!("{shape:?}")))
}

/// Sets a convolution's weight (C_out, C_in / groups, ..) to one that hands on as many channels as there are,
/// in each group: a one in the middle of the taps (`torch.nn.init.dirac_`).
///
/// # Errors
/// If the parameter has not three to five axes, `groups` does not divide the first, or there is no memory for
/// the new value.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{init, Conv1d, ConvPadding};
/// let conv = Conv1d::builder(2, 2, 3).padding(ConvPadding::Same).bias(false).build()?;
/// init::dirac(&conv.weight, 1)?;
/// let x = Variable::new(Tensor::randn([1, 2, 5]));
/// assert_eq!(conv.forward(&x)?.to_vec(), x.to_vec());
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn dirac<T: Float>(parameter: &Parameter<T>, groups: usize) -> Result<()> {
    let shape = parameter.shape();
    if !(3..=5).contains(&shape.len()) {
        return Err(Error::shape("dirac", "a parameter of three to five axes", format!("{shape:?}")));
    }
    if groups == 0 || !shape[0].is_multiple_of(groups) {
        return Err(Error::argument("dirac", "groups", format!("a divisor of {}", shape[0]), groups));
    }
    let taps: usize = shape[2..].iter().product();
    // The place of the middle along every axis behind the channels.
    let middle = shape[2..].iter().fold(0, |place, extent| place * extent + extent / 2);
    let of_group = shape[0] / groups;
    let at = |i: usize| {
        let (tap, input, output) = (i % taps, i / taps % shape[1], i / taps / shape[1]);
        T::from_f64(if tap == middle && output % of_group == input { 1.0 } else { 0.0 })
    };
    parameter.set_value(or_refused("dirac", || Ok(Tensor::from_fn(shape, at)))?)
}

/// Draws every element of a matrix from N(0, std^2), then sets the share `sparsity` of each column, rounded
/// up, to zero (`torch.nn.init.sparse_`, whose default std is 0.01; Martens 2010).
///
/// # Errors
/// If the parameter is no matrix, `sparsity` is not in [0, 1], or there is no memory for the new value.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_nn::init;
/// let w = Parameter::new(Tensor::<f32>::zeros([10, 4]));
/// init::sparse(&w, 0.75, 0.01)?;
/// assert_eq!(w.to_vec().iter().filter(|x| **x == 0.0).count(), 4 * 8);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn sparse<T: Float>(parameter: &Parameter<T>, sparsity: f64, std: f64) -> Result<()> {
    let [rows, columns] = matrix("sparse", parameter)?;
    if !(0.0..=1.0).contains(&sparsity) {
        return Err(Error::argument("sparse", "sparsity", "in [0, 1]", sparsity));
    }
    let zeros = (sparsity * rows as f64).ceil() as usize;
    let drawn = or_refused("sparse", || {
        let draws = Tensor::<T>::randn([rows, columns]);
        let mut values = draws.map(|x| T::from_f64(std * x.to_f64())).to_vec();
        for column in 0..columns {
            for row in Tensor::<i64>::randperm(rows).to_vec().into_iter().take(zeros) {
                values[row as usize * columns + column] = T::from_f64(0.0);
            }
        }
        Tensor::from_vec(values, [rows, columns])
    });
    parameter.set_value(drawn?)
}
