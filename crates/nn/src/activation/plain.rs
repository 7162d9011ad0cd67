//! Activations of single elements.

use std::fmt;

use wengert_core::{Float, Result, Variable};

use super::Constant;
use super::declare::activation;
use crate::module::{Cast, Memo, Module, Visitor, VisitorMut};
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

activation! {
    /// `tanh(x)` (`torch.nn.Tanh`).
    Tanh, x => x.tanh(), "Tanh()"
}
activation! {
    /// `1 / (1 + e^-x)` (`torch.nn.Sigmoid`).
    Sigmoid, x => x.sigmoid(), "Sigmoid()"
}
activation! {
    /// `max(x, 0)` (`torch.nn.ReLU`).
    #[doc(alias = "ReLU")]
    Relu, x => x.relu(), "ReLU()"
}
activation! {
    /// `min(max(x, 0), 6)` (`torch.nn.ReLU6`).
    #[doc(alias = "ReLU6")]
    Relu6, x => x.relu6(), "ReLU6()"
}
activation! {
    /// `x` where it is positive, else `negative_slope x` (`torch.nn.LeakyReLU`).
    #[doc(alias = "LeakyReLU")]
    LeakyRelu[negative_slope: f64 = 0.01], x => x.leaky_relu(negative_slope),
    "LeakyReLU(negative_slope={})"
}
activation! {
    /// `x` where it is positive, else `alpha (e^x - 1)` (`torch.nn.ELU`; Clevert et al. 2015, arXiv
    /// 1511.07289).
    #[doc(alias = "ELU")]
    Elu[alpha: f64 = 1.0], x => x.elu(alpha), "ELU(alpha={})"
}
activation! {
    /// `x` where it is positive, else `alpha (e^(x / alpha) - 1)` (`torch.nn.CELU`).
    #[doc(alias = "CELU")]
    Celu[alpha: f64 = 1.0], x => x.celu(alpha), "CELU(alpha={})"
}
activation! {
    /// `s x` where `x > 0`, else `s a (e^x - 1)`, with constants that keep mean 0 and variance 1
    /// (`torch.nn.SELU`; Klambauer et al. 2017, arXiv 1706.02515).
    #[doc(alias = "SELU")]
    Selu, x => x.selu(), "SELU()"
}
activation! {
    /// `x / (1 + e^-x)` (`torch.nn.SiLU`).
    #[doc(alias = "swish")]
    #[doc(alias = "SiLU")]
    Silu, x => x.silu(), "SiLU()"
}
activation! {
    /// `x tanh(ln(1 + e^x))` (`torch.nn.Mish`).
    Mish, x => x.mish(), "Mish()"
}
activation! {
    /// `ln(1 + e^(beta x)) / beta`, and `x` where `beta x` is above `threshold` (`torch.nn.Softplus`).
    Softplus[beta: f64 = 1.0, threshold: f64 = 20.0], x => x.softplus_of(beta, threshold),
    "Softplus(beta={}, threshold={})"
}
activation! {
    /// `x / (1 + |x|)` (`torch.nn.Softsign`).
    Softsign, x => x.softsign(), "Softsign()"
}
activation! {
    /// `x` held between `min_val` and `max_val` (`torch.nn.Hardtanh`).
    Hardtanh[min_val: f64 = -1.0, max_val: f64 = 1.0], x => x.hardtanh(min_val, max_val),
    "Hardtanh(min_val={}, max_val={})"
}
activation! {
    /// `(x + 3) / 6` held between 0 and 1 (`torch.nn.Hardsigmoid`).
    Hardsigmoid, x => x.hardsigmoid(), "Hardsigmoid()"
}
activation! {
    /// `x min(max(x + 3, 0), 6) / 6` (`torch.nn.Hardswish`).
    Hardswish, x => x.hardswish(), "Hardswish()"
}
activation! {
    /// `x` where `|x|` is above `lambda`, else 0 (`torch.nn.Hardshrink`).
    Hardshrink[lambda: f64 = 0.5], x => x.hardshrink(lambda), "Hardshrink({})"
}
activation! {
    /// `x` moved by `lambda` towards 0, and 0 where `|x|` is at most that (`torch.nn.Softshrink`).
    Softshrink[lambda: f64 = 0.5], x => x.softshrink(lambda), "Softshrink({})"
}
activation! {
    /// `x - tanh(x)` (`torch.nn.Tanhshrink`).
    Tanhshrink, x => x.tanhshrink(), "Tanhshrink()"
}
activation! {
    /// `x` where it is above `threshold`, else `value` (`torch.nn.Threshold`).
    Threshold(threshold: f64 = 0.5, value: f64 = -1.0), x => x.threshold(threshold, value),
    "Threshold(threshold={}, value={})"
}
activation! {
    /// `ln(1 / (1 + e^-x))` (`torch.nn.LogSigmoid`).
    LogSigmoid, x => x.logsigmoid(), "LogSigmoid()"
}
