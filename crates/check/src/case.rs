//! A case of a property, while it is drawn.

use std::fmt::Display;

use wengert_core::{Tensor, Variable};
use wengert_nn::Module;

use crate::draw::Draw;
use crate::failure::ElementPlace;
use crate::module::parameters;
use crate::subject::{Label, Leaf};

/// What one case consists of.
#[derive(Default)]
pub(crate) struct Entries {
    /// Inputs, then parameters.
    pub leaves: Vec<Leaf>,
    pub inputs: usize,
}

pub(crate) struct Drawn<A> {
    pub entries: Entries,
    pub rest: A,
    pub text: String,
}

impl Entries {
    /// The elements of all inputs, one after the other, each with its place.
    pub fn places(&self) -> Vec<(ElementPlace, f64)> {
        let elements = |leaf: &Leaf| {
            let shape = leaf.parameter.shape().to_vec();
            let values = leaf.parameter.value().to_vec().into_iter().enumerate();
            values.map(|(i, value)| (ElementPlace::new(&leaf.label, &shape, i), value)).collect::<Vec<_>>()
        };
        self.leaves[..self.inputs].iter().flat_map(elements).collect()
    }
}

impl<A> Drawn<A> {
    /// Draws what `case` asks for.
    pub fn by(draw: &mut Draw, case: impl Fn(&mut Case<'_>) -> A) -> Self {
        let mut entries = Entries::default();
        let rest = case(&mut Case { draw, entries: &mut entries });
        Drawn { entries, rest, text: draw.take_notes() }
    }
}

impl<A> std::fmt::Debug for Drawn<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// A case that is being drawn.
pub struct Case<'d> {
    draw: &'d mut Draw,
    entries: &'d mut Entries,
}

impl Case<'_> {
    /// Draws from a strategy of this crate, or from a range, something that no derivative is taken in.
    pub fn draw<D: crate::Drawable>(&mut self, from: D) -> D::Value {
        self.draw.draw(from)
    }

    /// Draws an input, a tensor that derivatives are taken in.
    pub fn input<D: crate::Drawable<Value = Tensor<f64>>>(&mut self, name: &str, from: D) -> Tensor<f64> {
        let value = self.draw.draw(from);
        self.add_input(name, &value);
        value
    }

    /// Takes derivatives in all parameters of a module, too.
    pub fn parameters_of<M: Module<Element = f64>>(&mut self, module: &M) {
        for leaf in parameters(module) {
            self.note(&leaf.label.name, show(&leaf.parameter.value()));
            self.entries.leaves.push(leaf);
        }
    }

    /// Adds a line to what is printed for a failing case.
    pub fn note(&mut self, name: &str, value: impl Display) {
        self.draw.note(name, value);
    }

    fn add_input(&mut self, name: &str, value: &Tensor<f64>) {
        self.note(name, show(value));
        let leaf = Leaf::new(Label::new(name), value.clone());
        self.entries.leaves.insert(self.entries.inputs, leaf);
        self.entries.inputs += 1;
    }
}

/// All elements in full, and the layout if it isn't the usual one.
fn show(tensor: &Tensor<f64>) -> String {
    let values = tensor.to_vec();
    let text = nested(tensor.shape(), &values);
    let shape = if values.is_empty() { format!(" of shape {:?}", tensor.shape()) } else { String::new() };
    match tensor.is_contiguous() {
        true => format!("{text}{shape}"),
        false => format!("{text}{shape} with strides {:?}", tensor.strides()),
    }
}

fn nested(shape: &[usize], values: &[f64]) -> String {
    let Some((&extent, rest)) = shape.split_first() else { return values[0].to_string() };
    let size = rest.iter().product::<usize>();
    let parts: Vec<String> =
        (0..extent).map(|i| nested_part(rest, &values[i * size..(i + 1) * size])).collect();
    format!("[{}]", parts.join(", "))
}

fn nested_part(shape: &[usize], values: &[f64]) -> String {
    if shape.contains(&0) { "[]".to_string() } else { nested(shape, values) }
}

/// How a drawn value enters a case: a tensor as an input, a module by its parameters, anything else as
/// itself. Chosen by method resolution, which takes what is fewer references away.
#[doc(hidden)]
pub mod argument {
    use std::fmt::Debug;

    use super::*;

    pub struct Argument<'v, V>(pub &'v V);

    /// An input's number; the body gets the variable.
    #[derive(Clone, Copy)]
    pub struct Input(usize);

    impl Input {
        pub fn get(&self, inputs: &[Variable<f64>]) -> Variable<f64> {
            inputs[self.0].clone()
        }
    }

    /// A value that is not differentiated; the body gets a clone, of a module one that shares its parameters.
    pub struct Given<V>(V);

    impl<V: Clone> Given<V> {
        pub fn get(&self, _: &[Variable<f64>]) -> V {
            self.0.clone()
        }
    }

    pub trait AsInput {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Input;
    }

    impl AsInput for Argument<'_, Tensor<f64>> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Input {
            let input = Input(case.entries.inputs);
            case.add_input(name, self.0);
            input
        }
    }

    pub trait AsModule<M> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<M>;
    }

    impl<M: Module<Element = f64> + Clone> AsModule<M> for Argument<'_, M> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<M> {
            let type_name = std::any::type_name::<M>().split('<').next().unwrap_or_default();
            case.note(name, type_name.rsplit("::").next().unwrap_or_default());
            case.parameters_of(self.0);
            Given(self.0.clone())
        }
    }

    pub trait AsGiven<V> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<V>;
    }

    impl<V: Clone + Debug> AsGiven<V> for &Argument<'_, V> {
        fn enter(&self, name: &str, case: &mut Case<'_>) -> Given<V> {
            case.note(name, format!("{:?}", self.0));
            Given(self.0.clone())
        }
    }
}
