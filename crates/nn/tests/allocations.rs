//! What is asked of the system allocator, step by step.
#![allow(unsafe_code, reason = "an allocator is an unsafe trait; this one counts and passes on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell as Place;

use wengert_core::{Nested, Pointwise, Tensor, Variable, pointwise};
use wengert_nn::{Cell, Gru, Layers, Linear, Lstm, Recurrent, Rnn, Stack, Stepper, module};

struct Counting;

thread_local! {
    static COUNT: Place<usize> = const { Place::new(0) };
}

// SAFETY: every call goes to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}
#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations `steps` steps make, after some to warm up.
fn during<L: Layers<Element = f32, Context = ()>>(layers: L, steps: usize) -> usize {
    let (batch, width) = (2, layers.input_size());
    let x = Variable::new(Tensor::randn([batch, width]));
    let mut stepper = Stepper::new(layers, batch).unwrap();
    let mut run = |steps: usize| (0..steps).for_each(|_| drop(stepper.step(&x).unwrap()));
    run(10);
    let before = COUNT.get();
    run(steps);
    COUNT.get() - before
}

pointwise! {
    struct Gated;
    fn eval(f, n, h) -> 1 { let f = f.sigmoid(); [(1.0 - f) * h + f * n.tanh()] }
}

/// `h' = (1 - f) h + f tanh(n)` with gates `f` and `n` of input and state.
#[derive(Clone)]
struct Minimal {
    input: Linear,
    state: Linear,
}
module!(Minimal { input, state });

impl Cell for Minimal {
    type State = Variable;

    fn input_size(&self) -> usize {
        self.input.weight.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.state.weight.shape()[1]
    }

    fn zero_state(&self, batch: usize) -> Variable {
        Variable::new(Tensor::zeros([batch, self.output_size()]))
    }

    fn project(&self, x: &Variable) -> Variable {
        x.linear(&self.input.weight, self.input.bias.as_deref())
    }

    fn step(&self, x: &Variable, h: &Variable) -> (Variable, Variable) {
        let [f, n] = h.linear(&self.state.weight, Some(x)).parts(-1);
        let [h] = Gated.apply([&f, &n, h]);
        (h.clone(), h)
    }
}

#[test]
fn steps_in_steady_state_allocate_nothing() {
    assert_eq!(during(Rnn::builder(8, 16).num_layers(2).build().unwrap(), 100), 0);
    assert_eq!(during(Gru::builder(8, 16).num_layers(2).residual(true).build().unwrap(), 100), 0);
    assert_eq!(during(Lstm::builder(8, 16).num_layers(2).build().unwrap(), 100), 0);
    assert_eq!(during(Lstm::builder(8, 16).proj_size(4).zoneout(0.1).build().unwrap(), 100), 0);
    let stack = Stack::new(Lstm::new(8, 16).unwrap(), Gru::new(16, 4).unwrap()).unwrap();
    assert_eq!(during(stack, 100), 0);
}

#[test]
fn nor_do_tensors_of_arrays() {
    fn made<N: Nested + Copy, const LEN: usize>(array: [N; LEN]) -> usize {
        let make = || drop(Tensor::from(array));
        (0..10).for_each(|_| make());
        let before = COUNT.get();
        (0..100).for_each(|_| make());
        COUNT.get() - before
    }
    assert_eq!(made([[1.0f32, 2.0]]), 0);
    assert_eq!(made([[[1.0f64; 5]; 40]; 3]), 0);
    assert_eq!((made([1i64; 1000]), made([true, false])), (0, 0));
}

#[test]
fn nor_do_steps_of_a_users_cell() {
    let minimal =
        |input| Ok(Minimal { input: Linear::new(input, 32)?, state: Linear::without_bias(16, 32)? });
    assert_eq!(during(Recurrent::of(8, minimal).num_layers(2).build().unwrap(), 100), 0);
    assert_eq!(during(Recurrent::of(8, minimal).zoneout(0.1).build().unwrap(), 100), 0);
}
