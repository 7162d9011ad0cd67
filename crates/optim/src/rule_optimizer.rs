//! A rule applied to groups of parameters: states, steps, what is skipped.

use std::collections::HashSet;

use wengert_core::__private::{filled, or_refused, warn};
use wengert_core::{
    Divisible, Error, Float, Kernel, Lane, Parameter, Result, Tensor, TensorMap, dispatch_shared,
};

use crate::optimizer::Optimizer;
use crate::rule::{Rule, Update};

/// Parameters that share options (`torch.optim.Optimizer.param_groups`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Group<R, T: Float = f32> {
    /// The options, which may be changed between steps. A state that they no longer ask for is dropped, a
    /// new one begins at the next step.
    pub options: R,
    /// The learning rate that it was declared with.
    pub(crate) initial_lr: f64,
    pub(crate) members: Vec<Member<T>>,
}

/// A parameter with its states, made at its first step.
#[derive(Clone, Debug)]
pub(crate) struct Member<T: Float> {
    pub(crate) parameter: Parameter<T>,
    pub(crate) step: u64,
    /// By name, in the rule's order as of the last step.
    pub(crate) states: Vec<(&'static str, Vec<T>)>,
    /// The values of [`Rule::numbers`], from the first step on.
    pub(crate) numbers: Vec<f64>,
}

/// A [`Rule`] applied to groups of parameters: every optimizer of this crate, by its alias.
#[derive(Clone, Debug)]
pub struct RuleOptimizer<R, T: Float = f32> {
    pub(crate) groups: Vec<Group<R, T>>,
    /// The identities of all parameters.
    known: HashSet<usize>,
    /// Whether the next step is to name what has no gradient.
    warns: bool,
}

impl<R: Rule + Default, T: Float> RuleOptimizer<R, T> {
    /// The optimizer with default options and this learning rate.
    ///
    /// # Errors
    /// If there are no parameters or `lr` is out of its range.
    pub fn new(parameters: impl IntoIterator<Item = Parameter<T>>, lr: f64) -> Result<Self> {
        let mut options = R::default();
        options.set_lr(lr);
        Self::with(parameters, options)
    }
}

impl<R: Rule, T: Float> RuleOptimizer<R, T> {
    /// The optimizer with options. A parameter that comes twice, because it is tied, is stepped once.
    ///
    /// # Errors
    /// If there are no parameters or an option is out of its range.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{AdamW, AdamWOptions};
    /// let w = Parameter::new(Tensor::<f32>::zeros([2]));
    /// let error = AdamW::with([w], AdamWOptions::default().lr(-1.0)).err().unwrap();
    /// assert_eq!(error.to_string(), "AdamW: lr must be at least 0, got -1");
    /// ```
    pub fn with(parameters: impl IntoIterator<Item = Parameter<T>>, options: R) -> Result<Self> {
        let mut optimizer = RuleOptimizer { groups: Vec::new(), known: HashSet::new(), warns: true };
        optimizer.add_group(parameters, options)?;
        Ok(optimizer)
    }

    /// Adds a group of parameters with options of its own.
    ///
    /// # Errors
    /// If there are no parameters, one is in another group already, or an option is out of its range.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{Optimizer, Sgd, SgdOptions};
    /// let [body, head] = [0.0f32, 0.0].map(|x| Parameter::new(Tensor::from([x])));
    /// let mut sgd = Sgd::new([body.clone()], 0.1)?;
    /// sgd.add_group([head.clone()], SgdOptions::default().lr(0.5))?;
    /// (body.sum() + head.sum()).backward()?;
    /// sgd.step()?;
    /// assert_eq!((body.item()?, head.item()?), (-0.1, -0.5));
    /// sgd.groups_mut()[1].options.lr = 0.25;
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn add_group(
        &mut self,
        parameters: impl IntoIterator<Item = Parameter<T>>,
        options: R,
    ) -> Result<()> {
        check(&options)?;
        let mut seen = HashSet::new();
        let mut members = Vec::new();
        for parameter in parameters {
            if self.known.contains(&parameter.id()) {
                let got = format!("one of shape {:?} that is", parameter.shape());
                return Err(Error::argument(R::NAME, "parameters", "in no other group", got));
            }
            if seen.insert(parameter.id()) {
                options.check_shape(parameter.shape())?;
                members.push(Member::new(parameter));
            }
        }
        if members.is_empty() {
            return Err(Error::argument(R::NAME, "parameters", "at least one", "none"));
        }
        self.known.extend(seen);
        self.groups.push(Group { initial_lr: options.lr(), options, members });
        Ok(())
    }

    /// Whether the first step from now warns, once, if parameters that require a gradient have none. It
    /// does from the start: a loss that does not reach them is a mistake that nothing else shows.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tensor};
    /// use wengert_optim::{Adam, Optimizer};
    /// let [body, head] = ["body", "head"].map(|name| Parameter::new(Tensor::from([2.0f32])).named(name));
    /// let mut adam = Adam::new([body.clone(), head], 0.1)?.warn_without_gradient(false);
    /// body.square().sum().backward()?;
    /// adam.step()?;
    /// assert_eq!(adam.without_gradient(), ["head"]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[must_use]
    pub fn warn_without_gradient(mut self, on: bool) -> Self {
        self.warns = on;
        self
    }

    fn warn(&self) {
        let names = self.without_gradient();
        if !names.is_empty() {
            warn(&warning(R::NAME, &names, self.members().count()));
        }
    }

    /// The groups, in the order they were added.
    pub fn groups(&self) -> &[Group<R, T>] {
        &self.groups
    }

    /// The groups, to change their options; the next step checks them.
    pub fn groups_mut(&mut self) -> &mut [Group<R, T>] {
        &mut self.groups
    }

    /// Another one of the same parameters, which none has been stepped by.
    pub(crate) fn without_states(&self) -> Self {
        let fresh = |group: &Group<R, T>| Group {
            members: group.members.iter().map(|member| Member::new(member.parameter.clone())).collect(),
            options: group.options.clone(),
            ..*group
        };
        let groups = self.groups.iter().map(fresh).collect();
        RuleOptimizer { groups, known: self.known.clone(), warns: self.warns }
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Member<T>> {
        self.groups.iter().flat_map(|group| &group.members)
    }
}

/// Refuses options that a rule can't go by.
pub(crate) fn check<R: Rule>(options: &R) -> Result<()> {
    options.check_ranges()?;
    options.check()
}

/// What a first step says about parameters it has to skip; of many only the first are named.
fn warning(rule: &str, names: &[String], all: usize) -> String {
    const SHOWN_NAMES: usize = 20;
    let mut list = names[..names.len().min(SHOWN_NAMES)].join(", ");
    if names.len() > SHOWN_NAMES {
        list += &format!(" and {} more", names.len() - SHOWN_NAMES);
    }
    format!(
        "warning: {rule}: at its first step {} of {all} parameters have no gradient and stay as they are: \
         {list}. The loss does not depend on them; freeze what is not to learn, or see \
         `warn_without_gradient`.",
        names.len()
    )
}

impl<R, T: Float> Group<R, T> {
    /// The group's parameters.
    pub fn parameters(&self) -> Vec<Parameter<T>> {
        self.members.iter().map(|member| member.parameter.clone()).collect()
    }

    /// The group in a few words: its first parameter, by its name or else its shape, and how many others.
    fn describe(&self) -> String {
        let first = &self.members[0].parameter;
        let name = first.name().map_or_else(|| format!("shape {:?}", first.shape()), str::to_string);
        match self.members.len() - 1 {
            0 => name,
            others => format!("{name} and {others} more"),
        }
    }
}

impl<T: Float> Member<T> {
    fn new(parameter: Parameter<T>) -> Self {
        Member { parameter, step: 0, states: Vec::new(), numbers: Vec::new() }
    }

    /// Whether the parameter takes part in a step now.
    fn is_due(&self) -> bool {
        self.parameter.requires_grad() && self.parameter.grad().is_some()
    }

    fn check_settable<R: Rule>(&self) -> Result<()> {
        if self.parameter.is_computed() {
            let got = format!("a computed value in the place of {}", self.parameter.name().unwrap_or("one"));
            return Err(Error::argument(R::NAME, "parameters", "ones that can be set", got));
        }
        Ok(())
    }

    fn advance<R: Rule>(&mut self, options: &R) -> Result<()> {
        let Some(grad) = self.parameter.grad().filter(|_| self.parameter.requires_grad()) else {
            return Ok(());
        };
        or_refused(R::NAME, || self.advance_by(options, &grad.value().contiguous()))
    }

    /// The step and the rule's numbers count once all has changed.
    fn advance_by<R: Rule>(&mut self, options: &R, grad: &Tensor<T>) -> Result<()> {
        let grad = grad.as_slice().expect("contiguous");
        let fresh = self.arrange(options.states(), grad.len());
        if self.numbers.is_empty() {
            self.numbers.extend(options.numbers().iter().map(|(_, start)| start));
        }
        let (step, mut advanced) = (self.step + 1, self.numbers.clone());
        options.advance(step, &mut advanced);
        let states = self.states.iter_mut().map(|(_, values)| values.as_mut_slice()).collect();
        let (numbers, shape) = (advanced.as_slice(), self.parameter.shape());
        self.parameter.update(R::NAME, |value| {
            let update = Update { step, shape, numbers, value, grad, states, fresh };
            dispatch_shared(Turn { rule: options, update });
        })?;
        (self.step, self.numbers) = (step, advanced);
        Ok(())
    }

    /// Brings the states in line with the options, which may have changed; true if one begins, as zeros.
    fn arrange(&mut self, names: &[&'static str], len: usize) -> bool {
        if self.states.iter().map(|(name, _)| name).eq(names) {
            return false;
        }
        // All memory comes before anything changes.
        let begins = |name: &&&str| !self.states.iter().any(|(known, _)| known == *name);
        let mut fresh: Vec<Vec<T>> = names.iter().filter(begins).map(|_| filled(T::ZERO, len)).collect();
        let mut old = std::mem::take(&mut self.states);
        let before = old.len();
        for &name in names {
            let kept = old.iter().position(|(known, _)| *known == name).map(|at| old.swap_remove(at));
            let state = kept.or_else(|| fresh.pop().map(|zeros| (name, zeros)));
            self.states.push(state.expect("zeros for each state that begins"));
        }
        before - old.len() < names.len()
    }
}

/// A parameter's turn as a kernel, for the rule's loop to be compiled with the machine's instructions.
struct Turn<'t, R, T> {
    rule: &'t R,
    update: Update<'t, T>,
}

impl<R: Rule, T: Float> Divisible for Turn<'_, R, T> {
    fn rows(&self) -> usize {
        if self.rule.is_elementwise() { self.update.value.len() } else { 1 }
    }

    fn numbers(&self) -> usize {
        (3 + 2 * self.update.states.len()) * self.update.value.len()
    }

    fn split_at(self, elements: usize) -> (Self, Self) {
        let (first, others) = self.update.split_at(elements);
        (Turn { rule: self.rule, update: first }, Turn { rule: self.rule, update: others })
    }
}

impl<R: Rule, T: Float> Kernel<T> for Turn<'_, R, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        self.rule.update(self.update);
    }
}

impl<R: Rule, T: Float> Optimizer<T> for RuleOptimizer<R, T> {
    fn step(&mut self) -> Result<()> {
        // All are asked before the first one changes.
        self.groups.iter().try_for_each(|group| check(&group.options))?;
        let due = |member: &&Member<T>| member.is_due();
        self.members().filter(due).try_for_each(Member::check_settable::<R>)?;
        if std::mem::take(&mut self.warns) {
            self.warn();
        }
        for Group { options, members, .. } in &mut self.groups {
            members.iter_mut().try_for_each(|member| member.advance(options))?;
        }
        Ok(())
    }

    fn parameters(&self) -> Vec<Parameter<T>> {
        self.members().map(|member| member.parameter.clone()).collect()
    }

    fn lr(&self) -> f64 {
        self.groups[0].options.lr()
    }

    fn lrs(&self) -> Vec<f64> {
        self.groups.iter().map(|group| group.options.lr()).collect()
    }

    fn initial_lrs(&self) -> Vec<f64> {
        self.groups.iter().map(|group| group.initial_lr).collect()
    }

    fn set_lr(&mut self, lr: f64) {
        self.groups.iter_mut().for_each(|group| group.options.set_lr(lr));
    }

    fn set_group_lr(&mut self, group: usize, lr: f64) -> Result<()> {
        let Some(found) = self.groups.get_mut(group) else {
            let groups: Vec<String> = self
                .groups
                .iter()
                .enumerate()
                .map(|(i, group)| format!("{i} ({})", group.describe()))
                .collect();
            return Err(Error::argument(R::NAME, "group", format!("one of {}", groups.join(", ")), group));
        };
        found.options.set_lr(lr);
        Ok(())
    }

    fn scale_lr(&mut self, factor: f64) {
        self.groups.iter_mut().for_each(|group| group.options.set_lr(group.options.lr() * factor));
    }

    fn state_dict(&self) -> TensorMap {
        crate::state_dict::save(self)
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        crate::state_dict::load(self, map)
    }
}
