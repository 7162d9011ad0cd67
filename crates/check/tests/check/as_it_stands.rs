//! Modules of `f32`, checked as they stand in a program.

use wengert_check::{Gradcheck, gradcheck_module, gradgradcheck_module};
use wengert_core::{
    Cotangents, Gradients, Operation, Outputs, Parameter, Pointwise, Result, Saved, Saves, Tensor, Variable,
    Wants, manual_seed, pointwise,
};
use wengert_nn::{Cell, Forward, Linear, Lstm, Recurrent, cell, module};

pointwise! {
    /// `h' = (1 - f) h + f tanh(n)` with `f = sigmoid(a)`.
    struct Blend;
    fn eval(a, n, h) -> 1 { let f = a.sigmoid(); [(1.0 - f) * h + f * n.tanh()] }
}

#[derive(Clone)]
struct Mgu {
    w: Linear,
    u: Linear,
}
cell!(Mgu { w, u });

impl Cell for Mgu {
    type State = Variable;
    fn input_size(&self) -> usize {
        self.w.weight.shape()[1]
    }
    fn output_size(&self) -> usize {
        self.u.weight.shape()[1]
    }
    fn zero_state(&self, batch: usize) -> Variable {
        Tensor::zeros([batch, self.output_size()]).into()
    }
    fn project(&self, x: &Variable) -> Variable {
        x.linear(&self.w.weight, self.w.bias.as_deref())
    }
    fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
        let [f, n] = h.linear(&self.u.weight, Some(x)).parts(-1);
        let h = Blend.apply1([&f, &n, h]);
        (h.clone(), h)
    }
}

/// Code without the way it is laid out.
fn bare(code: &str) -> String {
    code.split_whitespace().collect::<String>().replace(",}", "}")
}

#[test]
fn the_cell_that_is_checked_here_is_the_readmes_word_for_word() {
    let (readme, here) = (include_str!("../../../../README.md"), include_str!("as_it_stands.rs"));
    let cell = |text: &str| {
        let from = text.find("pointwise! {\n    /// `h'").expect("the formula");
        let impl_at = from + text[from..].find("impl Cell for Mgu").expect("the cell");
        bare(&text[from..impl_at + text[impl_at..].find("\n}\n").expect("its end")])
    };
    assert_eq!(cell(here), cell(readme));
}

fn mgu(input: usize, hidden: usize) -> Result<Mgu> {
    Ok(Mgu { w: Linear::new(input, 2 * hidden)?, u: Linear::without_bias(hidden, 2 * hidden)? })
}

fn leaf(shape: &[usize]) -> Variable<f64> {
    Variable::new(Tensor::randn(shape)).requires_grad_(true)
}

#[test]
fn a_cell_and_its_layers_to_second_order() {
    manual_seed(3);
    let cell = mgu(3, 2).unwrap();
    let (x, h) = (leaf(&[2, 3]), leaf(&[2, 2]));
    gradcheck_module(&cell, &[&x, &h]).unwrap();
    gradgradcheck_module(&cell, &[&x, &h]).unwrap();
    let layers = Recurrent::of(3, |input| mgu(input, 2)).num_layers(2).bidirectional(true).build().unwrap();
    let x = leaf(&[3, 2, 3]);
    gradcheck_module(&layers, &[&x]).unwrap();
    gradgradcheck_module(&layers, &[&x]).unwrap();
}

#[test]
fn the_librarys_layers() {
    manual_seed(4);
    let lstm: Lstm = Lstm::builder(2, 3).proj_size(2).build().unwrap();
    let (x, h, c) = (leaf(&[3, 1, 2]), leaf(&[1, 1, 2]), leaf(&[1, 1, 3]));
    gradcheck_module(&lstm, &[&x, &h, &c]).unwrap();
    gradgradcheck_module(&lstm, &[&x, &h, &c]).unwrap();
}

/// Cubes, with whatever slope one says.
#[derive(Clone)]
struct Cube(f32);

impl Operation<f32> for Cube {
    const NAME: &'static str = "Cube";

    fn forward(&self, inputs: &[&Tensor<f32>]) -> Outputs<Tensor<f32>> {
        [inputs[0].map(|x| x * x * x)].into_iter().collect()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }

    fn pullback(
        &self,
        saved: &Saved<'_, f32>,
        cotangents: &Cotangents<f32>,
        gradients: &mut Gradients<'_, f32>,
    ) {
        let cotangent = cotangents.get(0).expect("there is one output");
        gradients.add(0, cotangent * (saved.input(0).square() * f64::from(self.0)));
    }
}

struct Cubes {
    scale: Parameter,
}
module!(Cubes { scale });

impl Forward for Cubes {
    fn forward(&self, x: &Variable) -> Result<Variable> {
        Ok(Cube(3.0).apply1(&[&(x * &*self.scale)]))
    }
}

#[test]
fn what_no_tape_has_is_refused_and_says_what_to_do() {
    let model = Cubes { scale: Parameter::new(Tensor::from([0.5f32])) };
    let failure = Gradcheck::new().check_module(&model, &[&leaf(&[2])]).unwrap_err().to_string();
    assert!(
        failure.contains(
            "Cube is code that the tape of a module of f32 does not have, so it is not run in f64: check the \
             module in f64, as its `cast::<f64>()`"
        ),
        "{failure}"
    );
}

/// Forgets the history of half of what it gives.
struct Forgetful {
    scale: Parameter,
}
module!(Forgetful { scale });

impl Forward for Forgetful {
    fn forward(&self, x: &Variable) -> Result<Variable> {
        let product = x * &*self.scale;
        Ok(&product + product.detach() * x)
    }
}

#[test]
fn a_history_that_is_cut_is_refused_and_the_parameters_stay() {
    let model = Forgetful { scale: Parameter::new(Tensor::from([0.5f32])) };
    let failure = gradcheck_module(&model, &[&leaf(&[2])]).unwrap_err().to_string();
    assert!(
        failure.contains(
            "at a point nearby output 0 is not what the recorded operations give: the module detaches"
        ),
        "{failure}"
    );
    assert_eq!(model.scale.to_vec(), [0.5]);
}
