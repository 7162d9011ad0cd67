//! What each option of a recurrent layer does, seen through cells so simple that one can tell.

use wengert_check::{Draw, Property, RecurrentConfig, recurrent};
use wengert_core::{GradOptions, Parameter, Tape, Tensor, Variable, grad, manual_seed};
use wengert_nn::{
    Cast, Cell, CellFactory, Checkpointing, Gru, GruCell, Lstm, Merge, Module, OfSizes, Persist, Recurrent,
    RecurrentBuilder, State, module,
};

use crate::user_cell::fading;
use crate::{V, close, variable};

/// `h' = h + x`, with the state as it was seen for an output.
#[derive(Clone)]
struct Sum {
    weight: Parameter,
}
module!(Sum { weight });

impl Cell for Sum {
    type State = Variable;

    fn input_size(&self) -> usize {
        self.weight.numel()
    }

    fn output_size(&self) -> usize {
        self.weight.numel()
    }

    fn zero_state(&self, batch: usize) -> Variable {
        Variable::new(Tensor::zeros([batch, self.input_size()]))
    }

    fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
        (h * &*self.weight, h + x)
    }
}

fn sum(width: usize) -> RecurrentBuilder<impl CellFactory<Cell = Sum>> {
    Recurrent::of(width, |width| Ok(Sum { weight: Parameter::new(Tensor::ones([width])) }))
}

fn ones(shape: &[usize]) -> Variable {
    Variable::new(Tensor::ones(shape))
}

#[test]
fn added_directions_are_the_halves_of_those_side_by_side() {
    let build = |merge| Gru::builder(3, 4).bidirectional(true).merge(merge).build().unwrap().cast::<f64>();
    let (concat, added) = (build(Merge::Concat), build(Merge::Sum));
    added.load_state_dict(&concat.state_dict()).unwrap();
    let x = variable(&[5, 2, 3]);
    let (both, state) = concat.forward(&x, None).unwrap();
    let (sum, same) = added.forward(&x, None).unwrap();
    let [forth, back] = both.parts(-1);
    close(&sum.to_vec(), &(forth + back).to_vec(), 1e-15);
    assert_eq!(same.to_vec(), state.to_vec());
}

#[test]
fn a_residual_connection_adds_the_input_where_the_widths_are_the_same() {
    let build = |on| Gru::builder(3, 4).num_layers(2).residual(on).build().unwrap().cast::<f64>();
    let (with, without) = (build(true), build(false));
    without.load_state_dict(&with.state_dict()).unwrap();
    let (x, h) = (variable(&[5, 2, 3]), variable(&[2, 2, 4]));
    // Layer by layer: the first has another width.
    let single = |layer: usize, x: &V| {
        let cell = with.cell(layer, 0);
        let mut state = h.select(0, layer);
        let steps: Vec<V> = (0..5)
            .map(|t| {
                state = cell.forward(&x.select(0, t), Some(&state)).unwrap().1;
                state.clone()
            })
            .collect();
        wengert_core::stack(&steps, 0)
    };
    let first = single(0, &x);
    let second = single(1, &first);
    close(&without.forward(&x, Some(&h)).unwrap().0.to_vec(), &second.to_vec(), 1e-13);
    close(&with.forward(&x, Some(&h)).unwrap().0.to_vec(), &(second + first).to_vec(), 1e-13);
}

#[test]
fn dropout_on_inputs_has_one_mask_for_all_steps_of_a_sample() {
    manual_seed(3);
    let net = sum(40).input_dropout(0.5).build().unwrap();
    let (_, _, states) = net.forward_states(&ones(&[4, 2, 40]), None).unwrap();
    let states = states.select(0, 0);
    let first = states.select(0, 0).to_vec();
    assert!(first.iter().all(|&x| x == 0.0 || x == 2.0) && first.contains(&0.0) && first.contains(&2.0));
    assert_ne!(first[..40], first[40..], "each sample has a mask of its own");
    for t in 1..4 {
        let expected: Vec<f32> = first.iter().map(|x| x * (t + 1) as f32).collect();
        assert_eq!(states.select(0, t).to_vec(), expected);
    }
}

#[test]
fn dropout_on_states_has_one_mask_for_all_steps() {
    manual_seed(4);
    let net = sum(40).state_dropout(0.5).build().unwrap();
    let (seen, _) = net.forward(&(ones(&[3, 1, 40]) * 0.0), Some(&ones(&[1, 1, 40]))).unwrap();
    let first = seen.select(0, 0).to_vec();
    assert!(first.contains(&0.0) && first.contains(&2.0));
    for t in 0..3 {
        let expected: Vec<f32> = first.iter().map(|x| x.powi(t as i32 + 1)).collect();
        assert_eq!(seen.select(0, t).to_vec(), expected);
    }
}

#[test]
fn an_lstms_cell_state_is_not_hidden_and_not_dropped() {
    let lstm = Lstm::new(2, 3).unwrap();
    let state = (ones(&[1, 3]), ones(&[1, 3]));
    let (h, c) = lstm.cell(0, 0).map_hidden(&state, &mut |part| part * 0.0);
    assert_eq!((h.to_vec(), c.to_vec()), (vec![0.0; 3], vec![1.0; 3]));
}

#[test]
fn dropout_on_weights_acts_on_those_that_are_named_the_same_at_every_step() {
    manual_seed(5);
    let net = sum(40).weight_dropout(["weight"], 0.5).build().unwrap();
    let (seen, _) = net.forward(&(ones(&[3, 1, 40]) * 0.0), Some(&ones(&[1, 1, 40]))).unwrap();
    let first = seen.select(0, 0).to_vec();
    assert!(first.iter().all(|&x| x == 0.0 || x == 2.0) && first.contains(&0.0) && first.contains(&2.0));
    assert_eq!(seen.select(0, 2).to_vec(), first);
    let unknown = sum(40).weight_dropout(["bias"], 0.5).build().err().unwrap();
    assert_eq!(unknown.to_string(), "Sum: weight_dropout must be among weight, got bias");
}

#[test]
fn zoneout_keeps_elements_in_training_and_takes_the_mean_in_evaluation() {
    manual_seed(6);
    let mut net = sum(400).zoneout(0.25).build().unwrap();
    let x = ones(&[4, 1, 400]);
    let last = net.forward(&x, None).unwrap().1.to_vec();
    assert!(last.iter().all(|&x| x.fract() == 0.0 && (0.0..=4.0).contains(&x)));
    let mean = last.iter().sum::<f32>() / 400.0;
    assert!((mean - 3.0).abs() < 0.2, "of four steps three are taken: {mean}");
    net.eval();
    assert_eq!(net.forward(&x, None).unwrap().1.to_vec(), [3.0; 400]);
}

#[test]
fn in_evaluation_nothing_is_dropped() {
    let options = |builder: RecurrentBuilder<OfSizes<GruCell>>| {
        builder.input_dropout(0.5).state_dropout(0.5).weight_dropout(["weight_hh"], 0.5).dropout(0.5)
    };
    let plain = Gru::builder(3, 4).num_layers(2).build().unwrap().cast::<f64>();
    let mut dropped = options(Gru::builder(3, 4).num_layers(2)).build().unwrap().cast::<f64>();
    dropped.load_state_dict(&plain.state_dict()).unwrap();
    let x = variable(&[4, 2, 3]);
    assert_ne!(dropped.forward(&x, None).unwrap().0.to_vec(), plain.forward(&x, None).unwrap().0.to_vec());
    dropped.eval();
    assert_eq!(dropped.forward(&x, None).unwrap().0.to_vec(), plain.forward(&x, None).unwrap().0.to_vec());
}

/// Outputs, gradients and second gradients of a layer, as its configuration runs it.
fn everything<C: Cell<Element = f64>>(
    config: &RecurrentConfig,
    net: &Recurrent<C>,
    x: &V,
    state: &C::State,
) -> Vec<Vec<f64>> {
    let x = x.detach().requires_grad_(true);
    let outputs = config.forward(net, &x, state).unwrap();
    let parameters = net.parameters();
    let inputs: Vec<&V> = std::iter::once(&x).chain(parameters.iter().map(|p| &**p)).collect();
    let nothing = inputs.iter().fold((&x * 0.0).sum(), |sum, input| sum + (*input * 0.0).sum());
    let score = outputs.iter().fold(nothing, |sum, y| sum + y.square().sum());
    let first = grad(&[&score], &inputs, GradOptions::default().create_graph(true)).unwrap();
    let again = first.iter().fold((&x * 0.0).sum(), |sum, g| sum + g.square().sum());
    let second = grad(&[&again], &inputs, GradOptions::default().allow_unused(true)).unwrap();
    outputs.iter().chain(&first).chain(&second).map(|y| y.to_vec()).collect()
}

/// With and without checkpoints to a relative 1e-12.
fn same_with_checkpoints<C: Cell<Element = f64>>(
    config: &RecurrentConfig,
    net: &mut Recurrent<C>,
    x: &V,
    state: &C::State,
) -> Result<(), String> {
    let mut found = Vec::new();
    for how in
        [None, Some(Checkpointing::Every(1)), Some(Checkpointing::Every(2)), Some(Checkpointing::Bytes(400))]
    {
        net.set_checkpointing(how).unwrap();
        found.push(everything(config, net, x, state).concat());
    }
    let scale = found[0].iter().fold(1.0, |most: f64, x| x.abs().max(most));
    let apart =
        |other: &Vec<f64>| found[0].iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / scale;
    let worst = found.iter().map(apart).fold(0.0, f64::max);
    if worst <= 1e-12 { Ok(()) } else { Err(format!("apart by {worst:e}")) }
}

#[test]
fn checkpoints_change_no_gradient_dropout_included() {
    let property = |draw: &mut Draw| {
        let config = draw.draw(recurrent());
        let mut net = draw.draw(config.lstm());
        let [x, h, c] =
            [config.input(), config.state(config.projected_size()), config.state(config.hidden_size)]
                .map(|values| V::new(draw.draw(values)));
        draw.note("config", format!("{config:?}"));
        same_with_checkpoints(&config, &mut net, &x, &(h, c))
    };
    Property::new().cases(32).for_all(property).unwrap();
}

#[test]
fn checkpoints_record_one_operation_for_all_their_steps() {
    let mut net = Recurrent::of(3, fading(4)).build().unwrap().cast::<f64>();
    let x = variable(&[60, 2, 3]);
    let recorded = |net: &Recurrent<_>| Tape::of(&net.forward(&x, None).unwrap().0).entries().len();
    let all = recorded(&net);
    net.set_checkpointing(Some(Checkpointing::Every(20))).unwrap();
    let few = recorded(&net);
    assert!(all > 300 && few < 30, "{all} and {few}");
}

#[test]
fn only_steps_that_count_are_computed() {
    let gru = Gru::new(3, 4).unwrap().cast::<f64>();
    let x = variable(&[50, 4, 3]);
    let (output, _) = gru.forward_masked(&x, &[50, 5, 1, 0], None).unwrap();
    let tape = Tape::of(&output);
    let products = tape.entries().iter().filter(|entry| entry.operation == "Linear");
    let rows: usize = products.map(|entry| entry.outputs[0].shape[0]).sum();
    assert_eq!(rows, 2 * 56, "the inputs' product, and those of all steps");
}

#[test]
fn states_after_every_step_are_those_of_single_steps() {
    let lstm = Lstm::builder(3, 4).num_layers(2).build().unwrap().cast::<f64>();
    let x = variable(&[5, 2, 3]);
    let (output, last, states) = lstm.forward_states(&x, None).unwrap();
    let mut stepper = lstm.stepper(2).unwrap();
    for t in 0..5 {
        stepper.step(&x.select(0, t)).unwrap();
        for (now, all) in stepper.state().variables().iter().zip(states.variables()) {
            close(&all.select(1, t).to_vec(), &now.to_vec(), 1e-14);
        }
    }
    assert_eq!(states.0.select(0, 1).to_vec(), output.to_vec());
    assert_eq!(states.select(1, 4).1.to_vec(), last.1.to_vec());
}
