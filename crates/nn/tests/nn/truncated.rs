//! Truncated backpropagation: what its gradients are, where documents end, and what is refused.

use proptest::prelude::*;
use wengert_core::{Tensor, Variable, cat, manual_seed};
use wengert_nn::{Cast, Gru, Layers, Linear, Lstm, Module, Recurrent, Stack, State, Truncated, mse_loss};

use crate::errors::refused;
use crate::user_cell::fading;
use crate::{V, close, config, variable};

/// The sum of squares of what is apart, over all samples and steps.
fn loss(output: &V, target: &V) -> wengert_core::Result<V> {
    Ok((output - target).square().sum())
}

/// A long sequence and its targets, (L, N, ..).
struct Task<L: Layers<Element = f64, Context = ()>> {
    net: L,
    embed: Linear<f64>,
    x: V,
    y: V,
    ends: Option<Tensor<bool>>,
}

impl<L: Layers<Element = f64, Context = ()>> Task<L> {
    fn new(net: L, steps: usize, batch: usize) -> Self {
        let embed = Linear::new(2, net.input_size()).unwrap().cast::<f64>();
        let y = variable(&[steps, batch, net.output_size()]);
        Task { net, embed, x: variable(&[steps, batch, 2]), y, ends: None }
    }

    /// The gradients of the layer's parameters and of those before it.
    fn gradients(&self) -> Vec<Vec<f64>> {
        let parameters = self.net.parameters().into_iter().chain(self.embed.parameters());
        let gradients =
            parameters.map(|p| p.grad().map_or(vec![0.0; p.numel()], |grad| grad.to_vec())).collect();
        self.net.zero_grad();
        self.embed.zero_grad();
        gradients
    }

    fn truncated(&self, k1: usize, k2: usize) -> (Vec<Vec<f64>>, L::State) {
        let steps = self.x.shape()[0];
        let mut truncated = Truncated::new(k1, k2).unwrap();
        for window in truncated.windows(steps) {
            let of = |all: &V| all.narrow(0, window.start, window.len());
            let ends = self.ends.as_ref().map(|ends| ends.narrow(0, window.start, window.len()).unwrap());
            let x = self.embed.forward(&of(&self.x)).unwrap();
            truncated.window(&self.net, &x, ends.as_ref(), |out| loss(out, &of(&self.y))).unwrap();
        }
        (self.gradients(), truncated.state().unwrap().clone())
    }

    /// By full backpropagation, step by step, with a reset behind each end, and a cut before each step that
    /// `cut` names.
    fn full(&self, cut: impl Fn(usize) -> bool) -> (Vec<Vec<f64>>, L::State) {
        let (steps, batch) = (self.x.shape()[0], self.x.shape()[1]);
        let (mut state, mut outputs) = (self.net.zero_state(batch), Vec::new());
        for t in 0..steps {
            if cut(t) {
                state = state.detach();
            }
            let x = self.embed.forward(&self.x.narrow(0, t, 1)).unwrap();
            let (output, next) = self.net.forward(&x, Some(&state)).unwrap();
            outputs.push(output);
            state = match &self.ends {
                None => next,
                Some(ends) => with_ends(&next, &self.net.zero_state(batch), &ends.select(0, t).unwrap()),
            };
        }
        let output = cat(&outputs, 0);
        loss(&output, &self.y).unwrap().backward().unwrap();
        (self.gradients(), state)
    }
}

/// The state, sample by sample, or the initial one.
fn with_ends<S: State>(state: &S, initial: &S, ends: &Tensor<bool>) -> S {
    let samples: Vec<S> = (0..ends.numel())
        .map(|n| if ends.at(&[n]) { initial.narrow(1, n, 1) } else { state.narrow(1, n, 1) })
        .collect();
    S::cat(&samples.iter().collect::<Vec<_>>(), 1)
}

#[track_caller]
fn same<S: State<Element = f64>>(got: (Vec<Vec<f64>>, S), expected: (Vec<Vec<f64>>, S)) {
    got.0.iter().zip(&expected.0).for_each(|(got, expected)| close(got, expected, 1e-12 * scale(expected)));
    let values = |state: &S| state.variables().iter().flat_map(|part| part.to_vec()).collect::<Vec<_>>();
    close(&values(&got.1), &values(&expected.1), 1e-12);
}

fn scale(values: &[f64]) -> f64 {
    values.iter().fold(1.0, |most, x| x.abs().max(most))
}

fn some_ends(steps: usize, batch: usize, every: usize) -> Tensor<bool> {
    Tensor::from_fn([steps, batch], |i| i % every == every - 1)
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn with_k2_no_less_than_the_length_it_is_full_backpropagation(
        steps in 1usize..14,
        k1 in 1usize..6,
        more in 0usize..4,
        every in 2usize..9,
    ) {
        let net = Gru::builder(3, 4).num_layers(2).learned_state().build().unwrap().cast::<f64>();
        let mut task = Task::new(net, steps, 2);
        same(task.truncated(k1, k1.max(steps) + more), task.full(|_| false));
        task.ends = Some(some_ends(steps, 2, every));
        same(task.truncated(k1, k1.max(steps) + more), task.full(|_| false));
    }

    #[test]
    fn windows_of_their_own_length_are_cut_from_each_other(steps in 1usize..14, k1 in 1usize..6) {
        let lstm = Lstm::builder(3, 4).num_layers(2).proj_size(2).build().unwrap().cast::<f64>();
        let mut task = Task::new(lstm, steps, 2);
        same(task.truncated(k1, k1), task.full(|t| t % k1 == 0));
        task.ends = Some(some_ends(steps, 2, 5));
        same(task.truncated(k1, k1), task.full(|t| t % k1 == 0));
    }

    #[test]
    fn a_users_cell_is_no_exception(steps in 1usize..10, k1 in 1usize..4) {
        let net = Recurrent::of(3, fading(4)).num_layers(2).residual(true).build().unwrap().cast::<f64>();
        let mut task = Task::new(net, steps, 3);
        task.ends = Some(some_ends(steps, 3, 7));
        same(task.truncated(k1, k1 + steps), task.full(|_| false));
        same(task.truncated(k1, k1), task.full(|t| t % k1 == 0));
    }
}

#[test]
fn layers_on_layers_are_no_exception() {
    let upper = Recurrent::of(4, fading(5)).build().unwrap();
    let net = Stack::new(Lstm::builder(3, 6).proj_size(4).build().unwrap(), upper).unwrap().cast::<f64>();
    let mut task = Task::new(net, 9, 2);
    same(task.truncated(2, 9), task.full(|_| false));
    task.ends = Some(some_ends(9, 2, 5));
    same(task.truncated(4, 9), task.full(|_| false));
    same(task.truncated(4, 4), task.full(|t| t % 4 == 0));
}

/// The loss of each window by itself, whose gradient stops `k2` steps before the window's end.
#[test]
fn overlapping_windows_go_back_k2_steps_each() {
    let (steps, k1, k2) = (12, 2, 6);
    let task = Task::new(Gru::new(3, 4).unwrap().cast::<f64>(), steps, 2);
    let mut expected: Vec<Vec<f64>> = Vec::new();
    for end in (k1..=steps).step_by(k1) {
        let first = end.saturating_sub(k2);
        let x = task.embed.forward(&task.x.narrow(0, 0, end)).unwrap();
        let state = match first {
            0 => None,
            _ => Some(task.net.forward(&x.narrow(0, 0, first), None).unwrap().1.detach()),
        };
        let (output, _) = task.net.forward(&x.narrow(0, first, end - first), state.as_ref()).unwrap();
        let (window, target) = (output.narrow(0, end - first - k1, k1), task.y.narrow(0, end - k1, k1));
        loss(&window, &target).unwrap().backward().unwrap();
        let gradients = task.gradients();
        expected = match expected.is_empty() {
            true => gradients,
            false => expected
                .iter()
                .zip(&gradients)
                .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a + b).collect())
                .collect(),
        };
    }
    let (found, _) = task.truncated(k1, k2);
    found.iter().zip(&expected).for_each(|(found, expected)| close(found, expected, 1e-11));
}

#[test]
fn parameters_may_change_between_overlapping_windows() {
    manual_seed(0);
    let gru = Gru::new(3, 4).unwrap().cast::<f64>();
    let (x, y) = (variable(&[8, 2, 3]), variable(&[8, 2, 4]));
    let mut truncated = Truncated::new(2, 8).unwrap();
    let mut losses = Vec::new();
    for _ in 0..30 {
        truncated.set_state(None);
        let mut total = 0.0;
        for window in truncated.windows(8) {
            let of = |all: &V| all.narrow(0, window.start, window.len());
            let loss = truncated.window(&gru, &of(&x), None, |out| mse_loss(out, &of(&y))).unwrap();
            total += loss.item().unwrap();
            for parameter in gru.parameters() {
                let gradient = parameter.grad().unwrap().to_vec();
                parameter
                    .update("test", |w| w.iter_mut().zip(gradient).for_each(|(w, g)| *w -= 0.2 * g))
                    .unwrap();
            }
            gru.zero_grad();
        }
        losses.push(total);
    }
    assert!(losses[29] < 0.7 * losses[0], "{losses:?}");
}

#[test]
fn a_sequence_without_a_batch_and_one_with_the_batch_in_front() {
    let gru = Gru::builder(3, 4).batch_first(true).build().unwrap().cast::<f64>();
    let x = variable(&[1, 6, 3]);
    let ends = Tensor::from([[false, true, false, false, true, false]]);
    let gradients = |x: V, ends: Tensor<bool>, time: isize| {
        let mut truncated = Truncated::new(3, 6).unwrap();
        for window in truncated.windows(6) {
            let x = x.narrow(time, window.start, window.len());
            let ends = ends.narrow(time, window.start, window.len()).unwrap();
            truncated.window(&gru, &x, Some(&ends), |out| Ok(out.square().sum())).unwrap();
        }
        let found: Vec<_> = gru.parameters().iter().map(|p| p.grad().unwrap().to_vec()).collect();
        gru.zero_grad();
        (found, truncated.state().unwrap().to_vec())
    };
    let batched = gradients(x.clone(), ends.clone(), 1);
    let unbatched = gradients(x.select(0, 0), ends.select(0, 0).unwrap(), 0);
    batched.0.iter().zip(&unbatched.0).for_each(|(a, b)| close(a, b, 1e-12));
    close(&batched.1, &unbatched.1, 1e-12);
}

#[test]
fn what_cannot_be_truncated() {
    refused(Truncated::<Gru>::new(0, 0), "Truncated: k1 must be at least 1, got 0");
    refused(Truncated::<Gru>::new(3, 2), "Truncated: k2 must be at least k1 = 3, got 2");
    let mut truncated = Truncated::new(3, 3).unwrap();
    let sum = |out: &Variable| Ok(out.sum());
    let gru = Gru::new(2, 4).unwrap();
    let input = |shape: &[usize]| Variable::new(Tensor::ones(shape));
    refused(
        truncated.window(&gru, &input(&[4, 1, 2]), None, sum),
        "Truncated: a window must be at most k1 = 3 steps, got 4",
    );
    let expected = "GRU: expected an input of width 2, got 1 in shape [3, 1, 1]";
    refused(truncated.window(&gru, &input(&[3, 1, 1]), None, sum), expected);
    let ends = Tensor::from([[false, true, false]]);
    let expected = "Truncated: expected ends of shape [3, 1], got [1, 3]";
    refused(truncated.window(&gru, &input(&[3, 1, 2]), Some(&ends), sum), expected);
    let both = Gru::builder(2, 4).bidirectional(true).build().unwrap();
    let expected = "Truncated: the layer must be of one direction, since the other begins at the end of the \
        sequence, got a bidirectional one";
    refused(truncated.window(&both, &input(&[3, 1, 2]), None, sum), expected);
    assert!(truncated.state().is_none(), "no window has taken place");
}

#[test]
fn a_loss_that_fails_leaves_everything_as_it_was() {
    let gru = Gru::new(3, 4).unwrap().cast::<f64>();
    let x = variable(&[6, 2, 3]);
    let run = |fails: bool| {
        let mut truncated = Truncated::new(2, 6).unwrap();
        for window in truncated.windows(6) {
            let x = x.narrow(0, window.start, window.len());
            if fails {
                let state = truncated.state().map(Variable::to_vec);
                let failed = truncated.window(&gru, &x, None, |out| mse_loss(out, &out.narrow(0, 0, 1)));
                refused(failed, "mse_loss: expected a target of the input's shape [2, 2, 4], got [1, 2, 4]");
                assert_eq!(truncated.state().map(Variable::to_vec), state);
            }
            truncated.window(&gru, &x, None, |out| Ok(out.square().sum())).unwrap();
        }
        let gradients: Vec<_> = gru.parameters().iter().map(|p| p.grad().unwrap().to_vec()).collect();
        gru.zero_grad();
        (gradients, truncated.state().unwrap().to_vec())
    };
    assert_eq!(run(true), run(false));
}
