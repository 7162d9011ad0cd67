//! A tour of the recurrent layers, for whoever knows PyTorch's `RNNCell`, `RNN`, `LSTM` and `GRU`.
//!
//! `cargo run --release --example rnn_tour`

use wengert::prelude::*;

/// Prints a parameter as PyTorch would, and its shape.
fn show(name: &str, parameter: &Parameter) {
    println!("{name} {:?}\n{parameter}\n", parameter.shape());
}

/// Backward through the mean square of `out`, and the norm of each parameter's gradient.
fn gradients<M: Module<Element = f32>>(module: &M, out: &Variable) -> Result<f64> {
    let loss = out.square().mean();
    loss.backward()?;
    println!("loss {:.6}; gradient norms:", loss.item()?);
    for (name, parameter) in module.named_parameters() {
        let norm = parameter.grad().map_or(0.0, |grad| f64::from(grad.square().sum().to_vec()[0]).sqrt());
        println!("  {name:<16} {:?} {norm:.6}", parameter.shape());
    }
    println!();
    Ok(f64::from(loss.item()?))
}

fn rnn_cell() -> Result<f64> {
    println!("== RNNCell(100, 200): one step at a time\n");
    let cell = RnnCell::new(100, 200)?;
    println!("{cell}");
    show("weight_hh", &cell.parameter("weight_hh")?);

    let x = Variable::new(Tensor::randn([6, 5, 100]));
    let mut h = Variable::new(Tensor::zeros([5, 200]));
    let mut out = Vec::new();
    for t in 0..6 {
        let (output, state) = cell.forward(&x.select(0, t), Some(&h))?;
        out.push(output);
        h = state;
    }
    println!("state after six steps\n{h}\n");
    println!("{} outputs, each {:?}\n", out.len(), out[0].shape());

    let (one, _) = cell.forward(&x.select(0, 0), None)?;
    println!("the tape of a single step\n{}", Tape::of(&one));
    gradients(&cell, &h)
}

fn rnn() -> Result<f64> {
    println!("== RNN(100, 200): a whole sequence\n");
    let rnn = Rnn::new(100, 200)?;
    println!("{rnn}");
    show("weight_hh_l0", &rnn.parameter("weight_hh_l0")?);

    let x = Variable::new(Tensor::randn([6, 5, 100]));
    let (out, h) = rnn.forward(&x, None)?;
    println!("from zeros: out {:?}, h {:?}", out.shape(), h.shape());
    let h_0 = Variable::new(Tensor::randn([1, 5, 200]));
    let (out, h) = rnn.forward(&x, Some(&h_0))?;
    println!("from h_0 {:?}: out {:?}, h {:?}\n", h_0.shape(), out.shape(), h.shape());
    gradients(&rnn, &out)
}

fn lstm() -> Result<f64> {
    println!("== LSTM(50, 100, num_layers=2): two states, two layers\n");
    let lstm = Lstm::builder(50, 100).num_layers(2).build()?;
    println!("{lstm}");
    let weight = lstm.parameter("weight_hh_l0")?;
    println!(
        "weight_hh_l0 {:?}: four gates (input, forget, cell, output) of 100 rows each, one below",
        weight.shape()
    );
    println!("the other, so that one product serves all four\n");

    let x = Variable::new(Tensor::randn([10, 3, 50]));
    let (out, (h, c)) = lstm.forward(&x, None)?;
    println!("from zeros: out {:?}, h {:?}, c {:?}", out.shape(), h.shape(), c.shape());
    let state = (Variable::new(Tensor::randn([2, 3, 100])), Variable::new(Tensor::randn([2, 3, 100])));
    let (out, (h, c)) = lstm.forward(&x, Some(&state))?;
    println!("from h_0, c_0: out {:?}, h {:?}, c {:?}\n", out.shape(), h.shape(), c.shape());
    gradients(&lstm, &out)
}

fn gru() -> Result<f64> {
    println!("== GRU(10, 20): three gates\n");
    let gru = Gru::new(10, 20)?;
    println!("{gru}");
    let x = Variable::new(Tensor::randn([3, 32, 10]));
    println!("weight_hh_l0 {:?}", gru.parameter("weight_hh_l0")?.shape());
    let (out, h) = gru.forward(&x, None)?;
    println!("h {:?}, out {:?}\n", h.shape(), out.shape());
    gradients(&gru, &out)
}

/// The whole tour; gives the sum of the losses on the way.
pub fn run() -> Result<f64> {
    manual_seed(0);
    Ok(rnn_cell()? + rnn()? + lstm()? + gru()?)
}

#[allow(dead_code, reason = "the tests call `run`")]
fn main() -> Result<()> {
    run().map(|_| ())
}
