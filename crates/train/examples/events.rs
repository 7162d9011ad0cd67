//! Writes event files as a run does that is killed and resumed, for `scripts/read_events.py` to read.
//!
//! `cargo run -p wengert-train --features tensorboard --example events -- FOLDER`

use wengert_core::{Generator, Result, Stateful, Tensor};
use wengert_train::EventFile;

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).expect("a folder for the files");
    let mut generator = Generator::from_seed(0);
    let mut write = |events: &mut EventFile, step: u64, value: f64| -> Result<()> {
        events.scalar(step, "loss/training", value)?;
        events.scalar(step, "loss/validation", 2.0 * value)?;
        let weights = Tensor::from_fn([1000], |_| (value + generator.normal()) as f32);
        events.histogram(step, "weights", &weights)
    };
    let mut events = EventFile::create(&folder)?;
    (0..50).try_for_each(|step| write(&mut events, step, 1.0 / (1.0 + step as f64)))?;
    let state = events.state_dict();
    // Steps that are lost, since nothing was saved after them.
    (50..60).try_for_each(|step| write(&mut events, step, 1e9))?;
    let mut events = EventFile::create(&folder)?;
    events.load_state_dict(&state)?;
    (50..100).try_for_each(|step| write(&mut events, step, 1.0 / (1.0 + step as f64)))
}
