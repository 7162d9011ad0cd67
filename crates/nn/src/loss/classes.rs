//! Targets that are classes.

use wengert_core::{Error, Float, Result, Tensor};

use super::counted::{Common, Counted};
use super::{IGNORE, elements, place};

/// The rows of a call with their classes.
#[derive(Debug)]
pub struct CountedRows<T: Float> {
    /// The rows that count, without the weights of classes.
    pub counted: Counted<T>,
    /// The class of each row, [`IGNORE`] where it does not count.
    pub targets: Tensor<i64>,
    /// The weight of the class of each row, 0 where the row does not; none where all count once.
    pub by_class: Option<Tensor<T>>,
}

/// Refuses weights that are not one for each class.
pub fn check_class_weight<T: Float>(
    loss: &'static str,
    weight: Option<&Tensor<T>>,
    classes: usize,
) -> Result<()> {
    match weight {
        Some(weight) if weight.shape() != [classes] => {
            let expected = format!("a class_weight of shape [{classes}]");
            Err(Error::shape(loss, expected, format!("{:?}", weight.shape())))
        }
        _ => Ok(()),
    }
}

/// Logits, or log-probabilities, whose last axis is that of the classes, of which there is one.
pub fn check_input(loss: &'static str, what: &str, shape: &[usize]) -> Result<usize> {
    match shape.last() {
        None => Err(Error::shape(loss, format!("{what} (N, C)"), "a scalar")),
        Some(0) => Err(Error::shape(loss, format!("{what} with at least one class"), format!("{shape:?}"))),
        Some(&classes) => Ok(classes),
    }
}

impl<T: Float> CountedRows<T> {
    /// The classes of rows of `shape`, the last axis of which is that of the classes, looked at where they
    /// count.
    pub fn of(
        (loss, what): (&'static str, &str),
        common: &Common<T>,
        (class_weight, ignored): (Option<&Tensor<T>>, i64),
        shape: &[usize],
        targets: &Tensor<i64>,
    ) -> Result<Self> {
        let classes = check_input(loss, what, shape)?;
        let leading = &shape[..shape.len() - 1];
        if leading != targets.shape() {
            let expected = format!("targets of shape {leading:?} for {what} {shape:?}");
            return Err(Error::shape(loss, expected, format!("{:?}", targets.shape())));
        }
        check_class_weight(loss, class_weight, classes)?;
        let mut counted = common.over(loss, leading)?;
        let kept = match checked(loss, &counted, targets, classes, ignored)? {
            None => targets.clone(),
            Some(kept) => {
                counted.keep(&kept.map(|target| target != IGNORE))?;
                kept
            }
        };
        let by_class = class_weight.map(|weight| of_classes(weight, &kept));
        Ok(CountedRows { counted, targets: kept, by_class })
    }
}

/// The targets with [`IGNORE`] for those that do not count; none where all do.
fn checked<T: Float>(
    loss: &'static str,
    counted: &Counted<T>,
    targets: &Tensor<i64>,
    classes: usize,
    ignored: i64,
) -> Result<Option<Tensor<i64>>> {
    let is_class = |target: i64| usize::try_from(target).is_ok_and(|class| class < classes);
    let (mut bad, mut kept) = (None, None);
    elements(targets, |all| {
        counted.weight_of(|weight| {
            let counts = |at: usize| all[at] != ignored && weight(at) > 0.0;
            bad = (0..all.len()).find(|&at| counts(at) && !is_class(all[at])).map(|at| (all[at], at));
            let or_ignored = |(at, &target): (usize, &i64)| if counts(at) { target } else { IGNORE };
            let some_out = !(0..all.len()).all(counts);
            kept = some_out.then(|| all.iter().enumerate().map(or_ignored).collect::<Vec<_>>());
        });
    });
    if let Some((target, at)) = bad {
        let expected = format!("in 0..{classes}, or {ignored} to be ignored");
        let got = format!("{target} at {}", place(targets.shape(), at));
        return Err(Error::argument(loss, "every target", expected, got));
    }
    kept.map(|kept| Tensor::from_vec(kept, targets.shape())).transpose()
}

/// The weight of each target's class, 0 for none.
fn of_classes<T: Float>(weight: &Tensor<T>, targets: &Tensor<i64>) -> Tensor<T> {
    elements(weight, |weights| {
        targets.map(|target| usize::try_from(target).map_or(T::from_f64(0.0), |class| weights[class]))
    })
}
