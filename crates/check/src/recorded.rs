//! Modules in whatever precision they are, checked in `f64`.
//!
//! A module of `f64` is called. One of `f32` is called once, and what it recorded is run again in `f64`, as
//! a function of its inputs and parameters: so a cell is checked as it stands in a program.

use std::any::{Any, TypeId};

use wengert_core::{Float, Generator, Number, Parameter, Recompute, Tape, Tensor, Variable, no_grad, record};

use wengert_nn::Module;

use crate::failure::Failure;
use crate::module::Call;
use crate::subject::{Label, Leaf, Subject, Values};

/// What a value is, if it is of type `B`.
fn same<A: 'static, B: 'static>(value: A) -> Option<B> {
    let value: Box<dyn Any> = Box::new(value);
    value.downcast().ok().map(|value| *value)
}

fn all_same<A: 'static, B: 'static>(values: impl IntoIterator<Item = A>) -> Option<Vec<B>> {
    values.into_iter().map(same).collect()
}

/// The module's parameters that are not frozen, each once, with their names.
pub(crate) fn free<M: Module>(model: &M) -> Vec<(String, Parameter<M::Element>)> {
    let mut seen = std::collections::HashSet::new();
    let named = model.named_parameters().into_iter();
    named.filter(|(_, parameter)| parameter.requires_grad() && seen.insert(parameter.id())).collect()
}

/// The module as a function of inputs, which `leaves` are, and of its parameters.
///
/// # Errors
/// If the module refuses the inputs, or what it does in `f32` can't be done again in `f64`.
pub(crate) fn subject<'f, K, M: Call<K>>(
    model: &'f M,
    inputs: Vec<Variable<f64>>,
    mut leaves: Vec<Leaf>,
) -> Result<Subject<'f>, Failure> {
    let parameters = free(model);
    let (own, again) = match TypeId::of::<M::Element>() == TypeId::of::<f64>() {
        true => {
            let own = all_same(parameters.iter().map(|(_, parameter)| parameter.clone()));
            (own.expect("the module is of f64"), None)
        }
        false => {
            let recorded = Recorded::of(model, &inputs, &parameters);
            let recorded = recorded.map_err(|error| Failure::Function { error })?;
            (parameters.iter().map(|(_, parameter)| parameter.copy()).collect::<Vec<_>>(), Some(recorded))
        }
    };
    let names = parameters.iter().map(|(name, _)| Label::new(name));
    leaves.extend(names.zip(&own).map(|(label, parameter)| Leaf { label, parameter: parameter.clone() }));
    let call = move || match &again {
        Some(recorded) => recorded.run(&inputs, &own),
        None => {
            let inputs: Option<Vec<Variable<M::Element>>> = all_same(inputs.iter().cloned());
            let outputs = model.call(&inputs.expect("the module is of f64"))?;
            Ok(all_same(outputs).expect("the module is of f64"))
        }
    };
    Ok(Subject::new(leaves, Vec::new(), call))
}

/// How far a point nearby is at most, relative and absolute.
const STEP: f64 = 1e-2;
/// How far apart results are that single precision makes so, of the largest one and of 1.
const NEAR: f64 = 1e-4;

/// The largest difference, as part of the largest magnitude and of 1.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    let scale = a.iter().fold(1.0f64, |most, x| most.max(x.abs()));
    let differences = a.iter().zip(b).map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() / scale });
    differences.fold(0.0, |most, x| if x.is_nan() || x > most { x } else { most })
}

/// Parameters' own values, which are put back at the end.
struct Back<T: Float>(Vec<(Parameter<T>, Tensor<T>)>);

impl<T: Float> Back<T> {
    fn moved(parameters: &[(String, Parameter<T>)], to: &[Parameter<f64>]) -> Result<Self, String> {
        let mut back = Back(Vec::new());
        for ((_, parameter), to) in parameters.iter().zip(to) {
            back.0.push((parameter.clone(), parameter.value()));
            parameter.set_value(to.value().cast()).map_err(|error| error.to_string())?;
        }
        Ok(back)
    }
}

impl<T: Float> Drop for Back<T> {
    fn drop(&mut self) {
        for (parameter, value) in self.0.drain(..) {
            // It was the parameter's value before.
            let _ = parameter.set_value(value);
        }
    }
}

/// Where a value stands on a tape.
type Place = Option<(usize, usize)>;

/// What a module did, and where its inputs, parameters and outputs stand.
struct Recorded {
    tape: Tape,
    inputs: Vec<Place>,
    parameters: Vec<Place>,
    outputs: Vec<(Place, Variable<f64>)>,
}

impl Recorded {
    fn of<K, M: Call<K>>(
        model: &M,
        inputs: &[Variable<f64>],
        parameters: &[(String, Parameter<M::Element>)],
    ) -> Result<Self, String> {
        let given: Vec<Variable<M::Element>> =
            inputs.iter().map(|x| Variable::new(x.value().cast()).requires_grad_(true)).collect();
        let outputs = record(|| model.call(&given))?;
        let values = parameters.iter().map(|(_, parameter)| &**parameter);
        let all: Vec<&Variable<M::Element>> = outputs.iter().chain(&given).chain(values).collect();
        let (tape, places) = Tape::located(&all);
        if let Some(entry) = tape.entries().iter().find(|entry| entry.recompute == Recompute::Opaque) {
            let (own, name) = (M::Element::NAME, &entry.operation);
            return Err(format!(
                "{name} is code that the tape of a module of {own} does not have, so it is not run in f64: \
                 check the module in f64, as its `cast::<f64>()`"
            ));
        }
        let (of_outputs, others) = places.split_at(outputs.len());
        let (of_inputs, of_parameters) = others.split_at(given.len());
        let values = outputs.iter().map(|output| Variable::new(output.value().cast()));
        let recorded = Recorded {
            tape,
            inputs: of_inputs.to_vec(),
            parameters: of_parameters.to_vec(),
            outputs: of_outputs.iter().copied().zip(values).collect(),
        };
        recorded.does_the_same_nearby(model, inputs, parameters)?;
        Ok(recorded)
    }

    /// Holds the tape against the module at another point: what the module detaches, decides by values or
    /// draws anew is a constant of the tape, and its derivative would be left out without a word.
    fn does_the_same_nearby<K, M: Call<K>>(
        &self,
        model: &M,
        inputs: &[Variable<f64>],
        parameters: &[(String, Parameter<M::Element>)],
    ) -> Result<(), String> {
        let mut generator = Generator::from_seed(1);
        let mut nearby = |value: Tensor<f64>| {
            let mut moved =
                |x: f64| (1.0 + generator.uniform(-STEP, STEP)) * x + generator.uniform(-STEP, STEP);
            // In single precision, so that both begin with the same.
            let elements = value.to_vec().into_iter().map(|x| f64::from(moved(x) as f32)).collect();
            Tensor::from_vec(elements, value.shape()).expect("the shape is that of a tensor")
        };
        let moved_inputs: Vec<Variable<f64>> =
            inputs.iter().map(|input| Variable::new(nearby(input.value()))).collect();
        let moved: Vec<Parameter<f64>> = parameters
            .iter()
            .map(|(_, parameter)| Parameter::new(nearby(parameter.value().cast())))
            .collect();
        let expected = self.run(&moved_inputs, &moved)?;
        let got = {
            let _back = Back::moved(parameters, &moved)?;
            let given: Vec<_> =
                moved_inputs.iter().map(|input| Variable::new(input.value().cast())).collect();
            no_grad(|| model.call(&given))?
        };
        for (k, (expected, got)) in expected.iter().zip(&got).enumerate() {
            let apart = apart(&expected.to_vec(), &got.value().cast::<f64>().to_vec());
            if apart.is_nan() || apart > NEAR {
                let own = M::Element::NAME;
                return Err(format!(
                    "at a point nearby output {k} is not what the recorded operations give: the module \
                     detaches, decides by values or draws anew, so that its tape in {own} is no function to \
                     be checked; check the module in f64, as its `cast::<f64>()`"
                ));
            }
        }
        Ok(())
    }

    fn run(&self, inputs: &[Variable<f64>], parameters: &[Parameter<f64>]) -> Result<Values, String> {
        let inputs = self.inputs.iter().zip(inputs.iter().cloned());
        let parameters = self.parameters.iter().zip(parameters.iter().map(|parameter| (**parameter).clone()));
        let leaves: Vec<(usize, Variable<f64>)> =
            inputs.chain(parameters).filter_map(|(place, value)| Some(((*place)?.0, value))).collect();
        if self.tape.is_empty() {
            return Ok(self.outputs.iter().map(|(_, value)| value.clone()).collect());
        }
        let replay = self.tape.replay_with(&leaves).map_err(|error| error.to_string())?;
        let output = |(place, value): &(Place, Variable<f64>)| match *place {
            Some((number, output)) => replay.value(number, output).expect("it is on the tape").clone(),
            None => value.clone(),
        };
        Ok(self.outputs.iter().map(output).collect())
    }
}
