//! Recurrent layers in every configuration.

use wengert_core::{Result, Tensor, Variable};
use wengert_nn::{
    Cast, CellFactory, CellWith, Checkpointing, Gru, Layers, Lstm, Merge, Module, Nonlinearity, PackOptions,
    Recurrent, RecurrentBuilder, Rnn, State, pack_padded_sequence,
};

use crate::draw::{Draw, Drawn, draws};
use crate::tensors::{TensorStrategy, tensor};

/// How a sequence is given to a recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A sequence as it is, by [`Layers::forward`].
    Padded,
    /// A sequence as it is, by [`Layers::forward_states`], which gives all states.
    States,
    /// A packed sequence, by [`Layers::forward_packed`].
    Packed,
    /// A padded batch and its lengths, by [`Layers::forward_masked`].
    Lengths,
    /// A padded batch and a mask, by [`Layers::forward_masked`].
    Mask,
}

/// The arguments of a recurrent layer, and what it runs on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RecurrentConfig {
    /// The width of an input.
    pub input_size: usize,
    /// The width of the hidden state.
    pub hidden_size: usize,
    /// How many layers stand on each other.
    pub num_layers: usize,
    /// The nonlinearity of an RNN.
    pub nonlinearity: Nonlinearity,
    /// Whether there are biases.
    pub bias: bool,
    /// Whether the batch comes first.
    pub batch_first: bool,
    /// The probability of dropout between layers; 0 for a single one.
    pub dropout: f64,
    /// Whether there are two directions.
    pub bidirectional: bool,
    /// How the outputs of two directions are merged.
    pub merge: Merge,
    /// Whether a layer's input is added to its output.
    pub residual: bool,
    /// The probability of dropout on each layer's input, one mask for all steps.
    pub input_dropout: f64,
    /// The probability of dropout on the hidden state, one mask for all steps.
    pub state_dropout: f64,
    /// The probability of dropout on one of the cell's parameters.
    pub weight_dropout: f64,
    /// The probability that an element of the state stays as it was.
    pub zoneout: f64,
    /// How much is computed again on the way back.
    pub checkpointing: Option<Checkpointing>,
    /// The width of an LSTM's projection, below `hidden_size`; 0 for none.
    pub proj_size: usize,
    /// How many steps a sequence has.
    pub steps: usize,
    /// How many samples a batch has; none for an unbatched sequence.
    pub batch: Option<usize>,
    /// Whether the state before the first step is given.
    pub given_state: bool,
    /// How the sequences are given.
    pub form: Form,
    /// The length of each sample's own sequence, from 1 to `steps`; 0 is possible too where `form` is
    /// [`Form::Lengths`].
    pub lengths: Vec<usize>,
    /// Whether each step of each sample counts, where `form` is [`Form::Mask`].
    pub mask: Vec<bool>,
}

/// Configurations of up to three layers of up to three units, on up to four steps of up to two samples.
/// They shrink to one of everything, and to the defaults.
///
/// ```
/// use wengert_check::{check_gradient, recurrent};
/// check_gradient! {
///     #![property(wengert_check::Property::new().cases(10))]
///     fn gru(
///         config in recurrent(),
///         layer in config.gru(),
///         x in config.input(),
///         h in config.state(config.hidden_size),
///     ) {
///         config.forward(&layer, &x, &h)
///     }
/// }
/// ```
pub fn recurrent() -> Drawn<impl Fn(&mut Draw) -> RecurrentConfig + Clone> {
    draws(|draw| {
        let num_layers = draw.draw(1..=3);
        let hidden_size = draw.draw(1..=3);
        let steps = draw.draw(1..=4);
        let unbatched = draw.below(4) == 3;
        let batch = (!unbatched).then(|| draw.draw(1..=2));
        let without_bias = draw.coin();
        let relu = !without_bias && draw.below(3) == 2;
        let proj_size = if draw.coin() { draw.below(hidden_size) } else { 0 };
        let mut chance = |p: f64| if draw.below(4) == 3 { p } else { 0.0 };
        let dropout = if num_layers > 1 { chance(0.4) } else { 0.0 };
        let [input_dropout, state_dropout, weight_dropout, zoneout] = [0.3, 0.25, 0.2, 0.35].map(chance);
        let checkpointing = match draw.below(8) {
            steps @ 5..=6 => Some(Checkpointing::Every(steps - 4)),
            7 => Some(Checkpointing::Bytes(1000)),
            _ => None,
        };
        let form = match draw.below(8) {
            4 => Form::States,
            5 if !unbatched => Form::Packed,
            6 => Form::Lengths,
            7 => Form::Mask,
            _ => Form::Padded,
        };
        let shortest = if form == Form::Lengths { 0 } else { 1 };
        RecurrentConfig {
            input_size: draw.draw(1..=3),
            hidden_size,
            num_layers,
            nonlinearity: if relu { Nonlinearity::Relu } else { Nonlinearity::Tanh },
            bias: !without_bias,
            batch_first: draw.coin(),
            dropout,
            bidirectional: draw.coin(),
            merge: if draw.coin() { Merge::Sum } else { Merge::Concat },
            residual: draw.coin(),
            input_dropout,
            state_dropout,
            weight_dropout,
            zoneout,
            checkpointing,
            proj_size,
            steps,
            batch,
            given_state: draw.coin(),
            form,
            lengths: (0..batch.unwrap_or(1)).map(|_| steps - draw.below(steps + 1 - shortest)).collect(),
            mask: (0..steps * batch.unwrap_or(1)).map(|_| !draw.coin()).collect(),
        }
    })
}

impl RecurrentConfig {
    /// An RNN with random parameters; with ReLU, such that no unit comes near its kink.
    pub fn rnn(&self) -> Drawn<impl Fn(&mut Draw) -> Rnn<f64> + Clone> {
        let builder = Rnn::builder(self.input_size, self.hidden_size);
        self.layer(builder.bias(self.bias).nonlinearity(self.nonlinearity))
    }

    /// An LSTM with random parameters.
    pub fn lstm(&self) -> Drawn<impl Fn(&mut Draw) -> Lstm<f64> + Clone> {
        let builder = Lstm::builder(self.input_size, self.hidden_size);
        self.layer(builder.bias(self.bias).proj_size(self.proj_size))
    }

    /// A GRU with random parameters.
    pub fn gru(&self) -> Drawn<impl Fn(&mut Draw) -> Gru<f64> + Clone> {
        self.layer(Gru::builder(self.input_size, self.hidden_size).bias(self.bias))
    }

    /// A layer over any cell, with random parameters: `config.layer(Recurrent::of(config.input_size,
    /// my_cell))`.
    pub fn layer<F: CellFactory<Cell = C> + Clone, C: CellWith<Context = ()> + Cast>(
        &self,
        builder: RecurrentBuilder<F>,
    ) -> Drawn<impl Fn(&mut Draw) -> Recurrent<C::To<f64>> + Clone>
    where
        C::To<f64>: CellWith<Element = f64, Context = ()>,
    {
        let builder = builder.num_layers(self.num_layers).bidirectional(self.bidirectional);
        let builder = builder.batch_first(self.batch_first).dropout(self.dropout).merge(self.merge);
        let builder = builder.residual(self.residual).input_dropout(self.input_dropout);
        let builder = builder.state_dropout(self.state_dropout).zoneout(self.zoneout);
        let (p, checkpointing) = (self.weight_dropout, self.checkpointing);
        let relu = self.nonlinearity == Nonlinearity::Relu;
        draws(move |draw| {
            let build = |builder: RecurrentBuilder<F>| builder.build().expect("arguments that are allowed");
            let mut layer = build(builder.clone());
            if p > 0.0 {
                let names = layer.cell(0, 0).named_parameters();
                let (name, _) = &names[draw.below(names.len())];
                layer = build(builder.clone().weight_dropout([name.as_str()], p));
            }
            layer.set_checkpointing(checkpointing).expect("an argument that is allowed");
            let layer = layer.cast::<f64>();
            draw_parameters(&layer, draw, relu);
            layer
        })
    }

    /// Runs the layer as the configuration asks for: outputs, the last state's parts, and, with
    /// [`Form::States`], those of all states. The generator is seeded, so that each call drops the same
    /// elements.
    ///
    /// # Errors
    /// If the layer refuses the input or the state, or `lengths` or `mask` do not fit the input.
    #[track_caller]
    pub fn forward<L: Layers<Element = f64, Context = ()>>(
        &self,
        layer: &L,
        input: &Variable<f64>,
        state: &L::State,
    ) -> Result<Vec<Variable<f64>>> {
        wengert_core::manual_seed(0);
        let state = self.given_state.then_some(state);
        let (output, last, states) = match self.form {
            Form::Padded => with_no_states(layer.forward(input, state)?),
            Form::States => {
                let (output, last, states) = layer.forward_states(input, state)?;
                (output, last, Some(states))
            }
            Form::Packed => {
                let packed = pack_padded_sequence(
                    input,
                    &self.lengths,
                    PackOptions::default().batch_first(self.batch_first).enforce_sorted(false),
                )?;
                let (output, last) = layer.forward_packed(&packed, state)?;
                (output.data().clone(), last, None)
            }
            Form::Lengths => with_no_states(layer.forward_masked(input, &self.lengths, state)?),
            Form::Mask => {
                let shape = &input.shape()[..input.rank() - 1];
                let mask = Tensor::from_vec(self.mask.clone(), shape)?;
                with_no_states(layer.forward_masked(input, &mask, state)?)
            }
        };
        let states = states.iter().flat_map(State::variables);
        Ok(std::iter::once(output).chain(last.variables()).chain(states).collect())
    }

    /// A sequence in the layout that the configuration asks for.
    pub fn input(&self) -> TensorStrategy {
        let values = match (self.batch, self.batch_first) {
            (None, _) => tensor([self.steps, self.input_size]),
            (Some(n), true) => tensor([n, self.steps, self.input_size]),
            (Some(n), false) => tensor([self.steps, n, self.input_size]),
        };
        values.within(-1.0, 1.0)
    }

    /// One part of a state, of the given width, for all layers and directions.
    pub fn state(&self, width: usize) -> TensorStrategy {
        let rows = self.num_layers * if self.bidirectional { 2 } else { 1 };
        let shape = match self.batch {
            None => vec![rows, width],
            Some(n) => vec![rows, n, width],
        };
        tensor(shape).within(-1.0, 1.0)
    }

    /// The width of an output of one direction: the projection's, if there is one.
    pub fn projected_size(&self) -> usize {
        if self.proj_size > 0 { self.proj_size } else { self.hidden_size }
    }
}

fn with_no_states<S>((output, last): (Variable<f64>, S)) -> (Variable<f64>, S, Option<S>) {
    (output, last, None)
}

/// A module that `make` makes, with random parameters from [-1, 1] in place of its own.
///
/// ```
/// use wengert_check::{check_gradient, randomized, tensor};
/// use wengert_nn::{Cast, Linear};
/// check_gradient! {
///     fn linear(
///         n in 1..4,
///         layer in randomized(move || Linear::new(3, n).unwrap().cast()),
///         x in tensor([n, 3]),
///     ) {
///         layer.forward(&x)
///     }
/// }
/// ```
pub fn randomized<M: Module<Element = f64>>(
    make: impl Fn() -> M + Clone,
) -> Drawn<impl Fn(&mut Draw) -> M + Clone> {
    draws(move |draw| {
        let module = make();
        draw_parameters(&module, draw, false);
        module
    })
}

/// Draws all parameters of a module anew: from [-1, 1], or, away from the kink of a ReLU, small ones and
/// biases that hold each unit far above 0 or far below.
fn draw_parameters<M: Module<Element = f64>>(module: &M, draw: &mut Draw, relu: bool) {
    for (name, parameter) in module.named_parameters() {
        let values = draw.draw(tensor(parameter.shape().to_vec()).within(-1.0, 1.0).contiguous());
        let held = |i: usize, x: f64| match name.starts_with("bias_ih") {
            true => [3.5, -3.5][i % 2],
            false => 0.04 * x,
        };
        let values = values.to_vec().into_iter().enumerate();
        let values = values.map(|(i, x)| if relu { held(i, x) } else { x }).collect();
        let value = Tensor::from_vec(values, parameter.shape()).expect("as many values as elements");
        parameter.set_value(value).expect("the same shape");
    }
}
