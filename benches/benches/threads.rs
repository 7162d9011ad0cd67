//! How much a second thread is worth for a loop of a given length: the team of `wengert` beside rayon's
//! work stealing, in a sequence of such loops, as the steps of a recurrence are.
//!
//! `cargo bench -p wengert-bench --bench threads`

use divan::Bencher;
use divan::counter::ItemsCount;
use wengert::{Divisible, Float, Kernel, Lane, dispatch_shared, set_num_threads};

fn main() {
    divan::main();
}

/// Elements of a loop; a nanosecond is three or four of them.
const LENGTHS: [usize; 4] = [8192, 32_768, 131_072, 524_288];
/// Loops one after the other.
const STEPS: usize = 64;

/// `y = tanh(y + x)`.
struct Step<'s> {
    x: &'s [f32],
    y: &'s mut [f32],
}

impl Kernel<f32> for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<f32>>(self) {
        for (y, &x) in self.y.iter_mut().zip(self.x) {
            *y = N::wrap(*y + x).tanh().unwrap();
        }
    }
}

impl Divisible for Step<'_> {
    fn rows(&self) -> usize {
        self.y.len()
    }

    fn numbers(&self) -> usize {
        3 * self.y.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let (x, y) = (self.x.split_at(rows), self.y.split_at_mut(rows));
        (Step { x: x.0, y: y.0 }, Step { x: x.1, y: y.1 })
    }
}

fn sequence(bencher: Bencher<'_, '_>, length: usize, step: impl Fn(Step<'_>) + Sync) {
    let (x, mut y) = (vec![0.1f32; length], vec![0.5f32; length]);
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        for _ in 0..STEPS {
            step(Step { x: &x, y: &mut y });
        }
    });
}

#[divan::bench(args = LENGTHS)]
fn one_thread(bencher: Bencher<'_, '_>, length: usize) {
    sequence(bencher, length, |step| f32::dispatch(step));
}

#[divan::bench(args = LENGTHS)]
fn team_of_two(bencher: Bencher<'_, '_>, length: usize) {
    set_num_threads(2);
    sequence(bencher, length, |step| dispatch_shared(step));
}

#[divan::bench(args = LENGTHS)]
fn rayon_of_two(bencher: Bencher<'_, '_>, length: usize) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
    sequence(bencher, length, |step| {
        let (first, second) = step.split_at(length / 2);
        pool.install(|| rayon::join(|| f32::dispatch(first), || f32::dispatch(second)));
    });
}
