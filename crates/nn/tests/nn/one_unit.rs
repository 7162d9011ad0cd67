//! Layers of one unit, whose parts of a buffer have axes of extent one.

use wengert_core::{Variable, with_plain};
use wengert_nn::{Cast, Gru, Linear, Lstm, Module, Rnn};

use crate::{close, variable};

/// The gradients that `output` leaves at the model and the input are those of the plain sweep, and of the
/// samples one by one. The batch is axis 1.
fn holds<M: Module<Element = f64>>(
    model: &M,
    input: [usize; 3],
    output: impl Fn(&Variable<f64>) -> Variable<f64>,
) {
    let x = variable(&input).requires_grad_(true);
    let gradients = |samples: &[Variable<f64>]| {
        model.zero_grad();
        x.zero_grad();
        samples.iter().for_each(|sample| output(sample).square().sum().backward().unwrap());
        let parameters = model.parameters();
        let all = parameters.iter().map(|parameter| parameter.grad().unwrap().to_vec());
        all.chain([x.grad().unwrap().to_vec()]).flatten().collect::<Vec<_>>()
    };
    let whole = gradients(std::slice::from_ref(&x));
    close(&whole, &with_plain(|| gradients(std::slice::from_ref(&x))), 1e-13);
    let samples: Vec<_> = (0..input[1]).map(|n| x.narrow(1, n, 1)).collect();
    close(&whole, &gradients(&samples), 1e-12);
}

#[test]
fn a_recurrent_layer_of_one_unit_goes_back_over_several_samples() {
    for (steps, batch) in [(1, 1), (1, 2), (3, 2), (2, 5)] {
        let lstm = Lstm::new(1, 1).unwrap().cast();
        let gru = Gru::new(1, 1).unwrap().cast();
        let rnn = Rnn::new(1, 1).unwrap().cast();
        holds(&lstm, [steps, batch, 1], |x| lstm.forward(x, None).unwrap().0);
        holds(&gru, [steps, batch, 1], |x| gru.forward(x, None).unwrap().0);
        holds(&rnn, [steps, batch, 1], |x| rnn.forward(x, None).unwrap().0);
    }
}

#[test]
fn a_head_of_one_or_two_outputs_goes_back_over_several_samples() {
    for (width, outputs) in [(1, 1), (1, 2), (3, 2), (3, 1)] {
        let head = Linear::new(width, outputs).unwrap().cast();
        holds(&head, [2, 4, width], |x| head.forward(x).unwrap());
    }
}
