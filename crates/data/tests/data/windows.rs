use proptest::prelude::*;
use wengert_core::{Error, Tensor};
use wengert_data::{Dataset, Windows};

use super::{config, refused};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn windows_are_naive_slices(
        (steps, width) in (1usize..40, 1usize..3),
        (window, stride) in (1usize..9, 1usize..6),
        (later, shifts) in (0usize..7, any::<bool>()),
    ) {
        let values: Vec<i64> = (0..(steps * width) as i64).collect();
        let series = Tensor::from_vec(values.clone(), [steps, width]).unwrap();
        let builder = Windows::builder(series, window).stride(stride);
        let built = if shifts { builder.shift(later) } else { builder.horizon(later) }.build();
        let (first, length) = if shifts { (later, window) } else { (window, later) };
        let part = |start: usize, length: usize| values[start * width..(start + length) * width].to_vec();
        let fits = |start: &usize| start + window.max(first + length) <= steps;
        let expected: Vec<_> = (0..steps)
            .step_by(stride)
            .filter(fits)
            .map(|start| (part(start, window), part(start + first, length)))
            .collect();
        match built {
            Ok(windows) => {
                let got = windows.iter().map(|pair| pair.map(|(x, y)| (x.to_vec(), y.to_vec())));
                prop_assert_eq!(got.collect::<Result<Vec<_>, Error>>().unwrap(), expected);
                prop_assert_eq!(windows.get(0).unwrap().1.shape().to_vec(), [length, width]);
            }
            Err(_) => prop_assert_eq!(expected, []),
        }
    }
}

#[test]
fn windows_that_can_not_be_are_refused() {
    let series = || Tensor::<f32>::zeros([5, 2]);
    assert_eq!(
        refused(Windows::builder(series(), 4).horizon(2).build()),
        "Windows: expected a series of at least 6 steps, the window 4 and the horizon 2, got 5"
    );
    assert_eq!(
        refused(Windows::builder(series(), 5).shift(1).build()),
        "Windows: expected a series of at least 6 steps, the window 5 and the shift 1, got 5"
    );
    assert_eq!(
        refused(Windows::builder(series(), 0).build()),
        "Windows: window must be at least 1 step, got 0"
    );
    assert_eq!(
        refused(Windows::builder(series(), 2).stride(0).build()),
        "Windows: stride must be at least 1 step, got 0"
    );
    assert_eq!(
        refused(Windows::builder(Tensor::scalar(1i64), 1).build()),
        "Windows: expected a series of at least 1 axis, got a scalar"
    );
    let windows = Windows::builder(series(), 4).build().unwrap();
    assert_eq!(refused(windows.get(1)), "Windows: every index must be in 0..1, got 1");
    let far = Windows::builder(series(), 4).horizon(usize::MAX).build();
    assert!(refused(far).starts_with("Windows: expected a series of at least"));
}
