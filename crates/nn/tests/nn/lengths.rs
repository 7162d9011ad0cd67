//! Sequences of different lengths: packed, padded and each by itself give the same outputs, states and
//! gradients.

use wengert_core::{GradOptions, Tensor, cat, grad};
use wengert_nn::{
    Cast, Cell, CellFactory, Checkpointing, Gru, Layers, Lstm, Module, Nonlinearity, PackOptions, PadOptions,
    Recurrent, RecurrentBuilder, Rnn, Stack, State, pack_padded_sequence, pad_packed_sequence,
};

use crate::user_cell::fading;
use crate::{V, close, variable};

/// Outputs (L, N, ..) or (N, L, ..) and the last state.
type Run<S> = (V, S);

/// The steps of sample `n` that count, each by itself a sequence for [`Layers::forward`].
fn one_by_one<L: Layers<Element = f64, Context = ()>>(
    net: &L,
    x: &V,
    times: &[Vec<usize>],
    state: Option<&L::State>,
) -> Run<L::State> {
    let (time, batch) = if net.is_batch_first() { (1, 0) } else { (0, 1) };
    let steps = x.shape()[time as usize];
    let zeros = net.zero_state(times.len());
    let state = state.unwrap_or(&zeros);
    let (mut outputs, mut states) = (Vec::new(), Vec::new());
    for (n, times) in times.iter().enumerate() {
        let (sample, state) = (x.select(batch, n), state.select(1, n));
        let mut steps: Vec<V> = vec![V::new(Tensor::zeros([1, net.output_size()])); steps];
        if times.is_empty() {
            states.push(state);
        } else {
            let chosen: Vec<V> = times.iter().map(|&t| sample.narrow(0, t, 1)).collect();
            let (output, last) = net.forward(&cat(&chosen, 0), Some(&state)).unwrap();
            times.iter().enumerate().for_each(|(i, &t)| steps[t] = output.narrow(0, i, 1));
            states.push(last);
        }
        outputs.push(cat(&steps, 0));
    }
    let output = wengert_core::stack(&outputs.iter().collect::<Vec<_>>(), batch);
    (output, L::State::stack(&states.iter().collect::<Vec<_>>(), 1))
}

fn packed<L: Layers<Element = f64, Context = ()>>(
    net: &L,
    x: &V,
    lengths: &[usize],
    state: Option<&L::State>,
) -> Run<L::State> {
    let packed = pack_padded_sequence(
        x,
        lengths,
        PackOptions::default().batch_first(net.is_batch_first()).enforce_sorted(false),
    )
    .unwrap();
    let (output, last) = net.forward_packed(&packed, state).unwrap();
    assert_eq!(output.batch_sizes(), packed.batch_sizes());
    let steps = x.shape()[if net.is_batch_first() { 1 } else { 0 }];
    (
        pad_packed_sequence(
            &output,
            PadOptions::default().batch_first(net.is_batch_first()).total_length(steps),
        )
        .unwrap()
        .0,
        last,
    )
}

/// Everything a run is judged by: outputs, states, and the gradients of input, given state and each
/// parameter.
fn judged<L: Layers<Element = f64, Context = ()>>(
    net: &L,
    x: &V,
    state: Option<&L::State>,
    run: impl FnOnce(&V, Option<&L::State>) -> Run<L::State>,
) -> Vec<Vec<f64>> {
    let x = x.detach().requires_grad_(true);
    let state = state.map(|state| state.map(|part| part.detach().requires_grad_(true)));
    let (output, last) = run(&x, state.as_ref());
    wengert_core::manual_seed(7);
    let results = std::iter::once(output).chain(last.variables());
    // Where no step counts, nothing depends on the input.
    let nothing = (&x * 0.0).sum();
    let score: V = results.clone().fold(nothing, |sum, y| sum + (&y * variable(y.shape())).sum());
    let parameters = net.parameters();
    let given = state.iter().flat_map(State::variables).collect::<Vec<_>>();
    let inputs = std::iter::once(&x).chain(&given).chain(parameters.iter().map(|p| &**p));
    let gradients = grad(&[&score], &inputs.collect::<Vec<_>>(), GradOptions::default().allow_unused(true));
    results.chain(gradients.unwrap()).map(|y| y.to_vec()).collect()
}

#[track_caller]
fn same(got: Vec<Vec<f64>>, expected: &[Vec<f64>]) {
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).for_each(|(got, expected)| close(got, expected, 1e-12));
}

fn ranges(lengths: &[usize]) -> Vec<Vec<usize>> {
    lengths.iter().map(|&length| (0..length).collect()).collect()
}

fn input<L: Layers<Element = f64, Context = ()>>(net: &L, steps: usize, batch: usize) -> V {
    let width = net.input_size();
    variable(&if net.is_batch_first() { [batch, steps, width] } else { [steps, batch, width] })
}

fn random_state<L: Layers<Element = f64, Context = ()>>(net: &L, batch: usize) -> L::State {
    net.zero_state(batch).map(|part| variable(part.shape()))
}

/// Packed and masked sequences of these lengths are those by themselves; of lengths of zero only the masked
/// ones.
fn check<L: Layers<Element = f64, Context = ()>>(net: &L, lengths: &[usize]) {
    let steps = lengths.iter().max().unwrap() + 1;
    let x = input(net, steps, lengths.len());
    let given = random_state(net, lengths.len());
    for state in [None, Some(&given)] {
        let expected = judged(net, &x, state, |x, state| one_by_one(net, x, &ranges(lengths), state));
        same(judged(net, &x, state, |x, state| net.forward_masked(x, lengths, state).unwrap()), &expected);
        if !lengths.contains(&0) {
            same(judged(net, &x, state, |x, state| packed(net, x, lengths, state)), &expected);
        }
    }
}

#[test]
fn a_variable_length_sequence_packed_is_each_by_itself() {
    for proj_size in [0, 2] {
        let lstm =
            Lstm::builder(3, 4).num_layers(2).bidirectional(true).proj_size(proj_size).build().unwrap();
        for lengths in [[10, 10, 6, 2, 2, 1, 1], [2, 1, 3, 2, 10, 5, 3]] {
            check(&lstm.cast::<f64>(), &lengths);
        }
    }
}

#[test]
fn sequences_of_no_steps_keep_their_state() {
    let gru = Gru::builder(3, 4).num_layers(2).bidirectional(true).build().unwrap().cast::<f64>();
    for lengths in [&[0, 3, 0, 1][..], &[2, 0], &[0, 0]] {
        check(&gru, lengths);
    }
}

#[test]
fn nothing_but_padding_gives_gradients_of_zero() {
    let builder = || Lstm::builder(3, 4).num_layers(2).bidirectional(true);
    let nets = [
        builder().build().unwrap(),
        builder().checkpointing(Checkpointing::Every(2)).build().unwrap(),
        builder()
            .proj_size(2)
            .dropout(0.5)
            .weight_dropout(["weight_hh"], 0.5)
            .input_dropout(0.5)
            .zoneout(0.5)
            .build()
            .unwrap(),
    ];
    for net in nets.map(|net| net.cast::<f64>()) {
        for lengths in [&[0, 0][..], &[]] {
            let x = V::new(Tensor::ones([4, lengths.len(), 3])).requires_grad_(true);
            let zeros = |v: &V| {
                v.grad().is_some_and(|g| g.shape() == v.shape() && g.to_vec().iter().all(|&g| g == 0.0))
            };
            type Loss = fn(&V, &(V, V)) -> V;
            let backward: [Loss; 2] = [|out, _| out.sum(), |_, (h, c)| h.sum() + c.sum()];
            for of in backward {
                x.zero_grad();
                net.parameters().iter().for_each(|p| p.zero_grad());
                let (output, state) = net.forward_masked(&x, lengths, None).unwrap();
                assert_eq!(output.shape()[..2], x.shape()[..2]);
                of(&output, &state).backward().unwrap();
                assert!(zeros(&x));
                net.named_parameters().iter().for_each(|(name, p)| assert!(zeros(p), "{name}"));
            }
        }
    }
}

/// In every combination of directions and layout, contiguous and not.
fn packed_padded_and_naive_agree<F, C>(builder: impl Fn() -> RecurrentBuilder<F>)
where
    F: CellFactory<Cell = C>,
    C: Cell + Cast<To<f64>: Cell<Element = f64>>,
{
    let lengths = [7, 5, 5, 2, 1, 1];
    for (bidirectional, batch_first, contiguous) in
        (0..8).map(|bits| (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0))
    {
        let builder = builder().num_layers(2).bidirectional(bidirectional).batch_first(batch_first);
        let net = builder.build().unwrap().cast::<f64>();
        let x = input(&net, 7, 6);
        let x = if contiguous { x } else { x.transpose(0, 2).contiguous().detach().transpose(0, 2) };
        let expected = judged(&net, &x, None, |x, state| one_by_one(&net, x, &ranges(&lengths), state));
        same(judged(&net, &x, None, |x, state| packed(&net, x, &lengths, state)), &expected);
        same(judged(&net, &x, None, |x, state| net.forward_masked(x, &lengths, state).unwrap()), &expected);
        let all = [7; 6];
        let expected = judged(&net, &x, None, |x, state| net.forward(x, state).unwrap());
        same(judged(&net, &x, None, |x, state| packed(&net, x, &all, state)), &expected);
    }
}

#[test]
fn packed_padded_and_naive_agree_for_every_module() {
    for bias in [true, false] {
        packed_padded_and_naive_agree(|| Rnn::builder(10, 6).bias(bias));
        packed_padded_and_naive_agree(|| Rnn::builder(10, 6).bias(bias).nonlinearity(Nonlinearity::Relu));
        packed_padded_and_naive_agree(|| Lstm::builder(10, 6).bias(bias));
        packed_padded_and_naive_agree(|| Lstm::builder(10, 6).bias(bias).proj_size(2));
        packed_padded_and_naive_agree(|| Gru::builder(10, 6).bias(bias));
    }
    packed_padded_and_naive_agree(|| Recurrent::of(10, fading(6)));
}

#[test]
fn layers_on_layers_agree_too() {
    for batch_first in [false, true] {
        let lower = Lstm::builder(3, 4).bidirectional(true).batch_first(batch_first).build().unwrap();
        let upper = Recurrent::of(8, fading(5)).num_layers(2).batch_first(batch_first).build().unwrap();
        let stack = Stack::new(lower, upper).unwrap().cast::<f64>();
        check(&stack, &[2, 1, 3, 2, 6, 3]);
        check(&stack, &[0, 3, 0, 1]);
    }
}

#[test]
fn a_mask_may_have_holes_and_begin_anywhere() {
    let times = [vec![1, 3, 4], vec![], vec![0, 1, 2, 3, 4], vec![4]];
    for batch_first in [false, true] {
        let builder = Recurrent::of(3, fading(4)).num_layers(2).bidirectional(true);
        let net = builder.batch_first(batch_first).build().unwrap().cast::<f64>();
        let (x, state) = (input(&net, 5, 4), random_state(&net, 4));
        let counts = |t: usize, n: usize| times[n].contains(&t);
        let mask = if batch_first {
            Tensor::from_fn([4, 5], |i| counts(i % 5, i / 5))
        } else {
            Tensor::from_fn([5, 4], |i| counts(i / 4, i % 4))
        };
        let expected = judged(&net, &x, Some(&state), |x, state| one_by_one(&net, x, &times, state));
        let masked = |x: &V, state: Option<&_>| net.forward_masked(x, &mask, state).unwrap();
        same(judged(&net, &x, Some(&state), masked), &expected);
    }
}

#[test]
fn an_unbatched_sequence_may_be_masked_too() {
    let gru = Gru::builder(3, 4).bidirectional(true).build().unwrap().cast::<f64>();
    let x = variable(&[5, 3]);
    let (output, h) = gru.forward_masked(&x, &[3], None).unwrap();
    let (expected, expected_h) = gru.forward(&x.narrow(0, 0, 3), None).unwrap();
    close(&output.narrow(0, 0, 3).to_vec(), &expected.to_vec(), 1e-15);
    assert_eq!(output.narrow(0, 3, 2).to_vec(), [0.0; 16]);
    assert_eq!((h.shape(), h.to_vec()), (expected_h.shape(), expected_h.to_vec()));
    let mask = Tensor::from([true, true, true, false, false]);
    assert_eq!(gru.forward_masked(&x, &mask, None).unwrap().0.to_vec(), output.to_vec());
}

#[test]
fn values_of_the_padding_do_not_matter_not_even_nan() {
    let gru = Gru::builder(2, 3).bidirectional(true).build().unwrap().cast::<f64>();
    let x = variable(&[4, 2, 2]).to_vec();
    let spoiled = |i: usize| if i % 4 >= 2 && i >= 8 { f64::NAN } else { x[i] };
    let clean = V::new(Tensor::from_fn([4, 2, 2], |i| x[i]));
    let spoiled = V::new(Tensor::from_fn([4, 2, 2], spoiled));
    let run = |x: &V, state: Option<&V>| gru.forward_masked(x, &[4, 2], state).unwrap();
    same(judged(&gru, &spoiled, None, run), &judged(&gru, &clean, None, run));
}
