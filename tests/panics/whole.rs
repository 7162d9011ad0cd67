//! What holds after a panic as it did before.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind, set_hook, take_hook};
use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use wengert::prelude::*;
use wengert::{
    Divisible, Kernel, Lane, checkpoint, dispatch_shared, is_plain, is_recording, live_nodes, pool_bytes,
    set_num_threads,
};

const MISTAKE: &str = "a mistake in a user's code";

/// What users' code does here.
pub fn mistake() -> ! {
    panic_any(MISTAKE)
}

/// Makes a mistake when it is dropped.
pub struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        mistake();
    }
}

/// Thousands of mistakes, printed with where they come from, would take most of the time.
fn hush() {
    static HUSHED: Once = Once::new();
    HUSHED.call_once(|| {
        let print = take_hook();
        set_hook(Box::new(move |info| {
            let payload = info.payload();
            if payload.downcast_ref() != Some(&MISTAKE) && !payload.is::<Fragile>() {
                print(info);
            }
        }));
    });
}

/// Has `f` make its mistake some times over, on a thread of its own; after each everything works there.
#[track_caller]
pub fn leaves_everything_whole(f: impl Fn() + Sync) {
    hush();
    set_num_threads(3);
    let times = || {
        let (nodes, values, mut bytes) = (live_nodes(), computed(), None);
        for _ in 0..3 {
            let payload = catch_unwind(AssertUnwindSafe(&f)).expect_err("it makes a mistake");
            assert_eq!(payload.downcast_ref(), Some(&MISTAKE), "another panic than the user's");
            everything_works(nodes, &values);
            assert_eq!(*bytes.get_or_insert_with(pool_bytes), pool_bytes(), "memory in the pools");
        }
    };
    thread::scope(|threads| threads.spawn(times).join().unwrap_or_else(|panic| resume_unwind(panic)));
}

/// No operation is left on the tape, the thread's modes are the usual ones, values are those there were,
/// and threads share work.
fn everything_works(nodes: isize, values: &[u64]) {
    assert_eq!(live_nodes(), nodes, "operations on the tape");
    assert!(is_recording() && !is_plain());
    let x = Variable::new(Tensor::scalar(0.0f32)).requires_grad_(true);
    assert_eq!(Tape::of(&x.tanh()).entries().last().unwrap().path, "");
    x.ln().backward().expect("anomalies are not watched for");
    assert_eq!(x.grad().unwrap().item().unwrap(), f32::INFINITY);
    assert!(computed() == values, "other values than before");
    assert_eq!(live_nodes(), nodes, "operations on the tape");
    helpers_work();
}

/// The bits of all sorts of computations.
fn computed() -> Vec<u64> {
    manual_seed(3);
    [trained().unwrap(), differentiated_twice().unwrap()].concat()
}

/// Parameters after two steps, with loops and products that are long enough to be shared.
fn trained() -> Result<Vec<u64>> {
    let rnn = Lstm::builder(8, 16).num_layers(2).dropout(0.2).build()?;
    let head = Linear::new(16, 200)?;
    let parameters = [rnn.parameters(), head.parameters()].concat();
    let mut adam = Adam::new(parameters.clone(), 1e-2)?;
    let x = Variable::new(Tensor::randn([4, 40, 8]));
    for _ in 0..2 {
        let y = head.forward(&rnn.forward(&x, None)?.0)?;
        (y.tanh() * y.sigmoid()).square().mean().backward()?;
        adam.step()?;
        adam.zero_grad();
    }
    Ok(parameters.iter().flat_map(|parameter| parameter.to_vec()).map(|x| x.to_bits().into()).collect())
}

pointwise! {
    /// `h' = (1 - z) n + z h`.
    struct Blend;
    fn eval(z, n, h) -> 1 { [(1.0 - z) * n + z * h] }
}

/// Gradients of a gradient's length, through a formula and a checkpoint.
fn differentiated_twice() -> Result<Vec<u64>> {
    let [x, h] = [5, 5].map(|n| Variable::new(Tensor::<f64>::randn([6, n])).requires_grad_(true));
    let w = Parameter::new(Tensor::<f64>::randn([5, 5]));
    let y = &checkpoint(|x| vec![Blend.apply1([&x[0].sigmoid(), &x[1].tanh(), &x[0]])], &[&x, &h])[0];
    let slope = grad(&[&y.matmul(&w).sin().sum()], &[&x], GradOptions::default().create_graph(true))?;
    slope[0].square().sum().backward()?;
    let gradients = [x.grad(), h.grad(), w.grad()].map(|gradient| gradient.expect("a gradient").to_vec());
    Ok(gradients.concat().into_iter().map(f64::to_bits).collect())
}

/// Waits to meet another thread that runs the other part of it.
struct Meeting<'m> {
    threads: &'m Mutex<HashSet<ThreadId>>,
    parts: usize,
}

impl Kernel<f32> for Meeting<'_> {
    type Output = ();
    fn run<N: Lane<f32>>(self) {
        let met = || {
            let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
            threads.insert(thread::current().id());
            threads.len() > 1
        };
        let begun = Instant::now();
        while !met() && begun.elapsed() < Duration::from_millis(100) {
            thread::yield_now();
        }
    }
}

impl Divisible for Meeting<'_> {
    fn rows(&self) -> usize {
        self.parts
    }
    fn numbers(&self) -> usize {
        1 << 24
    }
    fn split_at(self, parts: usize) -> (Self, Self) {
        (Meeting { parts, ..self }, Meeting { parts: self.parts - parts, ..self })
    }
}

/// Another test may have the helpers for a while, so it is tried for long before they count as gone.
fn helpers_work() {
    let meets = |_| {
        let threads = Mutex::new(HashSet::new());
        dispatch_shared::<f32, _>(Meeting { threads: &threads, parts: 2 });
        threads.into_inner().unwrap().len() > 1
    };
    assert!((0..300).any(meets), "no helper takes a part of a kernel");
}
