//! What single operations take, with nothing recorded: elementwise ones, reductions, norms.
//!
//! `cargo bench -p wengert-bench --bench kernels -- [part of a name]`
//!
//! Results are dropped as they come, so that each finds the memory of the one before, as in a training
//! loop.

use std::time::Duration;

use divan::counter::ItemsCount;
use divan::{Bencher, Divan, black_box};
use wengert::prelude::*;

fn main() {
    Divan::default().max_time(Duration::from_secs(1)).config_with_args().main();
}

/// Times `operation` on a tensor of this shape, with its elements as the items.
fn on(bencher: Bencher<'_, '_>, shape: impl AsRef<[usize]>, operation: impl Fn(&Variable) -> Variable) {
    let x = Variable::new(Tensor::randn(shape));
    bencher.counter(ItemsCount::new(x.numel())).bench_local(|| drop(black_box(operation(black_box(&x)))));
}

mod elementwise {
    use super::*;

    const ELEMENTS: [usize; 1] = [8192];

    #[divan::bench]
    fn add(bencher: Bencher<'_, '_>) {
        let other = Variable::new(Tensor::randn(ELEMENTS));
        on(bencher, ELEMENTS, |x| x + &other);
    }

    #[divan::bench]
    fn exp(bencher: Bencher<'_, '_>) {
        on(bencher, ELEMENTS, |x| x.exp());
    }

    #[divan::bench]
    fn tanh(bencher: Bencher<'_, '_>) {
        on(bencher, ELEMENTS, |x| x.tanh());
    }

    #[divan::bench]
    fn sigmoid(bencher: Bencher<'_, '_>) {
        on(bencher, ELEMENTS, |x| x.sigmoid());
    }
}

/// Sums of a matrix: of all of it, along its rows, along its columns.
mod reductions {
    use super::*;

    const SHAPE: [usize; 2] = [512, 512];

    #[divan::bench]
    fn sum(bencher: Bencher<'_, '_>) {
        on(bencher, SHAPE, |x| x.sum());
    }

    #[divan::bench]
    fn sum_of_rows(bencher: Bencher<'_, '_>) {
        on(bencher, SHAPE, |x| x.sum_dim(&[1]));
    }

    #[divan::bench]
    fn sum_of_columns(bencher: Bencher<'_, '_>) {
        on(bencher, SHAPE, |x| x.sum_dim(&[0]));
    }

    #[divan::bench]
    fn max_of_rows(bencher: Bencher<'_, '_>) {
        on(bencher, SHAPE, |x| x.amax(&[1]));
    }
}

/// Over the last axis; `both` is the way there and back.
mod rows {
    use super::*;

    /// A recurrent layer's gates, and the scores of 10,000 words.
    const GATES: [usize; 2] = [32, 1024];
    const SCORES: [usize; 2] = [400, 10_000];

    #[divan::bench]
    fn layer_norm(bencher: Bencher<'_, '_>) {
        let norm = LayerNorm::new([GATES[1]]);
        on(bencher, GATES, |x| no_grad(|| norm.forward(x)).expect("the width fits"));
    }

    #[divan::bench]
    fn layer_norm_both(bencher: Bencher<'_, '_>) {
        let norm = LayerNorm::new([GATES[1]]);
        let x = Variable::new(Tensor::randn(GATES)).requires_grad_(true);
        both(bencher, &x, || norm.forward(&x).expect("the width fits").sum());
    }

    #[divan::bench]
    fn softmax(bencher: Bencher<'_, '_>) {
        on(bencher, SCORES, |x| x.softmax(-1));
    }

    #[divan::bench]
    fn cross_entropy_both(bencher: Bencher<'_, '_>) {
        let x = Variable::new(Tensor::randn(SCORES)).requires_grad_(true);
        let targets =
            Tensor::from_vec((0..400).map(|i| 25 * i).collect(), [400]).expect("as many as there are");
        both(bencher, &x, || cross_entropy(&x, &targets).expect("targets in range"));
    }

    fn both(bencher: Bencher<'_, '_>, x: &Variable, loss: impl Fn() -> Variable) {
        bencher.counter(ItemsCount::new(x.numel())).bench_local(|| {
            loss().backward().expect("a scalar with history");
            x.zero_grad();
        });
    }
}
