//! The function under check: its leaves, which are changed in place, and a way to call it.

use wengert_core::{GradOptions, Parameter, Tensor, Variable, grad};

use crate::failure::Failure;

pub(crate) type Values = Vec<Variable<f64>>;

/// An input or an output, by the name that a message gives it.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub name: String,
    /// The axis that is time, if there is one.
    pub time: Option<usize>,
}

impl Label {
    pub fn new(name: impl Into<String>) -> Self {
        Label { name: name.into(), time: None }
    }

    /// The time step of an element, where an axis is time.
    pub fn step(&self, shape: &[usize], element: usize) -> Option<usize> {
        let axis = self.time.filter(|&axis| axis < shape.len())?;
        Some(element / shape[axis + 1..].iter().product::<usize>() % shape[axis])
    }

    fn derived(&self, what: &str) -> Self {
        Label { name: format!("{what} {}", self.name), time: self.time }
    }
}

/// A value that the function depends on and that a derivative is taken in.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub label: Label,
    pub parameter: Parameter<f64>,
}

impl Leaf {
    pub fn new(label: Label, value: Tensor<f64>) -> Self {
        Leaf { label, parameter: Parameter::new(value) }
    }
}

/// Called with whether the outputs will be differentiated.
type Call<'f> = Box<dyn Fn(bool) -> Result<Values, Failure> + 'f>;

/// A function of its leaves.
pub(crate) struct Subject<'f> {
    pub leaves: Vec<Leaf>,
    /// The labels of those outputs that have a name.
    pub outputs: Vec<Label>,
    call: Call<'f>,
    pub order: usize,
}

impl<'f> Subject<'f> {
    /// A subject whose outputs beyond those labelled are numbered.
    pub fn new(
        leaves: Vec<Leaf>,
        outputs: Vec<Label>,
        function: impl Fn() -> Result<Values, String> + 'f,
    ) -> Self {
        // Recorded in any case: the function may itself differentiate.
        let call = move |_| function().map_err(|error| Failure::Function { error });
        Subject { leaves, outputs, call: Box::new(call), order: 1 }
    }

    pub fn call(&self) -> Result<Values, Failure> {
        (self.call)(true)
    }

    /// The outputs' elements, one output after the other.
    pub fn values(&self) -> Result<Vec<Vec<f64>>, Failure> {
        Ok((self.call)(false)?.iter().map(Variable::to_vec).collect())
    }

    pub fn output(&self, k: usize) -> Label {
        self.outputs.get(k).cloned().unwrap_or_else(|| Label::new(format!("output {k}")))
    }

    /// The cotangents of the leaves, zeros where nothing flows. `cotangents` stand for outputs one by one;
    /// an output without one is left out of the call.
    pub fn pull_back(
        &self,
        outputs: &[Variable<f64>],
        cotangents: &[Option<Variable<f64>>],
        create_graph: bool,
    ) -> Result<Values, Failure> {
        let given = outputs.iter().zip(cotangents).filter_map(|(y, c)| Some((y, c.clone()?)));
        let (outputs, cotangents): (Vec<_>, Vec<_>) = given.filter(|(y, _)| y.requires_grad()).unzip();
        if outputs.is_empty() {
            let zeros = |leaf: &Leaf| Variable::from(Tensor::zeros(leaf.parameter.shape()));
            return Ok(self.leaves.iter().map(zeros).collect());
        }
        let leaves: Vec<&Variable<f64>> = self.leaves.iter().map(|leaf| &*leaf.parameter).collect();
        let options = GradOptions::default().allow_unused(true).retain_graph(true).create_graph(create_graph);
        grad(&outputs, &leaves, options.cotangents(cotangents)).map_err(|error| self.backward_failed(error))
    }

    pub fn backward_failed(&self, error: wengert_core::Error) -> Failure {
        Failure::Backward { order: self.order, error: Box::new(error) }
    }

    /// The derivative as a function: of the leaves and of a cotangent for each output, `cotangent(k,
    /// shape)` being the value to start from; its outputs are the gradients.
    pub fn derivative(self, mut cotangent: impl FnMut(&[usize]) -> Tensor<f64>) -> Result<Self, Failure>
    where
        Self: 'f,
    {
        let outputs = self.call()?;
        let labels: Vec<Label> = (0..outputs.len()).map(|k| self.output(k)).collect();
        let cotangents: Vec<Leaf> = outputs
            .iter()
            .zip(&labels)
            .map(|(y, label)| Leaf::new(label.derived("cotangent of"), cotangent(y.shape())))
            .collect();
        let leaves = [self.leaves.clone(), cotangents.clone()].concat();
        let names = self.leaves.iter().map(|leaf| leaf.label.derived("gradient of")).collect();
        let order = self.order + 1;
        let call = move |create_graph| {
            let cotangents: Vec<_> = cotangents.iter().map(|leaf| Some((*leaf.parameter).clone())).collect();
            self.pull_back(&self.call()?, &cotangents, create_graph)
        };
        Ok(Subject { leaves, outputs: names, call: Box::new(call), order })
    }
}
