//! Gradients of every parameter, input and state against finite differences, first and second order, over
//! random configurations. `PROPTEST_CASES=256` runs the nightly size.

use wengert_check::{Property, check_gradient, randomized, recurrent, shapes, tensor};
use wengert_nn::{Cast, Cell, Gru, GruCell, LstmCell, Recurrent, RnnCell, Stack};

use crate::user_cell::{Memory, fading};

fn few() -> Property {
    Property::new().cases(24)
}

fn some_lstm(input: usize, hidden: usize, bias: bool) -> LstmCell<f64> {
    if bias { LstmCell::new(input, hidden) } else { LstmCell::without_bias(input, hidden) }.unwrap().cast()
}

fn some_gru(input: usize, hidden: usize, bias: bool) -> GruCell<f64> {
    if bias { GruCell::new(input, hidden) } else { GruCell::without_bias(input, hidden) }.unwrap().cast()
}

check_gradient! {
    #![property(few())]

    fn rnn(
        config in recurrent(),
        net in config.rnn(),
        x in config.input(),
        h in config.state(config.hidden_size),
    ) {
        config.forward(&net, &x, &h)
    }

    fn lstm(
        config in recurrent(),
        net in config.lstm(),
        x in config.input(),
        h in config.state(config.projected_size()),
        c in config.state(config.hidden_size),
    ) {
        config.forward(&net, &x, &(h, c))
    }

    fn gru(
        config in recurrent(),
        net in config.gru(),
        x in config.input(),
        h in config.state(config.hidden_size),
    ) {
        config.forward(&net, &x, &h)
    }

    fn a_users_cell(
        config in recurrent(),
        net in config.layer(Recurrent::of(config.input_size, fading(config.hidden_size))),
        x in config.input(),
        fast in config.state(config.hidden_size),
        slow in config.state(1),
    ) {
        config.forward(&net, &x, &Memory { fast, slow })
    }

    fn a_learned_state(
        config in recurrent(),
        net in config.layer(Gru::builder(config.input_size, config.hidden_size).learned_state()),
        x in config.input(),
        h in config.state(config.hidden_size),
    ) {
        config.forward(&net, &x, &h)
    }

    fn a_users_cell_with_a_learned_state(
        config in recurrent(),
        net in config.layer(Recurrent::of(config.input_size, fading(config.hidden_size)).learned_state()),
        x in config.input(),
        fast in config.state(config.hidden_size),
        slow in config.state(1),
    ) {
        config.forward(&net, &x, &Memory { fast, slow })
    }
}

check_gradient! {
    // A case is some hundred thousand derivatives.
    #![property(few().cases(8))]

    fn layers_on_layers(
        config in recurrent(),
        lower in config.lstm(),
        upper in config.layer(Recurrent::of(lower.output_size(), fading(config.hidden_size))),
        x in config.input(),
        h in config.state(config.projected_size()),
        c in config.state(config.hidden_size),
        fast in config.state(config.hidden_size),
        slow in config.state(1),
    ) {
        let stack = Stack::new(lower, upper)?.dropout(config.dropout)?;
        config.forward(&stack, &x, &((h, c), Memory { fast, slow }))
    }
}

/// The shape of a batch of rows, or of a single one.
fn rows(batch: usize, width: usize) -> Vec<usize> {
    if batch == 0 { vec![width] } else { vec![batch, width] }
}

check_gradient! {
    #![property(few())]

    fn rnn_cell(
        n in 0..3,
        sizes in shapes(2..=2, 1..=3),
        cell in randomized(move || RnnCell::new(sizes[0], sizes[1]).unwrap().cast()),
        x in tensor(rows(n, cell.input_size())),
        h in tensor(rows(n, cell.output_size())),
    ) {
        (cell.forward(&x, None), cell.forward(&x, Some(&h)))
    }

    fn lstm_cell(
        n in 0..3,
        bias in 0..2,
        sizes in shapes(2..=2, 1..=3),
        cell in randomized(move || some_lstm(sizes[0], sizes[1], bias == 0)),
        x in tensor(rows(n, cell.input_size())),
        h in tensor(rows(n, cell.output_size())),
        c in tensor(rows(n, cell.output_size())),
    ) {
        (cell.forward(&x, None), cell.forward(&x, Some(&(h, c))))
    }

    fn gru_cell(
        n in 0..3,
        bias in 0..2,
        sizes in shapes(2..=2, 1..=3),
        cell in randomized(move || some_gru(sizes[0], sizes[1], bias == 0)),
        x in tensor(rows(n, cell.input_size())),
        h in tensor(rows(n, cell.output_size())),
    ) {
        (cell.forward(&x, None), cell.forward(&x, Some(&h)))
    }
}
