//! Which losses count, by how much, and what becomes of them.

use wengert_core::__private::room_for;
use wengert_core::{Element, Error, Float, Result, Tensor, Variable};

use super::{Reduction, elements, place};

/// The largest weights that a mean takes as they are.
const ORDINARY: std::ops::Range<f64> = 1e-9..1e9;

/// The options that every loss has.
#[derive(Clone, Debug)]
pub struct Common<T: Float> {
    pub reduction: Reduction,
    pub weight: Option<Tensor<T>>,
    pub mask: Option<Tensor<bool>>,
}

impl<T: Float> Default for Common<T> {
    fn default() -> Self {
        Common { reduction: Reduction::default(), weight: None, mask: None }
    }
}

/// The losses of one call: which of them count, and by how much.
#[derive(Debug)]
pub struct Counted<T: Float> {
    reduction: Reduction,
    shape: Vec<usize>,
    /// Of the losses' shape, 0 for those that do not count; none where all of them count once.
    weights: Option<Tensor<T>>,
    /// Where none counts; none where all do.
    out: Option<Tensor<bool>>,
    /// In what a mean takes the weights.
    unit: f64,
    /// What the mean divides by, in that unit.
    total: f64,
}

/// A tensor over the leading axes of `shape`, for each of its elements.
fn spread<V: Element>(
    loss: &'static str,
    what: &str,
    tensor: &Tensor<V>,
    shape: &[usize],
) -> Result<Tensor<V>> {
    let own = tensor.shape();
    let fits = own.len() <= shape.len() && own.iter().zip(shape).all(|(&a, &b)| a == b || a == 1);
    if !fits {
        let expected = format!("a {what} over the leading axes of the losses {shape:?}");
        return Err(Error::shape(loss, expected, format!("{own:?}")));
    }
    let mut padded = own.to_vec();
    padded.resize(shape.len(), 1);
    tensor.reshape(&padded)?.expand(shape)
}

impl<T: Float> Common<T> {
    /// The weights of losses of this shape.
    pub fn over(&self, loss: &'static str, shape: &[usize]) -> Result<Counted<T>> {
        room_for::<T>(loss, shape)?;
        let total = shape.iter().product::<usize>() as f64;
        let (reduction, shape) = (self.reduction, shape.to_vec());
        let mut counted = Counted { reduction, shape, weights: None, out: None, unit: 1.0, total };
        if let Some(weight) = &self.weight {
            check_weights(loss, weight)?;
            counted.weigh(spread(loss, "weight", weight, &counted.shape)?)?;
        }
        if let Some(mask) = &self.mask {
            counted.keep(&spread(loss, "mask", mask, &counted.shape)?)?;
        }
        Ok(counted)
    }
}

/// Refuses a weight that is negative or no finite number.
fn check_weights<T: Float>(loss: &'static str, weight: &Tensor<T>) -> Result<()> {
    elements(weight, |all| {
        let fits = |value: f64| value >= 0.0 && value.is_finite();
        match all.iter().position(|value| !fits(value.to_f64())) {
            None => Ok(()),
            Some(at) => {
                let got = format!("{} at {}", all[at].to_f64(), place(weight.shape(), at));
                Err(Error::argument(loss, "every weight", "finite and at least 0", got))
            }
        }
    })
}

impl<T: Float> Counted<T> {
    /// Each loss counts by one of these more, of the losses' shape.
    pub fn weigh(&mut self, weights: Tensor<T>) -> Result<()> {
        let weights = match self.weights.take() {
            None => weights,
            Some(before) => before.zip(&weights, |a, b| T::from_f64(a.to_f64() * b.to_f64()))?,
        };
        let (mut some_out, unit) = (false, unit_of(&weights));
        self.unit = unit;
        self.total = elements(&weights, |all| {
            let numbers = all.iter().map(|weight| weight.to_f64());
            numbers.inspect(|&weight| some_out |= weight == 0.0).map(|weight| weight / unit).sum()
        });
        self.out = some_out.then(|| weights.map(|weight| weight.to_f64() == 0.0));
        self.weights = Some(weights);
        Ok(())
    }

    /// Leaves out the losses for which `mask`, of their shape, does not hold.
    pub fn keep(&mut self, mask: &Tensor<bool>) -> Result<()> {
        if elements(mask, |all| all.iter().all(|&kept| kept)) {
            return Ok(());
        }
        self.weigh(mask.map(|kept| T::from_f64(f64::from(u8::from(kept)))))
    }

    /// The mean divides by the sum of these, of the losses' shape, each times what its loss counts by.
    pub fn divide_by_weighted(&mut self, factors: &Tensor<T>) {
        let mut total = 0.0;
        elements(factors, |all| {
            self.weight_of(|weight| {
                let units = |at: usize| weight(at) / self.unit;
                total = all.iter().enumerate().map(|(at, factor)| factor.to_f64() * units(at)).sum();
            });
        });
        self.total = total;
    }

    /// The weight of each loss, in row-major order.
    pub fn weight_of(&self, read: impl FnOnce(&dyn Fn(usize) -> f64)) {
        match &self.weights {
            None => read(&|_| 1.0),
            Some(weights) => elements(weights, |all| read(&|at| all[at].to_f64())),
        }
    }

    /// `x`, whose leading axes are those of the losses, with `value` where none counts.
    ///
    /// What stands there passes nothing on and gets nothing back.
    #[track_caller]
    pub fn filled(&self, x: &Variable<T>, value: f64) -> Variable<T> {
        match &self.out {
            None => x.clone(),
            Some(out) => {
                let mut shape = self.shape.clone();
                shape.resize(x.rank().max(shape.len()), 1);
                x.masked_fill(&out.reshape(&shape).expect("axes of extent 1 added"), value)
            }
        }
    }

    /// Refuses an element that counts and does not fit; `x` has the shape of the losses.
    pub fn check(
        &self,
        loss: &'static str,
        argument: &'static str,
        expected: &str,
        x: &Variable<T>,
        fits: impl Fn(f64) -> bool,
    ) -> Result<()> {
        let bad = elements(&x.value(), |all| {
            let mut bad = None;
            self.weight_of(|weight| {
                let found = (0..all.len()).find(|&at| !fits(all[at].to_f64()) && weight(at) > 0.0);
                bad = found.map(|at| format!("{} at {}", all[at].to_f64(), place(x.shape(), at)));
            });
            bad
        });
        bad.map_or(Ok(()), |got| Err(Error::argument(loss, argument, expected, got)))
    }

    /// The losses as the reduction wants them; they are finite where none counts.
    #[track_caller]
    pub fn reduce(&self, losses: Variable<T>) -> Variable<T> {
        let losses = match &self.weights {
            None => losses,
            Some(weights) if self.reduction == Reduction::Mean && self.unit != 1.0 => {
                losses * &in_units(weights, self.unit)
            }
            Some(weights) => losses * weights,
        };
        match self.reduction {
            Reduction::None => losses,
            Reduction::Sum => losses.sum(),
            Reduction::Mean if self.total == 0.0 => losses.sum() * 0.0,
            Reduction::Mean => losses.sum() * (1.0 / self.total),
        }
    }
}

/// The unit in which a mean counts these weights: 1, or the largest where it is so small or large that sums
/// of weights and their reciprocals may leave the range of numbers.
pub fn unit_of<T: Float>(weights: &Tensor<T>) -> f64 {
    let largest = elements(weights, |all| all.iter().map(|weight| weight.to_f64()).fold(0.0, f64::max));
    if largest == 0.0 || ORDINARY.contains(&largest) { 1.0 } else { largest }
}

/// Weights by a unit.
pub fn in_units<T: Float>(weights: &Tensor<T>, unit: f64) -> Tensor<T> {
    weights.map(|weight| T::from_f64(weight.to_f64() / unit))
}
