//! What is refused, and that the error says what was expected and what was got.

use std::fmt::Debug;

use wengert_core::{Error, Tensor, Variable};
use wengert_nn::{
    Cell, Dropout, Embedding, Gru, GruCell, LayerNorm, Linear, Lstm, LstmCell, Nonlinearity, Recurrent, Rnn,
    RnnCell, State, cross_entropy, mse_loss,
};

#[track_caller]
pub fn refused<T>(result: Result<T, Error>, expected: &str) {
    assert_eq!(result.err().expect("a refusal").to_string(), expected);
}

pub fn zeros(shape: &[usize]) -> Variable {
    Variable::new(Tensor::zeros(shape))
}

#[test]
fn recurrent_layers_of_no_width_or_no_layers() {
    refused(Rnn::new(0, 4), "RNN: input_size must be at least 1, got 0");
    refused(Lstm::new(0, 4), "LSTM: input_size must be at least 1, got 0");
    refused(Gru::new(0, 4), "GRU: input_size must be at least 1, got 0");
    refused(Rnn::new(3, 0), "RNN: hidden_size must be at least 1, got 0");
    refused(Lstm::new(3, 0), "LSTM: hidden_size must be at least 1, got 0");
    refused(Gru::new(3, 0), "GRU: hidden_size must be at least 1, got 0");
    refused(Rnn::builder(3, 4).num_layers(0).build(), "RNN: num_layers must be at least 1, got 0");
    refused(Lstm::builder(3, 4).num_layers(0).build(), "LSTM: num_layers must be at least 1, got 0");
    refused(Gru::builder(3, 4).num_layers(0).build(), "GRU: num_layers must be at least 1, got 0");
    refused(RnnCell::new(0, 4), "RNN: input_size must be at least 1, got 0");
    refused(LstmCell::new(0, 4), "LSTM: input_size must be at least 1, got 0");
    refused(GruCell::new(0, 4), "GRU: input_size must be at least 1, got 0");
}

#[test]
fn projections_that_do_not_shrink() {
    for proj_size in [4, 5] {
        let expected = format!("LSTM: proj_size must be smaller than hidden_size 4, got {proj_size}");
        refused(Lstm::builder(3, 4).proj_size(proj_size).build(), &expected);
    }
    assert!(Lstm::builder(3, 4).proj_size(3).build().is_ok());
}

#[test]
fn dropout_that_is_no_probability() {
    for p in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let of = |name: &str| format!("{name} must be in [0, 1], got {p}");
        refused(Rnn::builder(3, 4).num_layers(2).dropout(p).build(), &of("RNN: dropout"));
        refused(Lstm::builder(3, 4).dropout(p).build(), &of("LSTM: dropout"));
        refused(Gru::builder(3, 4).dropout(p).build(), &of("GRU: dropout"));
        refused(Gru::new(3, 4).unwrap().set_dropout(p), &of("GRU: dropout"));
        refused(Dropout::new(p), &of("Dropout: p"));
    }
    for p in [0.0, 1.0] {
        assert!(Gru::builder(3, 4).num_layers(2).dropout(p).build().is_ok() && Dropout::new(p).is_ok());
    }
}

#[test]
fn dropout_with_one_layer_is_allowed() {
    assert!(Gru::builder(3, 4).dropout(0.5).build().is_ok());
}

#[test]
fn nonlinearities_that_nobody_knows() {
    refused("gelu".parse::<Nonlinearity>(), "RNN: nonlinearity must be tanh or relu, got gelu");
}

/// Whether a state of the shapes is refused for inputs of 3, and what is then said.
fn check_state<C>(
    net: &Recurrent<C>,
    name: &str,
    input: &[usize],
    state: &C::State,
    bad: usize,
    shapes: [&[usize]; 2],
) where
    C: Cell<Element = f32>,
    C::State: Debug,
{
    let expected = format!("{name}: expected state {bad} of shape {:?}, got {:?}", shapes[0], shapes[1]);
    refused(net.forward(&zeros(input), Some(state)), &expected);
}

/// Inputs and states with one extent of 7 that should be another, and of wrong ranks.
fn check_forward<C>(net: &Recurrent<C>, name: &str)
where
    C: Cell<Element = f32>,
    C::State: Debug,
{
    let input = |shape: &[usize]| net.forward(&zeros(shape), None);
    refused(input(&[6, 4, 7]), &format!("{name}: expected an input of width 3, got 7 in shape [6, 4, 7]"));
    refused(input(&[6, 7]), &format!("{name}: expected an input of width 3, got 7 in shape [6, 7]"));
    refused(input(&[3]), &format!("{name}: expected an input of 2 or 3 axes, got 1 in shape [3]"));
    refused(
        input(&[1, 6, 4, 3]),
        &format!("{name}: expected an input of 2 or 3 axes, got 4 in shape [1, 6, 4, 3]"),
    );
    refused(
        input(&[0, 4, 3]),
        &format!("{name}: expected a sequence of at least one step, got shape [0, 4, 3]"),
    );
    refused(input(&[0, 3]), &format!("{name}: expected a sequence of at least one step, got shape [0, 3]"));

    let good = net.zero_state(4);
    assert!(net.forward(&zeros(&[6, 4, 3]), Some(&good)).is_ok());
    let (count, firsts) = (good.variables().len(), good.variables()[0].shape().to_vec());
    let other_batch = [firsts[0], 7, firsts[2]];
    check_state(net, name, &[6, 7, 3], &good, 0, [&other_batch, &firsts]);
    for bad in 0..count {
        let shape = good.variables()[bad].shape().to_vec();
        let with = |wrong: &[usize]| {
            let mut part = 0..;
            good.map(|value| if part.next() == Some(bad) { zeros(wrong) } else { value.clone() })
        };
        for axis in 0..3 {
            let mut wrong = shape.clone();
            wrong[axis] = 7;
            check_state(net, name, &[6, 4, 3], &with(&wrong), bad, [&shape, &wrong]);
            // Nor is an extent of 1 broadcast.
            wrong[axis] = 1;
            check_state(net, name, &[6, 4, 3], &with(&wrong), bad, [&shape, &wrong]);
        }
        check_state(net, name, &[6, 4, 3], &with(&shape[1..]), bad, [&shape, &shape[1..]]);
    }
    let unbatched = [firsts[0], firsts[2]];
    check_state(net, name, &[6, 3], &good, 0, [&unbatched, &firsts]);
}

#[test]
fn sequences_and_states_of_wrong_shapes() {
    check_forward(&Rnn::builder(3, 5).num_layers(2).build().unwrap(), "RNN");
    check_forward(&Lstm::builder(3, 5).num_layers(2).build().unwrap(), "LSTM");
    check_forward(
        &Lstm::builder(3, 5).num_layers(2).proj_size(2).bidirectional(true).build().unwrap(),
        "LSTM",
    );
    check_forward(&Gru::builder(3, 5).num_layers(2).bidirectional(true).build().unwrap(), "GRU");
}

#[test]
fn empty_sequences_with_the_batch_in_front() {
    let gru = Gru::builder(3, 5).batch_first(true).build().unwrap();
    refused(
        gru.forward(&zeros(&[4, 0, 3]), None),
        "GRU: expected a sequence of at least one step, got shape [4, 0, 3]",
    );
    refused(
        gru.forward(&zeros(&[0, 3]), None),
        "GRU: expected a sequence of at least one step, got shape [0, 3]",
    );
}

#[test]
fn states_in_the_inputs_layout_with_the_batch_in_front() {
    let gru = Gru::builder(3, 5).batch_first(true).num_layers(2).build().unwrap();
    assert!(gru.forward(&zeros(&[4, 6, 3]), Some(&zeros(&[2, 4, 5]))).is_ok());
    check_state(&gru, "GRU", &[4, 6, 3], &zeros(&[4, 2, 5]), 0, [&[2, 4, 5], &[4, 2, 5]]);
}

fn check_cell<C: Cell<Element = f32>>(cell: &C) {
    let input = |shape: &[usize]| cell.forward(&zeros(shape), None);
    let of_cell = |text: &str| format!("{}: expected {text}", C::NAME);
    refused(input(&[3, 1]), &of_cell("an input of width 10, got 1"));
    refused(input(&[7]), &of_cell("an input of width 10, got 7"));
    refused(input(&[1, 3, 10]), &of_cell("an input of shape (N, 10) or (10), got [1, 3, 10]"));
    refused(input(&[]), &of_cell("an input of shape (N, 10) or (10), got []"));
    let good = cell.zero_state(3);
    for bad in 0..good.variables().len() {
        for wrong in [[1, 20], [3, 1], [7, 20], [3, 7]] {
            let mut part = 0..;
            let state =
                good.map(|value| if part.next() == Some(bad) { zeros(&wrong) } else { value.clone() });
            let expected = of_cell(&format!("state {bad} of shape [3, 20], got {wrong:?}"));
            refused(cell.forward(&zeros(&[3, 10]), Some(&state)), &expected);
        }
    }
}

#[test]
fn steps_and_states_of_cells_of_wrong_shapes() {
    check_cell(&RnnCell::new(10, 20).unwrap());
    check_cell(&LstmCell::new(10, 20).unwrap());
    check_cell(&GruCell::new(10, 20).unwrap());
}

#[test]
fn linear_layers_without_inputs_and_inputs_of_another_width() {
    refused(Linear::new(0, 2), "Linear: in_features must be at least 1, got 0");
    let linear = Linear::new(3, 2).unwrap();
    refused(linear.forward(&zeros(&[4, 2])), "Linear: expected an input whose last axis is 3, got [4, 2]");
    refused(linear.forward(&zeros(&[])), "Linear: expected an input whose last axis is 3, got []");
}

#[test]
fn tables_without_rows_and_rows_that_are_not_there() {
    refused(Embedding::new(0, 2), "Embedding: num_embeddings must be at least 1, got 0");
    let expected = "Embedding: padding_idx must be below num_embeddings 4, got 4";
    refused(Embedding::with_padding(4, 2, 4), expected);
    let embedding = Embedding::new(4, 2).unwrap();
    for outside in [-1, 4] {
        let expected = format!("Embedding: every index must be in 0..4, got {outside}");
        refused(embedding.forward(&Tensor::from([0, outside])), &expected);
    }
}

#[test]
fn layer_norm_over_axes_that_the_input_has_not() {
    let error = LayerNorm::new([3]).forward(&zeros(&[3, 2])).unwrap_err().to_string();
    assert!(error.contains("[3]") && error.contains("[3, 2]"), "{error}");
}

#[test]
fn targets_that_are_no_class() {
    for outside in [-1, 3, -99, i64::MAX] {
        let expected = format!(
            "cross_entropy: every target must be in 0..3, or -100 to be ignored, got {outside} at [1]"
        );
        refused(cross_entropy(&zeros(&[2, 3]), &Tensor::from([0, outside])), &expected);
    }
}

#[test]
fn targets_of_another_shape() {
    let expected = "cross_entropy: expected targets of shape [2] for logits [2, 3], got [3]";
    refused(cross_entropy(&zeros(&[2, 3]), &Tensor::from([0i64, 1, 2])), expected);
    refused(
        cross_entropy(&zeros(&[]), &Tensor::scalar(0)),
        "cross_entropy: expected logits (N, C), got a scalar",
    );
    let expected = "mse_loss: expected a target of the input's shape [2, 3], got [3]";
    refused(mse_loss(&zeros(&[2, 3]), &zeros(&[3])), expected);
}

#[test]
fn a_state_of_an_unbatched_step_is_named_as_it_was_given() {
    let cell = LstmCell::new(10, 20).unwrap();
    for wrong in [&[1, 20][..], &[3]] {
        let state = (zeros(wrong), zeros(&[20]));
        let expected = format!("LSTM: expected state 0 of shape [20], got {wrong:?}");
        refused(cell.forward(&zeros(&[10]), Some(&state)), &expected);
    }
}
