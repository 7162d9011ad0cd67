//! Cells of one's own: where they stand, what they promise, closures, and states of every structure.

use wengert_core::{Parameter, Result, Tensor, Variable};
use wengert_nn::{
    Cell, Checkpointing, GruCell, Layers, Linear, Lstm, Module, PackOptions, Place, Recurrent, Stack, State,
    StepFn, cell, pack_padded_sequence,
};

use crate::errors::{refused, zeros};
use crate::{V, close, variable};

type Recurrence = StepFn<Vec<Linear>, Variable>;

/// `h' = tanh(W x + U h)` as a closure.
fn elman(input: usize, units: usize) -> wengert_core::Result<Recurrence> {
    let weights = vec![Linear::new(input, units)?, Linear::without_bias(units, units)?];
    Ok(StepFn::new([input, units], weights, |w, x, h| {
        let h = h.linear(&w[1].weight, Some(&x.linear(&w[0].weight, w[0].bias.as_deref()))).tanh();
        (h.clone(), h)
    }))
}

#[test]
fn a_closure_is_the_cell_that_it_computes() {
    let net = Recurrent::of(3, |input| elman(input, 5)).num_layers(2).bidirectional(true).build().unwrap();
    let rnn = wengert_nn::Rnn::builder(3, 5).num_layers(2).bidirectional(true).build().unwrap();
    let values: Vec<Variable> = net.parameters().iter().map(|p| p.detach()).collect();
    for (cell, of_closure) in (0..4).map(|i| (i, &values[3 * i..])) {
        let (layer, back) = (cell / 2, if cell % 2 == 1 { "_reverse" } else { "" });
        let set = |name: &str, value: Tensor| {
            rnn.parameter(&format!("{name}_l{layer}{back}")).unwrap().set_value(value).unwrap();
        };
        set("weight_ih", of_closure[0].value());
        set("bias_ih", of_closure[1].value());
        set("weight_hh", of_closure[2].value());
        set("bias_hh", Tensor::zeros([5]));
    }
    let x = Variable::new(Tensor::randn([6, 4, 3]));
    let (ours, theirs) = (net.forward(&x, None).unwrap(), rnn.forward(&x, None).unwrap());
    let numbers = |x: &Variable| x.to_vec().into_iter().map(f64::from).collect::<Vec<_>>();
    close(&numbers(&ours.0), &numbers(&theirs.0), 1e-6);
    close(&numbers(&ours.1), &numbers(&theirs.1), 1e-6);
    assert_eq!(net.to_string(), "Recurrent<StepFn>(3, 5, num_layers=2, bidirectional=True)");
}

#[test]
fn a_factory_knows_where_its_cell_stands() {
    let seen = std::cell::RefCell::new(Vec::new());
    let cell = |place: Place| {
        seen.borrow_mut().push((place.layer, place.direction, place.input_size));
        GruCell::new(place.input_size, 4)
    };
    let net = Recurrent::of_places(3, cell).num_layers(2).bidirectional(true).build().unwrap();
    assert_eq!(*seen.borrow(), [(0, 0, 3), (0, 1, 3), (1, 0, 8), (1, 1, 8)]);
    assert_eq!(net.output_size(), 8);
}

#[test]
fn the_width_of_the_output_is_the_last_layers() {
    let narrower = |place: Place| {
        let (w, width) = (Linear::new(place.input_size, 4)?, 7 - 2 * place.layer);
        let step = move |w: &Linear, x: &Variable, h: &Variable| {
            let h = (w.forward(x).unwrap() + h).tanh();
            (zeros(&[x.shape()[0], width]) + h.sum_keepdim(&[-1]), h)
        };
        Ok(StepFn::with_state([place.input_size, width], w, |batch| zeros(&[batch, 4]), step))
    };
    let net = Recurrent::of_places(3, narrower).num_layers(2).build().unwrap();
    let x = zeros(&[6, 2, 3]);
    assert_eq!((net.output_size(), net.forward(&x, None).unwrap().0.shape()), (5, &[6, 2, 5][..]));
    let stack = Stack::new(net.clone(), Lstm::new(5, 2).unwrap()).unwrap();
    assert_eq!(Layers::forward(&stack, &x, None).unwrap().0.shape(), [6, 2, 2]);
    assert!(Stack::new(net, Lstm::new(7, 2).unwrap()).is_err());
}

#[test]
fn only_parameters_with_rows_for_each_gate_have_gates() {
    let lstm = Lstm::builder(3, 8).proj_size(4).build().unwrap();
    let before = lstm.parameter("weight_hr_l0").unwrap().to_vec();
    refused(
        lstm.set_gate("weight_hr", "forget", |rows| rows.fill(1.0)),
        "LSTM: parameter must be a parameter with rows for each of 4 gates, got weight_hr of 4 rows",
    );
    assert_eq!(lstm.parameter("weight_hr_l0").unwrap().to_vec(), before);
    lstm.set_gate("weight_hh", "forget", |rows| rows.fill(1.0)).unwrap();
    assert_eq!(lstm.parameter("weight_hh_l0").unwrap().to_vec()[8 * 4..2 * 8 * 4], [1.0; 32]);
}

#[test]
fn a_given_state_has_as_many_variables_as_the_cells() {
    let rows = |batch| vec![zeros(&[batch, 2]), zeros(&[batch, 2])];
    let step = |_: &Linear, x: &Variable, h: &Vec<Variable>| (x + &h[0] + &h[1], h.clone());
    let cell = StepFn::with_state([2, 2], Linear::new(1, 1).unwrap(), rows, step);
    let net = Recurrent::of(2, move |_| Ok(cell.clone())).build().unwrap();
    let state = vec![zeros(&[1, 3, 2])];
    refused(net.forward(&zeros(&[4, 3, 2]), Some(&state)), "StepFn: expected a state of 2 variables, got 1");
}

#[test]
fn cells_that_do_not_fit_their_place_are_refused_by_the_layer() {
    refused(
        Recurrent::of(3, |_| GruCell::new(3, 5)).num_layers(2).build(),
        "GRU: expected a cell for inputs of width 5 in layer 1, got one for width 3",
    );
    let narrowing = |place: Place| GruCell::new(place.input_size, 5 - place.layer);
    refused(
        Recurrent::of_places(3, narrowing).num_layers(2).build(),
        "GRU: expected states of shapes [[5]] as in layer 0 (a Stack takes others), got [[4]] in layer 1",
    );
    let uneven = |place: Place| {
        let width = 4 + place.direction;
        let zero = |batch| Variable::new(Tensor::zeros([batch, 1]));
        let step = move |_: &Linear, x: &Variable, h: &Variable| (zeros(&[x.shape()[0], width]), h.clone());
        Ok(StepFn::with_state([place.input_size, width], Linear::new(1, 1)?, zero, step))
    };
    refused(
        Recurrent::of_places(3, uneven).bidirectional(true).build(),
        "StepFn: expected both directions of layer 0 to have outputs of one width, got 4 and 5",
    );
    let shared = GruCell::new(5, 5).unwrap();
    refused(
        Recurrent::of(5, |_| Ok(shared.clone())).num_layers(2).build(),
        "GRU: each cell must be one with parameters of its own, got the same parameters in layer 1, \
         direction 0, \
         and before",
    );
}

/// A cell that promises an output of width 2 and a state of width 3, and gives what it is told.
#[derive(Clone)]
struct Careless {
    weight: Parameter,
    output: [usize; 2],
    state: [usize; 2],
    zero: [usize; 2],
}
cell!(Careless { weight } keep { output, state, zero });

impl Cell for Careless {
    type State = Variable;
    fn input_size(&self) -> usize {
        1
    }
    fn output_size(&self) -> usize {
        2
    }
    fn zero_state(&self, _: usize) -> Variable {
        zeros(&self.zero)
    }
    fn step(&self, _: &Variable, _: &Variable) -> (Variable, Variable) {
        (zeros(&self.output), zeros(&self.state))
    }
}

#[test]
fn the_first_step_is_held_to_what_the_cell_promises() {
    let good = [4, 3];
    for (output, state, zero, expected) in [
        ([4, 5], good, good, "step to give an output of shape [4, 2], as output_size says, got [4, 5]"),
        ([1, 2], good, good, "step to give an output of shape [4, 2], as output_size says, got [1, 2]"),
        ([4, 2], [4, 1], good, "step to give state 0 of shape [4, 3], as before it, got [4, 1]"),
        ([4, 2], good, [1, 3], "zero_state to give variables of 4 rows, one for each sample, got [1, 3]"),
    ] {
        let make = |_| Ok(Careless { weight: Parameter::new(Tensor::ones([1])), output, state, zero });
        let mut net = Recurrent::of(1, make).build().unwrap();
        let expected = format!("Careless: expected {expected}");
        let x = zeros(&[2, 4, 1]);
        refused(net.forward(&x, None), &expected);
        refused(net.forward_masked(&x, &[2, 2, 2, 1], None), &expected);
        let packed = pack_padded_sequence(&x, &[2, 2, 2, 2], PackOptions::default()).unwrap();
        refused(net.forward_packed(&packed, None), &expected);
        net.set_checkpointing(Some(Checkpointing::Every(1))).unwrap();
        refused(net.forward(&x, None), &expected);
        refused(net.cell(0, 0).forward(&zeros(&[4, 1]), None), &expected);
        let mut stepper = net.stepper(4).unwrap();
        for _ in 0..2 {
            refused(stepper.step(&zeros(&[4, 1])), &expected);
        }
    }
    let make = |_| {
        Ok(Careless { weight: Parameter::new(Tensor::ones([1])), output: [4, 2], state: good, zero: good })
    };
    let net = Recurrent::of(1, make).build().unwrap();
    assert!(net.forward(&zeros(&[2, 4, 1]), None).is_ok());
    assert!(net.stepper(4).unwrap().step(&zeros(&[4, 1])).is_ok());
}

/// A step that gives output and state of these widths once two steps are done, and of 2 and 1 before.
fn changing(output: usize, state: usize) -> Recurrent<impl Cell<Element = f32, State = Variable>> {
    let step = move |_: &Linear, x: &Variable, h: &Variable| {
        let late = h.to_vec()[0] >= 2.0;
        let next = if late { zeros(&[x.shape()[0], state]) } else { h + 1 };
        (zeros(&[x.shape()[0], if late { output } else { 2 }]), next)
    };
    let zero = |batch| zeros(&[batch, 1]);
    Recurrent::of(1, move |_| Ok(StepFn::with_state([1, 2], Linear::new(1, 1)?, zero, step))).build().unwrap()
}

#[test]
fn later_steps_are_held_to_the_promised_output_and_the_last_one_to_its_state() {
    let output = "StepFn: expected step to give an output of shape [4, 2], as output_size says, got [4, 3]";
    let state = "StepFn: expected step to give state 0 of shape [4, 1], as before it, got [4, 5]";
    for (widths, steps, expected) in [([3, 1], 3, output), ([3, 1], 5, output), ([2, 5], 3, state)] {
        let net = changing(widths[0], widths[1]);
        assert!(net.forward(&zeros(&[2, 4, 1]), None).is_ok());
        let x = zeros(&[steps, 4, 1]);
        refused(net.forward(&x, None), expected);
        refused(net.forward_masked(&x, &[steps; 4], None), expected);
        let packed = pack_padded_sequence(&x, &[steps; 4], PackOptions::default()).unwrap();
        refused(net.forward_packed(&packed, None), expected);
    }
    let net = changing(3, 1);
    let mut stepper = net.stepper(4).unwrap();
    (0..2).for_each(|_| assert!(stepper.step(&zeros(&[4, 1])).is_ok()));
    refused(stepper.step(&zeros(&[4, 1])), output);
}

#[test]
fn a_projection_has_a_row_for_each_of_the_inputs() {
    #[derive(Clone)]
    struct Summed(Careless);
    impl wengert_nn::Module for Summed {
        type Element = f32;
        fn visit(&self, visitor: &mut wengert_nn::Visitor<'_, f32>) {
            self.0.visit(visitor);
        }
        fn visit_mut(&mut self, visitor: &mut wengert_nn::VisitorMut<'_, f32>) {
            self.0.visit_mut(visitor);
        }
    }
    impl Cell for Summed {
        type State = Variable;
        fn input_size(&self) -> usize {
            1
        }
        fn output_size(&self) -> usize {
            2
        }
        fn zero_state(&self, batch: usize) -> Variable {
            self.0.zero_state(batch)
        }
        fn project(&self, x: &Variable) -> Variable {
            x.sum_keepdim(&[0])
        }
        fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
            self.0.step(x, h)
        }
    }
    let careless =
        Careless { weight: Parameter::new(Tensor::ones([1])), output: [4, 2], state: [4, 3], zero: [4, 3] };
    let net = Recurrent::of(1, |_| Ok(Summed(careless.clone()))).build().unwrap();
    let expected = |rows: usize| {
        format!("Summed: expected project to give {rows} rows, one for each of the input's, got [1, 1]")
    };
    refused(net.forward(&zeros(&[2, 4, 1]), None), &expected(8));
    refused(net.stepper(4).unwrap().step(&zeros(&[4, 1])), &expected(4));
    refused(net.cell(0, 0).forward(&zeros(&[4, 1]), None), &expected(4));
}

#[test]
fn states_of_every_structure_are_carried_part_by_part() {
    let parts = |n: usize| (0..n).map(|i| variable(&[2, i + 1])).collect::<Vec<V>>();
    fn check<S: State<Element = f64>>(state: S, parts: &[V]) {
        assert!(state.variables().iter().zip(parts).all(|(a, b)| a.is_same(b)));
        assert_eq!(state.variables().len(), parts.len());
        let stacked = S::stack(&[&state, &state.map(|part| part * 2.0)], 0);
        for (i, part) in stacked.select(0, 1).variables().iter().enumerate() {
            close(&part.to_vec(), &(&parts[i] * 2.0).to_vec(), 0.0);
        }
    }
    let p = parts(8);
    let at = |i: usize| p[i].clone();
    check((at(0), at(1), at(2)), &p[..3]);
    check((at(0), (at(1), at(2)), [at(3), at(4)]), &p[..5]);
    check((at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)), &p);
    check([at(0), at(1)], &p[..2]);
    check(p.clone(), &p);
}

#[test]
#[should_panic(expected = "states that are lists: expected one length for all")]
fn lists_of_different_lengths_are_no_states_of_one_cell() {
    let (a, b) = (vec![variable(&[1])], vec![variable(&[1]), variable(&[1])]);
    State::cat(&[&a, &b], 0);
}

#[test]
fn values_stand_in_for_parameters_by_name() {
    let linear = Linear::new(2, 3).unwrap();
    let values = [("weight", Variable::new(Tensor::ones([3, 2]))), ("bias", zeros(&[3]))];
    let sum = |linear: &Linear| -> Result<f32> { linear.parameters().iter().map(|p| p.sum().item()).sum() };
    let before = sum(&linear).unwrap();
    assert_eq!(linear.with_parameters(&values, sum).unwrap(), 6.0);
    assert_eq!(sum(&linear).unwrap(), before);
    let wrong = [("weight", zeros(&[2, 3])), ("scale", zeros(&[1]))];
    refused(
        linear.with_parameters(&wrong, sum),
        "the values do not fit, nothing was changed\n  missing: bias\n  unexpected: scale\n  \
         of another shape: \
         weight expected [3, 2], got [2, 3]",
    );
    let twice = [("bias", zeros(&[3])), ("weight", zeros(&[3, 2])), ("bias", zeros(&[3]))];
    refused(
        linear.with_parameters(&twice, sum),
        "the values do not fit, nothing was changed\n  unexpected: bias, which has a value already",
    );
    // A tied parameter is named once.
    let tied = vec![linear.clone(), linear];
    let values = [("0.weight", Variable::new(Tensor::ones([3, 2]))), ("1.bias", zeros(&[3]))];
    assert_eq!(tied.with_parameters(&values, |tied| Ok(sum(&tied[0])? + sum(&tied[1])?)).unwrap(), 12.0);
}
