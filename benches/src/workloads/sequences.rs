//! Sequences of different lengths, and steps one at a time: forward alone.

use wengert::prelude::*;

use super::Workload;

/// What is done with a layer and its input.
type Pass = dyn Fn(&Lstm, &Variable);

/// An LSTM(64, 128) forward over 4000 steps of 32 samples: padded, packed and masked, with all samples of
/// full length; then masked with lengths of which a half counts.
pub fn lengths(name: &'static str) -> Result<[Workload; 4]> {
    let lstm = Lstm::new(64, 128)?;
    let (steps, batch) = (4000, 32);
    let x = Variable::new(Tensor::randn([steps, batch, 64]));
    let (full, half) =
        (vec![steps; batch], (0..batch).map(|n| steps * (2 * n + 1) / (2 * batch)).collect::<Vec<_>>());
    let forward = |variant, run: Box<Pass>| {
        let (lstm, x) = (lstm.clone(), x.clone());
        Workload::new(name, variant, move || no_grad(|| run(&lstm, &x)))
    };
    let masked = |lengths: Vec<usize>| {
        move |lstm: &Lstm, x: &Variable| {
            drop(lstm.forward_masked(x, &lengths, None).expect("lengths that fit"))
        }
    };
    let packed = {
        let full = full.clone();
        move |lstm: &Lstm, x: &Variable| {
            let packed = pack_padded_sequence(x, &full, PackOptions::default()).expect("lengths that fit");
            let (output, _) = lstm.forward_packed(&packed, None).expect("the shapes fit");
            drop(pad_packed_sequence(&output, PadOptions::default()).expect("no total length"));
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
pub fn steps(name: &'static str) -> Result<[Workload; 2]> {
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
        Workload::new(name, "sequence", sequence).of_operations(steps),
        Workload::new(name, "stepper", one_by_one).of_operations(steps),
    ])
}
