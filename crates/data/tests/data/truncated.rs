use proptest::prelude::*;
use wengert_core::{Result, Tensor, Variable, manual_seed};
use wengert_data::{DataLoader, Dataset, Single, TruncatedWindow, TruncatedWindows};
use wengert_nn::{Cast, Gru, Module, Truncated};

use super::{config, refused};

/// What each lane goes through, document by document, put together again from the windows.
fn documents(windows: &[TruncatedWindow<i64>]) -> Vec<Vec<i64>> {
    let lanes = windows[0].lengths.len();
    let mut found = Vec::new();
    for lane in 0..lanes {
        let mut open: Option<Vec<i64>> = None;
        for window in windows {
            let steps = window.ends.shape()[0];
            if window.resets.at(&[lane]) {
                assert!(open.is_none(), "a document begins before the last one has ended");
                open = Some(Vec::new());
            }
            if let Some(document) = &mut open {
                document.extend((0..window.lengths[lane]).map(|t| window.data.at(&[t, lane])));
            }
            assert!((window.lengths[lane]..steps).all(|t| window.data.at(&[t, lane]) == 0));
            assert!((0..steps - 1).all(|t| !window.ends.at(&[t, lane])));
            if window.ends.at(&[steps - 1, lane]) {
                found.push(open.take().expect("a document that ends has begun"));
            } else {
                assert!(open.is_none() || window.lengths[lane] == steps);
            }
        }
        assert!(open.is_none());
    }
    found
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn lanes_go_through_every_document_once(
        lengths in prop::collection::vec(1usize..12, 1..12),
        (lanes, steps) in (1usize..5, 1usize..6),
        seed: Option<u64>,
    ) {
        let mut next = 0;
        let document = |&length: &usize| {
            next += length as i64;
            (next - length as i64 + 1..=next).collect::<Vec<i64>>()
        };
        let mut expected: Vec<Vec<i64>> = lengths.iter().map(document).collect();
        let builder = TruncatedWindows::builder(expected.iter().cloned().map(Tensor::from).collect());
        let builder = builder.lanes(lanes).steps(steps);
        let windows = if let Some(seed) = seed { builder.shuffle(seed) } else { builder }.build().unwrap();
        let mut found = documents(&windows.iter().collect::<Result<Vec<_>>>().unwrap());
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
        // No lane is done long before the others: the longest document is what they may differ by.
        let total: usize = lengths.iter().map(|length| length.div_ceil(steps)).sum();
        let longest = lengths.iter().max().unwrap().div_ceil(steps);
        prop_assert!(windows.len() <= total / lanes + longest);
    }
}

proptest! {
    #![proptest_config(config())]

    /// As a model of characters reads a text: streams side by side, and in each what follows.
    #[test]
    fn pieces_of_a_text_are_streams_and_those_of_the_text_from_its_second_step_what_follows(
        length in 2usize..60,
        (lanes, steps) in (1usize..6, 1usize..9),
    ) {
        let lanes = lanes.min(length / 2);
        let text = Tensor::from((0..length as i64).map(|x| x * x % 31).collect::<Vec<_>>());
        let windows = |from: usize| {
            let pieces = TruncatedWindows::pieces(&text.narrow(0, from, length - 1)?, lanes)?;
            TruncatedWindows::builder(pieces).lanes(lanes).steps(steps).build()
        };
        let both = windows(0).unwrap().zip(windows(1).unwrap()).unwrap();
        let stream = (length - 1) / lanes;
        prop_assert_eq!(both.len(), stream.div_ceil(steps));
        for (w, window) in both.iter().enumerate() {
            let (now, next) = window.unwrap();
            prop_assert_eq!(&now.lengths, &vec![steps.min(stream - w * steps); lanes]);
            for (n, t) in (0..lanes).flat_map(|n| (0..now.lengths[n]).map(move |t| (n, t))) {
                let at = n * stream + w * steps + t;
                let expected = (text.at(&[at]), text.at(&[at + 1]));
                prop_assert_eq!((now.data.at(&[t, n]), next.data.at(&[t, n])), expected);
            }
        }
    }
}

fn gradients(gru: &Gru<f64>) -> Vec<Vec<f64>> {
    gru.parameters().iter().map(|parameter| parameter.grad().expect("a gradient").to_vec()).collect()
}

#[test]
fn truncated_backpropagation_over_the_windows_is_that_of_each_document() {
    manual_seed(1);
    let gru = Gru::new(2, 3).unwrap().cast::<f64>();
    let texts: Vec<Tensor<f64>> = [7, 2, 4, 5].map(|steps| Tensor::randn([steps, 2])).to_vec();
    for text in &texts {
        let (out, _) = gru.forward(&Variable::new(text.unsqueeze(1).unwrap()), None).unwrap();
        out.square().sum().backward().unwrap();
    }
    let expected = gradients(&gru);
    gru.zero_grad();
    let windows = TruncatedWindows::builder(texts).lanes(2).steps(3).build().unwrap();
    let loader = DataLoader::builder(windows).collate(Single).build().unwrap();
    // Gradients go back through everything: only the documents' ends stop them.
    let mut truncated = Truncated::new(3, 100).unwrap();
    for window in &loader {
        let window = window.unwrap();
        let inside: Vec<f64> = (0..3)
            .flat_map(|t| window.lengths.iter().map(move |&length| if t < length { 1.0 } else { 0.0 }))
            .collect();
        let mask = Variable::new(Tensor::from_vec(inside, [3, 2, 1]).unwrap());
        let loss = |out: &Variable<f64>| Ok((out * &mask).square().sum());
        truncated.window(&gru, &Variable::new(window.data), Some(&window.ends), loss).unwrap();
    }
    for (got, expected) in gradients(&gru).iter().zip(&expected) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
        assert!(got.iter().zip(expected).all(near), "{got:?}\n{expected:?}");
    }
}

#[test]
fn windows_that_can_not_be_are_refused() {
    let build = |texts: Vec<Tensor<f32>>| TruncatedWindows::builder(texts);
    let text = || Tensor::<f32>::zeros([3, 2]);
    assert_eq!(refused(build(vec![]).build()), "TruncatedWindows: expected at least 1 document, got 0");
    assert_eq!(
        refused(build(vec![text()]).lanes(0).build()),
        "TruncatedWindows: lanes must be at least 1, got 0"
    );
    assert_eq!(
        refused(build(vec![text()]).steps(0).build()),
        "TruncatedWindows: steps must be at least 1, got 0"
    );
    let expected = "TruncatedWindows: expected documents of at least 1 step and of one width, the first of \
                    shape [3, 2], got ";
    assert_eq!(
        refused(build(vec![text(), Tensor::zeros([3, 1])]).build()),
        format!("{expected}[3, 1] for document 1")
    );
    assert_eq!(
        refused(build(vec![text(), Tensor::zeros([0, 2])]).build()),
        format!("{expected}[0, 2] for document 1")
    );
    assert_eq!(
        refused(TruncatedWindows::pieces(&text(), 4)),
        "TruncatedWindows: lanes must be in 1..=3, the steps of the series, got 4"
    );
}
