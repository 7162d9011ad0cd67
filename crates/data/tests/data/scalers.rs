use proptest::prelude::*;
use wengert_core::{Stateful, Tensor, TensorMap, Variable};
use wengert_data::Scaler;

use super::{config, refused};

type Fit = fn(&Tensor<f64>) -> wengert_core::Result<Scaler>;
const FITS: [Fit; 3] = [Scaler::standard, Scaler::min_max, Scaler::robust];

/// Rows of two columns, some values missing.
fn rows() -> impl Strategy<Value = Vec<Option<f64>>> {
    let value = prop_oneof![4 => (-50.0f64..50.0).prop_map(Some), 1 => Just(None)];
    prop::collection::vec(value, 2..40).prop_map(|mut values| {
        values.truncate(values.len() / 2 * 2);
        values
    })
}

fn table(values: &[Option<f64>]) -> Tensor<f64> {
    let elements = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    Tensor::from_vec(elements, [values.len() / 2, 2]).unwrap()
}

/// What there is in a column.
fn column(values: &[Option<f64>], column: usize) -> Vec<f64> {
    values.iter().skip(column).step_by(2).filter_map(|value| *value).collect()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + b.abs())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_transformed_and_inverted_is_what_it_was(values in rows(), others in rows()) {
        prop_assume!((0..2).all(|c| !column(&values, c).is_empty()));
        for fit in FITS {
            let scaler = fit(&table(&values)).unwrap();
            for x in [table(&values), table(&others)] {
                let scaled = scaler.transform(&x).unwrap();
                let back = scaler.inverse_transform(&scaled).unwrap().to_vec();
                for ((a, b), s) in back.iter().zip(x.to_vec()).zip(scaled.to_vec()) {
                    let both = a.is_nan() && s.is_nan();
                    prop_assert!(both == b.is_nan() && (both || near(*a, b)));
                }
                let variable = scaler.transform(&Variable::new(x)).unwrap();
                for (a, b) in variable.to_vec().into_iter().zip(scaled.to_vec()) {
                    prop_assert!(near(a, b) || a.is_nan() && b.is_nan());
                }
                let back = scaler.inverse_transform(&variable).unwrap().to_vec();
                prop_assert!(back.iter().zip(scaler.inverse_transform(&scaled).unwrap().to_vec())
                    .all(|(&a, b)| near(a, b) || a.is_nan() && b.is_nan()));
            }
        }
    }

    #[test]
    fn columns_have_the_scale_that_they_are_to_have(values in rows()) {
        prop_assume!((0..2).all(|c| !column(&values, c).is_empty()));
        let scaled = FITS.map(|fit| fit(&table(&values)).unwrap().transform(&table(&values)).unwrap());
        for c in 0..2 {
            let [standard, min_max, robust] = scaled.each_ref().map(|x| {
                let elements: Vec<Option<f64>> = x.to_vec().into_iter().map(Some).collect();
                column(&elements, c).into_iter().filter(|x| !x.is_nan()).collect::<Vec<_>>()
            });
            let count = standard.len() as f64;
            let constant = column(&values, c).iter().all(|x| *x == column(&values, c)[0]);
            prop_assert!((standard.iter().sum::<f64>() / count).abs() < 1e-9);
            let variance = standard.iter().map(|x| x * x).sum::<f64>() / count;
            prop_assert!(near(variance, f64::from(u8::from(!constant))));
            let least = min_max.iter().copied().fold(f64::INFINITY, f64::min);
            let most = min_max.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            prop_assert!(least == 0.0 && near(most, f64::from(u8::from(!constant))));
            // As many on either side of the median.
            let below = robust.iter().filter(|x| **x < -1e-12).count();
            let above = robust.iter().filter(|x| **x > 1e-12).count();
            prop_assert!(below <= robust.len() / 2 && above <= robust.len() / 2);
        }
    }
}

#[test]
fn centers_and_scales_are_those_of_numpy() {
    // numpy 2: nanmean, nanstd; nanmin, nanmax - nanmin; nanmedian, nanquantile 0.75 - 0.25.
    let nan = f64::NAN;
    let x = Tensor::from([[1.5, -2.0], [4.0, nan], [0.25, 7.0], [nan, 3.5], [10.0, 1.0]]);
    let expected = [
        ([3.9375, 2.375], [3.7515621746147296, 3.3048260166005714]),
        ([0.25, -2.0], [9.75, 9.0]),
        ([2.75, 2.25], [4.3125, 4.125]),
    ];
    for (fit, (center, scale)) in FITS.into_iter().zip(expected) {
        let scaler = fit(&x).unwrap();
        let all = scaler.center().iter().chain(scaler.scale());
        assert!(all.zip(center.iter().chain(&scale)).all(|(&a, &b)| near(a, b)), "{scaler:?}");
    }
}

#[test]
fn gradients_go_through_as_the_scale_says() {
    let scaler = Scaler::new(vec![1.0, -2.0], vec![4.0, 0.5]).unwrap();
    let x = Variable::new(Tensor::from([[2.0f64, 3.0], [5.0, 7.0]])).requires_grad_(true);
    let y = scaler.transform(&x).unwrap();
    assert_eq!(y.to_vec(), [0.25, 10.0, 1.0, 18.0]);
    y.sum().backward().unwrap();
    assert_eq!(x.grad().unwrap().to_vec(), [0.25, 2.0, 0.25, 2.0]);
}

#[test]
fn a_scaler_is_saved_and_loaded() {
    let scaler = Scaler::standard(&Tensor::<f32>::randn([10, 3])).unwrap();
    let saved = TensorMap::from_bytes(&scaler.state_dict().to_bytes().unwrap()).unwrap();
    let mut loaded = Scaler::default();
    loaded.load_state_dict(&saved).unwrap();
    assert_eq!(loaded, scaler);
    let mut broken = saved.clone();
    broken.insert("scale", Tensor::from([1.0f64, 0.0, 2.0]));
    assert_eq!(
        refused(loaded.load_state_dict(&broken)),
        "Scaler: every scale must be finite and not 0, got [1.0, 0.0, 2.0]"
    );
    broken.insert("scale", Tensor::from([1.0f64]));
    assert_eq!(
        refused(loaded.load_state_dict(&broken)),
        "Scaler: expected 3 scales, one for each center, got 1"
    );
    assert_eq!(
        refused(loaded.load_state_dict(&TensorMap::new())),
        "the values do not fit, nothing was changed\n  missing: center, scale"
    );
    assert_eq!(loaded, scaler);
}

#[test]
fn values_that_can_not_be_fitted_are_refused() {
    let nan = f32::NAN;
    assert_eq!(
        refused(Scaler::standard(&Tensor::from([[1.0, nan], [2.0, nan]]))),
        "Scaler: expected at least 1 value in every column that is not missing, got none in column 1"
    );
    assert_eq!(
        refused(Scaler::min_max(&Tensor::from([[1.0, f32::INFINITY]]))),
        "Scaler: every value must be finite or missing, got inf in column 1"
    );
    assert_eq!(
        refused(Scaler::robust(&Tensor::<f32>::zeros([4, 0]))),
        "Scaler: expected values of at least 1 column, the last axis, got shape [4, 0]"
    );
    let scaler = Scaler::new(vec![0.0; 2], vec![1.0; 2]).unwrap();
    assert_eq!(
        refused(scaler.inverse_transform(&Variable::new(Tensor::<f32>::zeros([4])))),
        "Scaler: expected a last axis of 2, the columns, got shape [4]"
    );
    assert_eq!(refused(scaler.columns(&[0, 2])), "Scaler: every column must be in 0..2, got 2");
}

/// Such as times in seconds: their distance is small beside what it is counted from.
#[test]
fn a_variable_is_scaled_as_its_tensor_where_columns_lie_far_from_zero() {
    let x = Tensor::from_fn([6, 2], |i| [1e8f32, -3e7][i % 2] + 8.0 * (i / 2) as f32);
    for scaler in [Scaler::standard(&x), Scaler::min_max(&x), Scaler::robust(&x)].map(Result::unwrap) {
        let (scaled, recorded) =
            (scaler.transform(&x).unwrap(), scaler.transform(&Variable::new(x.clone())).unwrap());
        for (right, found) in scaled.to_vec().into_iter().zip(recorded.to_vec()) {
            assert!((right - found).abs() <= 1e-6 * (1.0 + right.abs()), "{found}, right {right}");
        }
        let back = scaler.inverse_transform(&recorded).unwrap();
        let ulps = x.to_vec().into_iter().zip(back.to_vec()).map(|(x, back)| (x - back).abs() / 8.0);
        assert!(ulps.into_iter().all(|ulps| ulps <= 1.0));
    }
}
