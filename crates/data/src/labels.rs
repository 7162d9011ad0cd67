//! Labels of classes.

use wengert_core::__private::or_refused;
use wengert_core::{Error, Result, Tensor};

use crate::fingerprint::in_order;

/// Labels each of which is one of `0..classes`, or the error that says which is not: what a loss would
/// refuse in the middle of training is refused where the data is read.
///
/// # Errors
/// If a label is outside.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::class_labels;
/// let error = class_labels(Tensor::from([0i64, 2, 3]), 3).unwrap_err().to_string();
/// assert_eq!(error, "class_labels: every label must be in 0..3, got 3 for sample 2");
/// ```
pub fn class_labels(labels: Tensor<i64>, classes: usize) -> Result<Tensor<i64>> {
    let inside = |label: &i64| usize::try_from(*label).is_ok_and(|label| label < classes);
    let all = or_refused("class_labels", || Ok(labels.contiguous()))?;
    let outside = in_order(&all).iter().enumerate().find(|(_, label)| !inside(label));
    match outside {
        None => Ok(labels),
        Some((place, label)) => {
            let sample = place / labels.shape().iter().skip(1).product::<usize>().max(1);
            let got = format!("{label} for sample {sample}");
            Err(Error::argument("class_labels", "every label", format!("in 0..{classes}"), got))
        }
    }
}
