//! Random shapes, layouts and values, drawn from choices that proptest can make smaller.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use wengert_core::{Float, Generator, Tensor};

/// Where an argument's elements come from.
#[derive(Clone, Copy, Debug)]
pub enum Domain {
    /// `[-3, 3]` but for a tenth on both sides of 0.
    NonZero,
    /// The interval.
    Range(f64, f64),
    /// Multiples of 1/5, shifted: two arguments with different shifts are never close to each other.
    Grid(f64),
    /// Numbers that are all different, by 1/8 at least.
    Distinct,
}

/// Numbers for one case: choices of structure first to last, and values from a seed.
pub struct Draw {
    choices: std::vec::IntoIter<u16>,
    values: Generator,
}

impl Draw {
    /// A number in `0..n`; 0 once the choices are used up.
    pub fn below(&mut self, n: usize) -> usize {
        self.choices.next().unwrap_or(0) as usize % n.max(1)
    }

    pub fn coin(&mut self) -> bool {
        self.below(2) == 1
    }

    /// An extent: mostly small, sometimes 1, rarely 0.
    pub fn extent(&mut self) -> usize {
        [1, 2, 3, 4, 2, 3, 1, 0][self.below(8)]
    }

    pub fn positive_extent(&mut self) -> usize {
        1 + self.below(4)
    }

    /// A shape of the rank, of at most some hundred elements.
    pub fn shape_of_rank(&mut self, rank: usize) -> Vec<usize> {
        let mut count = 1;
        (0..rank)
            .map(|_| {
                let extent = if count > 40 { 1 } else { self.extent() };
                count *= extent.max(1);
                extent
            })
            .collect()
    }

    /// A shape of a rank in `ranks`.
    pub fn shape(&mut self, ranks: std::ops::RangeInclusive<usize>) -> Vec<usize> {
        let rank = ranks.start() + self.below(ranks.end() - ranks.start() + 1);
        self.shape_of_rank(rank)
    }

    /// A shape without empty axes.
    pub fn full_shape(&mut self, ranks: std::ops::RangeInclusive<usize>) -> Vec<usize> {
        self.shape(ranks).into_iter().map(|extent| extent.max(1)).collect()
    }

    /// A shape that broadcasts to `shape`: axes missing in front, or of extent 1.
    pub fn broadcasts_to(&mut self, shape: &[usize]) -> Vec<usize> {
        let missing = if self.coin() { self.below(shape.len() + 1) } else { 0 };
        shape[missing..].iter().map(|&extent| if self.below(3) == 2 { 1 } else { extent }).collect()
    }

    /// An axis of a tensor of this rank, counted from the front or the back.
    pub fn axis(&mut self, rank: usize) -> (isize, usize) {
        let axis = self.below(rank);
        let named = if self.coin() { axis as isize - rank as isize } else { axis as isize };
        (named, axis)
    }

    /// Some axes, in any order; none stands for all.
    pub fn axes(&mut self, rank: usize) -> (Vec<isize>, Vec<usize>) {
        let mut axes: Vec<usize> = (0..rank).filter(|_| self.coin()).collect();
        if self.coin() {
            axes.reverse();
        }
        let named =
            axes.iter().map(|&axis| if self.coin() { axis as isize - rank as isize } else { axis as isize });
        let named = named.collect();
        (named, if axes.is_empty() { (0..rank).collect() } else { axes })
    }

    fn value(&mut self, domain: Domain) -> f64 {
        match domain {
            Domain::NonZero => {
                let size = self.values.uniform(0.1, 3.0);
                if self.values.bernoulli(0.5) { size } else { -size }
            }
            Domain::Range(low, high) => self.values.uniform(low, high),
            Domain::Grid(shift) => (self.values.below(21) as f64 - 10.0) / 5.0 + shift,
            Domain::Distinct => unreachable!("drawn together"),
        }
    }

    fn values<T: Float>(&mut self, shape: &[usize], domain: Domain) -> Tensor<T> {
        let count: usize = shape.iter().product();
        let values: Vec<f64> = match domain {
            Domain::Distinct => {
                let order = self.values.permutation(count);
                order
                    .into_iter()
                    .map(|i| (i as f64 - count as f64 / 2.0) / 4.0 + self.values.uniform(0.0, 0.1))
                    .collect()
            }
            _ => (0..count).map(|_| self.value(domain)).collect(),
        };
        Tensor::from_fn(shape, |i| T::from_f64(values[i]))
    }

    /// A tensor of the shape, whose elements lie in order or in one of the other ways that views make.
    pub fn tensor<T: Float>(&mut self, shape: &[usize], domain: Domain) -> Tensor<T> {
        let rank = shape.len();
        if rank == 0 {
            return self.values(shape, domain);
        }
        let (axis, other, kind) = (self.below(rank), self.below(rank), self.below(6));
        let dim = axis as isize;
        let mut base = shape.to_vec();
        match kind {
            1 | 2 => {
                base.swap(axis, other);
                self.values(&base, domain).transpose(dim, other as isize).unwrap()
            }
            3 => {
                base[axis] += 2;
                self.values(&base, domain).narrow(dim, 1, shape[axis]).unwrap()
            }
            4 => {
                base[axis] *= 2;
                self.values(&base, domain).slice(dim, 0, base[axis], 2).unwrap()
            }
            // Repeated elements are not distinct.
            5 if !matches!(domain, Domain::Distinct) => {
                base[axis] = 1;
                self.values(&base, domain).expand(shape).unwrap()
            }
            _ => self.values(shape, domain),
        }
    }

    /// Indices in `0..extent` of the shape.
    pub fn indices(&mut self, shape: &[usize], extent: usize) -> Tensor<i64> {
        Tensor::from_fn(shape, |_| self.values.below(extent) as i64)
    }

    pub fn seed(&mut self) -> u64 {
        self.values.below(1 << 20) as u64
    }
}

/// Runs `property` on `cases` draws; a failure is reported for the smallest choices that still fail.
#[track_caller]
pub fn for_all(name: &str, cases: u32, property: impl Fn(&mut Draw) -> Result<(), String>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(Default::default()),
    );
    let strategy = (vec(0u16..64, 24), any::<u64>());
    let outcome = runner.run(&strategy, |(choices, seed)| {
        let mut draw = Draw { choices: choices.into_iter(), values: Generator::from_seed(seed) };
        property(&mut draw).map_err(TestCaseError::fail)
    });
    if let Err(error) = outcome {
        panic!("{name}: {error}");
    }
}
