//! Inputs beside the sequence: a cell that sees them at every step gives what a cell gives whose inputs they
//! are appended to, in every form of a sequence.

use proptest::prelude::*;
use wengert_check::Gradcheck;
use wengert_core::{Float, GradOptions, Tensor, Variable, cat, grad};
use wengert_nn::{
    Cast, Cell, CellWith, Checkpointing, Constant, Context, LearnedState, Linear, Module, PackOptions,
    PadOptions, Recurrent, Stack, StepFnWith, Stepper, Truncated, cell, pack_padded_sequence,
    pad_packed_sequence,
};

use crate::errors::refused;
use crate::{V, close, config, variable};

/// `h' = tanh(W [x, gap, group] + U h)`, of which gap is a sequence and group is the same at every step.
#[derive(Clone)]
struct Beside<T: Float = f32> {
    w: Linear<T>,
    u: Linear<T>,
}
cell!(Beside<T> { w, u });

const HIDDEN: usize = 3;
const GAP: usize = 1;
const GROUP: usize = 2;

fn weights(inputs: usize) -> (Linear<f64>, Linear<f64>) {
    let linear = |inputs| Linear::without_bias(inputs, HIDDEN).unwrap().cast::<f64>();
    (linear(inputs), linear(HIDDEN))
}

impl<T: Float> CellWith for Beside<T> {
    type State = Variable<T>;
    type Context = (Variable<T>, Constant<T>);

    fn input_size(&self) -> usize {
        self.w.weight.shape()[1] - GAP - GROUP
    }

    fn output_size(&self) -> usize {
        HIDDEN
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Tensor::zeros([batch, HIDDEN]).into()
    }

    fn step_with(
        &self,
        x: &Variable<T>,
        (gap, group): &Self::Context,
        h: &Variable<T>,
    ) -> (Variable<T>, Variable<T>) {
        let x = cat(&[x, gap, &group.0], -1).linear(&self.w.weight, None);
        let h = h.linear(&self.u.weight, Some(&x)).tanh();
        (h.clone(), h)
    }
}

/// The same of inputs that are appended.
#[derive(Clone)]
struct Appended<T: Float = f32> {
    w: Linear<T>,
    u: Linear<T>,
}
cell!(Appended<T> { w, u });

impl<T: Float> Cell for Appended<T> {
    type State = Variable<T>;

    fn input_size(&self) -> usize {
        self.w.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        HIDDEN
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Tensor::zeros([batch, HIDDEN]).into()
    }

    fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        let h = h.linear(&self.u.weight, Some(&x.linear(&self.w.weight, None))).tanh();
        (h.clone(), h)
    }
}

/// Two layers of two directions beside each other: with a context, and one layer after the other over inputs
/// that it is appended to.
struct Pair {
    net: Recurrent<Beside<f64>>,
    layers: [Recurrent<Appended<f64>>; 2],
    batch_first: bool,
    x: V,
    gaps: V,
    groups: V,
}

const INPUT: usize = 2;

impl Pair {
    fn new([steps, samples]: [usize; 2], batch_first: bool, checkpoints: Option<usize>) -> Self {
        let cell = |inputs: usize| {
            let (w, u) = weights(inputs + GAP + GROUP);
            Ok(Beside { w, u })
        };
        let net = Recurrent::of(INPUT, cell).num_layers(2).bidirectional(true).batch_first(batch_first);
        let net = match checkpoints {
            Some(every) => net.checkpointing(Checkpointing::Every(every)),
            None => net,
        };
        let net = net.build().unwrap();
        let layers = [0, 1].map(|layer| {
            let same = |place: wengert_nn::Place| {
                let cell = net.cell(layer, place.direction);
                Ok(Appended { w: cell.w.clone(), u: cell.u.clone() })
            };
            let inputs = net.cell(layer, 0).w.weight.shape()[1];
            Recurrent::of_places(inputs, same).bidirectional(true).batch_first(batch_first).build().unwrap()
        });
        let leading = if batch_first { [samples, steps] } else { [steps, samples] };
        let of = |leading: &[usize], width| variable(&[leading, &[width]].concat()).requires_grad_(true);
        let (x, gaps, groups) = (of(&leading, INPUT), of(&leading, GAP), of(&[samples], GROUP));
        Pair { net, layers, batch_first, x, gaps, groups }
    }

    fn context(&self) -> (V, Constant<f64>) {
        (self.gaps.clone(), Constant(self.groups.clone()))
    }

    /// An input and the context, side by side.
    fn appended(&self, x: &V) -> V {
        let groups = self.groups.unsqueeze(if self.batch_first { 1 } else { 0 });
        let groups = groups.expand(&[&x.shape()[..2], &[GROUP]].concat()[..]);
        cat(&[x, &self.gaps, &groups], -1)
    }

    /// One layer after the other, each run by `run`.
    fn one_by_one(&self, run: impl Fn(&Recurrent<Appended<f64>>, &V) -> (V, V)) -> (V, V) {
        let (output, lower) = run(&self.layers[0], &self.appended(&self.x));
        let (output, upper) = run(&self.layers[1], &self.appended(&output));
        (output, cat(&[&lower, &upper], 0))
    }

    /// The outputs, the last states, and the gradients of inputs, context and parameters.
    fn judged(&self, (output, state): (V, V)) -> Vec<Vec<f64>> {
        let value = (&output * &output.cos()).sum() + (&state * &state).sum();
        let parameters = self.net.parameters();
        let inputs: Vec<&V> =
            [&self.x, &self.gaps, &self.groups].into_iter().chain(parameters.iter().map(|p| &**p)).collect();
        let gradients = grad(&[&value], &inputs, GradOptions::default()).unwrap();
        [output, state].into_iter().chain(gradients).map(|value| value.to_vec()).collect()
    }

    #[track_caller]
    fn agree(&self, with: (V, V), appended: (V, V)) {
        for (with, appended) in self.judged(with).iter().zip(&self.judged(appended)) {
            close(with, appended, 1e-12);
        }
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn padded_sequences(
        steps in 1usize..6, samples in 1usize..4, batch_first in any::<bool>(), every in 0usize..4,
    ) {
        let pair = Pair::new([steps, samples], batch_first, Some(every).filter(|every| *every > 0));
        let with = pair.net.forward_with(&pair.x, &pair.context(), None).unwrap();
        pair.agree(with, pair.one_by_one(|layer, x| layer.forward(x, None).unwrap()));
    }

    #[test]
    fn packed_sequences(lengths in prop::collection::vec(1usize..6, 1..5)) {
        let steps = lengths.iter().copied().max().unwrap();
        let pair = Pair::new([steps, lengths.len()], false, None);
        let options = PackOptions::default().enforce_sorted(false);
        let pack = |x: &V| pack_padded_sequence(x, &lengths, options).unwrap();
        let pad = |packed| pad_packed_sequence(&packed, PadOptions::default()).unwrap().0;
        let (output, state) = pair.net.forward_packed_with(&pack(&pair.x), &pair.context(), None).unwrap();
        let appended = pair.one_by_one(|layer, x| {
            let (output, state) = layer.forward_packed(&pack(x), None).unwrap();
            (pad(output), state)
        });
        pair.agree((pad(output), state), appended);
    }

    #[test]
    fn masked_sequences(
        steps in 1usize..5, samples in 1usize..4, batch_first in any::<bool>(), seed in any::<u64>(),
    ) {
        let pair = Pair::new([steps, samples], batch_first, None);
        let leading = &pair.x.shape()[..2];
        let mask: Vec<bool> = (0..steps * samples).map(|i| (seed >> (i % 64)) & 1 == 1).collect();
        let mask = Tensor::from(mask).reshape(leading).unwrap();
        let with = pair.net.forward_masked_with(&pair.x, &pair.context(), &mask, None).unwrap();
        pair.agree(with, pair.one_by_one(|layer, x| layer.forward_masked(x, &mask, None).unwrap()));
    }
}

#[test]
fn what_a_context_has_at_steps_that_do_not_count_is_not_looked_at() {
    let pair = Pair::new([4, 2], false, None);
    let mut nan = pair.gaps.to_vec();
    nan[3 * 2..].fill(f64::NAN);
    let gaps = V::new(Tensor::from(nan).reshape([4, 2, 1]).unwrap());
    let context = (gaps, Constant(pair.groups.clone()));
    let (output, _) = pair.net.forward_masked_with(&pair.x, &context, &[3, 2], None).unwrap();
    assert!(output.to_vec().iter().all(|value| value.is_finite()));
}

#[test]
fn a_sequence_that_is_not_batched() {
    let pair = Pair::new([5, 1], false, None);
    let (batch, state) = pair.net.forward_with(&pair.x, &pair.context(), None).unwrap();
    let context = (pair.gaps.squeeze(1), Constant(pair.groups.squeeze(0)));
    let (output, last) = pair.net.forward_with(&pair.x.squeeze(1), &context, None).unwrap();
    close(&output.to_vec(), &batch.to_vec(), 1e-15);
    close(&last.to_vec(), &state.to_vec(), 1e-15);
    let (masked, _) = pair.net.forward_masked_with(&pair.x.squeeze(1), &context, &[5], None).unwrap();
    close(&masked.to_vec(), &batch.to_vec(), 1e-15);
}

fn one_direction() -> Recurrent<Beside<f64>> {
    let cell = |inputs: usize| {
        let (w, u) = weights(inputs + GAP + GROUP);
        Ok(Beside { w, u })
    };
    Recurrent::of(INPUT, cell).num_layers(2).build().unwrap()
}

#[test]
fn states_steps_and_windows_see_it() {
    let net = one_direction();
    let x = variable(&[6, 2, INPUT]);
    let (gaps, groups) = (variable(&[6, 2, GAP]).requires_grad_(true), Constant(variable(&[2, GROUP])));
    let context = (gaps.clone(), groups.clone());
    let (all, last, states) = net.forward_states_with(&x, &context, None).unwrap();
    close(&states.select(1, 5).to_vec(), &last.to_vec(), 0.0);

    let mut stepper = Stepper::new(net.clone(), 2).unwrap();
    for t in 0..6 {
        let output = stepper.step_with(&x.select(0, t), &(gaps.select(0, t), groups.clone())).unwrap();
        close(&output.to_vec(), &all.select(0, t).to_vec(), 1e-12);
    }
    let cell = net.cell(0, 0);
    let first = cell.forward_with(&x.select(0, 0), &(gaps.select(0, 0), groups.clone()), None).unwrap();
    let alone = (gaps.select(0, 0).select(0, 1), Constant(groups.0.select(0, 1)));
    let unbatched = cell.forward_with(&x.select(0, 0).select(0, 1), &alone, None).unwrap();
    close(&unbatched.0.to_vec(), &first.0.select(0, 1).to_vec(), 1e-15);

    // All the way back through three windows, the gradients are those of the whole.
    all.square().sum().backward().unwrap();
    let take = || {
        let of_gaps = gaps.grad().unwrap().to_vec();
        gaps.zero_grad();
        let found: Vec<_> = net.parameters().iter().map(|p| p.grad().unwrap().to_vec()).collect();
        net.zero_grad();
        (of_gaps, found)
    };
    let (of_gaps, of_parameters) = take();
    let mut truncated = Truncated::new(2, 6).unwrap();
    for window in truncated.windows(6) {
        let of = |all: &V| all.narrow(0, window.start, window.len());
        let context = (of(&gaps), groups.clone());
        truncated.window_with(&net, &of(&x), &context, None, |out| Ok(out.square().sum())).unwrap();
    }
    let (windowed, found) = take();
    close(&windowed, &of_gaps, 1e-12);
    found.iter().zip(&of_parameters).for_each(|(found, expected)| close(found, expected, 1e-12));
}

#[test]
fn input_and_context_may_be_computed_from_one_value() {
    let net = one_direction();
    let (source, groups) = (variable(&[6, 2, INPUT]).requires_grad_(true), Constant(variable(&[2, GROUP])));
    // The gaps go through what the inputs are made of.
    let inputs = || {
        let x = source.tanh();
        let gaps = x.narrow(2, 0, GAP).square();
        (x, gaps)
    };
    let (x, gaps) = inputs();
    net.forward_with(&x, &(gaps, groups.clone()), None).unwrap().0.square().sum().backward().unwrap();
    let expected = source.grad().unwrap().to_vec();
    source.zero_grad();
    let (x, gaps) = inputs();
    let mut truncated = Truncated::new(6, 6).unwrap();
    truncated.window_with(&net, &x, &(gaps, groups), None, |out| Ok(out.square().sum())).unwrap();
    close(&source.grad().unwrap().to_vec(), &expected, 1e-12);
}

#[test]
fn a_stack_and_a_learned_state_pass_it_on() {
    let (w, u) = weights(INPUT + GAP + GROUP);
    let lower = Recurrent::of(INPUT, move |_| Ok(Beside { w: w.clone(), u: u.clone() })).build().unwrap();
    let (w, u) = weights(HIDDEN + GAP + GROUP);
    let upper = move |_| Ok(LearnedState::new(Beside { w: w.clone(), u: u.clone() }));
    let upper = Recurrent::of(HIDDEN, upper).build().unwrap();
    let (x, context) = (variable(&[4, 2, INPUT]), (variable(&[4, 2, GAP]), Constant(variable(&[2, GROUP]))));
    let between = lower.forward_with(&x, &context, None).unwrap().0;
    let expected = upper.forward_with(&between, &context, None).unwrap().0;
    let stack = Stack::new(lower, upper).unwrap();
    let found = wengert_nn::Layers::forward_with(&stack, &x, &context, None).unwrap().0;
    close(&found.to_vec(), &expected.to_vec(), 0.0);
}

#[test]
fn derivatives_by_the_context_to_second_order() {
    let net = one_direction();
    let inputs =
        [&[3, 2, INPUT][..], &[3, 2, GAP], &[2, GROUP]].map(|shape| variable(shape).requires_grad_(true));
    let run = |x: &[V]| net.forward_with(&x[0], &(x[1].clone(), Constant(x[2].clone())), None).unwrap().0;
    Gradcheck::new().check_module_with(2, &net, run, &inputs.each_ref()).unwrap();
}

#[test]
fn what_does_not_fit_the_sequence_is_refused() {
    let net = one_direction();
    let x = variable(&[3, 2, INPUT]);
    let run = |gaps: &[usize], groups: &[usize]| {
        net.forward_with(&x, &(variable(gaps), Constant(variable(groups))), None)
    };
    refused(
        run(&[4, 2, 1], &[2, 2]),
        "Beside: expected context 0 to begin with [3, 2], the input's steps, got shape [4, 2, 1]",
    );
    refused(
        run(&[3, 1, 1], &[2, 2]),
        "Beside: expected context 0 to begin with [3, 2], the input's steps, got shape [3, 1, 1]",
    );
    refused(
        run(&[3, 2, 1], &[3, 2]),
        "Beside: expected context 1 to begin with [2], the input's samples, got shape [3, 2]",
    );
    assert!(run(&[3, 2, 1], &[2, 2]).is_ok());
    let mut stepper = Stepper::new(net.clone(), 2).unwrap();
    let context = (variable(&[3, 1]), Constant(variable(&[2, 2])));
    refused(
        stepper.step_with(&variable(&[2, INPUT]), &context),
        "Stepper: expected context 0 to begin with [2], the input's steps, got shape [3, 1]",
    );
}

/// Ties of lengths in an order of the caller's own.
#[test]
fn packed_rows_go_back_to_where_the_indices_say() {
    let rows = V::new(Tensor::from([[1.0], [2.0], [3.0], [4.0]]));
    let packed = wengert_nn::PackedSequence::new(rows, vec![2, 2], Some(vec![1, 0])).unwrap();
    let (batch, lengths) = pad_packed_sequence(&packed, PadOptions::default()).unwrap();
    assert_eq!((batch.to_vec(), lengths), (vec![2.0, 1.0, 4.0, 3.0], vec![2, 2]));
}

/// Contexts are put together of others.
#[test]
fn arrays_and_tuples() {
    let context = ([variable(&[1]), variable(&[1])], (Constant(variable(&[1])), ()));
    let mut seen = Vec::new();
    Context::<f64>::map(&context, &mut |along, part| {
        seen.push(format!("{along:?}"));
        part.clone()
    });
    assert_eq!(seen, ["Steps", "Steps", "Samples"]);
}

#[test]
fn a_closure_sees_the_context_as_a_cell_does() {
    let Pair { net, x, gaps, groups, .. } = Pair::new([4, 3], false, None);
    let closure = |place: wengert_nn::Place| {
        let cell = net.cell(place.layer, place.direction);
        let step = |w: &Vec<Linear<f64>>, x: &V, (gap, group): &(V, Constant<f64>), h: &V| {
            let x = cat(&[x, gap, &group.0], -1).linear(&w[0].weight, None);
            let h = h.linear(&w[1].weight, Some(&x)).tanh();
            (h.clone(), h)
        };
        let weights = vec![cell.w.clone(), cell.u.clone()];
        Ok(StepFnWith::new([place.input_size, HIDDEN], weights, step))
    };
    let by_closure = Recurrent::of_places(INPUT, closure).num_layers(2).bidirectional(true).build().unwrap();
    let context = (gaps, Constant(groups));
    let [(output, state), (expected, last)] =
        [by_closure.forward_with(&x, &context, None), net.forward_with(&x, &context, None)]
            .map(Result::unwrap);
    assert_eq!((output.to_vec(), state.to_vec()), (expected.to_vec(), last.to_vec()));
    assert_eq!(
        by_closure.to_string(),
        format!("Recurrent<StepFnWith>({INPUT}, {HIDDEN}, num_layers=2, bidirectional=True)")
    );
}
