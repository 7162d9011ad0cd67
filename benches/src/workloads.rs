//! The workloads: f32, loss = mean of output squared, gradients for every parameter.

use wengert_check::Gradcheck;
use wengert_core::{Result, Tensor, Variable, manual_seed, no_grad};
use wengert_nn::{Cast, Cell, Gru, Lstm, Module, Recurrent, Rnn};

/// Something to time.
pub struct Workload {
    pub name: &'static str,
    /// `f` forward alone, nothing recorded; `fb` forward and backward; for a check of gradients, the order.
    pub variant: &'static str,
    /// How many operations a run records, where the time of one is the figure.
    pub operations: Option<usize>,
    pub run: Box<dyn FnMut()>,
}

/// The names of all workloads.
pub const NAMES: [&str; 9] = ["S1", "S2", "S3", "S6", "S7", "S10a", "S10b", "S9", "gradcheck"];

/// The variants of a workload.
pub fn of(name: &'static str) -> Result<Vec<Workload>> {
    manual_seed(0);
    Ok(match name {
        "S1" => layer(name, Rnn::new(100, 200)?, [6, 5, 100]).into(),
        "S2" => layer(name, Lstm::builder(50, 100).num_layers(2).build()?, [10, 3, 50]).into(),
        "S3" => layer(name, Gru::new(10, 20)?, [3, 32, 10]).into(),
        "S6" => layer(name, Gru::new(64, 128)?, [1000, 16, 64]).into(),
        "S7" => layer(name, Lstm::new(1024, 1024)?, [32, 64, 1024]).into(),
        "S10a" => layer(name, Lstm::new(200, 200)?, [20, 20, 200]).into(),
        "S10b" => layer(name, Lstm::new(512, 512)?, [64, 32, 512]).into(),
        "S9" => vec![chain(10_000)],
        _ => gradient_checks(name)?.into(),
    })
}

fn layer<C>(name: &'static str, layer: Recurrent<C>, input: [usize; 3]) -> [Workload; 2]
where
    C: Cell<Element = f32> + Clone + 'static,
{
    let x = Variable::new(Tensor::randn(input));
    let (inference, input) = (layer.clone(), x.clone());
    let forward = move || {
        no_grad(|| inference.forward(&input, None).expect("the shapes fit"));
    };
    let both = move || {
        let (out, _) = layer.forward(&x, None).expect("the shapes fit");
        out.square().mean().backward().expect("a scalar with history");
        layer.zero_grad();
    };
    [
        Workload { name, variant: "f", operations: None, run: Box::new(forward) },
        Workload { name, variant: "fb", operations: None, run: Box::new(both) },
    ]
}

/// A gradcheck and a gradgradcheck of an LSTM(4, 4) on three steps of one sample, in f64, in the input and all parameters.
fn gradient_checks(name: &'static str) -> Result<[Workload; 2]> {
    let of_order = |variant, order| -> Result<Workload> {
        let lstm = Lstm::new(4, 4)?.cast::<f64>();
        let x = Variable::new(Tensor::randn([3, 1, 4])).requires_grad_(true);
        let run = move || {
            Gradcheck::new().check_module_order(order, &lstm, &[&x]).expect("an LSTM has right gradients");
        };
        Ok(Workload { name, variant, operations: None, run: Box::new(run) })
    };
    Ok([of_order("first", 1)?, of_order("second", 2)?])
}

/// S9: add, mul, tanh in turn on four elements.
fn chain(operations: usize) -> Workload {
    let start = Variable::new(Tensor::full([4], 0.5f32)).requires_grad_(true);
    let (a, b) = (Variable::new(Tensor::full([4], 0.1f32)), Variable::new(Tensor::full([4], 0.9f32)));
    let run = move || {
        let mut x = start.clone();
        for i in 0..operations {
            x = match i % 3 {
                0 => &x + &a,
                1 => &x * &b,
                _ => x.tanh(),
            };
        }
        x.sum().backward().expect("a scalar with history");
        start.zero_grad();
    };
    Workload { name: "S9", variant: "fb", operations: Some(operations), run: Box::new(run) }
}
