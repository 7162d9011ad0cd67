//! What every optimizer can do.

use wengert_core::{Error, Float, Parameter, Result, TensorMap};

#[cfg(doc)]
use crate::RuleOptimizer;

/// An optimizer: it changes parameters by their gradients (`torch.optim.Optimizer`).
///
/// ```
/// use wengert_core::{Parameter, Result, Tensor, TensorMap};
/// use wengert_optim::{Adam, Optimizer};
/// let w = Parameter::new(Tensor::from([3.0f32]));
/// let train = |optimizer: &mut dyn Optimizer| -> Result<()> {
///     optimizer.zero_grad();
///     w.square().sum().backward()?;
///     optimizer.step()
/// };
/// let mut adam = Adam::new([w.clone()], 0.1)?;
/// train(&mut adam)?;
/// // Another process goes on from the bytes.
/// let bytes = adam.state_dict().to_bytes()?;
/// let mut adam = Adam::new([w.clone()], 1.0)?;
/// adam.load_state_dict(&TensorMap::from_bytes(&bytes)?)?;
/// assert_eq!(adam.lr(), 0.1);
/// train(&mut adam)?;
/// assert!((w.item()? - 2.8).abs() < 1e-2);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Optimizer<T: Float = f32> {
    /// Changes every parameter that has a gradient; the others are skipped and their step count stays. The
    /// first step says in a warning which of them require one
    /// ([`warn_without_gradient`](RuleOptimizer::warn_without_gradient)).
    ///
    /// # Errors
    /// [`Error::Argument`](wengert_core::Error::Argument) if an option was set out of its range or what has a
    /// gradient is a computed value; then no parameter has changed.
    /// [`Error::Memory`](wengert_core::Error::Memory) if there is none for a parameter's state or a copy of
    /// it; that one and those behind it have then had no step.
    fn step(&mut self) -> Result<()>;

    /// All parameters, group after group.
    fn parameters(&self) -> Vec<Parameter<T>>;

    /// The learning rate of the first group.
    fn lr(&self) -> f64;

    /// The learning rate of each group, in the order they were added.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{Optimizer, Sgd, SgdOptions};
    /// let [body, head] = [0.0f32, 0.0].map(|x| Parameter::new(Tensor::from([x])));
    /// let mut sgd = Sgd::new([body], 0.1)?;
    /// sgd.add_group([head], SgdOptions::default().lr(0.5))?;
    /// assert_eq!(sgd.lrs(), [0.1, 0.5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn lrs(&self) -> Vec<f64>;

    /// Sets the learning rate of all groups.
    fn set_lr(&mut self, lr: f64);

    /// Sets the learning rate of one group, by its number in the order they were added
    /// (`optimizer.param_groups[group]["lr"] = lr`); the next step checks it.
    ///
    /// # Errors
    /// [`Error::Argument`] if there is no such group; it names those that there are.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{Optimizer, Sgd, SgdOptions};
    /// let [body, head] = ["body", "head"].map(|name| Parameter::new(Tensor::from([0.0f32])).named(name));
    /// let mut sgd = Sgd::new([body], 0.1)?;
    /// sgd.add_group([head], SgdOptions::default().lr(0.5))?;
    /// sgd.set_group_lr(1, 0.25)?;
    /// assert_eq!(sgd.lrs(), [0.1, 0.25]);
    /// let error = sgd.set_group_lr(2, 1.0).unwrap_err().to_string();
    /// assert_eq!(error, "SGD: group must be one of 0 (body), 1 (head), got 2");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "param_groups")]
    fn set_group_lr(&mut self, group: usize, lr: f64) -> Result<()>;

    /// Multiplies the learning rate of every group by `factor`, so that their ratios stay; the next step
    /// checks the products.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{Adam, Optimizer};
    /// let mut adam = Adam::new([Parameter::new(Tensor::from([0.0f32]))], 0.5)?;
    /// adam.scale_lr(0.5);
    /// assert_eq!(adam.lr(), 0.25);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "MultiplicativeLR")]
    fn scale_lr(&mut self, factor: f64);

    /// The learning rate that each group was declared with, whatever it is now, in the order they were added
    /// (`optimizer.param_groups[group]["initial_lr"]`).
    #[doc(alias = "initial_lr")]
    #[doc(alias = "base_lrs")]
    fn initial_lrs(&self) -> Vec<f64>;

    /// Sets the learning rate of the first group to `lr`, and that of each group `g` to `lr * (initial_lrs[g]
    /// / initial_lrs[0])`, so that the groups stand to each other as they were declared, whatever their rates
    /// are now; the next step checks the products. This is how a [`Schedule`](crate::schedule::Schedule) sets
    /// several groups: a rate of 0, as at the start of a [`WarmUp`](crate::schedule::WarmUp), leaves no ratio
    /// behind to go on from. What was declared is saved with the state.
    ///
    /// # Errors
    /// [`Error::Argument`] if the first group was declared with a rate of 0 and another was not, as there is
    /// no ratio then; nothing has changed.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::schedule::{ConstantLr, Schedule, WarmUp};
    /// use wengert_optim::{Optimizer, Sgd, SgdOptions};
    /// let [body, head] = [0.0f32, 0.0].map(|x| Parameter::new(Tensor::from([x])));
    /// let mut sgd = Sgd::new([body], 0.1)?;
    /// sgd.add_group([head], SgdOptions::default().lr(0.5))?; // five times the rate of the body
    /// let schedule = WarmUp::new(2, ConstantLr::new(1.0)?.factor(1.0)?)?;
    /// let mut rates = Vec::new();
    /// for step in 0..3 {
    ///     sgd.set_base_lr(schedule.lr(step))?;
    ///     rates.push(sgd.lrs());
    /// }
    /// assert_eq!(rates, [[0.0, 0.0], [0.5, 2.5], [1.0, 5.0]]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn set_base_lr(&mut self, lr: f64) -> Result<()> {
        let initial = self.initial_lrs();
        let first = initial.first().copied().unwrap_or(lr);
        if let Some(other) = initial.iter().find(|other| first == 0.0 && **other != 0.0) {
            let got = format!("0, where another was declared with {other}");
            return Err(Error::argument("set_base_lr", "the first group's declared lr", "above 0", got));
        }
        for (group, own) in initial.into_iter().enumerate() {
            // Groups of the same rate keep it to the last bit.
            let ratio = if own == first { 1.0 } else { own / first };
            self.set_group_lr(group, lr * ratio)?;
        }
        Ok(())
    }

    /// Options and states, for going on later as if never stopped: `version`, `group.G.OPTION` for each
    /// option, `group.G.initial_lr`, and for each parameter `state.NAME.step`, how many steps it has had, and
    /// if it has had one `state.NAME.STATE` for each state and each of the rule's numbers. `NAME` is the
    /// parameter's ([`Parameter::named`]; those of a module have one), or its number over all groups if it
    /// has none or another has the same.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{Optimizer, Sgd, SgdOptions};
    /// let [body, head] = ["body", "head"].map(|name| Parameter::new(Tensor::from([2.0f32])).named(name));
    /// let options = SgdOptions::default().momentum(0.5);
    /// let mut sgd = Sgd::with([body.clone(), head.clone()], options.clone())?;
    /// head.square().sum().backward()?;
    /// sgd.step()?;
    /// let saved = sgd.state_dict();
    /// assert_eq!(saved.number("state.head.step")?, 1.0);
    /// // The order may be another.
    /// let mut turned = Sgd::with([head, body], options)?;
    /// turned.load_state_dict(&saved)?;
    /// assert_eq!(turned.state_dict(), saved);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn state_dict(&self) -> TensorMap;

    /// Takes over options and states, for parameters of the same names in the same groups, or for those
    /// without a name in the same places. What was saved without a version has numbers in place of names,
    /// and is for the same parameters in the same order; without an `initial_lr`, groups keep the one they
    /// were declared with here. Options go by the groups' order, as in PyTorch: groups that are declared in
    /// another one get each other's.
    ///
    /// # Errors
    /// One [`Error::Mismatch`] lists all that is missing, unexpected or of another shape;
    /// [`Error::Argument`] names an option, a step count or a state out of its range, or a version that
    /// is not known. Then nothing has changed.
    ///
    /// Elements of states that are infinite or no number are taken over: they come about in training.
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()>;

    /// The names of the parameters that require a gradient and have none, and so would be skipped now;
    /// without a name, place and shape ([`Parameter::without_gradient`]).
    fn without_gradient(&self) -> Vec<String> {
        Parameter::without_gradient(&self.parameters())
    }

    /// The name of the optimizer's type, also behind a `dyn Optimizer`, by [`std::any::type_name`]: it tells
    /// kinds apart whose options have the same names.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{AdamW, Optimizer};
    /// let adam: Box<dyn Optimizer> = Box::new(AdamW::new([Parameter::new(Tensor::from([0.0f32]))], 0.1)?);
    /// assert!(adam.type_name().contains("AdamWOptions"));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    fn type_name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Forgets the gradients of all parameters (`zero_grad(set_to_none=True)`).
    fn zero_grad(&self) {
        self.parameters().iter().for_each(|parameter| parameter.zero_grad());
    }
}
