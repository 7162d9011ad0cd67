//! What an operation costs.

use wengert::prelude::*;

use super::Workload;

/// Add, mul, tanh in turn on four elements, and the way back.
///
/// With these constants the cotangents of 10,000 operations stay above 1e-8: multiplying numbers below the
/// smallest normal one takes some processors a hundred cycles, which would hide what an operation costs.
pub fn chain(name: &'static str, operations: usize) -> Workload {
    let start = Variable::new(Tensor::full([4], 0.5f32)).requires_grad_(true);
    let (a, b) = (Variable::new(Tensor::full([4], 1e-4f32)), Variable::new(Tensor::full([4], 0.999f32)));
    let run = move || {
        let mut x = start.clone();
        for i in 0..operations {
            x = match i % 3 {
                0 => &x + &a,
                1 => &x * &b,
                _ => x.tanh(),
            };
        }
        x.sum().backward().expect("a scalar with history");
        start.zero_grad();
    };
    Workload::new(name, "fb", run).of_operations(operations)
}
