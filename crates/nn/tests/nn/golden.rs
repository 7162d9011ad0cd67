//! PyTorch's numbers, and the facts that its own tests hold of sequences.

use wengert_core::{Tensor, Variable};
use wengert_nn::{
    Cast, Cell, Gru, GruCell, Lstm, LstmCell, Module, Nonlinearity, Recurrent, Rnn, RnnCell, State,
};

use crate::{V, bits, close, variable};

/// Sets element i of n of each parameter.
fn fill<M: Module<Element = f64>>(module: &M, value: impl Fn(usize, usize) -> f64) {
    for parameter in module.parameters() {
        let n = parameter.numel();
        parameter.update("test", |p| (0..n).for_each(|i| p[i] = value(i, n))).unwrap();
    }
}

#[test]
fn lstm_gives_the_golden_values() {
    // The expected values of PyTorch's own test of its C++ LSTM, to four digits.
    let lstm = Lstm::new(2, 2).unwrap().cast::<f64>();
    fill(&lstm, |i, n| i as f64 / n as f64);
    let x = V::new(Tensor::from_fn([3, 4, 2], |i| (24 - i) as f64 / 24.0));
    let zeros = V::new(Tensor::zeros([1, 4, 2]));
    let (output, (h, c)) = lstm.forward(&x, Some(&(zeros.clone(), zeros))).unwrap();
    let expected = [
        0.4391, 0.5402, 0.4330, 0.5324, 0.4261, 0.5239, 0.4183, 0.5147, 0.6822, 0.8064, 0.6726, 0.7968,
        0.6620, 0.7860, 0.6501, 0.7741, 0.7889, 0.9003, 0.7769, 0.8905, 0.7635, 0.8794, 0.7484, 0.8666,
    ];
    close(&output.to_vec(), &expected, 1e-3);
    close(&h.to_vec(), &expected[16..], 1e-3);
    close(&c.to_vec(), &[1.1647, 1.6106, 1.1425, 1.5726, 1.1187, 1.5329, 1.0931, 1.4911], 1e-3);
}

/// The last state, and the gradients of the sum of all results in the input and in four weights, against
///
/// ```python
/// m = cls(2, 3, num_layers=2, bidirectional=True, **arguments).double()
/// for p in m.parameters():
///     p.data = torch.cos(torch.arange(p.numel(), dtype=torch.float64)).reshape(p.shape)
/// x = torch.sin(torch.arange(8, dtype=torch.float64)).reshape(4, 2).requires_grad_()
/// out, state = m(x)  # state in a tuple
/// (out.sum() + sum(s.sum() for s in state)).backward()
/// print(state, x.grad, m.weight_hh_l0.grad.flatten()[:4])
/// ```
fn check_torch<C: Cell<Element = f64>>(net: &Recurrent<C>, states: &[&[f64]], dx: [f64; 8], dw: [f64; 4]) {
    fill(net, |i, _| (i as f64).cos());
    let x = V::new(Tensor::from_fn([4, 2], |i| (i as f64).sin())).requires_grad_(true);
    let (output, state) = net.forward(&x, None).unwrap();
    assert_eq!(state.variables().len(), states.len());
    for (part, expected) in state.variables().iter().zip(states) {
        close(&part.to_vec(), expected, 1e-12);
    }
    let total = state.variables().iter().fold(output.sum(), |total, part| total + part.sum());
    total.backward().unwrap();
    close(&x.grad().unwrap().to_vec(), &dx, 1e-11);
    let weight = net.parameter("weight_hh_l0").unwrap();
    close(&weight.grad().unwrap().to_vec()[..4], &dw, 1e-11);
}

#[test]
#[rustfmt::skip]
fn rnn_gives_pytorchs_numbers() {
    let builder = Rnn::builder(2, 3).num_layers(2).bidirectional(true);
    let of = |f| builder.clone().nonlinearity(f).build().unwrap().cast::<f64>();
    let h = [
        0.998240683109094, -0.753395280255443, 0.807085108704524, 0.996144914778485, -0.332106219748605,
        -0.0898654601220154, 0.979450030631278, -0.885106271490051, -0.21856256827976, 0.997988637633043,
        0.609261722871762, 0.608443053033507,
    ];
    let dx = [
        -0.357746463208623, 0.687196102753598, 0.380070910063436, -1.40798985575559, 0.900118763966758,
        1.75585472372925, 0.215319161165187, 0.0611418718007584,
    ];
    let dw = [0.47918086746714, -0.268314100740369, -0.0850629015390423, 3.90584977861646];
    check_torch(&of(Nonlinearity::Tanh), &[&h], dx, dw);

    let h = [
        5.98970510312727, 0.0, 4.45707738260179, 7.23771342114869, 0.0, 4.3355422387326, 7.99627739943216,
        0.0, 8.13373646628004, 2.99686573274575, 0.0, 0.507376895210688,
    ];
    let dx = [
        8.93315828811785, 0.782306161074388, 17.8197386613945, 4.24162198916328, 5.5262392102046,
        1.02998572884947, -4.23149287189421, 6.80957366055109,
    ];
    let dw = [257.452130394528, 5.42884683406833, 84.8780585810799, 0.0];
    check_torch(&of(Nonlinearity::Relu), &[&h], dx, dw);
}

#[test]
#[rustfmt::skip]
fn lstm_gives_pytorchs_numbers() {
    let builder = Lstm::builder(2, 3).num_layers(2).bidirectional(true);
    let of = |p| builder.clone().proj_size(p).build().unwrap().cast::<f64>();
    let h = [
        0.126118213276301, 0.0646668736804319, 0.0296793833403987, 0.18924686951516, 0.0441670683283329,
        -0.0622638853798765, 0.105541190227689, 0.119388336001375, -0.0637223101105241, 0.0979429808191686,
        0.112201033607662, -0.0708088277886013,
    ];
    let c = [
        0.939093295897496, 0.567951381100204, 0.0685997056473151, 1.1034364212063, 0.383774585847842,
        -0.17278920227632, 0.977051044273152, 0.846618875420262, -0.126847019292511, 0.974481354682296,
        0.831478039118779, -0.145001658467774,
    ];
    let dx = [
        -0.226281059841451, -0.559534284050492, 0.304703576645872, -0.21910084282626, -0.294261747812918,
        0.00138735649503202, -0.189138311459406, -0.516801601533575,
    ];
    let dw = [0.00341928835321984, 0.0162665833927808, 0.00630265419194198, 0.0229220381132822];
    check_torch(&of(0), &[&h, &c], dx, dw);

    let h = [0.187637308776074, 0.241314929769645, 0.220161612917543, 0.225648346441936];
    let c = [
        0.942095575108359, 0.647439611924389, -0.0762237304791849, 1.1078526123495, 0.545923386280543,
        -0.23614027877334, 1.04492845127743, 0.79009512777553, -0.29681627468607, 1.0733366374346,
        0.754308262048803, -0.309777564120182,
    ];
    let dx = [
        0.121483648749895, -0.230647610449671, 0.0573453147710036, -0.0668563363714164, -0.0697311017753471,
        0.0509901090457601, -0.0770465974245643, -0.377694320724703,
    ];
    let dw = [0.0129586388716217, 0.0206048932006774, 0.00136582325570466, 0.00647891618044159];
    check_torch(&of(1), &[&h, &c], dx, dw);
}

#[test]
#[rustfmt::skip]
fn gru_gives_pytorchs_numbers() {
    let gru = Gru::builder(2, 3).num_layers(2).bidirectional(true).build().unwrap().cast::<f64>();
    let h = [
        0.990635789447421, 0.286319862676886, 0.367492373622077, 0.997848603996082, 0.229692616824797,
        -0.0956671909758295, 0.997961746938201, 0.599914949905969, 0.566013109370829, 0.997908313120803,
        0.58785168615547, 0.555559790138025,
    ];
    let dx = [
        -0.56990488518982, -2.0718665304001, -0.274364445943478, -1.39842696379664, 0.740427634436391,
        0.243632052255515, 0.309062545694531, 0.848004664560368,
    ];
    let dw = [-0.0686229377063315, -0.0397575597152469, 0.0388758429534227, -0.0609859776869434];
    check_torch(&gru, &[&h], dx, dw);
}

fn check_zero_state<C: Cell<Element = f64>>(net: &Recurrent<C>) {
    let x = variable(&[10, 32, 30]);
    let zeros = net.zero_state(32).map(|part| V::new(Tensor::zeros(part.shape())));
    let (output, state) = net.forward(&x, None).unwrap();
    let (again, state_again) = net.forward(&x, Some(&zeros)).unwrap();
    assert_eq!(output.to_vec(), again.to_vec());
    for (part, again) in state.variables().iter().zip(state_again.variables()) {
        assert_eq!(part.to_vec(), again.to_vec());
    }
}

#[test]
fn no_state_is_a_state_of_zeros() {
    check_zero_state(&Rnn::builder(30, 20).num_layers(2).build().unwrap().cast::<f64>());
    check_zero_state(&Lstm::builder(30, 20).num_layers(2).build().unwrap().cast::<f64>());
    check_zero_state(&Gru::builder(30, 20).num_layers(2).build().unwrap().cast::<f64>());
}

#[test]
fn the_last_state_of_each_direction_is_where_that_direction_ends() {
    let gru = Gru::builder(3, 4).bidirectional(true).build().unwrap();
    let (output, h) = gru.forward(&variable(&[5, 2, 3]).cast(), None).unwrap();
    let halves = output.chunk(2, -1);
    assert_eq!(h.select(0, 0).to_vec(), halves[0].select(0, 4).to_vec());
    assert_eq!(h.select(0, 1).to_vec(), halves[1].select(0, 0).to_vec());
}

#[test]
fn a_state_carried_on_continues_the_sequence() {
    let lstm = Lstm::builder(3, 4).num_layers(2).proj_size(2).build().unwrap().cast::<f64>();
    let x = variable(&[7, 2, 3]);
    let (output, (h, c)) = lstm.forward(&x, None).unwrap();
    let (first, state) = lstm.forward(&x.narrow(0, 0, 3), None).unwrap();
    let (second, (h_2, c_2)) = lstm.forward(&x.narrow(0, 3, 4), Some(&state)).unwrap();
    close(&[first.to_vec(), second.to_vec()].concat(), &output.to_vec(), 1e-14);
    close(&h_2.to_vec(), &h.to_vec(), 1e-14);
    close(&c_2.to_vec(), &c.to_vec(), 1e-14);
}

#[test]
fn five_backwards_over_one_retained_graph_give_the_same_gradients() {
    let gru = Gru::builder(3, 4).num_layers(2).build().unwrap();
    let loss = gru.forward(&variable(&[5, 2, 3]).cast(), None).unwrap().0.square().sum();
    let options = wengert_core::GradOptions::default().retain_graph(true);
    let gradients = || {
        gru.zero_grad();
        loss.backward_options(None, &options).unwrap();
        gru.parameters().iter().map(|p| p.grad().unwrap().to_vec()).collect::<Vec<_>>()
    };
    let first = gradients();
    (0..4).for_each(|_| assert_eq!(gradients(), first));
}

#[test]
fn the_input_gets_its_gradient_from_frozen_parameters() {
    let lstm = Lstm::builder(3, 4).num_layers(2).build().unwrap().cast::<f64>();
    let x = variable(&[5, 2, 3]).requires_grad_(true);
    let gradient = || {
        x.zero_grad();
        lstm.forward(&x, None).unwrap().0.sum().backward().unwrap();
        x.grad().unwrap().to_vec()
    };
    let unfrozen = gradient();
    lstm.zero_grad();
    lstm.parameters().iter().for_each(|p| p.set_requires_grad(false));
    close(&gradient(), &unfrozen, 1e-14);
    assert!(lstm.parameters().iter().all(|p| p.grad().is_none()));
}

#[test]
fn one_of_a_cells_two_results_is_enough_for_backward() {
    for which in [0, 1] {
        let cell = LstmCell::new(3, 4).unwrap();
        let given = cell.zero_state(2).map(|part| variable(part.shape()).cast());
        let (_, state) = cell.forward(&variable(&[2, 3]).cast(), Some(&given)).unwrap();
        state.variables()[which].sum().backward().unwrap();
        let w = cell.parameter("weight_ih").unwrap().grad().unwrap().to_vec();
        // The cell state does not see the output gate, the last quarter.
        assert_eq!(w[36..].iter().all(|&g| g == 0.0), which == 1);
        assert!(w[..36].iter().all(|&g| g != 0.0));
    }
}

#[test]
fn cells_without_hidden_units_give_empty_states() {
    fn check<C: Cell<Element = f32>>(cell: &C) {
        let none = cell.zero_state(3).map(|part| Variable::new(Tensor::zeros(part.shape())));
        let (_, state) = cell.forward(&variable(&[3, 5]).cast(), Some(&none)).unwrap();
        state.variables().iter().for_each(|part| assert_eq!(part.shape(), &[3, 0]));
    }
    check(&RnnCell::new(5, 0).unwrap());
    check(&LstmCell::new(5, 0).unwrap());
    check(&GruCell::new(5, 0).unwrap());
}

#[test]
fn one_seed_gives_the_same_start_and_the_same_outputs_bit_for_bit() {
    let run = || {
        wengert_core::manual_seed(3);
        let rnn = Rnn::builder(3, 4).num_layers(2).bidirectional(true).build().unwrap();
        let output = rnn.forward(&variable(&[5, 2, 3]).cast(), None).unwrap().0;
        (bits(&rnn), output.to_vec())
    };
    assert_eq!(run(), run());
}
