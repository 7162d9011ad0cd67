//! Modules: whatever owns parameters.

mod cast;
mod containers;
mod declare;
mod evaluating;
mod flat;
mod visitor;

use std::collections::{HashMap, HashSet};

use wengert_core::{Error, Float, Parameter, Result, Variable};

pub use self::cast::{Cast, Memo};
pub use self::evaluating::Evaluating;
pub use self::flat::Flat;
pub(crate) use self::visitor::{Identity, Met, identity};
pub use self::visitor::{Visitor, VisitorMut};
use crate::buffer::Buffer;
use crate::state_dict::refuse_computed;

/// Something that owns parameters, found by one walk in field order under PyTorch's names.
///
/// A struct joins with [`module!`](crate::module!), which writes both visits; all other methods follow.
///
/// ```
/// use wengert_nn::{module, Embedding, Linear, Lstm, Module};
///
/// struct CharModel { embedding: Embedding, rnn: Lstm, head: Linear }
/// module!(CharModel { embedding, rnn, head });
///
/// let model = CharModel {
///     embedding: Embedding::new(65, 16)?,
///     rnn: Lstm::new(16, 32)?,
///     head: Linear::new(32, 65)?,
/// };
/// let names: Vec<String> = model.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names[..3], ["embedding.weight", "rnn.weight_ih_l0", "rnn.weight_hh_l0"]);
/// assert_eq!(model.parameter("head.bias")?.shape(), &[65]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no module",
    label = "expected a `Module`",
    note = "a struct becomes one with `module!(Name {{ every, field }})`, or, generic over its numbers, \
            `module!(Name<T> {{ every, field }})`; a cell with `cell!` in the place of `module!`",
    note = "a field that is no module goes behind `keep`: `module!(Name {{ modules }} keep {{ others }})`"
)]
pub trait Module {
    /// The element type of the parameters.
    type Element: Float;

    /// Shows each field to the visitor, by name and in order.
    fn visit(&self, visitor: &mut Visitor<'_, Self::Element>);

    /// Shows each field to the visitor, by name and in order, to be changed.
    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, Self::Element>);

    /// The settings, as a text: whatever changes the results and is neither a parameter nor a buffer, such as
    /// an activation's slope, a convolution's padding, the nonlinearity of an RNN
    /// (`torch.nn.Module.extra_repr`). The modules in this one say their own. A run is resumed with the same
    /// settings only. The default is the empty text, for none.
    ///
    /// ```
    /// use wengert_nn::{Dropout, Module, Nonlinearity, Rnn};
    /// let rnn = Rnn::builder(2, 3).nonlinearity(Nonlinearity::Relu).build()?;
    /// assert_eq!(rnn.settings(), "RNN(2, 3, nonlinearity=relu)");
    /// assert_eq!(Dropout::new(0.5)?.settings(), "Dropout(p=0.5, inplace=False)");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "extra_repr")]
    fn settings(&self) -> String {
        String::new()
    }

    /// All parameters under all their names; a tied one comes once for each name.
    #[doc(alias = "trainable_weights")]
    #[doc(alias = "get_weights")]
    fn named_parameters(&self) -> Vec<(String, Parameter<Self::Element>)> {
        let mut found = Vec::new();
        self.visit(&mut Visitor::new(&mut |name, parameter| {
            let parameter = parameter.clone().named(name.as_str());
            found.push((name, parameter));
        }));
        found
    }

    /// All parameters, each once, under the first of its names.
    fn parameters(&self) -> Vec<Parameter<Self::Element>> {
        let mut seen = HashSet::new();
        self.named_parameters().into_iter().map(|(_, p)| p).filter(|p| seen.insert(p.id())).collect()
    }

    /// The parameter of that name.
    ///
    /// # Errors
    /// If there is no parameter of that name; the message lists the names there are.
    fn parameter(&self, name: &str) -> Result<Parameter<Self::Element>> {
        let all = self.named_parameters();
        match all.iter().find(|(known, _)| known == name) {
            Some((_, parameter)) => Ok(parameter.clone()),
            None => Err(no_such("parameter", name, &all)),
        }
    }

    /// All buffers under all their names: values that are saved and loaded beside the parameters and are not
    /// trained, as the running statistics of [`BatchNorm1d`](crate::BatchNorm1d).
    ///
    /// ```
    /// use wengert_nn::{BatchNorm1d, Module};
    /// let names: Vec<_> = BatchNorm1d::new(3)?.named_buffers().into_iter().map(|(name, _)| name).collect();
    /// assert_eq!(names, ["running_mean", "running_var", "num_batches_tracked"]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "non_trainable_weights")]
    fn named_buffers(&self) -> Vec<(String, Buffer<Self::Element>)> {
        let mut found = Vec::new();
        self.visit(
            &mut Visitor::new(&mut |_, _| {}).buffers(&mut |name, buffer| found.push((name, buffer.clone()))),
        );
        found
    }

    /// How many numbers the parameters hold, tied ones counted once.
    #[doc(alias = "count_params")]
    fn num_parameters(&self) -> usize {
        self.parameters().iter().map(|parameter| parameter.numel()).sum()
    }

    /// Freezes (false) or unfreezes every parameter whose name is `name` or lies below it (`name.…`); a
    /// frozen one gets no gradient and the optimizer leaves it alone.
    ///
    /// # Errors
    /// If no parameter matches, or one of them stands for a computed value ([`Parameter::computed`]); then
    /// nothing has changed.
    ///
    /// ```
    /// use wengert_nn::{Linear, Module};
    /// let linear = Linear::new(2, 3)?;
    /// linear.set_requires_grad("bias", false)?;
    /// assert!(!linear.parameter("bias")?.requires_grad() && linear.parameter("weight")?.requires_grad());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn set_requires_grad(&self, name: &str, on: bool) -> Result<()> {
        let all = self.named_parameters();
        let below = |known: &str| {
            known.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let matching: Vec<_> = all.iter().filter(|(known, _)| below(known)).cloned().collect();
        if matching.is_empty() {
            return Err(no_such("set_requires_grad", name, &all));
        }
        refuse_computed("set_requires_grad", &matching)?;
        matching.iter().for_each(|(_, parameter)| parameter.set_requires_grad(on));
        Ok(())
    }

    /// The names of the parameters that require a gradient and have none: since the gradients were
    /// forgotten, no backward reached them, so they will not learn. A tied one is named once.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_nn::{module, Linear, Module};
    /// struct Model { body: Linear, head: Linear }
    /// module!(Model { body, head });
    ///
    /// let model = Model { body: Linear::new(2, 3)?, head: Linear::new(3, 1)? };
    /// let h = model.body.forward(&Tensor::ones([1, 2]))?;
    /// h.sum().backward()?; // the head was forgotten
    /// assert_eq!(model.without_gradient(), ["head.weight", "head.bias"]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn without_gradient(&self) -> Vec<String> {
        Parameter::without_gradient(&self.parameters())
    }

    /// Forgets all gradients.
    fn zero_grad(&self) {
        self.visit(&mut Visitor::nameless(&mut |_, parameter| Variable::zero_grad(parameter)));
    }

    /// Turns to training mode: dropout drops (`torch.nn.Module.train`).
    #[doc(alias = "training")]
    fn train(&mut self) {
        self.visit_mut(&mut VisitorMut::new(&mut |_| {}, Some(true)));
    }

    /// Turns to evaluation mode: dropout lets everything through (`torch.nn.Module.eval`).
    #[doc(alias = "evaluate")]
    fn eval(&mut self) {
        self.visit_mut(&mut VisitorMut::new(&mut |_| {}, Some(false)));
    }

    /// A copy with parameters and buffers of its own, tied where they are tied here. (`clone` shares them.)
    ///
    /// ```
    /// use wengert_nn::{Linear, Module};
    /// let linear = Linear::new(2, 3)?;
    /// let copy = linear.deep_clone();
    /// copy.parameter("weight")?.update("test", |w| w.fill(0.0))?;
    /// assert_ne!(linear.parameter("weight")?.to_vec(), vec![0.0; 6]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "deepcopy")]
    #[doc(alias = "clone_model")]
    fn deep_clone(&self) -> Self
    where
        Self: Clone,
    {
        let mut copy = self.clone();
        let mut memo = Memo::new();
        let mut of_buffers = Memo::new();
        copy.visit_mut(
            &mut VisitorMut::new(&mut |parameter| *parameter = memo.copy(parameter), None)
                .buffers(&mut |buffer| *buffer = of_buffers.copy_buffer(buffer)),
        );
        copy
    }

    /// Calls `f` with a copy of the module in which `values` stand in the place of the parameters of those
    /// names (`torch.func.functional_call`): weights that another network computes, or a step of gradient
    /// descent that is itself differentiated. A tied parameter is named once, by any of its names.
    /// [`Flat::with_flat`] takes them as one vector.
    ///
    /// # Errors
    /// What `f` gives; before that one error lists the parameters without a value, the values without a
    /// parameter, and those of another shape.
    ///
    /// ```
    /// use wengert_core::{GradOptions, Tensor, Variable, grad};
    /// use wengert_nn::{Linear, Module};
    /// let (linear, x) = (Linear::new(2, 1)?, Variable::new(Tensor::from([[1.0f32, 2.0]])));
    /// let parameters = linear.parameters();
    /// // A step on the way to a second loss, through which that is differentiated.
    /// let inner = linear.forward(&x)?.square().sum();
    /// let steps = grad(&[inner], &parameters, GradOptions::default().create_graph(true))?;
    /// let moved = parameters.iter().zip(&steps).map(|(w, g)| (w.name().unwrap(), w - g * 0.1));
    /// let outer = linear.with_parameters(&moved.collect::<Vec<_>>(), |linear| linear.forward(&x))?;
    /// outer.square().sum().backward()?;
    /// assert!(linear.weight.grad().is_some());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "functional_call")]
    #[doc(alias = "make_functional")]
    fn with_parameters<R>(
        &self,
        values: &[(impl AsRef<str>, Variable<Self::Element>)],
        f: impl FnOnce(&Self) -> Result<R>,
    ) -> Result<R>
    where
        Self: Sized + Clone,
    {
        let given = values.iter().map(|(name, value)| (name.as_ref(), value));
        let of_parameters = matched(&self.named_parameters(), given)?;
        let mut copy = self.clone();
        let mut replace = |parameter: &mut Parameter<Self::Element>| {
            *parameter = Parameter::computed(of_parameters[&parameter.id()].clone());
        };
        copy.visit_mut(&mut VisitorMut::new(&mut replace, None));
        f(&copy)
    }

    /// The model as it is now, to evaluate: dropout lets everything through, and nothing is recorded that
    /// only the parameters ask for. The model itself may go on training, in training mode; the view keeps the
    /// values that the parameters have now, which costs memory once they change. Threads may share it: its
    /// parameters are read without a lock.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_nn::{Lstm, Module};
    /// let lstm = Lstm::builder(4, 8).num_layers(2).dropout(0.5).build()?;
    /// let view = lstm.evaluating();
    /// let score = |x: Tensor| view.forward(&x, None).map(|(out, _)| out.abs().max().item());
    /// std::thread::scope(|threads| {
    ///     let workers = [0, 1].map(|_| threads.spawn(|| score(Tensor::ones([5, 3, 4]))));
    ///     let [one, other] = workers.map(|worker| worker.join().unwrap().unwrap().unwrap());
    ///     assert_eq!(one, other);
    /// });
    /// assert!(!view.forward(&Tensor::ones([5, 3, 4]), None)?.0.requires_grad());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "inference_mode")]
    fn evaluating(&self) -> Evaluating<Self>
    where
        Self: Sized + Clone,
    {
        Evaluating::of(self)
    }

    /// A table of the parameters: name, shape, count, and whether it is frozen. What only a run can tell,
    /// each layer's output shape, operations and kept memory, is in the table of the function
    /// [`summary(&model, &x)`](crate::summary()).
    ///
    /// ```
    /// use wengert_nn::{Linear, Module};
    /// assert_eq!(Linear::new(2, 3)?.summary(), "\
    /// weight  [3, 2]  6
    /// bias    [3]     3
    /// total           9
    /// ");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "model_summary")]
    fn summary(&self) -> String {
        let rows = self.named_parameters().into_iter().map(|(name, parameter)| {
            let frozen = if parameter.requires_grad() { "" } else { "  frozen" };
            (name, format!("{:?}", parameter.shape()), format!("{}{frozen}", parameter.numel()))
        });
        let total = ("total".to_string(), String::new(), self.num_parameters().to_string());
        let rows: Vec<_> = rows.chain([total]).collect();
        let widest = |cell: fn(&(String, String, String)) -> usize| rows.iter().map(cell).max().unwrap_or(0);
        let (name, shape) = (widest(|row| row.0.len()), widest(|row| row.1.len()));
        rows.iter().map(|row| format!("{:name$}  {:shape$}  {}\n", row.0, row.1, row.2)).collect()
    }
}

/// The value of each parameter, by identity.
fn matched<'v, T: Float>(
    parameters: &[(String, Parameter<T>)],
    values: impl Iterator<Item = (&'v str, &'v Variable<T>)>,
) -> Result<HashMap<usize, &'v Variable<T>>> {
    let (mut found, mut unexpected, mut misshapen) = (HashMap::new(), Vec::new(), Vec::new());
    for (name, value) in values {
        match parameters.iter().find(|(known, _)| known == name) {
            None => unexpected.push(name.to_string()),
            Some((_, parameter)) if parameter.shape() != value.shape() => {
                misshapen.push(format!("{name} expected {:?}, got {:?}", parameter.shape(), value.shape()));
                found.insert(parameter.id(), value);
            }
            Some((_, parameter)) if found.insert(parameter.id(), value).is_some() => {
                unexpected.push(format!("{name}, which has a value already"));
            }
            Some(_) => {}
        }
    }
    let mut seen = HashSet::new();
    let missing = parameters.iter().filter(|(_, parameter)| !found.contains_key(&parameter.id()));
    let missing: Vec<String> =
        missing.filter(|(_, parameter)| seen.insert(parameter.id())).map(|(name, _)| name.clone()).collect();
    if missing.is_empty() && unexpected.is_empty() && misshapen.is_empty() {
        return Ok(found);
    }
    Err(Error::Mismatch { missing, unexpected, misshapen })
}

fn no_such<T: Float>(operation: &'static str, name: &str, all: &[(String, Parameter<T>)]) -> Error {
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    Error::argument(operation, "name", format!("one of {}", names.join(", ")), name)
}
