//! Layer normalisation against loops over single elements.

use super::*;

const EPS: f64 = 0.1;

/// Numbers without a pattern, in [-2, 2).
fn numbers(len: usize, seed: usize) -> Vec<f64> {
    (0..len).map(|i| ((i * 7919 + seed * 104_729 + i * i) % 1009) as f64 / 252.25 - 2.0).collect()
}

fn near(got: &[f64], expected: &[f64], what: &str) {
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= 1e-11 * b.abs().max(1.0), "{what}: element {i} is {a}, expected {b}");
    }
}

/// A row's normalised elements and the factor, one by one.
fn naive(row: &[f64]) -> (Vec<f64>, f64) {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let scale = 1.0 / (row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n + EPS).sqrt();
    (row.iter().map(|x| (x - mean) * scale).collect(), scale)
}

#[test]
fn forward_and_backward_agree_with_naive_loops_at_odd_sizes() {
    for width in [1, 3, 15, 16, 17, 63, 65, 1000, 1100] {
        for rows in [1, 3, 4, 9, 300] {
            check(rows, width);
        }
    }
}

fn check(rows: usize, width: usize) {
    let (source, cotangent) = (numbers(rows * width, 1), numbers(rows * width, 2));
    let (weight, bias) = (numbers(width, 3), numbers(width, 4));
    let (mut out, mut statistics) = (vec![f64::NAN; rows * width], vec![f64::NAN; 2 * rows]);
    crate::run::level::dispatch(Normalise {
        source: &source,
        weight: &weight,
        bias: &bias,
        out: &mut out,
        statistics: &mut statistics,
        eps: EPS,
    });
    let mut of_source = vec![f64::NAN; rows * width];
    let (mut of_weight, mut of_bias) = (vec![f64::NAN; width], vec![f64::NAN; width]);
    let both = Both(
        NormaliseBack {
            source: &source,
            weight: &weight,
            cotangent: &cotangent,
            statistics: &statistics,
            out: &mut of_source,
        },
        NormaliseAffine {
            source: &source,
            cotangent: &cotangent,
            statistics: &statistics,
            first: 0,
            width,
            of_weight: &mut of_weight,
            of_bias: &mut of_bias,
        },
    );
    crate::run::level::dispatch(both);
    let (mut for_weight, mut for_bias) = (vec![0.0; width], vec![0.0; width]);
    for r in 0..rows {
        let at = r * width..(r + 1) * width;
        let (normal, scale) = naive(&source[at.clone()]);
        let g = &cotangent[at.clone()];
        let y: Vec<f64> = (0..width).map(|j| normal[j] * weight[j] + bias[j]).collect();
        near(&out[at.clone()], &y, &format!("row {r} of {rows} by {width}"));
        let h: Vec<f64> = (0..width).map(|j| g[j] * weight[j]).collect();
        let level = h.iter().sum::<f64>() / width as f64;
        let along = h.iter().zip(&normal).map(|(h, n)| h * n).sum::<f64>() / width as f64;
        let dx: Vec<f64> = (0..width).map(|j| (h[j] - level - normal[j] * along) * scale).collect();
        near(&of_source[at], &dx, &format!("back to row {r} of {rows} by {width}"));
        (0..width).for_each(|j| for_weight[j] += g[j] * normal[j]);
        (0..width).for_each(|j| for_bias[j] += g[j]);
    }
    near(&of_weight, &for_weight, &format!("the weight for {rows} by {width}"));
    near(&of_bias, &for_bias, &format!("the bias for {rows} by {width}"));
}
