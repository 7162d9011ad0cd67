//! A panic in users' code, wherever it is called, reaches who called and leaves everything else whole.

mod places;
mod whole;

use std::any::type_name;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicBool, Ordering};

use wengert::prelude::*;
use wengert::{
    Cotangents, Divisible, FirstOrder, Float, Gradients, Kernel, Lane, Operation, Outputs, Saved,
    SavedTensors, Saves, Wants, checkpoint, dispatch_shared,
};

use whole::{Fragile, leaves_everything_whole, mistake};

fn leaf<T: Float>(shape: &[usize]) -> Variable<T> {
    Variable::new(Tensor::full(shape, T::ONE)).requires_grad_(true)
}

/// A kernel over so many rows, which `run`s.
struct Long<F> {
    rows: usize,
    run: F,
}

impl<F: Fn(usize)> Kernel<f32> for Long<F> {
    type Output = ();
    fn run<N: Lane<f32>>(self) {
        (self.run)(self.rows);
    }
}

impl<F: Fn(usize) + Clone + Send> Divisible for Long<F> {
    fn rows(&self) -> usize {
        self.rows
    }
    fn numbers(&self) -> usize {
        1 << 24
    }
    fn split_at(self, rows: usize) -> (Self, Self) {
        (Long { rows, run: self.run.clone() }, Long { rows: self.rows - rows, run: self.run })
    }
}

#[test]
fn kernels() {
    leaves_everything_whole(|| f32::dispatch(Long { rows: 1, run: |_| mistake() }));
    leaves_everything_whole(|| dispatch_shared(Long { rows: 12, run: |_| mistake() }));
    let one_of_them = &AtomicBool::new(true);
    leaves_everything_whole(|| {
        one_of_them.store(true, Ordering::Relaxed);
        let once = |_| {
            if one_of_them.swap(false, Ordering::Relaxed) {
                mistake()
            }
        };
        dispatch_shared(Long { rows: 12, run: once });
    });
}

#[test]
fn kernels_whose_panics_carry_what_panics_when_it_is_dropped() {
    leaves_everything_whole(|| {
        let fragile = || dispatch_shared(Long { rows: 12, run: |_| panic_any(Fragile) });
        let payload = catch_unwind(fragile).unwrap_err();
        assert!(payload.is::<Fragile>());
        drop(payload);
    });
}

/// A kernel that cannot be cut.
struct Whole;

impl Kernel<f32> for Whole {
    type Output = ();
    fn run<N: Lane<f32>>(self) {}
}

impl Divisible for Whole {
    fn rows(&self) -> usize {
        12
    }
    fn numbers(&self) -> usize {
        1 << 24
    }
    fn split_at(self, _: usize) -> (Self, Self) {
        mistake()
    }
}

#[test]
fn cuts_of_kernels() {
    // Helpers that have just worked are awake, so this one is to be cut.
    leaves_everything_whole(|| dispatch_shared(Whole));
}

#[derive(Clone, Copy, PartialEq)]
enum Reading {
    Value,
    Saves,
    Derivative,
    Trace,
}

impl Reading {
    fn of<R: Real>() -> Self {
        match type_name::<R>() {
            name if name.contains("Symbol") => Reading::Trace,
            name if name.contains("Depends") => Reading::Saves,
            name if name.contains("Dual") => Reading::Derivative,
            _ => Reading::Value,
        }
    }
}

/// A product that makes its mistake in one of the readings.
#[derive(Clone)]
struct Product(Reading);

impl Pointwise<2, 1> for Product {
    const NAME: &'static str = "Product";
    #[inline(always)]
    fn eval<R: Real>(&self, [a, b]: [R; 2]) -> [R; 1] {
        if self.0 == Reading::of::<R>() {
            mistake();
        }
        [a * b]
    }
}

fn formulas_of<T: Float>(len: usize) {
    let all = [Reading::Value, Reading::Saves, Reading::Derivative, Reading::Trace];
    let shapes = [[&[1, len][..], &[1, len]], [&[3, len / 3 + 1], &[3, 1]]];
    for (reading, shapes) in all.iter().flat_map(|reading| shapes.map(|shapes| (reading, shapes))) {
        leaves_everything_whole(|| {
            let [a, b] = shapes.map(leaf::<T>);
            let y = Product(*reading).apply1([&a, &b]);
            let options = GradOptions::default().create_graph(*reading == Reading::Trace);
            let _ = grad(&[&y.sum()], &[&a, &b], options);
        });
    }
}

#[test]
fn formulas() {
    formulas_of::<f32>(5);
    formulas_of::<f64>(5);
}

#[test]
fn formulas_that_threads_share() {
    formulas_of::<f32>(30_000);
}

#[derive(Clone, Copy, PartialEq)]
enum Moment {
    Forward,
    Saves,
    Backward,
    Drop,
    Never,
}

/// An identity that makes its mistake at some moment, or when what it owns is dropped.
struct Identity {
    moment: Moment,
    _owns: Option<Fragile>,
}

impl Identity {
    fn failing(moment: Moment) -> Self {
        Identity { moment, _owns: None }
    }

    fn at(&self, moment: Moment) {
        if self.moment == moment {
            mistake();
        }
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.at(Moment::Drop);
    }
}

impl<T: Float> Operation<T> for Identity {
    const NAME: &'static str = "Identity";
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        self.at(Moment::Forward);
        [inputs[0].clone()].into()
    }
    fn saves(&self, _: Wants) -> Saves {
        self.at(Moment::Saves);
        Saves::INPUTS
    }
    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        assert!(saved.input(0).numel() > 0);
        self.at(Moment::Backward);
        gradients.add(0, cotangents.only().clone());
    }
}

/// [`Identity`] with a backward in tensors.
struct InTensors(Identity);

impl<T: Float> FirstOrder<T> for InTensors {
    const NAME: &'static str = "InTensors";
    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        self.0.at(Moment::Forward);
        [inputs[0].clone()].into()
    }
    fn saves(&self, _: Wants) -> Saves {
        self.0.at(Moment::Saves);
        Saves::OUTPUTS
    }
    fn backward(
        &self,
        _: &SavedTensors<'_, T>,
        cotangents: &[Option<Tensor<T>>],
        _: Wants,
    ) -> Vec<Option<Tensor<T>>> {
        self.0.at(Moment::Backward);
        cotangents.to_vec()
    }
}

/// Recorded between other operations, then differentiated, then dropped.
fn operations_of<T: Float>() {
    for moment in [Moment::Forward, Moment::Saves, Moment::Backward, Moment::Drop] {
        for create_graph in [false, true] {
            let options = || GradOptions::default().create_graph(create_graph);
            leaves_everything_whole(|| {
                let x = leaf::<T>(&[3]);
                let y = Operation::apply1(Identity::failing(moment), &[&x.tanh()]).exp();
                let _ = grad(&[&y.sum()], &[&x], options());
            });
            leaves_everything_whole(|| {
                let x = leaf::<T>(&[3]);
                let y = FirstOrder::apply1(InTensors(Identity::failing(moment)), &[&x.tanh()]).exp();
                let _ = grad(&[&y.sum()], &[&x], options());
            });
        }
    }
}

#[test]
fn operations() {
    operations_of::<f32>();
    operations_of::<f64>();
}

/// Of several mistakes while one graph is freed, the first goes on; every operation is taken off the tape,
/// and later graphs are.
#[test]
fn ends_of_many_operations_of_one_graph() {
    leaves_everything_whole(|| {
        let mut y = leaf::<f32>(&[2]);
        for i in 0..100 {
            let owns = (i % 4 == 0).then(|| Fragile);
            let moment = if i % 4 == 2 { Moment::Drop } else { Moment::Never };
            let branch = Operation::apply1(Identity { moment, _owns: owns }, &[&y]);
            y = &branch + &y.sin();
        }
        drop(y);
    });
}

#[test]
fn hooks() {
    leaves_everything_whole(|| {
        let mut x = leaf::<f32>(&[3]);
        x.register_hook(|_| mistake());
        let _ = x.exp().sum().backward();
    });
    leaves_everything_whole(|| {
        let x = leaf::<f32>(&[3]);
        let mut y = x.exp();
        y.register_hook(|_| mistake());
        let _ = y.tanh().sum().backward();
    });
    leaves_everything_whole(|| {
        let x = leaf::<f32>(&[3]);
        let mut y = x.exp();
        y.register_hook(|_| mistake());
        let _ = grad(&[&y.tanh().sum()], &[&y, &x], GradOptions::default().create_graph(true));
    });
}

/// What hooks captured is dropped with the handle that they were registered on.
#[test]
fn ends_of_hooks() {
    fn capturing(fragile: Fragile) -> impl Fn(&Variable) -> Option<Variable> + Send + Sync {
        move |_| {
            let _ = &fragile;
            None
        }
    }
    leaves_everything_whole(|| {
        let x = leaf(&[3]);
        let mut y = x.exp();
        y.register_hook(capturing(Fragile));
        y.tanh().sum().backward().unwrap();
    });
    leaves_everything_whole(|| {
        let mut x = leaf(&[3]);
        x.register_hook(capturing(Fragile));
        x.exp().sum().backward().unwrap();
    });
}

#[test]
fn checkpoints() {
    leaves_everything_whole(|| {
        checkpoint(|_| mistake(), &[&leaf::<f32>(&[3])]);
    });
    for create_graph in [false, true] {
        leaves_everything_whole(|| {
            let again = AtomicBool::new(false);
            let function = move |x: &[Variable]| {
                let y = x[0].dropout(0.5).unwrap().exp();
                if again.swap(true, Ordering::Relaxed) { mistake() } else { vec![y] }
            };
            let x = leaf(&[3]);
            let y = &checkpoint(function, &[&x])[0];
            let _ = grad(&[&y.sum()], &[&x], GradOptions::default().create_graph(create_graph));
        });
    }
}

/// The thread that a payload's panic is caught on may be unwinding itself.
#[test]
fn panics_while_others_unwind() {
    struct Caught;
    impl Drop for Caught {
        fn drop(&mut self) {
            let shared = || dispatch_shared(Long { rows: 12, run: |_| mistake() });
            assert!(catch_unwind(AssertUnwindSafe(shared)).is_err());
        }
    }
    leaves_everything_whole(|| {
        let _caught = Caught;
        mistake();
    });
}
