//! The workloads: f32, loss = mean of output squared, gradients for every parameter.

use wengert_check::Gradcheck;
use wengert_core::{Result, Tensor, Variable, manual_seed, no_grad};
use wengert_nn::{Cast, Cell, Gru, Lstm, Module, Recurrent, Rnn, pack_padded_sequence, pad_packed_sequence};

/// Something to time.
pub struct Workload {
    pub name: &'static str,
    /// `f` forward alone, nothing recorded; `fb` forward and backward; else what is done.
    pub variant: &'static str,
    /// How many operations a run records, where the time of one is the figure.
    pub operations: Option<usize>,
    pub run: Box<dyn FnMut()>,
}

/// The names of all workloads.
pub const NAMES: [&str; 11] =
    ["S1", "S2", "S3", "S6", "S7", "S10a", "S10b", "S9", "gradcheck", "lengths", "steps"];

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
        "gradcheck" => gradient_checks(name)?.into(),
        "lengths" => lengths(name)?.into(),
        _ => steps(name)?.into(),
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

/// What is done with a layer and its input.
type Pass = dyn Fn(&Lstm, &Variable);

/// An LSTM(64, 128) forward over 4000 steps of 32 samples: padded, packed and masked, with all samples of full length; then masked
/// with lengths of which a half counts.
fn lengths(name: &'static str) -> Result<[Workload; 4]> {
    let lstm = Lstm::new(64, 128)?;
    let (steps, batch) = (4000, 32);
    let x = Variable::new(Tensor::randn([steps, batch, 64]));
    let (full, half) =
        (vec![steps; batch], (0..batch).map(|n| steps * (2 * n + 1) / (2 * batch)).collect::<Vec<_>>());
    let forward = |variant, run: Box<Pass>| {
        let (lstm, x) = (lstm.clone(), x.clone());
        Workload { name, variant, operations: None, run: Box::new(move || no_grad(|| run(&lstm, &x))) }
    };
    let masked = |lengths: Vec<usize>| {
        move |lstm: &Lstm, x: &Variable| {
            drop(lstm.forward_masked(x, &lengths, None).expect("lengths that fit"))
        }
    };
    let packed = {
        let full = full.clone();
        move |lstm: &Lstm, x: &Variable| {
            let packed = pack_padded_sequence(x, &full, false, true).expect("lengths that fit");
            let (output, _) = lstm.forward_packed(&packed, None).expect("the shapes fit");
            drop(pad_packed_sequence(&output, false, 0.0, None).expect("no total length"));
        }
    };
    let padded = |lstm: &Lstm, x: &Variable| drop(lstm.forward(x, None).expect("the shapes fit"));
    Ok([
        forward("padded", Box::new(padded)),
        forward("packed", Box::new(packed)),
        forward("masked", Box::new(masked(full))),
        forward("half", Box::new(masked(half))),
    ])
}

/// A thousand steps of a two-layer GRU(64, 128) on one sample: as one sequence, and one by one.
fn steps(name: &'static str) -> Result<[Workload; 2]> {
    let (gru, steps) = (Gru::builder(64, 128).num_layers(2).build()?, 1000);
    let x = Variable::new(Tensor::randn([steps, 1, 64]));
    let inputs: Vec<Variable> = (0..steps).map(|t| x.select(0, t)).collect();
    let mut stepper = gru.stepper(1)?;
    let one_by_one = move || {
        for x in &inputs {
            drop(stepper.step(x).expect("the shapes fit"));
        }
    };
    let sequence = move || drop(no_grad(|| gru.forward(&x, None)).expect("the shapes fit"));
    Ok([
        Workload { name, variant: "sequence", operations: Some(steps), run: Box::new(sequence) },
        Workload { name, variant: "stepper", operations: Some(steps), run: Box::new(one_by_one) },
    ])
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
