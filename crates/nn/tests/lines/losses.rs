//! Losses with all that may change what they record.

use wengert_core::{Tensor, Variable};
use wengert_nn::loss::{
    BceLoss, CrossEntropyLoss, CtcLoss, GaussianNllLoss, HuberLoss, KlDivLoss, MseLoss, NllLoss,
    PoissonNllLoss, Reduction, SmoothL1Loss,
};
use wengert_nn::{
    binary_cross_entropy, binary_cross_entropy_with_logits, cosine_embedding_loss, cross_entropy,
    crps_normal_loss, ctc_loss, gaussian_nll_loss, huber_loss, kl_div, l1_loss, mixture_nll_loss, mse_loss,
    nll_loss, poisson_nll_loss, quantile_loss, smooth_l1_loss,
};

use crate::{are_recorded_at_their_lines, row, x};

fn mask() -> Tensor<bool> {
    Tensor::from([true, false])
}

fn classes() -> Tensor<i64> {
    Tensor::from([2i64, 0])
}

#[test]
fn losses() {
    let rows = [
        row("mse_loss", || vec![mse_loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]),
        row("mse_loss of what counts", || {
            let loss = MseLoss::default().mask(&mask()).weight(&Tensor::from([[0.5f32], [1.0]]));
            vec![loss.reduction(Reduction::None).loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]
        }),
        row("mse_loss of nothing", || {
            let loss = MseLoss::default().mask(&Tensor::from([false, false]));
            vec![loss.loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]
        }),
        row("l1_loss", || vec![l1_loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]),
        row("huber_loss", || vec![huber_loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]),
        row("huber_loss of what counts", || {
            vec![HuberLoss::default().delta(0.5).mask(&mask()).loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]
        }),
        row("smooth_l1_loss", || vec![smooth_l1_loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]),
        row("smooth_l1_loss as l1_loss", || {
            vec![SmoothL1Loss::default().beta(0.0).loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]
        }),
        row("cross_entropy", || vec![cross_entropy(&x(&[2, 3]), &classes()).unwrap()]),
        row("cross_entropy of probabilities", || {
            let target = x(&[2, 3]).softmax(-1).detach();
            vec![cross_entropy(&x(&[2, 3]), &target).unwrap()]
        }),
        row("cross_entropy with all its options", || {
            let loss = CrossEntropyLoss::default().label_smoothing(0.1).mask(&mask());
            let loss = loss.class_weight(&Tensor::from([1.0f32, 2.0, 0.5]));
            vec![loss.loss(&x(&[2, 3]), &classes()).unwrap()]
        }),
        row("nll_loss", || vec![nll_loss(&x(&[2, 3]), &classes()).unwrap()]),
        row("nll_loss with weights", || {
            let loss = NllLoss::default().class_weight(&Tensor::from([1.0f32, 2.0, 0.5])).ignore_index(0);
            vec![loss.loss(&x(&[2, 3]), &classes()).unwrap()]
        }),
        row("binary_cross_entropy", || vec![binary_cross_entropy(&x(&[2, 3]), &x(&[2, 3])).unwrap()]),
        row("binary_cross_entropy at its ends", || {
            let p = Variable::new(Tensor::from([0.0f32, 1.0])).requires_grad_(true);
            vec![BceLoss::default().loss(&p, &x(&[2])).unwrap()]
        }),
        row("binary_cross_entropy_with_logits", || {
            vec![binary_cross_entropy_with_logits(&x(&[2, 3]), &x(&[2, 3])).unwrap()]
        }),
        row("cosine_embedding_loss", || {
            vec![cosine_embedding_loss(&x(&[2, 3]), &x(&[2, 3]), &Tensor::from([1i64, -1])).unwrap()]
        }),
        row("crps_normal_loss", || vec![crps_normal_loss(&x(&[2]), &x(&[2]), &x(&[2])).unwrap()]),
        row("ctc_loss", || {
            let logp = x(&[4, 2, 3]).log_softmax(-1);
            vec![ctc_loss(&logp, &Tensor::from([[1i64, 2], [2, 1]]), &[4, 4], &[2, 1]).unwrap()]
        }),
        row("ctc_loss of one sequence", || {
            let loss = CtcLoss::default().zero_infinity(true);
            vec![loss.loss(&x(&[4, 3]).log_softmax(-1), &Tensor::from([1i64, 1]), &[4], &[2]).unwrap()]
        }),
        row("gaussian_nll_loss", || vec![gaussian_nll_loss(&x(&[2]), &x(&[2]), &x(&[2])).unwrap()]),
        row("gaussian_nll_loss in full", || {
            let loss = GaussianNllLoss::default().full(true).mask(&mask());
            vec![loss.loss(&x(&[2]), &x(&[2]), &x(&[2])).unwrap()]
        }),
        row("kl_div", || vec![kl_div(&x(&[2, 3]), &x(&[2, 3])).unwrap()]),
        row("kl_div of logarithms", || {
            vec![KlDivLoss::default().log_target(true).loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]
        }),
        row("mixture_nll_loss", || {
            vec![mixture_nll_loss(&x(&[2, 3]), &x(&[2, 3]), &x(&[2, 3]), &x(&[2])).unwrap()]
        }),
        row("poisson_nll_loss", || vec![poisson_nll_loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]),
        row("poisson_nll_loss in full", || {
            let loss = PoissonNllLoss::default().full(true).log_input(false);
            vec![loss.loss(&x(&[2, 3]), &x(&[2, 3])).unwrap()]
        }),
        row("quantile_loss", || vec![quantile_loss(&x(&[2, 3]), &x(&[2]), &[0.1, 0.5, 0.9]).unwrap()]),
    ];
    are_recorded_at_their_lines(&rows);
}
