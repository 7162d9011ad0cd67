//! The scene of two steps of an LSTM, after its backward, as JSON: what a page shows.

use wengert_core::{Tape, Tensor, Variable, manual_seed, record};
use wengert_nn::{Lstm, Module};
use wengert_walk::{Scene, SceneOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    manual_seed(0);
    let lstm = Lstm::builder(2, 3).build()?;
    let x = Variable::new(Tensor::randn([2, 1, 2])).requires_grad_(true);
    let loss = record(|| lstm.forward(&x, None).map(|(output, _)| output.square().mean()))?;
    loss.backward()?;
    let tape = Tape::of(&loss);
    if std::env::args().any(|argument| argument == "--tape") {
        println!("{}", serde_json::to_string(&tape)?);
        return Ok(());
    }
    let options = SceneOptions::default().title("Two steps of an LSTM").check(true);
    println!("{}", serde_json::to_string(&Scene::with::<f64>(&tape, &options)?)?);
    assert!(lstm.parameters().iter().all(|parameter| parameter.grad().is_some()));
    Ok(())
}
