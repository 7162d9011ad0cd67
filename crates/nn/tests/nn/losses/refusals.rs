//! What losses refuse, and that the error says where.

use wengert_core::{Tensor, Variable};
use wengert_nn::loss::*;

use crate::V;
use crate::errors::{refused, zeros};

fn row(numbers: [f64; 2]) -> V {
    Variable::new(Tensor::from([numbers]))
}

#[test]
fn inputs_and_targets_of_different_shapes() {
    let (x, y) = (zeros(&[2, 3]), zeros(&[3]));
    let of = |name: &str| format!("{name}: expected a target of the input's shape [2, 3], got [3]");
    refused(mse_loss(&x, &y), &of("mse_loss"));
    refused(l1_loss(&x, &y), &of("l1_loss"));
    refused(smooth_l1_loss(&x, &y), &of("smooth_l1_loss"));
    refused(huber_loss(&x, &y), &of("huber_loss"));
    refused(binary_cross_entropy(&x, &y), &of("binary_cross_entropy"));
    refused(binary_cross_entropy_with_logits(&x, &y), &of("binary_cross_entropy_with_logits"));
    refused(kl_div(&x, &y), &of("kl_div"));
    refused(poisson_nll_loss(&x, &y), &of("poisson_nll_loss"));
    refused(gaussian_nll_loss(&x, &y, &x), &of("gaussian_nll_loss"));
    refused(crps_normal_loss(&x, &x, &y), &of("crps_normal_loss"));
    refused(
        crps_normal_loss(&x, &y, &x),
        "crps_normal_loss: expected a std of the input's shape [2, 3], got [3]",
    );
    refused(
        gaussian_nll_loss(&x, &x, &y),
        "gaussian_nll_loss: expected a var of the input's shape [2, 3], or with 1 or nothing on the last \
         axis, got [3]",
    );
    refused(
        quantile_loss(&x, &y, &[0.5, 0.9]),
        "quantile_loss: expected predictions (.., 2) and targets (..), got [2, 3] and [3]",
    );
    refused(
        cosine_embedding_loss(&x, &x, &Tensor::from([1i64])),
        "cosine_embedding_loss: expected vectors (N, D) or (D), twice, and targets (N) or (), got [2, 3], \
         [2, 3] and [1]",
    );
    refused(
        mixture_nll_loss(&x, &x, &x, &y),
        "mixture_nll_loss: expected logits (.., K), means and log_scales (.., K) and targets (..), or (.., \
         K, D) and (.., D), got [2, 3], [2, 3], [2, 3] and [3]",
    );
    refused(
        cross_entropy(&x, &y),
        "cross_entropy: expected probabilities of shape [2, 3], as the logits (classes last), got [3]",
    );
    refused(
        nll_loss(&x, &Tensor::from([0i64])),
        "nll_loss: expected targets of shape [2] for log-probabilities [2, 3], got [1]",
    );
}

#[test]
fn weights_and_masks_that_do_not_fit() {
    let x = zeros(&[2, 3]);
    refused(
        MseLoss::default().mask(&Tensor::from([true, true, false])).loss(&x, &x),
        "mse_loss: expected a mask over the leading axes of the losses [2, 3], got [3]",
    );
    refused(
        L1Loss::default().weight(&Tensor::ones([2, 3, 1])).loss(&x, &x),
        "l1_loss: expected a weight over the leading axes of the losses [2, 3], got [2, 3, 1]",
    );
    for (bad, said) in [(-1.0, "-1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        refused(
            KlDivLoss::default().weight(&Tensor::from([[1.0, 1.0, 1.0], [1.0, bad, 1.0]])).loss(&x, &x),
            &format!("kl_div: every weight must be finite and at least 0, got {said} at [1, 1]"),
        );
    }
    refused(
        CrossEntropyLoss::default().class_weight(&Tensor::ones([2])).loss(&x, &Tensor::from([0i64, 1])),
        "cross_entropy: expected a class_weight of shape [3], got [2]",
    );
    refused(
        BceWithLogitsLoss::default().pos_weight(&Tensor::ones([2])).loss(&x, &x),
        "binary_cross_entropy_with_logits: expected a pos_weight that broadcasts to [2, 3], got [2]",
    );
}

#[test]
fn options_outside_their_ranges() {
    let x = zeros(&[2]);
    for bad in [-0.5, f64::NAN, f64::INFINITY] {
        refused(
            SmoothL1Loss::default().beta(bad).loss(&x, &x),
            &format!("smooth_l1_loss: beta must be at least 0, got {bad}"),
        );
        refused(
            HuberLoss::default().delta(bad).loss(&x, &x),
            &format!("huber_loss: delta must be positive, got {bad}"),
        );
        refused(
            GaussianNllLoss::default().eps(bad).loss(&x, &x, &x),
            &format!("gaussian_nll_loss: eps must be positive, got {bad}"),
        );
        refused(
            PoissonNllLoss::default().eps(bad).loss(&x, &x),
            &format!("poisson_nll_loss: eps must be at least 0, got {bad}"),
        );
        refused(
            CrossEntropyLoss::default().label_smoothing(bad).loss(&zeros(&[1, 2]), &Tensor::from([0i64])),
            &format!("cross_entropy: label_smoothing must be in [0, 1], got {bad}"),
        );
        refused(
            quantile_loss(&zeros(&[1, 2]), &zeros(&[1]), &[0.5, bad]),
            &format!("quantile_loss: every quantile must be in [0, 1], got {bad} at [1]"),
        );
    }
    refused(
        CosineEmbeddingLoss::default().margin(f64::NAN).loss(&zeros(&[1]), &zeros(&[1]), &Tensor::scalar(1)),
        "cosine_embedding_loss: margin must be finite, got NaN",
    );
    for bad in [-3, 2] {
        refused(
            CrossEntropyLoss::default().class_dim(bad).loss(&zeros(&[1, 2]), &Tensor::from([0i64])),
            &format!("cross_entropy: class_dim must be an axis of [1, 2], got {bad}"),
        );
    }
}

#[test]
fn numbers_outside_their_ranges_where_they_count() {
    for bad in [-0.5, 1.5, f64::NAN] {
        refused(
            binary_cross_entropy(&row([0.5, bad]), &row([0.0, 1.0])),
            &format!("binary_cross_entropy: every probability must be in [0, 1], got {bad} at [0, 1]"),
        );
    }
    let x = row([0.0, 0.0]);
    refused(
        gaussian_nll_loss(&x, &x, &row([-1.5, 1.0])),
        "gaussian_nll_loss: every variance must be at least 0, got -1.5 at [0, 0]",
    );
    refused(
        crps_normal_loss(&x, &row([1.0, 0.0]), &x),
        "crps_normal_loss: every std must be positive, got 0 at [0, 1]",
    );
    refused(
        cosine_embedding_loss(&x, &x, &Tensor::from([0i64])),
        "cosine_embedding_loss: every target must be 1 or -1, got 0 at [0]",
    );
}

#[test]
fn classes_that_there_are_not_where_they_count() {
    let x = zeros(&[2, 2, 3]);
    let targets = Tensor::from([[0i64, 1], [2, 3]]);
    let expected = |name: &str, ignored: i64| {
        format!("{name}: every target must be in 0..3, or {ignored} to be ignored, got 3 at [1, 1]")
    };
    refused(cross_entropy(&x, &targets), &expected("cross_entropy", -100));
    refused(nll_loss(&x, &targets), &expected("nll_loss", -100));
    refused(NllLoss::default().ignore_index(-1).loss(&x, &targets), &expected("nll_loss", -1));
    let mask = Tensor::from([[true, true], [true, false]]);
    assert!(CrossEntropyLoss::default().mask(&mask).loss(&x, &targets).is_ok());
    assert!(NllLoss::default().mask(&mask).loss(&x, &targets).is_ok());
    refused(
        nll_loss(&zeros(&[2, 0]), &Tensor::from([-100i64, -100])),
        "nll_loss: expected log-probabilities with at least one class, got [2, 0]",
    );
}

#[test]
fn sequences_and_labels_that_do_not_fit_each_other() {
    let log_probs = zeros(&[4, 2, 3]);
    let targets = Tensor::from([[1i64, 2], [1, 0]]);
    let ctc = |targets: &Tensor<i64>, inputs: &[usize], lengths: &[usize]| {
        ctc_loss(&log_probs, targets, inputs, lengths)
    };
    refused(ctc(&targets, &[4], &[1, 1]), "ctc_loss: expected 2 input lengths, one a sequence, got 1");
    refused(ctc(&targets, &[4, 4], &[1]), "ctc_loss: expected 2 target lengths, one a sequence, got 1");
    refused(ctc(&targets, &[4, 5], &[1, 1]), "ctc_loss: every input length must be at most 4, got 5 at [1]");
    refused(
        ctc(&targets, &[4, 4], &[3, 1]),
        "ctc_loss: expected targets (2, S) with S at least 3, or the sum of the target lengths [3, 1], \
         got [2, 2]",
    );
    refused(
        ctc(&targets, &[4, 4], &[2, 2]),
        "ctc_loss: every label must be in 0..3 and not the blank 0, got 0 at label 1 of sequence 1",
    );
    refused(
        CtcLoss::default().blank(3).loss(&log_probs, &targets, &[4, 4], &[2, 1]),
        "ctc_loss: blank must be in 0..3, got 3",
    );
    refused(
        ctc_loss(&zeros(&[4]), &targets, &[4], &[1]),
        "ctc_loss: expected log-probabilities (T, N, C) or (T, C), got [4]",
    );
}
