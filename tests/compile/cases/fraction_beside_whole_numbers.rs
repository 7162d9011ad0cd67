//! A fraction beside a tensor of whole numbers.

use wengert::prelude::*;

fn main() {
    let classes: Tensor<i64> = Tensor::from([1i64]);
    let _ = classes * 2.5f64;
}
