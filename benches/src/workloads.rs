//! The workloads: f32, loss = mean of output squared, gradients for every parameter.

use wengert_core::{Result, Tensor, Variable, manual_seed, no_grad};
use wengert_nn::{Cell, Gru, Lstm, Module, Recurrent, Rnn};

/// Something to time.
pub struct Workload {
    pub name: &'static str,
    /// `f` forward alone, nothing recorded; `fb` forward and backward.
    pub variant: &'static str,
    /// How many operations a run records, where the time of one is the figure.
    pub operations: Option<usize>,
    pub run: Box<dyn FnMut()>,
}

/// All workloads.
pub fn all() -> Result<Vec<Workload>> {
    manual_seed(0);
    let mut all = Vec::new();
    all.extend(layer("S1", Rnn::new(100, 200)?, [6, 5, 100]));
    all.extend(layer("S2", Lstm::builder(50, 100).num_layers(2).build()?, [10, 3, 50]));
    all.extend(layer("S3", Gru::new(10, 20)?, [3, 32, 10]));
    all.extend(layer("S6", Gru::new(64, 128)?, [1000, 16, 64]));
    all.extend(layer("S7", Lstm::new(1024, 1024)?, [32, 64, 1024]));
    all.extend(layer("S10a", Lstm::new(200, 200)?, [20, 20, 200]));
    all.extend(layer("S10b", Lstm::new(512, 512)?, [64, 32, 512]));
    all.push(chain(10_000));
    Ok(all)
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
