//! What the tape adds to an operation: a chain of multiplications of four elements, computed, recorded, and
//! walked back. An item is an operation.
//!
//! `cargo bench -p wengert-bench --bench tape`

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, Divan, black_box};
use wengert::prelude::*;

fn main() {
    Divan::default().max_time(Duration::from_secs(1)).config_with_args().main();
}

const LENGTHS: [usize; 2] = [100, 10_000];

struct Chain {
    start: Variable,
    factor: Variable,
    length: usize,
}

impl Chain {
    fn new(length: usize) -> Self {
        let of = |value| Variable::new(Tensor::full([4], value));
        Chain { start: of(1.0f32).requires_grad_(true), factor: of(0.999), length }
    }

    fn end(&self) -> Variable {
        let mut x = self.start.clone();
        for _ in 0..self.length {
            x = &x * &self.factor;
        }
        x
    }
}

#[divan::bench(args = LENGTHS)]
fn compute(bencher: Bencher<'_, '_>, length: usize) {
    let chain = Chain::new(length);
    bencher.counter(ItemsCount::new(length)).bench_local(|| drop(black_box(no_grad(|| chain.end()))));
}

/// Dropping the chain is part of it.
#[divan::bench(args = LENGTHS)]
fn record(bencher: Bencher<'_, '_>, length: usize) {
    let chain = Chain::new(length);
    bencher.counter(ItemsCount::new(length)).bench_local(|| drop(black_box(chain.end())));
}

#[divan::bench(args = LENGTHS)]
fn walk(bencher: Bencher<'_, '_>, length: usize) {
    let chain = Chain::new(length);
    bencher.counter(ItemsCount::new(length)).with_inputs(|| chain.end().sum()).bench_local_values(|loss| {
        loss.backward().expect("a scalar with history");
        chain.start.zero_grad();
    });
}

/// As [`walk`], with the way back recorded for a second derivative.
#[divan::bench(args = LENGTHS)]
fn walk_recorded(bencher: Bencher<'_, '_>, length: usize) {
    let chain = Chain::new(length);
    let options = GradOptions::default().create_graph(true);
    bencher.counter(ItemsCount::new(length)).with_inputs(|| chain.end().sum()).bench_local_values(|loss| {
        loss.backward_options(None, &options).expect("a scalar with history");
        chain.start.zero_grad();
    });
}
