//! The functions between the layers of a network, each one formula.

use super::elementwise::unary;
use crate::ops::formula::Pointwise;
use crate::ops::registry::{Listed, formula};
use crate::tape::Float;
use crate::tape::Variable;

/// The formulas, named as they appear on the tape.
mod formula {
    use crate::pointwise;

    pointwise! { pub struct Relu; fn eval(x) -> 1 { [x.relu()] } }
    pointwise! { pub struct LeakyRelu { slope } fn eval(x) -> 1 { [R::select(x.gt(0.0), x, slope * x)] } }
    pointwise! { pub struct Elu { alpha } fn eval(x) -> 1 { [R::select(x.gt(0.0), x, alpha * x.exp_m1())] } }
    // The constants with which a wide layer keeps mean 0 and variance 1 (Klambauer et al. 2017, arXiv
    // 1706.02515).
    pointwise! {
        pub struct Selu;
        fn eval(x) -> 1 {
            [1.050_700_987_355_480_5 * R::select(x.gt(0.0), x, 1.673_263_242_354_377_2 * x.exp_m1())]
        }
    }
    pointwise! { pub struct Gelu; fn eval(x) -> 1 { [x * x.ndtr()] } }
    // `(1 + tanh u) / 2 = sigmoid(2 u)`, which loses nothing where `tanh u` is near -1.
    pointwise! {
        pub struct GeluTanh;
        fn eval(x) -> 1 { [x * (1.595_769_121_605_730_7 * (x + 0.044_715 * x * x * x)).sigmoid()] }
    }
    pointwise! { pub struct Silu; fn eval(x) -> 1 { [x * x.sigmoid()] } }
    // With `e = e^x`, `tanh(ln(1 + e)) = n / (n + 2)` where `n = e (e + 2)`; above 20 it is 1.
    pointwise! {
        pub struct Mish;
        fn eval(x) -> 1 {
            [{
                let beyond = x.gt(20.0);
                let e = R::select(beyond, 0.0, x).exp();
                let n = e * (e + 2.0);
                R::select(beyond, x, x * (n / (n + 2.0)))
            }]
        }
    }
    pointwise! { pub struct Softplus; fn eval(x) -> 1 { [x.softplus()] } }
    // The exponential of a number that is not positive; at 0 all selections are of one side, so that the
    // slope is that of the whole.
    pointwise! {
        pub struct SoftplusOf { beta, threshold }
        fn eval(x) -> 1 {
            [{
                let z = beta * x;
                let left = z.lt(0.0);
                let bent = R::select(left, 0.0, z) + R::select(left, z, -z).exp().ln_1p();
                R::select(z.gt(threshold), x, bent / beta)
            }]
        }
    }
    pointwise! {
        pub struct Logsigmoid;
        fn eval(x) -> 1 {
            [{
                let left = x.lt(0.0);
                R::select(left, x, 0.0) - R::select(left, x, -x).exp().ln_1p()
            }]
        }
    }
    pointwise! { pub struct Softsign; fn eval(x) -> 1 { [x / (1.0 + x.abs())] } }
    pointwise! {
        pub struct Hardtanh { min, max }
        fn eval(x) -> 1 { [R::select(x.le(min), min, R::select(x.ge(max), max, x))] }
    }
    pointwise! {
        pub struct Hardsigmoid;
        fn eval(x) -> 1 { [R::select(x.le(-3.0), 0.0, R::select(x.ge(3.0), 1.0, (x + 3.0) / 6.0))] }
    }
}

unary! { formula:
    /// `max(x, 0)`; the derivative at 0 is 0 (`torch.relu`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([-1.0f32, 2.0])).relu().to_vec(), vec![0.0, 2.0]);
    /// ```
    relu Relu;
    /// `s x` where `x > 0`, else `s a (e^x - 1)`, with `s = 1.0507..` and `a = 1.6733..` (`torch.selu`). The
    /// derivative at 0 is `s a`.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([0.0f64, 1.0])).selu().to_vec(), vec![0.0, 1.0507009873554805]);
    /// ```
    selu Selu;
    /// `x P(X < x)` for a standard normal `X`, that is `x (1 + erf(x / sqrt(2))) / 2`; exact, not the
    /// approximation by `tanh` (`torch.nn.functional.gelu`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let y = Variable::new(Tensor::from([-10.0f64, 0.0, 1.0])).gelu().to_vec();
    /// assert_eq!(y[1..], [0.0, 0.8413447460685429]);
    /// assert!(y[0] < 0.0 && y[0] > -1e-22);
    /// ```
    gelu Gelu;
    /// `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`, which is near [`Variable::gelu`]
    /// (`torch.nn.functional.gelu` with `approximate="tanh"`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let y = Variable::new(Tensor::from([-10.0f64, 0.0, 1.0])).gelu_tanh().to_vec();
    /// assert!((y[2] - 0.8411919906082768).abs() < 1e-15 && y[1] == 0.0);
    /// assert!(y[0] < 0.0 && y[0] > -1e-33);
    /// ```
    gelu_tanh GeluTanh;
    /// `x / (1 + e^-x)` (`torch.nn.functional.silu`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.0f64, 100.0])).silu();
    /// assert_eq!(x.to_vec(), vec![0.0, 100.0]);
    /// ```
    #[doc(alias = "swish")]
    silu Silu;
    /// `x tanh(ln(1 + e^x))` (`torch.nn.functional.mish`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.0f64, 100.0])).mish();
    /// assert_eq!(x.to_vec(), vec![0.0, 100.0]);
    /// ```
    mish Mish;
    /// `ln(1 + e^x)`, linear above 20 (`torch.nn.functional.softplus`).
    softplus Softplus;
    /// `ln(1 / (1 + e^-x))` for numbers of any size (`torch.nn.functional.logsigmoid`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-1000.0f64, 0.0, 1000.0]));
    /// assert_eq!(x.logsigmoid().to_vec(), vec![-1000.0, -(2f64.ln()), 0.0]);
    /// ```
    logsigmoid Logsigmoid;
    /// `x / (1 + |x|)` (`torch.nn.functional.softsign`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([-1.0f32, 3.0])).softsign().to_vec(), vec![-0.5, 0.75]);
    /// ```
    softsign Softsign;
    /// `(x + 3) / 6` between -3 and 3, 0 below and 1 above; the derivative at both is 0
    /// (`torch.nn.functional.hardsigmoid`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-4.0f32, 0.0, 4.0]));
    /// assert_eq!(x.hardsigmoid().to_vec(), vec![0.0, 0.5, 1.0]);
    /// ```
    hardsigmoid Hardsigmoid;
}

impl<T: Float> Variable<T> {
    /// `x` where it is positive, else `negative_slope x`; the derivative at 0 is `negative_slope`
    /// (`torch.nn.functional.leaky_relu`, whose default is 0.01).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-2.0f32, 3.0]));
    /// assert_eq!(x.leaky_relu(0.25).to_vec(), vec![-0.5, 3.0]);
    /// ```
    #[track_caller]
    pub fn leaky_relu(&self, negative_slope: f64) -> Variable<T> {
        formula::LeakyRelu { slope: negative_slope }.apply1([self])
    }

    /// `x` where it is positive, else `alpha (e^x - 1)`; the derivative at 0 is `alpha`
    /// (`torch.nn.functional.elu`, whose default is 1).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-1000.0f32, 3.0]));
    /// assert_eq!(x.elu(0.5).to_vec(), vec![-0.5, 3.0]);
    /// ```
    #[track_caller]
    pub fn elu(&self, alpha: f64) -> Variable<T> {
        formula::Elu { alpha }.apply1([self])
    }

    /// `ln(1 + e^(beta x)) / beta`, and `x` where `beta x` is above `threshold`
    /// (`torch.nn.functional.softplus`, whose defaults are 1 and 20).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.0f64, 6.0]));
    /// assert_eq!(x.softplus_of(2.0, 10.0).to_vec(), vec![2f64.ln() / 2.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn softplus_of(&self, beta: f64, threshold: f64) -> Variable<T> {
        formula::SoftplusOf { beta, threshold }.apply1([self])
    }

    /// `x` between `min` and `max`, else the nearer of the two; at both the derivative is 0, where that of
    /// [`Variable::clamp`] is 1 (`torch.nn.functional.hardtanh`, whose defaults are -1 and 1).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-3.0f32, 0.5, 3.0]));
    /// assert_eq!(x.hardtanh(-1.0, 1.0).to_vec(), vec![-1.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn hardtanh(&self, min: f64, max: f64) -> Variable<T> {
        formula::Hardtanh { min, max }.apply1([self])
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        formula!(formula Relu [NonZero] exact),
        formula!(formula LeakyRelu { slope: [0.01, 0.3] } [NonZero]),
        formula!(formula Elu { alpha: [1.0, 0.5] } [NonZero]),
        formula!(formula Selu [NonZero]),
        formula!(formula Gelu [Any]),
        formula!(formula GeluTanh [Any]),
        formula!(formula Silu [Any]),
        formula!(formula Mish [Any]),
        formula!(formula Softplus [Any]),
        formula!(formula SoftplusOf { beta: [1.0, 2.0], threshold: [20.0, 30.0] } [Any]),
        formula!(formula Logsigmoid [Any]),
        formula!(formula Softsign [Any]),
        formula!(formula Hardtanh { min: [-2.5, -10.0], max: [2.5, 10.0] } [Any] exact),
        formula!(formula Hardsigmoid [Any]),
    ]
}
