//! Derivatives by finite differences.
//!
//! The first estimate is a central difference, whose error is `h^2 f'''/6` from the formula and some `eps f/h` from rounding;
//! with `h` the cube root of eps (6e-6) of the element's size both come to about 1e-10 of the function. That settles nearly
//! every element at two calls. Where it disagrees with the tape, differences of fourth order (error `h^4 f'''''/30`)
//! are taken at seven steps from 1/32 of the element's size down, each a quarter of the last: two neighbouring ones that
//! agree best are the answer, and how far they are apart is its uncertainty. Neither looks at the tape's derivative.

/// A derivative by differences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate {
    pub value: f64,
    pub uncertainty: f64,
}

/// The size that steps are a part of: the elements' own, but not next to nothing where they are zero.
pub(crate) fn scale(largest: f64) -> f64 {
    if largest.is_finite() { largest.max(0.0625) } else { 1.0 }
}

/// The derivative in `t` at 0 of each number that `at` gives, by one central difference of step `h`.
pub(crate) fn central<E>(at: &mut impl FnMut(f64) -> Result<Vec<f64>, E>, h: f64) -> Result<Vec<f64>, E> {
    let (above, below) = (at(h)?, at(-h)?);
    Ok(above.iter().zip(&below).map(|(a, b)| (a - b) / (2.0 * h)).collect())
}

/// The same by steps of different sizes, each number with how well the steps agree on it.
pub(crate) fn careful<E>(
    at: &mut impl FnMut(f64) -> Result<Vec<f64>, E>,
    scale: f64,
) -> Result<Vec<Estimate>, E> {
    let mut h = scale / 32.0;
    let mut last = fourth_order(at, h)?;
    let mut best: Vec<Estimate> =
        last.iter().map(|&value| Estimate { value, uncertainty: f64::INFINITY }).collect();
    for _ in 1..7 {
        h /= 4.0;
        let next = fourth_order(at, h)?;
        for ((best, &before), &value) in best.iter_mut().zip(&last).zip(&next) {
            let uncertainty = (value - before).abs();
            if uncertainty < best.uncertainty {
                *best = Estimate { value, uncertainty };
            }
        }
        last = next;
    }
    Ok(best)
}

fn fourth_order<E>(at: &mut impl FnMut(f64) -> Result<Vec<f64>, E>, h: f64) -> Result<Vec<f64>, E> {
    let [a, b, c, d] = [at(-2.0 * h)?, at(-h)?, at(h)?, at(2.0 * h)?];
    Ok((0..a.len()).map(|i| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * h)).collect())
}
