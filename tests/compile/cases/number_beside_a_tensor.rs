//! Numbers of types that a variable or a tensor does not compute with.

use wengert::prelude::*;

fn main() {
    let (x, count) = (Variable::new(Tensor::from([1.0f32])), 3usize);
    let _ = &x * count;
    let _ = Tensor::from([1i64]) * 2.5;
    let _ = Tensor::from([true]) + Tensor::from([true]);
}
