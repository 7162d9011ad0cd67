//! Random shapes, layouts and values for operations of any element type.

use std::ops::RangeInclusive;

use wengert_check::{Draw, Property, broadcasts_to, shapes, tensor};
use wengert_core::{Float, Tensor};

/// Where an argument's elements come from.
#[derive(Clone, Copy, Debug)]
pub enum Domain {
    /// `[-3, 3]` but for a tenth on both sides of 0.
    NonZero,
    /// The interval.
    Range(f64, f64),
    /// Multiples of 1/5, shifted: two arguments with different shifts are never close to each other.
    Grid(f64),
    /// Numbers that are all different, by 1/4.
    Distinct,
}

/// What the tests of operations draw.
pub trait More {
    /// A shape of a rank in `ranks`, of at most some hundred elements; extents are mostly small, rarely 0.
    fn shape(&mut self, ranks: RangeInclusive<usize>) -> Vec<usize>;

    /// A shape without empty axes.
    fn full_shape(&mut self, ranks: RangeInclusive<usize>) -> Vec<usize>;

    /// A shape of the rank.
    fn shape_of_rank(&mut self, rank: usize) -> Vec<usize>;

    /// An extent, 0 included.
    fn extent(&mut self) -> usize;

    /// An extent of 1 to 4.
    fn positive_extent(&mut self) -> usize;

    /// A shape that broadcasts to `shape`: axes missing in front, or of extent 1.
    fn broadcasts_to(&mut self, shape: &[usize]) -> Vec<usize>;

    /// An axis of a tensor of this rank, counted from the front or the back; and from the front.
    fn axis(&mut self, rank: usize) -> (isize, usize);

    /// Some axes, in any order; none stands for all.
    fn axes(&mut self, rank: usize) -> (Vec<isize>, Vec<usize>);

    /// A tensor of the shape, whose elements lie in order or in one of the other ways that views make.
    fn tensor<T: Float>(&mut self, shape: &[usize], domain: Domain) -> Tensor<T>;

    /// Indices in `0..extent` of the shape.
    fn indices(&mut self, shape: &[usize], extent: usize) -> Tensor<i64>;

    fn seed(&mut self) -> u64;
}

impl More for Draw {
    fn shape(&mut self, ranks: RangeInclusive<usize>) -> Vec<usize> {
        let rank = self.draw(ranks);
        self.shape_of_rank(rank)
    }

    fn full_shape(&mut self, ranks: RangeInclusive<usize>) -> Vec<usize> {
        self.draw(shapes(ranks, 1..=4))
    }

    fn shape_of_rank(&mut self, rank: usize) -> Vec<usize> {
        let mut count = 1;
        let mut extents = vec![1; rank];
        for extent in &mut extents {
            *extent = if count > 40 { 1 } else { self.extent() };
            count *= (*extent).max(1);
        }
        extents
    }

    fn extent(&mut self) -> usize {
        *self.one_of(&[1, 2, 3, 4, 2, 3, 1, 0])
    }

    fn positive_extent(&mut self) -> usize {
        1 + self.below(4)
    }

    fn broadcasts_to(&mut self, shape: &[usize]) -> Vec<usize> {
        self.draw(broadcasts_to(shape))
    }

    fn axis(&mut self, rank: usize) -> (isize, usize) {
        let axis = self.below(rank);
        (named(axis, rank, self.coin()), axis)
    }

    fn axes(&mut self, rank: usize) -> (Vec<isize>, Vec<usize>) {
        let mut axes: Vec<usize> = (0..rank).filter(|_| self.coin()).collect();
        if self.coin() {
            axes.reverse();
        }
        let names = axes.iter().map(|&axis| named(axis, rank, self.coin())).collect();
        (names, if axes.is_empty() { (0..rank).collect() } else { axes })
    }

    fn tensor<T: Float>(&mut self, shape: &[usize], domain: Domain) -> Tensor<T> {
        let rank = shape.len();
        if rank == 0 {
            return values(self, shape, domain);
        }
        let (axis, other, kind) = (self.below(rank), self.below(rank), self.below(6));
        let dim = axis as isize;
        let mut base = shape.to_vec();
        match kind {
            1 | 2 => {
                base.swap(axis, other);
                values(self, &base, domain).transpose(dim, other as isize).unwrap()
            }
            3 => {
                base[axis] += 2;
                values(self, &base, domain).narrow(dim, 1, shape[axis]).unwrap()
            }
            4 => {
                base[axis] *= 2;
                values(self, &base, domain).slice(dim, 0, base[axis], 2).unwrap()
            }
            // Repeated elements are not distinct.
            5 if !matches!(domain, Domain::Distinct) => {
                base[axis] = 1;
                values(self, &base, domain).expand(shape).unwrap()
            }
            _ => values(self, shape, domain),
        }
    }

    fn indices(&mut self, shape: &[usize], extent: usize) -> Tensor<i64> {
        Tensor::from_fn(shape, |_| self.below(extent) as i64)
    }

    fn seed(&mut self) -> u64 {
        self.below(1 << 20) as u64
    }
}

fn named(axis: usize, rank: usize, from_the_back: bool) -> isize {
    if from_the_back { axis as isize - rank as isize } else { axis as isize }
}

fn values<T: Float>(draw: &mut Draw, shape: &[usize], domain: Domain) -> Tensor<T> {
    let all = tensor(shape.to_vec()).contiguous();
    let drawn = match domain {
        Domain::NonZero => draw.draw(all.away_from(&[0.0], 0.1)),
        Domain::Range(low, high) => draw.draw(all.within(low, high)),
        Domain::Grid(shift) => draw.draw(all.within(-10.0, 10.0)).map(|x| x.round() / 5.0 + shift),
        Domain::Distinct => draw.draw(all.distinct()),
    };
    drawn.cast()
}

/// Runs `property` on `cases` draws; a failure is reported for the smallest one that still fails.
#[track_caller]
pub fn for_all(name: &str, cases: u32, property: impl Fn(&mut Draw) -> Result<(), String> + Clone) {
    if let Err(text) = Property::new().cases(cases).for_all(property) {
        panic!("{name}: {text}");
    }
}
