//! A cell as a user writes it, with a state of two parts, in the runner that our cells run in.

use wengert_core::{Float, Number, Parameter, Pointwise, Result, Tensor, Variable, pointwise};
use wengert_nn::{Cast, Cell, Linear, Module, Recurrent, State, module, state};

use crate::naive::{Layout, Row, Weights, check, sigmoid};
use crate::{V, close, variable};

/// A fast memory, and a single slow one that follows its mean.
#[derive(Clone)]
pub struct Memory<T: Float> {
    pub fast: Variable<T>,
    pub slow: Variable<T>,
}
state!(Memory<T> { fast, slow });

pointwise! {
    struct Fade;
    fn eval(a, fast, slow) -> 1 { let keep = slow.sigmoid(); [keep * fast + (1.0 - keep) * a.tanh()] }
}

/// `fast' = s fast + (1 - s) tanh(W x + b)` with `s = sigmoid(slow)`, `slow' = decay slow + mean(fast')`;
/// the output is `V fast'`, of another width than any part of the state.
#[derive(Clone)]
pub struct Fading<T: Float = f32> {
    inner: Linear<T>,
    decay: Parameter<T>,
    outer: Parameter<T>,
    units: usize,
}
module!(Fading<T> { inner, decay, outer } keep { units });

impl<T: Float> Cell for Fading<T> {
    type State = Memory<T>;

    fn input_size(&self) -> usize {
        self.inner.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.outer.shape()[0]
    }

    fn zero_state(&self, batch: usize) -> Memory<T> {
        let zeros = |width| Variable::new(Tensor::zeros([batch, width]));
        Memory { fast: zeros(self.units), slow: zeros(1) }
    }

    fn project(&self, x: &Variable<T>) -> Variable<T> {
        self.inner.forward(x).unwrap()
    }

    fn step(&self, projected: &Variable<T>, memory: &Memory<T>) -> (Variable<T>, Memory<T>) {
        let [fast] = Fade.apply([projected, &memory.fast, &memory.slow]);
        let ones = Variable::new(Tensor::full([1, self.units], T::from_f64(1.0 / self.units as f64)));
        let slow = &memory.slow * &*self.decay + fast.linear(&ones, None);
        (fast.linear(&self.outer, None), Memory { fast, slow })
    }
}

/// Makes fading cells of `units` units and one output more.
pub fn fading(units: usize) -> impl Fn(usize) -> Result<Fading> + Copy {
    move |input| {
        Ok(Fading {
            inner: Linear::new(input, units)?,
            decay: Parameter::new(Tensor::from([0.75f32])),
            outer: Parameter::new(Tensor::uniform([units + 1, units], -1.0, 1.0)),
            units,
        })
    }
}

fn naive(w: &Weights, x: &[f64], state: &[Row]) -> (Row, Vec<Row>) {
    let [fast, slow] = state else { unreachable!("two parts") };
    let keep = sigmoid(slow[0]);
    let inner = w.affine("inner.weight", "inner.bias", x);
    let fast: Row = (0..fast.len()).map(|j| keep * fast[j] + (1.0 - keep) * inner[j].tanh()).collect();
    let slow = w.vector("decay").unwrap()[0] * slow[0] + fast.iter().sum::<f64>() / fast.len() as f64;
    (w.affine("outer", "", &fast), vec![fast, vec![slow]])
}

#[test]
fn a_users_cell_is_a_loop_over_scalars_for_every_argument_of_the_runner() {
    for (layers, bidirectional) in [1, 2, 3].into_iter().flat_map(|layers| [(layers, false), (layers, true)])
    {
        for layout in Layout::all() {
            let builder = Recurrent::of(3, fading(4)).num_layers(layers).bidirectional(bidirectional);
            let net = builder.batch_first(layout.batch_first).build().unwrap().cast::<f64>();
            check(&net, naive, layout);
        }
    }
}

#[test]
fn the_runner_gives_what_a_loop_over_forward_gives() {
    let net = Recurrent::of(3, fading(4)).build().unwrap().cast::<f64>();
    let x = variable(&[5, 2, 3]);
    let (output, last) = net.forward(&x, None).unwrap();
    let cell = net.cell(0, 0);
    let mut memory = None;
    for t in 0..5 {
        let (_, next) = cell.forward(&x.select(0, t), memory.as_ref()).unwrap();
        close(&output.select(0, t).to_vec(), &next.fast.linear(&cell.outer, None).to_vec(), 1e-14);
        memory = Some(next);
    }
    let memory = memory.unwrap();
    close(&last.fast.to_vec(), &memory.fast.to_vec(), 1e-14);
    close(&last.slow.to_vec(), &memory.slow.to_vec(), 1e-14);
}

#[test]
fn parameters_of_a_users_cell_are_named_by_field_layer_and_direction() {
    let net = Recurrent::of(3, fading(4)).num_layers(2).bidirectional(true).build().unwrap();
    let own = ["inner.weight", "inner.bias", "decay", "outer"];
    let suffixes = ["_l0", "_l0_reverse", "_l1", "_l1_reverse"];
    let expected: Vec<String> =
        suffixes.iter().flat_map(|suffix| own.map(|name| format!("{name}{suffix}"))).collect();
    assert_eq!(net.named_parameters().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), expected);
    assert_eq!(net.parameter("inner.weight_l0_reverse").unwrap().shape(), &[4, 3]);
    assert_eq!(net.parameter("inner.weight_l1").unwrap().shape(), &[4, 10]);
}

#[test]
fn every_parameter_of_a_users_cell_gets_a_gradient() {
    let net = Recurrent::of(3, fading(4)).num_layers(2).bidirectional(true).build().unwrap();
    net.forward(&variable(&[5, 2, 3]).cast(), None).unwrap().0.square().sum().backward().unwrap();
    for (name, parameter) in net.named_parameters() {
        let gradient = parameter.grad().unwrap_or_else(|| panic!("{name} has none")).to_vec();
        assert!(gradient.iter().any(|&g| g != 0.0), "{name}");
    }
}

#[test]
fn a_state_of_ones_own_of_a_wrong_shape_is_refused() {
    let net = Recurrent::of(3, fading(4)).build().unwrap();
    let memory = net.zero_state(5);
    let error = net.forward(&Variable::new(Tensor::zeros([2, 6, 3])), Some(&memory)).err().unwrap();
    let expected = "Fading: expected state 0 of shape [1, 6, 4], got [1, 5, 4]";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_users_layer_prints_its_name_and_arguments() {
    let net = Recurrent::of(3, fading(4)).num_layers(2).batch_first(true).build().unwrap();
    assert_eq!(net.to_string(), "Recurrent<Fading>(3, 5, num_layers=2, batch_first=True)");
}

fn memory(fast: [[f64; 2]; 3], slow: [[f64; 1]; 3]) -> Memory<f64> {
    Memory { fast: V::new(Tensor::from(fast)), slow: V::new(Tensor::from(slow)) }
}

fn parts<S: State>(state: &S) -> Vec<Vec<f64>> {
    state.variables().iter().map(|part| part.to_vec().into_iter().map(Number::to_f64).collect()).collect()
}

#[test]
fn a_state_can_be_masked_selected_and_stacked() {
    let a = memory([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0], [8.0], [9.0]]);
    let b = a.map(|part| -part);
    let masked = a.masked(&Tensor::from([true, false, true]), &b);
    assert_eq!(parts(&masked), [vec![1.0, 2.0, -3.0, -4.0, 5.0, 6.0], vec![7.0, -8.0, 9.0]]);
    assert_eq!(parts(&a.select(0, 1)), [vec![3.0, 4.0], vec![8.0]]);
    let picked = a.index_select(0, &Tensor::from([2i64, 0]));
    assert_eq!(parts(&picked), [vec![5.0, 6.0, 1.0, 2.0], vec![9.0, 7.0]]);
    let stacked = Memory::stack(&[&a, &b], 1);
    assert_eq!((stacked.fast.shape(), stacked.slow.shape()), (&[3, 2, 2][..], &[3, 2, 1][..]));
    assert_eq!(parts(&stacked.select(1, 1)), parts(&b));
}

#[test]
fn a_detached_state_keeps_its_values_and_forgets_its_history() {
    let net = Recurrent::of(3, fading(4)).build().unwrap().cast::<f64>();
    let (_, last) = net.forward(&variable(&[5, 2, 3]), None).unwrap();
    let detached = last.detach();
    assert_eq!(parts(&detached), parts(&last));
    assert!(last.variables().iter().all(|part| part.requires_grad()));
    assert!(detached.variables().iter().all(|part| !part.requires_grad() && part.grad_fn().is_none()));
}

#[test]
fn pairs_of_states_are_states() {
    let a = memory([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[7.0], [8.0], [9.0]]);
    let pair = (a.clone(), (a.fast.clone(), a.slow.clone()));
    assert_eq!(parts(&pair), [parts(&a), parts(&a)].concat());
    assert_eq!(parts(&pair.select(0, 2)), [vec![5.0, 6.0], vec![9.0], vec![5.0, 6.0], vec![9.0]]);
}
