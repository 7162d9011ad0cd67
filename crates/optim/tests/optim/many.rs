//! The optimizers besides SGD, Adam and RMSprop: against plain loops over one element in double precision,
//! and saved in the middle.

use proptest::prelude::*;
use wengert_optim::{
    AdadeltaOptions, AdagradOptions, AdamaxOptions, AsgdOptions, LionOptions, NAdamOptions, RAdamOptions,
    RpropOptions, Rule,
};

use crate::naive::check;
use crate::saving::check_resumed;
use crate::{Case, case, config, sometimes};

/// Against the loop, and from a file on.
fn holds<R: Rule + Default>(
    options: R,
    case: &Case,
    naive: impl Fn(&R, f64, &[f64]) -> f64,
) -> Result<(), TestCaseError> {
    check(options.clone(), case, naive)?;
    check_resumed(options, case)
}

/// The gradient to minimise by, with decay.
fn pulled(grad: f64, p: f64, weight_decay: f64, maximize: bool) -> f64 {
    (if maximize { -grad } else { grad }) + weight_decay * p
}

fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}

fn naive_adagrad(o: &AdagradOptions, mut p: f64, grads: &[f64]) -> f64 {
    let mut sum = o.initial_accumulator_value;
    for (t, grad) in grads.iter().enumerate() {
        let g = pulled(*grad, p, o.weight_decay, o.maximize);
        sum += g * g;
        p -= o.lr / (1.0 + t as f64 * o.lr_decay) * g / (sum.sqrt() + o.eps);
    }
    p
}

fn naive_adadelta(o: &AdadeltaOptions, mut p: f64, grads: &[f64]) -> f64 {
    let (mut squares, mut steps) = (0.0, 0.0);
    for grad in grads {
        let g = pulled(*grad, p, o.weight_decay, o.maximize);
        squares = o.rho * squares + (1.0 - o.rho) * g * g;
        let d = ((steps + o.eps) / (squares + o.eps)).sqrt() * g;
        steps = o.rho * steps + (1.0 - o.rho) * d * d;
        p -= o.lr * d;
    }
    p
}

fn naive_adamax(o: &AdamaxOptions, mut p: f64, grads: &[f64]) -> f64 {
    let (mut m, mut u) = (0.0, 0.0f64);
    for (t, grad) in (1..).zip(grads) {
        let g = pulled(*grad, p, o.weight_decay, o.maximize);
        m = o.beta1 * m + (1.0 - o.beta1) * g;
        u = (o.beta2 * u).max(g.abs() + o.eps);
        p -= o.lr / (1.0 - o.beta1.powi(t)) * m / u;
    }
    p
}

fn naive_nadam(o: &NAdamOptions, mut p: f64, grads: &[f64]) -> f64 {
    let mu = |t: i32| o.beta1 * (1.0 - 0.5 * 0.96f64.powf(f64::from(t) * o.momentum_decay));
    let (mut m, mut v) = (0.0, 0.0);
    for (t, grad) in (1..).zip(grads) {
        let g = pulled(*grad, p, if o.decoupled_weight_decay { 0.0 } else { o.weight_decay }, o.maximize);
        if o.decoupled_weight_decay {
            p -= o.lr * o.weight_decay * p;
        }
        m = o.beta1 * m + (1.0 - o.beta1) * g;
        v = o.beta2 * v + (1.0 - o.beta2) * g * g;
        // PyTorch multiplies these in single precision.
        let product = f64::from((1..=t).map(|t| mu(t) as f32).product::<f32>());
        let ahead = mu(t + 1) * m / (1.0 - product * mu(t + 1)) + (1.0 - mu(t)) * g / (1.0 - product);
        p -= o.lr * ahead / ((v / (1.0 - o.beta2.powi(t))).sqrt() + o.eps);
    }
    p
}

fn naive_radam(o: &RAdamOptions, mut p: f64, grads: &[f64]) -> f64 {
    let most = 2.0 / (1.0 - o.beta2) - 1.0;
    let (mut m, mut v) = (0.0, 0.0);
    for (t, grad) in (1..).zip(grads) {
        let g = pulled(*grad, p, if o.decoupled_weight_decay { 0.0 } else { o.weight_decay }, o.maximize);
        if o.decoupled_weight_decay {
            p -= o.lr * o.weight_decay * p;
        }
        m = o.beta1 * m + (1.0 - o.beta1) * g;
        v = o.beta2 * v + (1.0 - o.beta2) * g * g;
        let mean = m / (1.0 - o.beta1.powi(t));
        let power = o.beta2.powi(t);
        let length = most - 2.0 * f64::from(t) * power / (1.0 - power);
        if length > 5.0 {
            let (above, below) =
                ((length - 4.0) * (length - 2.0) * most, (most - 4.0) * (most - 2.0) * length);
            p -= o.lr * mean * (above / below).sqrt() * (1.0 - power).sqrt() / (v.sqrt() + o.eps);
        } else {
            p -= o.lr * mean;
        }
    }
    p
}

fn naive_rprop(o: &RpropOptions, mut p: f64, grads: &[f64]) -> f64 {
    let (mut before, mut size) = (0.0, o.lr);
    for grad in grads {
        let mut g = pulled(*grad, p, 0.0, o.maximize);
        if g * before > 0.0 {
            size *= o.eta_plus;
        } else if g * before < 0.0 {
            size *= o.eta_minus;
            g = 0.0;
        }
        size = size.max(o.step_size_min).min(o.step_size_max);
        p -= size * sign(g);
        before = g;
    }
    p
}

fn naive_asgd(o: &AsgdOptions, mut p: f64, grads: &[f64]) -> f64 {
    for (t, grad) in grads.iter().enumerate() {
        let g = pulled(*grad, p, o.weight_decay, o.maximize);
        // PyTorch keeps it in single precision.
        let eta = f64::from((o.lr / (1.0 + o.lambd * o.lr * t as f64).powf(o.alpha)) as f32);
        p = p - o.lambd * eta * p - eta * g;
    }
    p
}

fn naive_lion(o: &LionOptions, mut p: f64, grads: &[f64]) -> f64 {
    let mut m = 0.0;
    for grad in grads {
        let g = pulled(*grad, 0.0, 0.0, o.maximize);
        let direction = sign(o.beta1 * m + (1.0 - o.beta1) * g);
        p -= o.lr * (direction + o.weight_decay * p);
        m = o.beta2 * m + (1.0 - o.beta2) * g;
    }
    p
}

/// Rate, weight decay, whether to maximise.
fn common() -> impl Strategy<Value = (f64, f64, bool)> {
    (0.0..0.5, sometimes(0.01..0.5), any::<bool>())
}

fn betas() -> impl Strategy<Value = (f64, f64, f64)> {
    (sometimes(0.1..0.99), sometimes(0.1..0.9999), 1e-8..1e-2)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn adagrad_divides_by_the_root_of_all_squares(
        (lr, decay, up) in common(),
        (falls, start) in (sometimes(0.1..1.0), sometimes(0.1..1.0)),
        case in case(),
    ) {
        let options = AdagradOptions::default().lr(lr).weight_decay(decay).maximize(up);
        holds(options.lr_decay(falls).initial_accumulator_value(start).eps(1e-6), &case, naive_adagrad)?;
    }

    #[test]
    fn adadelta_takes_steps_in_the_units_of_the_last_ones(
        (lr, decay, up) in common(), rho in 0.0..1.0, eps in 1e-6..1e-1, case in case(),
    ) {
        let options = AdadeltaOptions::default().lr(lr).weight_decay(decay).maximize(up);
        holds(options.rho(rho).eps(eps), &case, naive_adadelta)?;
    }

    #[test]
    fn adamax_divides_by_the_largest_gradient(
        (lr, decay, up) in common(), (beta1, beta2, eps) in betas(), case in case(),
    ) {
        let options = AdamaxOptions::default().lr(lr).weight_decay(decay).maximize(up);
        holds(options.beta1(beta1).beta2(beta2).eps(eps), &case, naive_adamax)?;
    }

    #[test]
    fn nadam_looks_ahead_of_its_momentum(
        (lr, decay, up) in common(),
        (beta1, beta2, eps) in betas(),
        psi in sometimes(1e-3..1.0),
        apart in any::<bool>(),
        case in case(),
    ) {
        let options = NAdamOptions::default().lr(lr).weight_decay(decay).maximize(up).momentum_decay(psi);
        let options = options.beta1(beta1).beta2(beta2).eps(eps).decoupled_weight_decay(apart);
        holds(options, &case, naive_nadam)?;
    }

    #[test]
    fn radam_waits_until_the_variance_is_known(
        (lr, decay, up) in common(), (beta1, beta2, eps) in betas(), apart in any::<bool>(), case in case(),
    ) {
        let options = RAdamOptions::default().lr(lr).weight_decay(decay).maximize(up);
        let options = options.beta1(beta1).beta2(beta2).eps(eps).decoupled_weight_decay(apart);
        holds(options, &case, naive_radam)?;
    }

    #[test]
    fn rprop_goes_by_signs(
        (lr, _, up) in common(), minus in 0.1..0.9, plus in 1.1..2.0, most in 0.1..1.0, case in case(),
    ) {
        let options = RpropOptions::default().lr(lr).maximize(up).eta_minus(minus).eta_plus(plus);
        holds(options.step_size_min(0.05).step_size_max(most), &case, naive_rprop)?;
    }

    #[test]
    fn asgd_falls_with_the_steps(
        (lr, decay, up) in common(), lambd in 0.0..1.0, alpha in 0.0..1.0, t0 in 0..4u8, case in case(),
    ) {
        let options = AsgdOptions::default().lr(lr).weight_decay(decay).maximize(up);
        holds(options.lambd(lambd).alpha(alpha).t0(f64::from(t0)), &case, naive_asgd)?;
    }

    #[test]
    fn lion_goes_by_the_sign_of_its_momentum(
        (lr, decay, up) in common(), (beta1, beta2, _) in betas(), case in case(),
    ) {
        let options = LionOptions::default().lr(lr).weight_decay(decay).maximize(up);
        holds(options.beta1(beta1).beta2(beta2), &case, naive_lion)?;
    }
}
