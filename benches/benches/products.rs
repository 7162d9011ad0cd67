//! The products of a recurrent layer: `x W^T` forward, `g W` and `g^T x` back. An item is a floating-point
//! operation, so Gitem/s are GFLOP/s.
//!
//! `cargo bench -p wengert-bench --bench products`

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, Divan, black_box};
use wengert::prelude::*;

fn main() {
    Divan::default().max_time(Duration::from_secs(1)).config_with_args().main();
}

/// Samples, inputs and outputs: x is (samples, inputs), W (outputs, inputs), g (samples, outputs).
type Sizes = (usize, usize, usize);

const SIZES: [Sizes; 4] = [(5, 200, 200), (20, 200, 800), (32, 512, 2048), (64, 1024, 4096)];

fn matrix(rows: usize, columns: usize) -> Variable {
    Variable::new(Tensor::randn([rows, columns]))
}

fn time(
    bencher: Bencher<'_, '_>,
    (samples, inputs, outputs): Sizes,
    (a, b): (Variable, Variable),
    product: impl Fn(&Variable, &Variable) -> Variable,
) {
    bencher
        .counter(ItemsCount::new(2 * samples * inputs * outputs))
        .bench_local(|| drop(black_box(product(black_box(&a), black_box(&b)))));
}

#[divan::bench(args = SIZES)]
fn x_w_transposed(bencher: Bencher<'_, '_>, sizes: Sizes) {
    let (samples, inputs, outputs) = sizes;
    time(bencher, sizes, (matrix(samples, inputs), matrix(outputs, inputs)), |x, w| x.linear(w, None));
}

#[divan::bench(args = SIZES)]
fn g_w(bencher: Bencher<'_, '_>, sizes: Sizes) {
    let (samples, inputs, outputs) = sizes;
    time(bencher, sizes, (matrix(samples, outputs), matrix(outputs, inputs)), |g, w| g.matmul(w));
}

#[divan::bench(args = SIZES)]
fn g_transposed_x(bencher: Bencher<'_, '_>, sizes: Sizes) {
    let (samples, inputs, outputs) = sizes;
    time(bencher, sizes, (matrix(samples, outputs), matrix(samples, inputs)), |g, x| g.t().matmul(x));
}
