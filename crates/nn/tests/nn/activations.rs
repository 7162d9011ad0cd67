//! Activations as modules: how they print, what they refuse, and their derivatives.

use wengert_check::Gradcheck;
use wengert_core::{Float, Tensor, Variable};
use wengert_nn::{
    Cast, Celu, Elu, Forward, Gelu, Glu, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyRelu, LogSigmoid,
    LogSoftmax, Mish, Module, Prelu, Relu, Relu6, Selu, Sequential, Sigmoid, Silu, Softmax, Softmin,
    Softplus, Softshrink, Softsign, Tanh, Tanhshrink, Threshold,
};

use crate::{V, names};

/// Calls a macro with each activation and what PyTorch prints for it.
macro_rules! each {
    ($then:ident) => {
        $then!(Relu::new(), "ReLU()");
        $then!(Relu6::new(), "ReLU6()");
        $then!(LeakyRelu::new(), "LeakyReLU(negative_slope=0.01)");
        $then!(LeakyRelu::new().negative_slope(0.3), "LeakyReLU(negative_slope=0.3)");
        $then!(Prelu::new(), "PReLU(num_parameters=1)");
        $then!(Elu::new(), "ELU(alpha=1.0)");
        $then!(Celu::new().alpha(0.5), "CELU(alpha=0.5)");
        $then!(Selu::new(), "SELU()");
        $then!(Gelu::new(), "GELU(approximate='none')");
        $then!(Gelu::tanh(), "GELU(approximate='tanh')");
        $then!(Silu::new(), "SiLU()");
        $then!(Mish::new(), "Mish()");
        $then!(Softplus::new(), "Softplus(beta=1.0, threshold=20.0)");
        $then!(Softplus::new().beta(2.0).threshold(1e-5), "Softplus(beta=2.0, threshold=1e-05)");
        $then!(Softsign::new(), "Softsign()");
        $then!(Softmin::new(1), "Softmin(dim=1)");
        $then!(Hardtanh::new(), "Hardtanh(min_val=-1.0, max_val=1.0)");
        $then!(Hardsigmoid::new(), "Hardsigmoid()");
        $then!(Hardswish::new(), "Hardswish()");
        $then!(Hardshrink::new(), "Hardshrink(0.5)");
        $then!(Softshrink::new(), "Softshrink(0.5)");
        $then!(Tanhshrink::new(), "Tanhshrink()");
        $then!(Threshold::new(0.1, 20.0), "Threshold(threshold=0.1, value=20.0)");
        $then!(LogSigmoid::new(), "LogSigmoid()");
        $then!(Glu::new(), "GLU(dim=-1)");
        $then!(Sigmoid::new(), "Sigmoid()");
        $then!(Tanh::new(), "Tanh()");
        $then!(Softmax::new(1), "Softmax(dim=1)");
        $then!(LogSoftmax::new(-1), "LogSoftmax(dim=-1)");
    };
}

#[test]
fn they_print_as_in_pytorch() {
    macro_rules! prints {
        ($module:expr, $printed:literal) => {
            assert_eq!($module.to_string(), $printed);
            assert_eq!($module.cast::<f64>().to_string(), $printed, "cast");
        };
    }
    each!(prints);
}

#[test]
fn their_first_and_second_derivatives_are_those_of_differences() {
    // No number is near a kink of any of them.
    let x = V::new(Tensor::from([[-1.7, -0.7, -0.2, 0.3], [0.8, 1.9, -3.6, 3.7]])).requires_grad_(true);
    macro_rules! checks {
        ($module:expr, $name:literal) => {
            for order in [1, 2] {
                let checked = Gradcheck::new().check_module_order(order, &$module.cast::<f64>(), &[&x]);
                checked.unwrap_or_else(|failure| panic!("{}, order {order}: {failure}", $name));
            }
        };
    }
    each!(checks);
}

/// The message of a refusal.
fn refusal<T: Float, M: Forward<Element = T>>(module: &M, x: &[usize]) -> String {
    module.forward(&Variable::new(Tensor::zeros(x))).unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_is_refused() {
    let softmax = "Softmax: dim must be in -2..2 for an input of shape [2, 3], got 2";
    assert_eq!(refusal(&Softmax::new(2), &[2, 3]), softmax);
    assert_eq!(
        refusal(&Softmin::new(0), &[]),
        "Softmin: dim must be in 0..0 for an input of shape [], got 0"
    );
    assert_eq!(refusal(&Glu::new(), &[2, 3]), "GLU: expected an even extent of axis -1, got [2, 3]");
    assert_eq!(
        refusal(&Glu::new().dim(-3), &[2, 3]),
        "GLU: dim must be in -2..2 for an input of shape [2, 3], got -3"
    );
    let shrink = "Softshrink: lambda must be a number that is not negative, got -1";
    assert_eq!(refusal(&Softshrink::new().lambda(-1.0), &[2]), shrink);
    let prelu = Prelu::of_channels(3).unwrap();
    assert_eq!(refusal(&prelu, &[3, 2]), "PReLU: expected an input of 3 channels, got [3, 2]");
    assert_eq!(
        Prelu::of_channels(0).unwrap_err().to_string(),
        "PReLU: num_parameters must be at least 1, got 0"
    );
    assert_eq!(names(&prelu), ["weight"]);
    assert_eq!(prelu.weight.to_vec(), [0.25; 3]);
}

#[test]
fn a_sequence_prints_its_layers_one_in_another() {
    let inner = Sequential::new((Relu::new(), Gelu::new()));
    let printed = "\
Sequential(
  (0): Sequential(
    (0): ReLU()
    (1): GELU(approximate='none')
  )
  (1): Tanh()
)";
    assert_eq!(Sequential::new((inner, Tanh::new())).to_string(), printed);
    assert_eq!(Sequential::new((Tanh::new(),)).num_parameters(), 0);
}
