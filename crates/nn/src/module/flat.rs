//! The parameters of a module as values: by name, and as one vector.

use wengert_core::{AsVariable, Error, Float, Parameter, Result, Tensor, Variable, cat};

use super::Module;
use crate::line::answered;
use crate::sequence::listed;
use crate::state_dict::refuse_computed;

/// The parameters of a module as values, by name or as one vector: for an optimizer, a solver or a network of
/// one's own that knows nothing of modules. A tied parameter comes once.
///
/// In a vector they stand one behind the other, each in row-major order
/// (`torch.nn.utils.parameters_to_vector`).
///
/// ```
/// use wengert_core::{GradOptions, Tensor, Variable, grad};
/// use wengert_nn::{Flat, Linear};
/// let (linear, x) = (Linear::new(2, 1)?, Variable::new(Tensor::from([[1.0f32, 2.0]])));
/// let loss = |w: &Variable| linear.with_flat(w, |linear| Ok(linear.forward(&x)?.square().sum()));
/// // Newton's way with a step of one's own: the loss is a function of one vector.
/// let w = linear.flat();
/// let slope = &grad(&[loss(&w)?], &[&w], GradOptions::default())?[0];
/// linear.set_flat(&(w - slope * 0.05))?;
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Flat: Module {
    /// The parameters as variables, each once, under the first of its names, as
    /// [`Module::with_parameters`] takes them.
    fn named_values(&self) -> Vec<(String, Variable<Self::Element>)> {
        self.parameters()
            .iter()
            .map(|p| (p.name().unwrap_or_default().to_string(), p.as_variable()))
            .collect()
    }

    /// All parameters as one vector, through which gradients come back to them.
    #[doc(alias = "parameters_to_vector")]
    #[doc(alias = "ravel_pytree")]
    #[track_caller]
    fn flat(&self) -> Variable<Self::Element> {
        let mut parts = vec![Variable::zeros([0])];
        for parameter in self.parameters() {
            parts.push(parameter.reshape([parameter.numel()]));
        }
        cat(&parts, 0)
    }

    /// The gradients of all parameters as one vector, zero where there is none.
    #[track_caller]
    fn flat_gradient(&self) -> Tensor<Self::Element> {
        let mut parts = vec![Tensor::zeros([0])];
        for parameter in self.parameters() {
            let gradient = parameter.grad().map(|gradient| gradient.value());
            let gradient = gradient.unwrap_or_else(|| Tensor::zeros(parameter.shape()));
            parts.push(gradient.reshape([parameter.numel()]).expect("as many elements"));
        }
        Tensor::cat(&parts.iter().collect::<Vec<_>>(), 0)
    }

    /// Sets all parameters from one vector.
    ///
    /// # Errors
    /// If it has another length than the parameters, or one of them stands for a computed value; then nothing
    /// has changed.
    #[doc(alias = "vector_to_parameters")]
    fn set_flat(&self, vector: &impl AsVariable<Self::Element>) -> Result<()> {
        let parameters = self.parameters();
        let named: Vec<_> = self.named_parameters();
        refuse_computed("set_flat", &named)?;
        // All memory comes before anything changes.
        let values = answered("set_flat", || {
            let parts = parted("set_flat", &vector.as_variable().detach(), &parameters)?;
            Ok(listed(parts.iter().map(|part| part.value().copy())))
        })?;
        parameters.iter().zip(values).try_for_each(|(parameter, value)| parameter.set_value(value))
    }

    /// [`Module::with_parameters`] for one vector of them all: what `f` computes is a function of the vector,
    /// through which gradients come back to it.
    ///
    /// # Errors
    /// If the vector has another length than the parameters, or `f` fails.
    #[track_caller]
    fn with_flat<R>(
        &self,
        vector: &impl AsVariable<Self::Element>,
        f: impl FnOnce(&Self) -> Result<R>,
    ) -> Result<R>
    where
        Self: Sized + Clone,
    {
        let parameters = self.parameters();
        let vector = vector.as_variable();
        let parts = answered("with_flat", || parted("with_flat", &vector, &parameters))?;
        let names = parameters.iter().map(|parameter| parameter.name().unwrap_or_default());
        self.with_parameters(&names.zip(parts).collect::<Vec<_>>(), f)
    }
}

impl<M: Module + ?Sized> Flat for M {}

/// The parts of a vector, each of the shape of a parameter.
fn parted<T: Float>(
    operation: &'static str,
    vector: &Variable<T>,
    parameters: &[Parameter<T>],
) -> Result<Vec<Variable<T>>> {
    let counts: Vec<usize> = parameters.iter().map(|parameter| parameter.numel()).collect();
    let total: usize = counts.iter().sum();
    if vector.shape() != [total] {
        let expected = format!("a vector of the {total} numbers of all parameters");
        return Err(Error::shape(operation, expected, format!("shape {:?}", vector.shape())));
    }
    let parts = vector.split(&counts, 0).into_iter().zip(parameters);
    Ok(parts.map(|(part, parameter)| part.reshape(parameter.shape())).collect())
}
