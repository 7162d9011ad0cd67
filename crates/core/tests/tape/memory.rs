//! Long graphs need no stack, and nothing stays behind.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread::{self, LocalKey};

use wengert_core::{
    Cotangents, Float, GradOptions, Gradients, Operation, Outputs, Parameter, Saved, Tensor, Variable, grad,
    live_nodes, manual_seed, pool_bytes,
};

use crate::{V, gradient, scalar};

/// Runs `f` on a thread whose stack holds no recursion of any length.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(256 << 10).spawn(f).unwrap().join().unwrap();
}

const LONG: usize = 1_000_000;

/// `x + 1 + 1 ..`, recorded.
fn chain(x: &V) -> V {
    (0..LONG).fold(x.clone(), |y, _| y + 1.0)
}

#[test]
fn a_chain_of_a_million_operations_is_differentiated_and_dropped_on_a_small_stack() {
    on_a_small_stack(|| {
        let x = scalar(1.0);
        let y = chain(&x);
        assert_eq!(live_nodes(), LONG as isize);
        y.backward().unwrap();
        assert_eq!((y.item().unwrap(), gradient(&x)), (1.0 + LONG as f64, vec![1.0]));
        drop(y);
        assert_eq!(live_nodes(), 0);
    });
}

#[test]
fn a_chain_of_a_million_operations_is_dropped_undifferentiated_on_a_small_stack() {
    on_a_small_stack(|| {
        let x = scalar(1.0);
        drop(chain(&x));
        assert_eq!(live_nodes(), 0);
        // Also from the side of a gradient that was recorded, and of a handle in the middle.
        let y = (0..10_000).fold(x.clone(), |y, _| y.sin());
        let middle = y.tanh();
        let slope = grad(&[&middle], &[&x], GradOptions::default().create_graph(true)).unwrap();
        drop((y, middle));
        assert!(live_nodes() > 10_000);
        drop(slope);
        assert_eq!(live_nodes(), 0);
    });
}

/// An identity, for counting those that have not been freed.
struct Counted {
    _count: Arc<()>,
}

impl<T: Float> Operation<T> for Counted {
    const NAME: &'static str = "Counted";
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [inputs[0].clone()].into()
    }
    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, cotangents.only().clone());
    }
}

/// Ends a thread with a small stack whose thread local owns a long graph. Thread locals end in the reverse
/// order of their beginnings: `first` has this one end after those of the library.
fn a_thread_ends_with_a_long_graph<T: Float>(
    graph: &'static LocalKey<RefCell<Option<Variable<T>>>>,
    first: bool,
) {
    let counted = Arc::new(());
    let count = Arc::clone(&counted);
    on_a_small_stack(move || {
        if first {
            graph.with(|_| ());
        }
        let x = Variable::new(Tensor::scalar(T::ONE)).requires_grad_(true);
        drop(x.tanh());
        let y = Counted { _count: count }.apply1(&[&x]);
        graph.set(Some((0..LONG).fold(y, |y, _| y + 1.0)));
    });
    assert_eq!(Arc::strong_count(&counted), 1, "the graph was not freed");
}

#[test]
fn a_graph_of_a_million_operations_in_a_thread_local_is_freed_at_the_threads_end_on_a_small_stack() {
    thread_local! {
        static SINGLE: RefCell<Option<Variable<f32>>> = const { RefCell::new(None) };
        static DOUBLE: RefCell<Option<Variable<f64>>> = const { RefCell::new(None) };
    }
    for first in [true, false] {
        a_thread_ends_with_a_long_graph(&SINGLE, first);
        a_thread_ends_with_a_long_graph(&DOUBLE, first);
    }
}

#[test]
fn graphs_of_short_lived_threads_that_another_one_drops_leave_their_memory_to_nobody() {
    thread::spawn(|| {
        let recorded = || {
            let x = Variable::new(Tensor::<f32>::ones([100, 100])).requires_grad_(true);
            (0..20).fold(x, |y, _| y.tanh())
        };
        // What this thread works with itself it keeps.
        drop(recorded());
        let own = pool_bytes();
        assert!(own >= 20 * 40_000);
        for backward in [false, true] {
            for _ in 0..20 {
                let graphs: Vec<Variable> = (0..5).map(|_| thread::spawn(recorded).join().unwrap()).collect();
                if backward {
                    graphs.iter().for_each(|y| y.sum().backward().unwrap());
                }
            }
            assert!(pool_bytes() < 2 * own, "{} bytes, at first {own}", pool_bytes());
        }
    })
    .join()
    .unwrap();
}

#[test]
fn a_graph_may_be_wide() {
    on_a_small_stack(|| {
        let x = scalar(2.0);
        let terms: Vec<V> = (0..50_000).map(|i| &x * f64::from(i % 3)).collect();
        let refs: Vec<&V> = terms.iter().collect();
        let sum = wengert_core::stack(&refs, 0).sum();
        drop(terms);
        assert_eq!(live_nodes(), 50_002);
        sum.backward().unwrap();
        assert_eq!(gradient(&x), [(0..50_000).map(|i| f64::from(i % 3)).sum::<f64>()]);
        drop(sum);
        assert_eq!(live_nodes(), 0);
    });
}

#[test]
fn every_node_is_visited_once_however_many_paths_lead_to_it() {
    let x = scalar(1.0);
    // 2^60 paths.
    let y = (0..60).fold(x.clone(), |y, _| &y + &y);
    y.backward().unwrap();
    assert_eq!(gradient(&x), [2f64.powi(60)]);
}

/// Two layers of a plain recurrent net.
struct Net {
    parameters: Vec<Parameter<f64>>,
}

const WIDTH: usize = 5;

impl Net {
    fn new(seed: u64) -> Self {
        manual_seed(seed);
        let matrix = |shape: &[usize]| Parameter::new(Tensor::uniform(shape, -0.4, 0.4));
        let layer = || [matrix(&[WIDTH, WIDTH]), matrix(&[WIDTH, WIDTH]), matrix(&[WIDTH])];
        Net { parameters: [layer(), layer()].concat() }
    }

    fn loss(&self, inputs: &V) -> V {
        let mut sequence: Vec<V> = inputs.unbind(0);
        for layer in self.parameters.chunks(3) {
            let mut h = V::from(Tensor::zeros([3, WIDTH]));
            for x in &mut sequence {
                h = (x.linear(&layer[0], Some(&layer[2])) + h.matmul(&layer[1].t())).tanh();
                *x = h.clone();
            }
        }
        wengert_core::stack(&sequence, 0).square().mean()
    }

    fn inputs() -> V {
        Variable::from(Tensor::uniform([4, 3, WIDTH], -1.0, 1.0))
    }
}

/// What is alive after a number of steps.
fn alive() -> (isize, usize) {
    (live_nodes(), pool_bytes())
}

/// Runs steps, and asserts that after a thousand nothing is alive that was not after ten.
fn nothing_stays_behind(step: impl Fn(&Net) + Send + 'static) {
    thread::spawn(move || {
        let net = Net::new(0);
        (0..10).for_each(|_| step(&net));
        let after_ten = alive();
        (10..1000).for_each(|_| step(&net));
        assert_eq!(alive(), after_ten);
        net.parameters.iter().for_each(|parameter| parameter.zero_grad());
        assert_eq!(live_nodes(), 0);
    })
    .join()
    .unwrap();
}

fn descend(net: &Net) {
    for parameter in &net.parameters {
        let gradient = parameter.grad().expect("a gradient").to_vec();
        let change = |values: &mut [f64]| values.iter_mut().zip(&gradient).for_each(|(v, g)| *v -= 0.01 * g);
        parameter.update("descend", change).unwrap();
    }
}

fn forget(net: &Net) {
    net.parameters.iter().for_each(|parameter| parameter.zero_grad());
}

#[test]
fn training_steps_leave_nothing_behind() {
    nothing_stays_behind(|net| {
        net.loss(&Net::inputs()).backward().unwrap();
        descend(net);
        forget(net);
    });
}

#[test]
fn steps_with_recorded_gradients_leave_nothing_behind() {
    nothing_stays_behind(|net| {
        let options = GradOptions::default().create_graph(true);
        let loss = net.loss(&Net::inputs());
        loss.backward_options(None, &options).unwrap();
        let penalty =
            net.parameters.iter().map(|p| p.grad().unwrap().square().sum()).reduce(|a, b| a + b).unwrap();
        let parameters: Vec<&V> = net.parameters.iter().map(|p| &**p).collect();
        let second = grad(&[&penalty], &parameters, GradOptions::default()).unwrap();
        assert!(second.iter().any(|g| g.to_vec().iter().any(|&g| g != 0.0)));
        forget(net);
    });
}

#[test]
fn gradients_never_forgotten_are_replaced_and_leave_nothing_behind() {
    // Recorded gradients own graphs; a gradient that is set in their place frees them.
    nothing_stays_behind(|net| {
        let options = GradOptions::default().create_graph(true);
        net.loss(&Net::inputs()).backward_options(None, &options).unwrap();
        net.parameters.iter().for_each(|p| p.set_grad(p.grad().map(|g| g.detach())));
    });
}

#[test]
fn models_dropped_with_their_recorded_gradients_leave_nothing_behind() {
    thread::spawn(|| {
        let step = |seed| {
            let net = Net::new(seed);
            let options = GradOptions::default().create_graph(true);
            net.loss(&Net::inputs()).backward_options(None, &options).unwrap();
            assert!(live_nodes() > 0 && net.parameters[0].grad().unwrap().requires_grad());
        };
        (0..10).for_each(step);
        let after_ten = alive();
        assert_eq!(after_ten.0, 0);
        (10..1000).for_each(step);
        assert_eq!(alive(), after_ten);
    })
    .join()
    .unwrap();
}
