use std::sync::Arc;

use wengert_core::Tensor;
use wengert_data::{
    Content, Dataset, Fingerprint, TensorDataset, TruncatedWindows, VecDataset, Windows, random_split,
};

use super::numbers;

fn of(content: &(impl Content + ?Sized)) -> u64 {
    Fingerprint::new("test").with(content).value()
}

#[test]
fn fingerprints_stay_what_they_are() {
    // From fixtures/reference.py. A saved position is refused if they change.
    assert_eq!(Fingerprint::new("").to_string(), "f8bb92c91b3f5cc0");
    assert_eq!(
        of(&(1.5f32, "text that is longer than a word", [1usize, 2].as_slice())),
        0xa9cf_416d_fc5b_d159
    );
    assert_eq!(of(&Tensor::from([[1.0f64, -0.0], [f64::INFINITY, 0.1]])), 0xb599_fac9_91c7_ab94);
}

#[test]
fn contents_that_differ_have_fingerprints_that_differ() {
    let series = Tensor::from([[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let all = [
        of(&series),
        of(&series.t()),
        of(&series.reshape([6]).unwrap()),
        of(&series.cast::<f64>()),
        of(&series.cast::<i64>()),
        of(&series.map(|x| x > 0.0)),
        of(&Tensor::from([0.0f32])),
        of(&Tensor::from([-0.0f32])),
        of(&vec!["ab", "c"]),
        of(&vec!["a", "bc"]),
        of(&Some(0i64)),
        of(&None::<i64>),
        of("a"),
        of("a\0"),
        of(&('a', 1u8)),
        of(&(1u32, 'a', true)),
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(!all[..i].contains(one), "{i}");
    }
    // The same values, however they lie in memory.
    assert_eq!(of(&series.t().t().copy()), of(&series));
    assert_eq!(of(&series.t().contiguous()), of(&series.t()));
}

#[test]
fn datasets_that_differ_have_fingerprints_that_differ() {
    let series = || Tensor::<f32>::arange(0.0, 9.0, 1.0).unwrap();
    let windows = || Windows::builder(series(), 2);
    let truncated =
        |steps| TruncatedWindows::builder(vec![series()]).steps(steps).build().unwrap().fingerprint();
    let [first, second] = random_split(numbers(9), [4, 5], 0).unwrap();
    let all = [
        TensorDataset::new(series()).unwrap().fingerprint(),
        TensorDataset::new((series(), series())).unwrap().fingerprint(),
        windows().build().unwrap().fingerprint(),
        windows().stride(2).build().unwrap().fingerprint(),
        windows().horizon(3).build().unwrap().fingerprint(),
        windows().shift(1).build().unwrap().fingerprint(),
        truncated(2),
        truncated(3),
        numbers(9).fingerprint(),
        VecDataset::new(vec![1i64]).fingerprint(),
        numbers(9).zip(numbers(9)).unwrap().fingerprint(),
        first.fingerprint(),
        second.fingerprint(),
    ];
    for (i, one) in all.iter().enumerate() {
        assert!(!all[..i].contains(one), "{i}");
    }
    assert_eq!(Arc::new(numbers(9)).fingerprint(), numbers(9).fingerprint());
    assert_eq!(<&VecDataset<i64> as Dataset>::fingerprint(&&numbers(9)), Box::new(numbers(9)).fingerprint());
    assert_eq!(numbers(9).map(Ok).fingerprint(), numbers(9).fingerprint());
}
