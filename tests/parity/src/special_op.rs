//! The operations of the tables of special numbers, by name.

use wengert::nn::mse_loss;
use wengert::{Element, Float, Tensor, Variable};

use crate::case::Failure;
use crate::op::{binary, unary};
use crate::special::number;

/// The result of an operation that is named with its constants, as `clamp(-1 1)`.
pub fn result<T: Float>(operation: &str, x: &[&Variable<T>]) -> Result<Variable<T>, Failure> {
    let (name, constants) = operation.trim_end_matches(')').split_once('(').unwrap_or((operation, ""));
    let constants: Vec<f64> = constants.split_whitespace().map(number::<f64>).collect();
    let found = match *constants.as_slice() {
        [] => binary_or_comparison(name, x).or_else(|| unary(name, x[0])).or_else(|| along_row(name, x[0])),
        [c] => with_one(name, c, x),
        [c, d] => with_two(name, c, d, x[0]),
        _ => None,
    };
    match name {
        "cross_entropy" => Ok(x[0].cross_entropy(&Tensor::scalar(0), -1)?),
        "layer_norm" => Ok(x[0].layer_norm(x[0].shape(), None, None, 1e-5)),
        "mse_loss" => Ok(mse_loss(x[0], x[1])?),
        _ => found.ok_or_else(|| Failure::Unsupported(format!("op {operation}"))),
    }
}

/// Masks and places as numbers.
fn plain<T: Float, E: Element>(values: Tensor<E>) -> Variable<T> {
    Variable::from(values.cast())
}

fn binary_or_comparison<T: Float>(name: &str, x: &[&Variable<T>]) -> Option<Variable<T>> {
    let [a, b] = *x else { return None };
    Some(match name {
        "lt" => plain(a.lt(b)),
        "le" => plain(a.le(b)),
        "gt" => plain(a.gt(b)),
        "ge" => plain(a.ge(b)),
        "eq" => plain(a.eq(b)),
        "ne" => plain(a.ne(b)),
        _ => return binary(name, x),
    })
}

fn along_row<T: Float>(name: &str, x: &Variable<T>) -> Option<Variable<T>> {
    Some(match name {
        "softplus" => x.softplus(),
        "ndtr" => x.ndtr(),
        "gelu_tanh" => x.gelu_tanh(),
        "relu6" => x.relu6(),
        "hardswish" => x.hardswish(),
        "tanhshrink" => x.tanhshrink(),
        "sum" => x.sum(),
        "mean" => x.mean(),
        "amax" => x.amax(&[0]),
        "amin" => x.amin(&[0]),
        "max_dim" => x.max_dim(0).0,
        "min_dim" => x.min_dim(0).0,
        "argmax" => plain(x.argmax(0)),
        "argmin" => plain(x.min_dim(0).1),
        "logsumexp" => x.logsumexp(0),
        "softmax" => x.softmax(0),
        "log_softmax" => x.log_softmax(0),
        "prod" => x.prod(),
        "cumsum" => x.cumsum(0),
        "cumprod" => x.cumprod(0),
        "sort" => x.sort(0).0,
        "sort_descending" => x.sort_descending(0).0,
        "argsort" => plain(x.sort(0).1),
        "dot" => x.dot(x),
        _ => return None,
    })
}

fn with_one<T: Float>(name: &str, c: f64, x: &[&Variable<T>]) -> Option<Variable<T>> {
    let a = x[0];
    Some(match name {
        "leaky_relu" => a.leaky_relu(c),
        "elu" => a.elu(c),
        "celu" => a.celu(c),
        "hardshrink" => a.hardshrink(c),
        "softshrink" => a.softshrink(c),
        "pow" => a.pow_scalar(c),
        "add" => a + c,
        "mul" => a * c,
        "div" => a / c,
        "rdiv" => c / a,
        "where" => a.where_(&Tensor::from([c != 0.0]), x[1]),
        "topk" => a.topk(c as usize, 0).0,
        "var" => a.var_dim(&[0], c as usize),
        "std" => a.std_dim(&[0], c as usize),
        "norm" => a.norm(c, &[0]),
        _ => return None,
    })
}

fn with_two<T: Float>(name: &str, c: f64, d: f64, x: &Variable<T>) -> Option<Variable<T>> {
    Some(match name {
        "softplus_of" => x.softplus_of(c, d),
        "hardtanh" => x.hardtanh(c, d),
        "threshold" => x.threshold(c, d),
        "clamp" => x.clamp(c, d),
        _ => return None,
    })
}
