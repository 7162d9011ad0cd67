//! A number of a type that a variable does not compute with.

use wengert::prelude::*;

fn main() {
    let (x, count) = (Variable::new(Tensor::from([1.0f32])), 3usize);
    let _ = &x * count;
}
