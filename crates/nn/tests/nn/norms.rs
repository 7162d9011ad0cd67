//! Normalisations: of the root mean square, and of batches with statistics that are kept.

use wengert_check::Gradcheck;
use wengert_core::{Tensor, TensorMap};
use wengert_nn::{BatchNorm1d, Cast, Forward, Module, Persist, RmsNorm};

use crate::{V, close, names, variable};

fn each_order(module: &impl Forward<Element = f64>, x: &V) {
    for order in [1, 2] {
        Gradcheck::new().check_module_order(order, module, &[x]).unwrap();
    }
}

#[test]
fn rms_norm_divides_by_the_root_of_the_mean_square() {
    for (norm, eps) in [(RmsNorm::new([2, 3]), f64::EPSILON), (RmsNorm::new([2, 3]).eps(0.5), 0.5)] {
        let norm = norm.cast::<f64>();
        norm.parameters()[0].set_value(variable(&[2, 3]).value()).unwrap();
        let x = variable(&[4, 2, 3]).requires_grad_(true);
        let (values, w) = (x.to_vec(), norm.parameters()[0].to_vec());
        let expected = values.chunks(6).flat_map(|x| {
            let square = x.iter().map(|x| x * x).sum::<f64>() / 6.0;
            (0..6).map(|i| x[i] / (square + eps).sqrt() * w[i]).collect::<Vec<_>>()
        });
        close(&norm.forward(&x).unwrap().to_vec(), &expected.collect::<Vec<_>>(), 1e-13);
        each_order(&norm, &x);
    }
    let bare = RmsNorm::without_weight([3]);
    assert_eq!(bare.num_parameters(), 0);
    assert_eq!(bare.eps(1e-5).to_string(), "RMSNorm((3,), eps=1e-05, elementwise_affine=False)");
    let error = RmsNorm::new([3]).forward(&Tensor::ones([3, 2])).unwrap_err();
    assert_eq!(error.to_string(), "RMSNorm: expected an input whose last axes are [3], got [3, 2]");
}

/// Mean and biased variance of channel `c`, and how many values it has.
fn statistics(x: &V, c: usize) -> (f64, f64, f64) {
    let values = x.select(1, c).to_vec();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count, count)
}

fn buffers(norm: &BatchNorm1d<f64>) -> Vec<Vec<f64>> {
    norm.named_buffers().iter().map(|(_, buffer)| buffer.tensor().to_vec()).collect()
}

#[test]
fn batch_norm_goes_by_the_batch_in_training_and_by_what_ran_in_evaluation() {
    for shape in [&[5, 2][..], &[3, 2, 4]] {
        let mut norm = BatchNorm1d::new(2).unwrap().eps(0.1).momentum(0.3).cast::<f64>();
        norm.parameters().iter().for_each(|p| p.set_value(variable(&[2]).value()).unwrap());
        let (w, b) = (norm.parameters()[0].to_vec(), norm.parameters()[1].to_vec());
        let (mut mean, mut var) = ([0.0; 2], [1.0; 2]);
        for _ in 0..3 {
            let x = variable(shape).requires_grad_(true);
            let y = norm.forward(&x).unwrap();
            assert_eq!(y.shape(), shape);
            for c in 0..2 {
                let (m, v, count) = statistics(&x, c);
                let of = |x: &f64| (x - m) / (v + 0.1).sqrt() * w[c] + b[c];
                let expected: Vec<f64> = x.select(1, c).to_vec().iter().map(of).collect();
                close(&y.select(1, c).to_vec(), &expected, 1e-13);
                mean[c] = 0.7 * mean[c] + 0.3 * m;
                var[c] = 0.7 * var[c] + 0.3 * v * count / (count - 1.0);
            }
        }
        let found = buffers(&norm);
        close(&found[0], &mean, 1e-14);
        close(&found[1], &var, 1e-14);
        assert_eq!(found[2], [3.0]);
        let x = variable(shape).requires_grad_(true);
        each_order(&norm, &x);
        norm.eval();
        let before = buffers(&norm);
        let y = norm.forward(&x).unwrap();
        for c in 0..2 {
            let of = |x: &f64| (x - before[0][c]) / (before[1][c] + 0.1).sqrt() * w[c] + b[c];
            let expected: Vec<f64> = x.select(1, c).to_vec().iter().map(of).collect();
            close(&y.select(1, c).to_vec(), &expected, 1e-13);
        }
        each_order(&norm, &x);
        assert_eq!(buffers(&norm), before, "evaluation moves nothing");
    }
}

#[test]
fn cumulative_statistics_are_the_mean_over_batches() {
    let norm = BatchNorm1d::new(1).unwrap().cumulative().cast::<f64>();
    let batches = [[[1.0], [3.0]], [[4.0], [10.0]], [[0.0], [0.0]]];
    batches.iter().for_each(|batch| drop(norm.forward(&V::new(Tensor::from(*batch))).unwrap()));
    let found = buffers(&norm);
    close(&found[0], &[3.0], 1e-14);
    close(&found[1], &[20.0 / 3.0], 1e-14);
}

#[test]
fn without_running_statistics_evaluation_goes_by_the_batch() {
    let mut norm = BatchNorm1d::new(2).unwrap().without_running_stats().without_affine().cast::<f64>();
    let x = variable(&[4, 2]);
    let trained = norm.forward(&x).unwrap().to_vec();
    norm.eval();
    assert_eq!(norm.forward(&x).unwrap().to_vec(), trained);
    assert!(norm.state_dict().is_empty());
    let printed =
        "BatchNorm1d(2, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)";
    assert_eq!(norm.to_string(), printed);
}

#[test]
fn buffers_are_saved_loaded_copied_and_no_parameters() {
    let norm = BatchNorm1d::new(2).unwrap();
    assert_eq!(names(&norm), ["weight", "bias"]);
    let before = norm.deep_clone();
    let view = norm.evaluating();
    norm.forward(&Tensor::from([[1.0f32, 2.0], [5.0, 4.0]])).unwrap();
    let saved = norm.state_dict();
    let all = ["bias", "num_batches_tracked", "running_mean", "running_var", "weight"];
    assert_eq!(saved.names().collect::<Vec<_>>(), all);
    assert_eq!(saved.get("num_batches_tracked").unwrap().kind(), "i64");
    assert_eq!(saved.get("num_batches_tracked").unwrap().shape(), [0usize; 0]);
    for untouched in [before.named_buffers(), view.named_buffers()] {
        assert_eq!(untouched[0].1.tensor().to_vec(), [0.0, 0.0]);
    }
    let shared = norm.clone();
    assert_eq!(shared.named_buffers()[0].1.id(), norm.named_buffers()[0].1.id());
    let other = BatchNorm1d::new(2).unwrap().cast::<f64>();
    other.load_state_dict(&saved).unwrap();
    close(&other.named_buffers()[0].1.tensor().to_vec(), &[0.3, 0.3], 1e-7);
    assert_eq!(other.named_buffers()[2].1.tensor().to_vec(), [1.0]);
}

#[test]
fn a_state_dict_that_does_not_fit_changes_no_buffer() {
    let norm = BatchNorm1d::new(2).unwrap();
    let mut map = norm.state_dict();
    map.insert("running_mean", Tensor::<f32>::ones([2]));
    map.insert("running_var", Tensor::<f32>::ones([3]));
    map.insert("num_batches_tracked", Tensor::<f32>::scalar(1.0));
    let error = norm.load_state_dict(&map).unwrap_err().to_string();
    assert!(error.contains("running_var expected [2], got [3]"), "{error}");
    let kind = "num_batches_tracked expected [] of i64, got [] of f32 or f64";
    assert!(error.contains(kind), "{error}");
    assert_eq!(norm.named_buffers()[0].1.tensor().to_vec(), [0.0, 0.0]);
    let mut missing = TensorMap::new();
    missing.insert("weight", Tensor::<f32>::ones([2]));
    let error = norm.load_state_dict(&missing).unwrap_err().to_string();
    assert!(error.contains("running_mean") && error.contains("num_batches_tracked"), "{error}");
}

#[test]
fn inputs_that_do_not_fit_are_refused() {
    let norm = BatchNorm1d::new(3).unwrap();
    let refused = |shape: &[usize]| norm.forward(&Tensor::ones(shape)).unwrap_err().to_string();
    let shape = "BatchNorm1d: expected an input of shape (N, 3) or (N, 3, L), got";
    assert_eq!(refused(&[4, 2]), format!("{shape} [4, 2]"));
    assert_eq!(refused(&[3]), format!("{shape} [3]"));
    let single = "BatchNorm1d: expected more than one value for each channel in training, got [1, 3]";
    assert_eq!(refused(&[1, 3]), single);
    assert_eq!(norm.named_buffers()[2].1.tensor().to_vec(), [0.0], "nothing was counted");
    let error = BatchNorm1d::new(0).unwrap_err().to_string();
    assert_eq!(error, "BatchNorm1d: num_features must be at least 1, got 0");
}
