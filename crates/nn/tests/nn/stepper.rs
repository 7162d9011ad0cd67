//! One step at a time gives what the whole sequence gives.

use wengert_core::Tensor;
use wengert_nn::{Cast, Gru, Layers, Lstm, Module, Recurrent, Rnn, Stack, State, Stepper};

use crate::errors::refused;
use crate::user_cell::fading;
use crate::{close, variable};

fn values<S: State<Element = f64>>(state: &S) -> Vec<f64> {
    state.variables().iter().flat_map(|part| part.to_vec()).collect()
}

/// Each step of `steps` inputs is that of the whole sequence from the stepper's state on, and so is the
/// state.
fn follow<L: Layers<Element = f64, Context = ()>>(
    net: &L,
    stepper: &mut Stepper<L>,
    steps: usize,
    batch: usize,
) {
    let x = variable(&[steps, batch, net.input_size()]);
    let (output, state) = net.forward(&x, Some(&stepper.state())).unwrap();
    for t in 0..steps {
        let step = stepper.step(&x.select(0, t)).unwrap();
        assert!(!step.requires_grad(), "nothing is recorded");
        close(&step.to_vec(), &output.select(0, t).to_vec(), 1e-13);
    }
    close(&values(&stepper.state()), &values(&state), 1e-13);
}

fn check<L: Layers<Element = f64, Context = ()>>(mut net: L) {
    net.eval();
    let (steps, batch) = (5, 3);
    let mut stepper = Stepper::new(net.clone(), batch).unwrap();
    follow(&net, &mut stepper, steps, batch);
    follow(&net, &mut stepper, steps, batch);

    let given = net.zero_state(batch).map(|part| variable(part.shape()));
    stepper.set_state(Some(&given)).unwrap();
    close(&values(&stepper.state()), &values(&given), 0.0);
    follow(&net, &mut stepper, steps, batch);

    let kept = stepper.state();
    stepper.reset(&Tensor::from([false, true, false])).unwrap();
    let (now, initial) = (stepper.state(), net.zero_state(1));
    for ((now, kept), initial) in now.variables().iter().zip(kept.variables()).zip(initial.variables()) {
        assert_eq!(now.select(1, 0).to_vec(), kept.select(1, 0).to_vec());
        assert_eq!(now.select(1, 1).to_vec(), initial.select(1, 0).to_vec());
    }
    follow(&net, &mut stepper, steps, batch);
}

#[test]
fn every_layer_steps_as_it_runs() {
    check(Rnn::builder(3, 4).num_layers(2).build().unwrap().cast::<f64>());
    check(Lstm::builder(3, 4).num_layers(2).proj_size(2).dropout(0.5).build().unwrap().cast::<f64>());
    check(Gru::builder(3, 4).num_layers(3).residual(true).learned_state().build().unwrap().cast::<f64>());
    check(Recurrent::of(3, fading(4)).num_layers(2).zoneout(0.2).build().unwrap().cast::<f64>());
    let upper = Gru::builder(2, 5).learned_state().build().unwrap();
    let lower = Lstm::builder(3, 4).proj_size(2).build().unwrap();
    check(Stack::new(lower, upper).unwrap().dropout(0.5).unwrap().cast::<f64>());
}

#[test]
fn a_step_sees_what_training_has_changed() {
    let rnn = Rnn::new(2, 2).unwrap();
    let mut stepper = rnn.stepper(1).unwrap();
    for parameter in rnn.parameters() {
        parameter.update("test", |values| values.fill(0.0)).unwrap();
    }
    let input = wengert_core::Variable::new(Tensor::ones([1, 2]));
    assert_eq!(stepper.step(&input).unwrap().to_vec(), [0.0, 0.0]);
}

#[test]
fn steps_that_do_not_fit() {
    let gru = Gru::new(3, 4).unwrap();
    let mut stepper = gru.stepper(2).unwrap();
    let zeros = |shape: &[usize]| wengert_core::Variable::new(Tensor::zeros(shape));
    let expected = "GRU: expected an input of width 3, got 4 in shape [2, 4]";
    refused(stepper.step(&zeros(&[2, 4])), expected);
    let expected = "Stepper: expected an input of shape (2, width), got [1, 3]";
    refused(stepper.step(&zeros(&[1, 3])), expected);
    let expected = "Stepper: expected state 0 of shape [1, 2, 4], got [2, 4]";
    refused(stepper.set_state(Some(&zeros(&[2, 4]))), expected);
    let expected = "Stepper: expected one truth value for each of 2 samples, got shape [3]";
    refused(stepper.reset(&Tensor::from([true, false, true])), expected);
    let both = Gru::builder(2, 4).bidirectional(true).build().unwrap();
    let expected = "Stepper: the layer must be of one direction, since the other begins at the end of the \
        sequence, got a bidirectional one";
    refused(both.stepper(1), expected);
}
