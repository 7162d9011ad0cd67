//! One forward and backward pass, its time and its memory.

use std::error::Error;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;
use wengert::prelude::*;
use wengert_bench::timing::Times;
use wengert_bench::{memory, threads};

/// What is run: a layer as wide as its input.
#[derive(Args)]
pub struct Sizes {
    #[arg(long)]
    kind: Kind,
    #[arg(long)]
    steps: usize,
    #[arg(long)]
    hidden: usize,
    #[arg(long)]
    batch: usize,
    #[arg(long)]
    layers: usize,
    /// The input is packed, with all sequences of full length.
    #[arg(long)]
    packed: bool,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How long it is repeated at most; at least once.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Lstm,
    Gru,
}

impl Sizes {
    /// Milliseconds, and MiB above what the process held before its first tensor.
    pub fn measure(&self) -> std::result::Result<String, Box<dyn Error>> {
        threads::set(self.threads)?;
        let before = memory::resident();
        let (width, layers) = (self.hidden, self.layers);
        let mut pass = match self.kind {
            Kind::Lstm => self.pass(Lstm::builder(width, width).num_layers(layers).build()?)?,
            Kind::Gru => self.pass(Gru::builder(width, width).num_layers(layers).build()?)?,
        };
        let times = Times::within(&mut pass, Duration::from_secs_f64(self.seconds));
        let mib = memory::peak().zip(before).map(|(peak, before)| peak - before);
        Ok(json!({ "ms": times.median_ms(), "mib": mib, "reps": times.count() }).to_string())
    }

    fn pass<C: Cell<Element = f32>>(&self, layer: Recurrent<C>) -> Result<Box<dyn FnMut()>> {
        let input = self.input()?;
        let pass = move || -> Result<()> {
            input.output(&layer)?.square().mean().backward()?;
            layer.zero_grad();
            Ok(())
        };
        Ok(Box::new(move || pass().expect("an input of the layer's width, and a scalar loss")))
    }

    fn input(&self) -> Result<Input> {
        let x = Variable::new(Tensor::randn([self.steps, self.batch, self.hidden]));
        if !self.packed {
            return Ok(Input::Padded(x));
        }
        Ok(Input::Packed(pack_padded_sequence(&x, &vec![self.steps; self.batch], PackOptions::default())?))
    }
}

enum Input {
    Padded(Variable),
    Packed(PackedSequence),
}

impl Input {
    fn output<C: Cell<Element = f32>>(&self, layer: &Recurrent<C>) -> Result<Variable> {
        match self {
            Input::Padded(x) => Ok(layer.forward(x, None)?.0),
            Input::Packed(packed) => Ok(layer.forward_packed(packed, None)?.0.data().clone()),
        }
    }
}
