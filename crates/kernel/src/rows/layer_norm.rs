//! Layer normalisation of rows, and its way back.

#[cfg(test)]
mod tests;

use crate::number::Arithmetic;
use crate::real::Lane;
use crate::rows::lanes::{self, ROWS_OF_GROUP, Tree, WIDE, WIDE_CHUNK};
use crate::run::divide::{Divisible, cut, cut_mut, dispatch_shared, is_shared};
use crate::run::level::{Kernel, dispatch};

/// `(x - mean) / sqrt(variance + eps) * weight + bias` of each row, as wide as the weight; the variance
/// biased.
pub struct Normalise<'a, T> {
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The factor of each column.
    pub weight: &'a [T],
    /// The term of each column.
    pub bias: &'a [T],
    /// The elements that are written: the normalised rows.
    pub out: &'a mut [T],
    /// The mean of each row, and the factor `1 / sqrt(variance + eps)`.
    pub statistics: &'a mut [T],
    /// The number that is added to the variance.
    pub eps: f64,
}

impl<T: Arithmetic> Kernel<T> for Normalise<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let Normalise { source, weight, bias, out, statistics, eps } = self;
        let width = weight.len();
        if width == 0 {
            return;
        }
        let rows = source.chunks_exact(width).zip(out.chunks_exact_mut(width));
        for ((row, out), statistics) in rows.zip(statistics.as_chunks_mut::<2>().0) {
            let (mean, variance) = lanes::moments::<T, N>(row);
            let scale = T::from_f64(1.0 / (variance + eps).sqrt());
            *statistics = [mean, scale];
            for ((y, &x), (&w, &b)) in out.iter_mut().zip(row).zip(weight.iter().zip(bias)) {
                *y = N::wrap((x - mean) * scale).mul_add(N::wrap(w), N::wrap(b)).unwrap();
            }
        }
    }
}

impl<T: Arithmetic> Divisible for Normalise<'_, T> {
    fn rows(&self) -> usize {
        self.statistics.len() / 2
    }

    fn numbers(&self) -> usize {
        6 * self.source.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let Normalise { source, weight, bias, out, statistics, eps } = self;
        let (source, out) = (cut(source, rows, weight.len()), cut_mut(out, rows, weight.len()));
        let statistics = cut_mut(statistics, rows, 2);
        (
            Normalise { source: source.0, weight, bias, out: out.0, statistics: statistics.0, eps },
            Normalise { source: source.1, weight, bias, out: out.1, statistics: statistics.1, eps },
        )
    }
}

/// The cotangent of [`Normalise`]'s source from that of its result `g`: `(h - mean(h) - normal mean(h
/// normal)) scale`, where `h = g weight`.
pub struct NormaliseBack<'a, T> {
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The factor of each column.
    pub weight: &'a [T],
    /// The cotangent of the result.
    pub cotangent: &'a [T],
    /// The numbers that the way forth kept of each row.
    pub statistics: &'a [T],
    /// The elements that are written: the cotangent of the source.
    pub out: &'a mut [T],
}

impl<T: Arithmetic> Divisible for NormaliseBack<'_, T> {
    fn rows(&self) -> usize {
        self.statistics.len() / 2
    }

    fn numbers(&self) -> usize {
        7 * self.out.len()
    }

    fn split_at(self, rows: usize) -> (Self, Self) {
        let NormaliseBack { source, weight, cotangent, statistics, out } = self;
        let (source, cotangent) = (cut(source, rows, weight.len()), cut(cotangent, rows, weight.len()));
        let (out, statistics) = (cut_mut(out, rows, weight.len()), cut(statistics, rows, 2));
        (
            NormaliseBack {
                source: source.0,
                weight,
                cotangent: cotangent.0,
                statistics: statistics.0,
                out: out.0,
            },
            NormaliseBack {
                source: source.1,
                weight,
                cotangent: cotangent.1,
                statistics: statistics.1,
                out: out.1,
            },
        )
    }
}

/// The cotangents of [`Normalise`]'s weight and bias from that of its result `g`: `g normal` and `g`, summed
/// over all rows in the order of a [`Tree`].
pub struct NormaliseAffine<'a, T> {
    /// The elements that are read, rows one behind the other.
    pub source: &'a [T],
    /// The cotangent of the result.
    pub cotangent: &'a [T],
    /// The numbers that the way forth kept of each row.
    pub statistics: &'a [T],
    /// The first of these columns, of rows of `width`.
    pub first: usize,
    /// The elements of a row.
    pub width: usize,
    /// The cotangent of the weight.
    pub of_weight: &'a mut [T],
    /// The cotangent of the bias.
    pub of_bias: &'a mut [T],
}

impl<T: Arithmetic> Divisible for NormaliseAffine<'_, T> {
    fn rows(&self) -> usize {
        self.of_weight.len()
    }

    fn numbers(&self) -> usize {
        3 * self.of_weight.len() * self.statistics.len() / 2
    }

    fn split_at(self, columns: usize) -> (Self, Self) {
        let (of_weight, of_bias) = (self.of_weight.split_at_mut(columns), self.of_bias.split_at_mut(columns));
        let others = self.first + columns;
        (
            NormaliseAffine { of_weight: of_weight.0, of_bias: of_bias.0, ..self },
            NormaliseAffine { of_weight: of_weight.1, of_bias: of_bias.1, first: others, ..self },
        )
    }
}

/// Rows whose terms of a column are added up before they join its sum, which is read and written the less
/// often.
const TOGETHER: usize = 4;

impl<T: Arithmetic> Kernel<T> for NormaliseAffine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        self.sum::<N>(None);
    }
}

/// Both ways back by one thread: a few rows, which are near then, go through the one and the other.
struct Both<'a, T>(NormaliseBack<'a, T>, NormaliseAffine<'a, T>);

impl<T: Arithmetic> Kernel<T> for Both<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(self) {
        let Both(mut back, affine) = self;
        affine.sum::<N>(Some(&mut back));
    }
}

/// Runs what there is of both ways back.
pub fn back<T: Arithmetic>(
    of_source: Option<NormaliseBack<'_, T>>,
    of_affine: Option<NormaliseAffine<'_, T>>,
) {
    match (of_source, of_affine) {
        (Some(source), Some(affine)) if !is_shared(&source) && !is_shared(&affine) => {
            dispatch(Both(source, affine));
        }
        (of_source, of_affine) => {
            of_affine.into_iter().for_each(dispatch_shared);
            of_source.into_iter().for_each(dispatch_shared);
        }
    }
}

impl<T: Arithmetic> NormaliseAffine<'_, T> {
    /// The sums over all rows; `back` takes the rows of each step meanwhile.
    #[inline(always)]
    fn sum<N: Lane<T>>(mut self, mut back: Option<&mut NormaliseBack<'_, T>>) {
        let (of_weight, of_bias) = (std::mem::take(&mut self.of_weight), std::mem::take(&mut self.of_bias));
        let rows = self.statistics.len() / 2;
        let mut trees = [Tree::new(), Tree::new()];
        of_weight.fill(T::ZERO);
        of_bias.fill(T::ZERO);
        let mut r = 0;
        while r < rows {
            if r > 0 && r % ROWS_OF_GROUP == 0 {
                trees[0].push(of_weight);
                trees[1].push(of_bias);
                of_weight.fill(T::ZERO);
                of_bias.fill(T::ZERO);
            }
            // A group of rows is a whole number of times those that go together.
            let start = r;
            if rows - r >= TOGETHER {
                self.add_rows::<N, TOGETHER>(r, of_weight, of_bias);
                r += TOGETHER;
            } else {
                self.add_rows::<N, 1>(r, of_weight, of_bias);
                r += 1;
            }
            if let Some(back) = &mut back {
                back.rows_from::<N>(start, r);
            }
        }
        trees[0].finish(of_weight);
        trees[1].finish(of_bias);
    }

    /// Adds the terms of `R` rows from row `r` on.
    #[inline(always)]
    fn add_rows<N: Lane<T>, const R: usize>(&self, r: usize, of_weight: &mut [T], of_bias: &mut [T]) {
        let columns = of_weight.len();
        let mut x: [&[T]; R] = [&[]; R];
        let mut g: [&[T]; R] = [&[]; R];
        let mut statistics = [[T::ZERO; 2]; R];
        for k in 0..R {
            let start = (r + k) * self.width + self.first;
            let at = start..start + columns;
            x[k] = &self.source[at.clone()];
            g[k] = &self.cotangent[at];
            statistics[k] = [self.statistics[2 * (r + k)], self.statistics[2 * (r + k) + 1]];
        }
        let of_bias = &mut of_bias[..columns];
        for j in 0..columns {
            let mut weight = N::lit(0.0);
            let mut bias = T::ZERO;
            for k in 0..R {
                let [mean, scale] = statistics[k];
                weight = N::wrap(g[k][j]).mul_add(N::wrap((x[k][j] - mean) * scale), weight);
                bias = bias + g[k][j];
            }
            of_weight[j] = of_weight[j] + weight.unwrap();
            of_bias[j] = of_bias[j] + bias;
        }
    }
}

impl<T: Arithmetic> Kernel<T> for NormaliseBack<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<N: Lane<T>>(mut self) {
        let rows = self.statistics.len() / 2;
        self.rows_from::<N>(0, rows);
    }
}

impl<T: Arithmetic> NormaliseBack<'_, T> {
    /// Rows `start` to `end`.
    #[inline(always)]
    fn rows_from<N: Lane<T>>(&mut self, start: usize, end: usize) {
        let width = self.weight.len();
        if width == 0 {
            return;
        }
        let at = start * width..end * width;
        let rows =
            self.source[at.clone()].chunks_exact(width).zip(self.cotangent[at.clone()].chunks_exact(width));
        let statistics = self.statistics[2 * start..2 * end].as_chunks::<2>().0;
        for ((row, g), (&[mean, scale], out)) in
            rows.zip(statistics.iter().zip(self.out[at].chunks_exact_mut(width)))
        {
            let sums = sums_along::<T, N>(row, g, self.weight, mean, scale);
            let level = N::wrap(T::from_f64(sums[0] / width as f64));
            let along = N::wrap(T::from_f64(sums[1] / width as f64));
            for ((y, &x), (&g, &w)) in out.iter_mut().zip(row).zip(g.iter().zip(self.weight)) {
                let off = N::wrap((x - mean) * scale).mul_add(along, level);
                *y = N::wrap(g).mul_add(N::wrap(w), -off).unwrap() * scale;
            }
        }
    }
}

/// The sums of `h` and of `h normal` along a row.
#[inline(always)]
fn sums_along<T: Arithmetic, N: Lane<T>>(row: &[T], g: &[T], weight: &[T], mean: T, scale: T) -> [f64; 2] {
    let mut totals = [0.0; 2];
    for ((row, g), weight) in row.chunks(WIDE_CHUNK).zip(g.chunks(WIDE_CHUNK)).zip(weight.chunks(WIDE_CHUNK))
    {
        let mut level = [T::ZERO; WIDE];
        let mut along = [T::ZERO; WIDE];
        for ((row, g), weight) in row.chunks(WIDE).zip(g.chunks(WIDE)).zip(weight.chunks(WIDE)) {
            let sums = level.iter_mut().zip(&mut along);
            for ((level, along), (&x, (&g, &w))) in sums.zip(row.iter().zip(g.iter().zip(weight))) {
                let h = g * w;
                *level = *level + h;
                *along = N::wrap(h).mul_add(N::wrap((x - mean) * scale), N::wrap(*along)).unwrap();
            }
        }
        totals[0] += lanes::folded_wide(&level);
        totals[1] += lanes::folded_wide(&along);
    }
    totals
}
