//! A step of each optimizer, and clipping, over a million parameters. An item is a parameter.
//!
//! `cargo bench -p wengert-bench --bench optimizers`

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, Divan};
use wengert::optim::SgdOptions;
use wengert::prelude::*;

fn main() {
    Divan::default().max_time(Duration::from_secs(1)).config_with_args().main();
}

/// Four matrices with a gradient each.
fn parameters() -> Vec<Parameter> {
    let with_gradient = |_| {
        let parameter = Parameter::new(Tensor::randn([500, 500]));
        parameter.set_grad(Some(Variable::new(Tensor::randn([500, 500]))));
        parameter
    };
    (0..4).map(with_gradient).collect()
}

fn time(bencher: Bencher<'_, '_>, mut run: impl FnMut() -> Result<()>) {
    let count = ItemsCount::new(1_000_000usize);
    bencher
        .counter(count)
        .bench_local(|| run().expect("options in range and every parameter with its gradient"));
}

#[divan::bench]
fn sgd(bencher: Bencher<'_, '_>) {
    let mut sgd = Sgd::new(parameters(), 1e-3).expect("a rate in range");
    time(bencher, || sgd.step());
}

#[divan::bench]
fn sgd_momentum(bencher: Bencher<'_, '_>) {
    let options = SgdOptions::default().lr(1e-3).momentum(0.9);
    let mut sgd = Sgd::with(parameters(), options).expect("options in range");
    time(bencher, || sgd.step());
}

#[divan::bench]
fn adam(bencher: Bencher<'_, '_>) {
    let mut adam = Adam::new(parameters(), 1e-3).expect("a rate in range");
    time(bencher, || adam.step());
}

/// The norm comes back a little above 1 each time it was scaled to it, so every run scales.
#[divan::bench]
fn clip(bencher: Bencher<'_, '_>) {
    let parameters = parameters();
    time(bencher, || clip_grad_norm(&parameters, 1.0).map(drop));
}
