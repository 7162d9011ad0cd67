//! Groups of parameters by their names.

use wengert_core::{Error, Float, Parameter, Result};

use crate::rule::Rule;
use crate::rule_optimizer::RuleOptimizer;

/// Options for parameters by patterns of their names.
///
/// In a pattern `*` stands for any text, also none. The parameters that no pattern matches go by the options
/// given first and are the first group, if there are any; each pattern's are a group, in the order of the
/// patterns.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_optim::{AdamWOptions, Groups, Optimizer};
/// let [w, b] = ["rnn.weight", "rnn.bias"].map(|name| Parameter::new(Tensor::from([1.0f32])).named(name));
/// let no_decay = AdamWOptions::default().weight_decay(0.0);
/// let mut adam = Groups::new(AdamWOptions::default()).group("*bias", no_decay).optimizer([w, b.clone()])?;
/// assert_eq!(adam.groups()[1].parameters()[0].id(), b.id());
/// adam.set_group_lr(1, 0.5)?;
/// assert_eq!((adam.lr(), adam.groups()[1].options.lr), (1e-3, 0.5));
/// adam.scale_lr(0.5);
/// assert_eq!((adam.lr(), adam.groups()[1].options.lr), (5e-4, 0.25));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[doc(alias = "param_groups")]
#[must_use = "an optimizer is made by `optimizer`"]
pub struct Groups<R> {
    others: R,
    patterns: Vec<(String, R)>,
}

impl<R: Rule> Groups<R> {
    /// An empty list of groups: all parameters go by these options.
    pub fn new(options: R) -> Self {
        Groups { others: options, patterns: Vec::new() }
    }

    /// Adds a group of the parameters whose names match a pattern, with options of their own.
    pub fn group(mut self, pattern: impl Into<String>, options: R) -> Self {
        self.patterns.push((pattern.into(), options));
        self
    }

    /// The optimizer of these parameters.
    ///
    /// # Errors
    /// If a pattern matches no parameter, two match the same one, there are no parameters, or an option is
    /// out of its range.
    pub fn optimizer<T: Float>(
        self,
        parameters: impl IntoIterator<Item = Parameter<T>>,
    ) -> Result<RuleOptimizer<R, T>> {
        let mut others = Vec::new();
        let mut members: Vec<Vec<Parameter<T>>> = self.patterns.iter().map(|_| Vec::new()).collect();
        for parameter in parameters {
            match self.place(&parameter)? {
                Some(group) => members[group].push(parameter),
                None => others.push(parameter),
            }
        }
        if let Some(empty) = members.iter().position(Vec::is_empty) {
            let got = format!("{:?}", self.patterns[empty].0);
            return Err(Error::argument(R::NAME, "pattern", "the name of a parameter", got));
        }
        let options = self.patterns.into_iter().map(|(_, options)| options);
        let mut groups = options.zip(members).collect::<Vec<_>>().into_iter();
        let first = if others.is_empty() { groups.next() } else { None };
        let (options, first) = first.unwrap_or((self.others, others));
        let mut optimizer = RuleOptimizer::with(first, options)?;
        groups.try_for_each(|(options, members)| optimizer.add_group(members, options))?;
        Ok(optimizer)
    }

    /// The pattern that matches a parameter's name.
    fn place<T: Float>(&self, parameter: &Parameter<T>) -> Result<Option<usize>> {
        let Some(name) = parameter.name() else { return Ok(None) };
        let mut matching = (0..self.patterns.len()).filter(|&group| fits(&self.patterns[group].0, name));
        let found = matching.next();
        if let (Some(first), Some(second)) = (found, matching.next()) {
            let [first, second] = [first, second].map(|group| &self.patterns[group].0);
            let got = format!("{first:?} and {second:?} for {name}");
            return Err(Error::argument(R::NAME, "pattern", "the only one that a parameter fits", got));
        }
        Ok(found)
    }
}

/// Whether a name fits a pattern, whose stars stand for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place leaves most of the name for what follows.
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(end)
}
