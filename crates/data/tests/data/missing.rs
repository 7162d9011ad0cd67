use proptest::prelude::*;
use wengert_core::Tensor;
use wengert_data::{ObservationOptions, observations};

use super::{config, refused};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn values_masks_and_gaps_are_those_of_their_definition(
        cells in prop::collection::vec((any::<bool>(), -9i8..9), 1..40),
        (batch, columns) in (1usize..3, 1usize..3),
        waits in prop::collection::vec(0u8..5, 40),
    ) {
        let (row, steps) = (batch * columns, cells.len() / (batch * columns));
        prop_assume!(steps > 0);
        let value = |t: usize, i: usize| {
            let (there, x) = cells[t * row + i];
            if there { f64::from(x) } else { f64::NAN }
        };
        let series = Tensor::from_fn([steps, batch, columns], |i| value(i / row, i % row));
        let time = |t: usize| waits[..t].iter().map(|&wait| f64::from(wait) / 4.0).sum();
        let times: Vec<f64> = (0..steps).map(time).collect();
        let initial: Vec<f64> = (0..columns).map(|column| 100.0 + column as f64).collect();
        let options = ObservationOptions::default().times(times.clone()).initial(initial.clone());
        let seen = observations(&series, options).unwrap();
        for t in 0..steps {
            for i in 0..row {
                let at = [t, i / columns, i % columns];
                let earlier: Vec<usize> = (0..=t).filter(|&s| !value(s, i).is_nan()).collect();
                let expected = earlier.last().map_or(initial[i % columns], |&s| value(s, i));
                prop_assert_eq!(seen.values.at(&at), expected);
                prop_assert_eq!(seen.mask.at(&at), !value(t, i).is_nan());
                // Since the last observation before this step, or since the first step.
                let since = (0..t).rev().find(|&s| !value(s, i).is_nan()).unwrap_or(0);
                prop_assert_eq!(seen.gaps.at(&at), times[t] - times[since]);
            }
        }
    }
}

#[test]
fn a_series_without_columns_is_one_column() {
    let seen = observations(&Tensor::from([1.0f32, f32::NAN]), ObservationOptions::default()).unwrap();
    assert_eq!((seen.values.to_vec(), seen.mask.shape()), (vec![1.0, 1.0], &[2][..]));
}

#[test]
fn what_does_not_fit_a_series_is_refused() {
    let series = Tensor::<f32>::zeros([3, 2]);
    let with = |options| refused(observations(&series, options));
    let default = ObservationOptions::default;
    assert_eq!(
        with(default().times(vec![0.0, 1.0])),
        "observations: times must be 3, one for each step, got 2"
    );
    assert_eq!(
        with(default().times(vec![0.0, 2.0, 1.5])),
        "observations: times must be not falling, got 1.5 behind 2 at step 2"
    );
    assert_eq!(
        with(default().times(vec![0.0, f64::NAN, 1.5])),
        "observations: every time must be finite, got NaN"
    );
    assert_eq!(
        with(default().initial(vec![0.0])),
        "observations: initial must be 2 values, one for each column, got 1"
    );
    assert_eq!(
        refused(observations(&Tensor::scalar(1.0f32), default())),
        "observations: expected a series of at least 1 axis, got a scalar"
    );
}
