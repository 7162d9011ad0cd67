//! Modules: checked in their inputs and in every parameter, by name.

use wengert_core::Variable;
use wengert_nn::{Cell, Forward, Module, Recurrent, State};

use crate::failure::Failure;
use crate::gradcheck::{Gradcheck, leaves_of};
use crate::outputs::IntoOutputs;
use crate::recorded;
use crate::subject::{Label, Leaf};

/// A module as a function of a list of variables: every [`Forward`] module, every [`Recurrent`] layer,
/// every [`Cell`]. `Kind` tells them apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be checked as it is",
    label = "expected a module with `Forward`, a recurrent layer or a cell",
    note = "a module with another forward is checked by `Gradcheck::check_module_with`"
)]
pub trait Call<Kind>: Module {
    /// The outputs at `inputs`.
    ///
    /// # Errors
    /// If the module refuses the inputs, with the text of its error.
    fn call(&self, inputs: &[Variable<Self::Element>]) -> Result<Vec<Variable<Self::Element>>, String>;

    /// The names of inputs and outputs, those of a state's parts being numbered.
    #[doc(hidden)]
    fn labels(&self) -> Labels;
}

/// How messages name the inputs and outputs of a module.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Labels {
    first: [&'static str; 2],
    /// The axis of time in the first input and output.
    time: Option<usize>,
    /// The part of a state that the first output is, if it is none of its own.
    output_is_state: bool,
}

impl Labels {
    fn input(&self, i: usize) -> Label {
        match i {
            0 => Label { name: self.first[0].to_string(), time: self.time },
            i => Label::new(format!("state {}", i - 1)),
        }
    }

    fn outputs(&self, count: usize) -> Vec<Label> {
        let own = usize::from(!self.output_is_state);
        let label = |k: usize| match k.checked_sub(own) {
            None => Label { name: self.first[1].to_string(), time: self.time },
            Some(part) => Label::new(format!("next state {part}")),
        };
        (0..count).map(label).collect()
    }
}

/// The kind of [`Forward`] modules.
#[doc(hidden)]
pub struct OfForward;
/// The kind of recurrent layers.
#[doc(hidden)]
pub struct OfRecurrent;
/// The kind of cells.
#[doc(hidden)]
pub struct OfCell;

impl<M: Forward> Call<OfForward> for M {
    fn call(&self, inputs: &[Variable<M::Element>]) -> Result<Vec<Variable<M::Element>>, String> {
        exactly(inputs.len(), 1, "the input")?;
        Ok(vec![self.forward(&inputs[0]).map_err(|error| error.to_string())?])
    }

    fn labels(&self) -> Labels {
        Labels { first: ["input", "output"], time: None, output_is_state: false }
    }
}

impl<C: Cell> Call<OfRecurrent> for Recurrent<C> {
    fn call(&self, inputs: &[Variable<C::Element>]) -> Result<Vec<Variable<C::Element>>, String> {
        let like = self.zero_state(1);
        let state = state_of(&like, inputs)?;
        let (output, state) = self.forward(&inputs[0], state.as_ref()).map_err(|error| error.to_string())?;
        Ok([vec![output], state.variables()].concat())
    }

    fn labels(&self) -> Labels {
        let time = Some(usize::from(self.is_batch_first()));
        Labels { first: ["input", "output"], time, output_is_state: false }
    }
}

impl<C: Cell> Call<OfCell> for C {
    fn call(&self, inputs: &[Variable<C::Element>]) -> Result<Vec<Variable<C::Element>>, String> {
        let like = self.zero_state(1);
        let state = state_of(&like, inputs)?;
        let state = Cell::forward(self, &inputs[0], state.as_ref()).map_err(|error| error.to_string())?;
        Ok(state.variables())
    }

    fn labels(&self) -> Labels {
        Labels { first: ["input", "output"], time: None, output_is_state: true }
    }
}

/// The state that all inputs but the first are the parts of; none if there is only the first.
fn state_of<S: State>(like: &S, inputs: &[Variable<S::Element>]) -> Result<Option<S>, String> {
    if inputs.len() == 1 {
        return Ok(None);
    }
    exactly(inputs.len(), 1 + like.variables().len(), "the input and the parts of a state")?;
    let mut parts = inputs[1..].iter();
    Ok(Some(like.map(|_| parts.next().expect("counted").clone())))
}

fn exactly(inputs: usize, count: usize, what: &str) -> Result<(), String> {
    match inputs == count {
        true => Ok(()),
        false => Err(format!("expected {count} inputs, {what}, got {inputs}")),
    }
}

impl Gradcheck {
    /// Checks the first derivatives of a module in its inputs and in its parameters, by name; frozen
    /// parameters and inputs that require no gradient are left out. A recurrent layer or a cell takes its
    /// input and, or not, the parts of its state; a failure says the time step.
    ///
    /// Derivatives are checked in `f64`. A module of `f32` is run once, and its recorded tape again in `f64`
    /// at every point: it is checked as it stands. A module that does not do the same at a point nearby,
    /// because it detaches, decides or draws anew, is refused; in `f64` it can be checked.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a module
    /// that isn't deterministic or refuses the inputs, nothing that requires a gradient: the [`Failure`] says
    /// which.
    pub fn check_module<K, M: Call<K>>(&self, model: &M, inputs: &[&Variable<f64>]) -> Result<(), Failure> {
        self.check_module_order(1, model, inputs)
    }

    /// Checks the derivatives of the given order, and of no other, of a module in its inputs and in its
    /// parameters, by name.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a module
    /// that isn't deterministic or refuses the inputs, nothing that requires a gradient: the [`Failure`] says
    /// which.
    pub fn check_module_order<K, M: Call<K>>(
        &self,
        order: usize,
        model: &M,
        inputs: &[&Variable<f64>],
    ) -> Result<(), Failure> {
        let labels = model.labels();
        let (leaves, inputs) = leaves_of(inputs, |i| labels.input(i));
        let mut subject = recorded::subject(model, inputs, leaves)?;
        let outputs = wengert_core::no_grad(|| subject.call())?.len();
        subject.outputs = labels.outputs(outputs);
        self.run(&self.derived(order, subject)?)
    }

    /// [`Gradcheck::check_module_order`] for a module whose forward is none of the usual ones: `f` is given
    /// the inputs.
    ///
    /// # Errors
    /// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a module
    /// that isn't deterministic or refuses the inputs, nothing that requires a gradient: the [`Failure`] says
    /// which.
    ///
    /// ```
    /// use wengert_check::Gradcheck;
    /// use wengert_core::{Float, Parameter, Tensor, Variable};
    /// use wengert_nn::module;
    ///
    /// #[derive(Clone)]
    /// struct Scale<T: Float> { factor: Parameter<T> }
    /// module!(Scale<T> { factor });
    ///
    /// let scale = Scale { factor: Parameter::new(Tensor::from([2.0, 3.0])) };
    /// let x = Variable::new(Tensor::from([0.5, -1.0])).requires_grad_(true);
    /// Gradcheck::new().check_module_with(2, &scale, |x| &x[0] * &scale.factor, &[&x])?;
    /// # Ok::<(), wengert_check::Failure>(())
    /// ```
    pub fn check_module_with<M: Module<Element = f64>, O: IntoOutputs>(
        &self,
        order: usize,
        model: &M,
        f: impl Fn(&[Variable<f64>]) -> O,
        inputs: &[&Variable<f64>],
    ) -> Result<(), Failure> {
        let mut subject = self.subject_with(inputs, |i| self.label(i), |x| f(x).into_outputs());
        subject.leaves.extend(parameters(model));
        self.run(&self.derived(order, subject)?)
    }
}

/// The parameters that are not frozen, each once.
pub(crate) fn parameters<M: Module<Element = f64>>(model: &M) -> Vec<Leaf> {
    let leaf = |(name, parameter): (String, _)| Leaf { label: Label::new(name), parameter };
    recorded::free(model).into_iter().map(leaf).collect()
}

/// Checks the first derivatives of a module in its inputs and in its parameters, by name:
/// [`Gradcheck::check_module`] with the defaults.
///
/// ```
/// use wengert_check::gradcheck_module;
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::Lstm;
/// let lstm: Lstm = Lstm::new(2, 3)?;
/// let x = Variable::new(Tensor::randn([4, 1, 2])).requires_grad_(true);
/// gradcheck_module(&lstm, &[&x])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a module that
/// isn't deterministic or refuses the inputs, nothing that requires a gradient: the [`Failure`] says which.
pub fn gradcheck_module<K, M: Call<K>>(model: &M, inputs: &[&Variable<f64>]) -> Result<(), Failure> {
    Gradcheck::new().check_module(model, inputs)
}

/// Checks the second derivatives of a module in its inputs and in its parameters, by name:
/// [`Gradcheck::check_module_order`] of order 2 with the defaults.
///
/// # Errors
/// A derivative that isn't that of differences, a backward that breaks a law of all backwards, a module that
/// isn't deterministic or refuses the inputs, nothing that requires a gradient: the [`Failure`] says which.
pub fn gradgradcheck_module<K, M: Call<K>>(model: &M, inputs: &[&Variable<f64>]) -> Result<(), Failure> {
    Gradcheck::new().check_module_order(2, model, inputs)
}
