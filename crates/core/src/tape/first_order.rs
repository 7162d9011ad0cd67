//! Operations whose backward is written in tensors, and so has no derivative of its own.

use super::node::Edge;
use super::recycle::{NodeRef, recorded};
use super::rule::Rule;
use super::{Cotangents, Float, Gradients, Operation, Outputs, Saved, Saves, Variable, Wants};
use crate::base::error::Error;
use crate::base::mode::is_recording;
use crate::base::scope;
use crate::tensor::Tensor;

/// An operation whose backward is a plain computation with tensors: a kernel of one's own, a library's
/// routine.
///
/// `forward` computes the outputs `y` from the inputs `x`, `backward` from the cotangents `c` of the
/// outputs those of the inputs, `c^T dy/dx`. The first derivative is all there is: an [`Operation`], whose
/// pullback is written in variables, has every order.
///
/// A recorded backward (`create_graph`) is right as far as it goes. What would go back through its result,
/// on the way to whatever that depends on, gets [`Error::FirstOrderOnly`] with the line that recorded the
/// operation; as nothing shows which inputs `backward` made use of, that is all of them.
///
/// ```
/// use wengert_core::{grad, FirstOrder, GradOptions, Outputs, SavedTensors, Saves, Tensor, Variable, Wants};
///
/// /// The length of a vector: `y = sqrt(sum x^2)`, and `c^T dy/dx = c x / y`.
/// struct Length;
///
/// impl FirstOrder<f64> for Length {
///     const NAME: &'static str = "Length";
///     fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
///         let squares: f64 = inputs[0].to_vec().iter().map(|x| x * x).sum();
///         [Tensor::scalar(squares.sqrt())].into()
///     }
///     fn saves(&self, _: Wants) -> Saves {
///         Saves::OUTPUTS.and_input(0)
///     }
///     fn backward(
///         &self,
///         saved: &SavedTensors<'_, f64>,
///         cotangents: &[Option<Tensor<f64>>],
///         _: Wants,
///     ) -> Vec<Option<Tensor<f64>>> {
///         let c = cotangents[0].as_ref().expect("the only output").to_vec()[0];
///         let y = saved.output(0).to_vec()[0];
///         vec![Some(saved.input(0).map(|x| c * x / y))]
///     }
/// }
///
/// let x = Variable::new(Tensor::from([3.0f64, 4.0])).requires_grad_(true);
/// let length = Length.apply1(&[&x]);
/// let first = grad(&[&length], &[&x], GradOptions::default().create_graph(true))?;
/// assert_eq!(first[0].to_vec(), vec![0.6, 0.8]);
/// let error = first[0].sum().backward().unwrap_err().to_string();
/// assert!(error.starts_with("Length recorded at ") && error.contains("first order only"));
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait FirstOrder<T: Float>: Send + Sync + Sized + 'static {
    /// The name on the tape and in `grad_fn`.
    const NAME: &'static str;

    /// The outputs; the inputs' shapes have been checked or are checked here, by panicking.
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>>;

    /// The values that `backward` will ask for, given which inputs want a gradient; none by default.
    fn saves(&self, _: Wants) -> Saves {
        Saves::NOTHING
    }

    /// The cotangent of each input, of its shape; none stands for zero, and will do for one that is not
    /// wanted. A cotangent that comes as none, too, is zero.
    fn backward(
        &self,
        saved: &SavedTensors<'_, T>,
        cotangents: &[Option<Tensor<T>>],
        wants: Wants,
    ) -> Vec<Option<Tensor<T>>>;

    /// Runs the operation and, if an input requires a gradient, records it.
    #[track_caller]
    fn apply(self, inputs: &[&Variable<T>]) -> Outputs<Variable<T>> {
        InTensors(self).apply(inputs)
    }

    /// [`FirstOrder::apply`] for an operation with one output.
    #[track_caller]
    fn apply1(self, inputs: &[&Variable<T>]) -> Variable<T> {
        InTensors(self).apply1(inputs)
    }
}

/// The values that a [`FirstOrder`] operation saved for its backward.
pub struct SavedTensors<'s, T: Float> {
    saved: &'s Saved<'s, T>,
}

impl<T: Float> SavedTensors<'_, T> {
    /// Input `i`.
    ///
    /// # Panics
    /// If the operation's [`Saves`] do not name it.
    pub fn input(&self, i: usize) -> &Tensor<T> {
        self.saved.expect_input(i)
    }

    /// Output `k`.
    ///
    /// # Panics
    /// If the operation does not save its outputs.
    pub fn output(&self, k: usize) -> &Tensor<T> {
        self.saved.expect_output(k)
    }

    /// The shape of an input that a gradient flows to.
    pub fn input_shape(&self, i: usize) -> Vec<usize> {
        self.saved.input_shape(i)
    }
}

/// A [`FirstOrder`] as the [`Operation`] that it is.
struct InTensors<F>(F);

impl<T: Float, F: FirstOrder<T>> Operation<T> for InTensors<F> {
    const NAME: &'static str = F::NAME;

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        self.0.forward(inputs)
    }

    fn saves(&self, wants: Wants) -> Saves {
        self.0.saves(wants)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let values: Outputs<_> = cotangents.values.iter().map(|c| c.as_ref().map(Variable::value)).collect();
        let found = self.0.backward(&SavedTensors { saved }, &values, gradients.wanted());
        let inputs = saved.node.inputs.len();
        assert_eq!(found.len(), inputs, "the backward of {}: expected one cotangent for each input", F::NAME);
        let found = found.into_iter().enumerate().filter(|(i, _)| gradients.wants(*i));
        let found: Vec<(usize, Tensor<T>)> = found.filter_map(|(i, value)| Some((i, value?))).collect();
        let seal = is_recording().then(|| Once::record(saved.node, cotangents, &found));
        for (k, (i, value)) in found.into_iter().enumerate() {
            let edge = seal.as_ref().map(|node| Edge::Node(node.clone(), k as u32));
            gradients.add(i, Variable::computed(value, edge));
        }
    }
}

/// What stands on the tape for a backward in tensors; going back through it is refused.
struct Once {
    refusal: Error,
}

impl Once {
    /// The node whose outputs are what the backward of `node` has `found`.
    fn record<T: Float>(
        node: &NodeRef<T>,
        cotangents: &Cotangents<T>,
        found: &[(usize, Tensor<T>)],
    ) -> NodeRef<T> {
        let (operation, location, path) = (node.name(), node.location, scope::place(node.scope));
        let once = Once { refusal: Error::FirstOrderOnly { operation, location, path } };
        let of_cotangents = cotangents.values.iter().flatten().map(Variable::edge);
        let edges = node.inputs.iter().cloned().chain(of_cotangents);
        let shapes = found.iter().map(|(_, value)| value.dims().clone());
        recorded(|fresh| fresh.record(once, location, edges, shapes, |_, _, _| ()))
    }
}

impl<T: Float> Rule<T> for Once {
    fn name(&self) -> &'static &'static str {
        &"FirstOrderBackward"
    }

    fn pullback(&self, _: &Saved<'_, T>, _: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.refuse(self.refusal.clone());
    }
}
