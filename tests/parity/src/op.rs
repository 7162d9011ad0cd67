//! Operations.

use wengert::prelude::*;

use crate::case::{Arguments, Case, Failure, Named};

/// A case of the kind `op`.
pub fn run<T: Float>(case: &Case) -> Result<(), Failure> {
    let leaves: Named<T> = case.leaves()?;
    let inputs: Vec<&Variable<T>> =
        (0..leaves.len()).filter_map(|k| leaves.get(&format!("in.{k}"))).collect();
    let (name, arguments) = (case.text("op")?, case.arguments());
    let found = elementwise(name, &inputs, &arguments)
        .or_else(|| reduction(name, &inputs, &arguments))
        .or_else(|| product(name, &inputs))
        .or_else(|| view(name, &inputs, &arguments))
        .or_else(|| indexed(name, &inputs, &arguments, case));
    let output = found.unwrap_or_else(|| Err(Failure::Unsupported(format!("op {name}"))))?;
    case.judge(&leaves, &[("output".to_string(), output)].into())
}

/// None for an operation of another group.
type Found<T> = Option<Result<Variable<T>, Failure>>;

fn elementwise<T: Float>(name: &str, x: &[&Variable<T>], a: &Arguments<'_>) -> Found<T> {
    Some(Ok(match name {
        "add" => x[0] + x[1],
        "sub" => x[0] - x[1],
        "mul" => x[0] * x[1],
        "div" => x[0] / x[1],
        "neg" => -x[0],
        "maximum" => x[0].maximum(x[1]),
        "minimum" => x[0].minimum(x[1]),
        "pow" => x[0].pow(x[1]),
        "abs" => x[0].abs(),
        "exp" => x[0].exp(),
        "expm1" => x[0].exp_m1(),
        "log" => x[0].ln(),
        "log1p" => x[0].ln_1p(),
        "sqrt" => x[0].sqrt(),
        "reciprocal" => x[0].recip(),
        "square" => x[0].square(),
        "sin" => x[0].sin(),
        "cos" => x[0].cos(),
        "tanh" => x[0].tanh(),
        "sigmoid" => x[0].sigmoid(),
        "relu" => x[0].relu(),
        "clamp" => return Some(bounds(a, "min", "max").map(|(min, max)| x[0].clamp(min, max))),
        _ => return None,
    }))
}

fn bounds(a: &Arguments<'_>, low: &str, high: &str) -> Result<(f64, f64), Failure> {
    Ok((a.number(low)?, a.number(high)?))
}

fn reduction<T: Float>(name: &str, x: &[&Variable<T>], a: &Arguments<'_>) -> Found<T> {
    let keep = a.flag("keepdim");
    let over = |f: &dyn Fn(&[isize]) -> Variable<T>| Some(a.axes("dim").map(|dims| f(&dims)));
    let along = |f: &dyn Fn(isize) -> Variable<T>| Some(a.axis("dim").map(f));
    match name {
        "sum" => over(&|dims| x[0].sum_dim(dims, keep)),
        "mean" => over(&|dims| x[0].mean_dim(dims, keep)),
        "amax" => over(&|dims| x[0].amax(dims, keep)),
        "amin" => over(&|dims| x[0].amin(dims, keep)),
        "logsumexp" => along(&|dim| x[0].logsumexp(dim, keep)),
        "softmax" => along(&|dim| x[0].softmax(dim)),
        "log_softmax" => along(&|dim| x[0].log_softmax(dim)),
        "max_dim" => along(&|dim| x[0].max_dim(dim, keep).0),
        "layer_norm" => Some(
            a.number("eps").and_then(|eps| Ok(x[0].layer_norm(x[1].shape(), Some(x[1]), Some(x[2]), eps)?)),
        ),
        _ => None,
    }
}

fn product<T: Float>(name: &str, x: &[&Variable<T>]) -> Found<T> {
    Some(Ok(match name {
        "matmul" | "matmul_batched" | "matmul_broadcast" | "matmul_vector" => x[0].matmul(x[1]),
        "linear" => x[0].linear(x[1], Some(x[2])),
        _ => return None,
    }))
}

fn view<T: Float>(name: &str, x: &[&Variable<T>], a: &Arguments<'_>) -> Found<T> {
    Some(viewed(name, x, a).transpose()?)
}

fn viewed<T: Float>(
    name: &str,
    x: &[&Variable<T>],
    a: &Arguments<'_>,
) -> Result<Option<Variable<T>>, Failure> {
    Ok(Some(match name {
        "reshape" => x[0].reshape(a.sizes("shape")?),
        "permute" => x[0].permute(&a.axes("dims")?),
        "transpose" => x[0].transpose(a.axis("dim0")?, a.axis("dim1")?),
        "expand" => x[0].expand(a.sizes("size")?),
        "squeeze" => x[0].squeeze(a.axis("dim")?),
        "unsqueeze" => x[0].unsqueeze(a.axis("dim")?),
        "narrow" => x[0].narrow(a.axis("dim")?, a.size("start")?, a.size("length")?),
        "select" => x[0].select(a.axis("dim")?, a.size("index")?),
        "slice_step" => x[0].slice(1, a.size("start")?, a.size("end")?, a.size("step")?),
        "cat" => cat(x, a.axis("dim")?),
        "stack" => stack(x, a.axis("dim")?),
        _ => return Ok(None),
    }))
}

fn indexed<T: Float>(name: &str, x: &[&Variable<T>], a: &Arguments<'_>, case: &Case) -> Found<T> {
    Some(by_index(name, x, a, case).transpose()?)
}

fn by_index<T: Float>(
    name: &str,
    x: &[&Variable<T>],
    a: &Arguments<'_>,
    case: &Case,
) -> Result<Option<Variable<T>>, Failure> {
    let mask = |name| case.index(name).map(|mask| mask.map(|bit| bit != 0));
    Ok(Some(match name {
        "where" => x[0].where_(&mask("condition")?, x[1]),
        "masked_fill" => x[0].masked_fill(&mask("mask")?, a.number("value")?),
        "index_select" => x[0].index_select(a.axis("dim")?, &case.index("index")?),
        "gather" => x[0].gather(a.axis("dim")?, &case.index("index")?),
        "scatter_add" => x[0].scatter_add(a.axis("dim")?, &case.index("index")?, x[1]),
        "embedding" => x[0].embedding(&case.index("index")?),
        _ => return Ok(None),
    }))
}
