//! Layers one of whose parameters has been given another shape: where the mistake comes up inside, the panic
//! is at the line of the call.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use wengert_core::{Parameter, Result, Tensor};
use wengert_nn::{
    AdditiveAttention, BatchNorm1d, Cell as _, CellWith, Checkpointing, Conv1d, Embedding, Gru, GruCell,
    LayerNorm, LearnedState, Linear, Lstm, LstmCell, Module, PackOptions, Prelu, RmsNorm, Rnn, RnnCell,
    Sequential, Stack, StepFn, Stepper, Tanh, Truncated, VisitorMut, WeightNorm, mse_loss,
    pack_padded_sequence,
};

use crate::x;

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
    static SEEN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The file and line of the panic of `f`, if it panics.
fn place_of_panic(f: impl FnOnce()) -> Option<String> {
    static HOOKED: Once = Once::new();
    HOOKED.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if WATCHED.get() {
                SEEN.set(Some(info.location().map_or("nowhere".to_string(), Location::to_string)));
            } else {
                usual(info);
            }
        }));
    });
    WATCHED.set(true);
    let panicked = catch_unwind(AssertUnwindSafe(f)).is_err();
    WATCHED.set(false);
    let seen = SEEN.take();
    assert_eq!(panicked, seen.is_some(), "what panics is printed once");
    seen
}

/// Shapes that are not this one.
fn others(shape: &[usize]) -> Vec<Vec<usize>> {
    let mut others = vec![vec![], [&[1], shape].concat(), shape.iter().map(|extent| extent + 1).collect()];
    for axis in 0..shape.len() {
        let mut other = shape.to_vec();
        other[axis] += 1;
        others.push(other);
    }
    others.push(shape[1..].to_vec());
    others
}

/// What a module does with each of its parameters misshapen in turn.
fn misfits<M: Module<Element = f32>>(
    name: &str,
    faults: &mut Vec<String>,
    make: impl Fn() -> Result<M>,
    call: impl Fn(&mut M) -> Result<()>,
) {
    let shapes: Vec<Vec<usize>> =
        make().unwrap().named_parameters().iter().map(|(_, p)| p.shape().to_vec()).collect();
    let mut panics = 0;
    for (place, shape) in shapes.iter().enumerate() {
        for other in others(shape) {
            let mut module = make().unwrap();
            let mut at = 0;
            let mut replace = |parameter: &mut Parameter| {
                if at == place {
                    *parameter = Parameter::new(Tensor::full(&other, 0.1));
                }
                at += 1;
            };
            module.visit_mut(&mut VisitorMut::new(&mut replace, None));
            let panic = place_of_panic(|| drop(call(&mut module)));
            panics += usize::from(panic.is_some());
            if let Some(line) = panic.filter(|line| !line.contains("misfits.rs")) {
                faults.push(format!("{name}, parameter {place} of {shape:?} as {other:?}: {line}"));
            }
        }
    }
    assert!(panics > 0, "{name}: no mistake is found");
}

#[test]
fn layers() {
    let mut all = Vec::new();
    misfits("Linear", &mut all, || Linear::new(3, 2), |m| m.forward(&x(&[4, 3])).map(drop));
    misfits("Conv1d", &mut all, || Conv1d::new(3, 4, 2), |m| m.forward(&x(&[2, 3, 5])).map(drop));
    let grouped = || Conv1d::builder(4, 4, 3).groups(2).build();
    misfits("Conv1d in groups", &mut all, grouped, |m| m.forward(&x(&[4, 5])).map(drop));
    misfits("BatchNorm1d", &mut all, || BatchNorm1d::new(3), |m| m.forward(&x(&[4, 3, 2])).map(drop));
    misfits(
        "Embedding",
        &mut all,
        || Embedding::with_padding(4, 2, 1),
        |m| m.forward(&Tensor::from([0i64, 3])).map(drop),
    );
    misfits("Prelu", &mut all, || Prelu::of_channels(4), |m| m.forward(&x(&[2, 4])).map(drop));
    misfits("RmsNorm", &mut all, || Ok(RmsNorm::new([3])), |m| m.forward(&x(&[4, 3])).map(drop));
    misfits(
        "Sequential",
        &mut all,
        || Ok(Sequential::new((Linear::new(3, 2)?, Tanh::new()))),
        |m| m.forward(&x(&[4, 3])).map(drop),
    );
    misfits(
        "WeightNorm",
        &mut all,
        || WeightNorm::new(Linear::new(3, 2)?, &["weight"]),
        |m| m.forward(&x(&[4, 3])).map(drop),
    );
    misfits(
        "AdditiveAttention",
        &mut all,
        || AdditiveAttention::new(3, 4, 5),
        |m| {
            let memory = x(&[2, 2, 4]);
            m.forward(&x(&[2, 3]), &memory, &memory, None).map(drop)
        },
    );
    misfits(
        "an evaluating view",
        &mut all,
        || Linear::new(3, 2),
        |m| m.evaluating().forward(&x(&[4, 3])).map(drop),
    );
    assert!(all.is_empty(), "{} faults\n{}", all.len(), all.join("\n"));
}

#[test]
fn layer_norms_refuse() {
    let mut norm = LayerNorm::new([3]);
    norm.visit_mut(&mut VisitorMut::new(
        &mut |p: &mut Parameter| *p = Parameter::new(Tensor::ones([2])),
        None,
    ));
    assert!(place_of_panic(|| drop(norm.forward(&x(&[4, 3])))).is_none_or(|at| at.contains("misfits.rs")));
}

#[test]
fn cells() {
    let mut all = Vec::new();
    misfits("RnnCell", &mut all, || RnnCell::new(3, 4), |m| m.forward(&x(&[2, 3]), None).map(drop));
    misfits("LstmCell", &mut all, || LstmCell::new(3, 4), |m| m.forward(&x(&[3]), None).map(drop));
    misfits("GruCell", &mut all, || GruCell::new(3, 4), |m| m.forward(&x(&[2, 3]), None).map(drop));
    misfits(
        "LearnedState",
        &mut all,
        || GruCell::new(3, 4).map(LearnedState::new),
        |m| m.forward_with(&x(&[2, 3]), &(), None).map(drop),
    );
    let step_fn = || {
        Ok(StepFn::new([3, 4], Linear::new(3, 4)?, |w, x, h| {
            let h = x.linear(&w.weight, w.bias.as_deref()) + h;
            (h.clone(), h)
        }))
    };
    misfits("StepFn", &mut all, step_fn, |m| m.forward(&x(&[2, 3]), None).map(drop));
    assert!(all.is_empty(), "{} faults\n{}", all.len(), all.join("\n"));
}

#[test]
fn recurrences() {
    let mut all = Vec::new();
    misfits("Rnn", &mut all, || Rnn::new(3, 4), |m| m.forward(&x(&[5, 2, 3]), None).map(drop));
    let deep = || Lstm::builder(3, 4).num_layers(2).bidirectional(true).proj_size(2).build();
    misfits("Lstm", &mut all, deep, |m| m.forward(&x(&[5, 2, 3]), None).map(drop));
    misfits("Lstm, with its states", &mut all, deep, |m| m.forward_states(&x(&[5, 3]), None).map(drop));
    misfits("Lstm, masked", &mut all, deep, |m| m.forward_masked(&x(&[5, 2, 3]), &[2, 4], None).map(drop));
    let gru = || Gru::builder(3, 4).learned_state().state_dropout(0.1).build();
    misfits("Gru", &mut all, gru, |m| m.forward(&x(&[5, 2, 3]), None).map(drop));
    misfits("Gru, packed", &mut all, gru, |m| {
        let packed = pack_padded_sequence(&x(&[5, 2, 3]), &[5, 2], PackOptions::default())?;
        m.forward_packed(&packed, None).map(drop)
    });
    let again = || Gru::builder(3, 4).checkpointing(Checkpointing::Every(2)).build();
    misfits("Gru, with checkpoints", &mut all, again, |m| m.forward(&x(&[5, 2, 3]), None).map(drop));
    let dropping = || Gru::builder(3, 4).weight_dropout(["weight_hh"], 0.5).build();
    misfits("Gru, of dropped weights", &mut all, dropping, |m| m.forward(&x(&[5, 2, 3]), None).map(drop));
    let stack = || Stack::new(Lstm::new(3, 4)?, Gru::new(4, 2)?);
    misfits("Stack", &mut all, stack, |m| m.forward(&x(&[5, 2, 3]), None).map(drop));
    misfits(
        "Stepper",
        &mut all,
        || Gru::builder(3, 4).num_layers(2).build(),
        |m| {
            let mut stepper = Stepper::new(m.clone(), 2)?;
            stepper.step(&x(&[2, 3])).map(drop)
        },
    );
    misfits(
        "Truncated",
        &mut all,
        || Gru::new(3, 4),
        |m| {
            let mut truncated = Truncated::new(4, 4)?;
            truncated.window(m, &x(&[4, 2, 3]), None, |out| mse_loss(out, &x(&[4, 2, 4]))).map(drop)
        },
    );
    assert!(all.is_empty(), "{} faults\n{}", all.len(), all.join("\n"));
}
