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
    Some(match name {
        "leaky_relu" => a.number("negative_slope").map(|slope| x[0].leaky_relu(slope)),
        "elu" => a.number("alpha").map(|alpha| x[0].elu(alpha)),
        "softplus" => two(a, "beta", "threshold").map(|(beta, from)| x[0].softplus_of(beta, from)),
        "hardtanh" => two(a, "min_val", "max_val").map(|(min, max)| x[0].hardtanh(min, max)),
        "clamp" => two(a, "min", "max").map(|(min, max)| x[0].clamp(min, max)),
        _ => Ok(binary(name, x).or_else(|| unary(name, x[0]))?),
    })
}

fn two(a: &Arguments<'_>, first: &str, second: &str) -> Result<(f64, f64), Failure> {
    Ok((a.number(first)?, a.number(second)?))
}

pub fn binary<T: Float>(name: &str, x: &[&Variable<T>]) -> Option<Variable<T>> {
    Some(match name {
        "add" => x[0] + x[1],
        "sub" => x[0] - x[1],
        "mul" => x[0] * x[1],
        "div" => x[0] / x[1],
        "maximum" => x[0].maximum(x[1]),
        "minimum" => x[0].minimum(x[1]),
        "pow" => x[0].pow(x[1]),
        "logaddexp" => x[0].logaddexp(x[1]),
        "atan2" => x[0].atan2(x[1]),
        _ => return None,
    })
}

pub fn unary<T: Float>(name: &str, x: &Variable<T>) -> Option<Variable<T>> {
    Some(match name {
        "neg" => -x,
        "abs" => x.abs(),
        "exp" => x.exp(),
        "expm1" => x.exp_m1(),
        "log" => x.ln(),
        "log1p" => x.ln_1p(),
        "sqrt" => x.sqrt(),
        "rsqrt" => x.rsqrt(),
        "reciprocal" => x.recip(),
        "square" => x.square(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tanh" => x.tanh(),
        "sigmoid" => x.sigmoid(),
        "relu" => x.relu(),
        "selu" => x.selu(),
        "gelu" => x.gelu(),
        "silu" => x.silu(),
        "mish" => x.mish(),
        "softsign" => x.softsign(),
        "logsigmoid" => x.logsigmoid(),
        "hardsigmoid" => x.hardsigmoid(),
        "erf" => x.erf(),
        _ => return None,
    })
}

fn reduction<T: Float>(name: &str, x: &[&Variable<T>], a: &Arguments<'_>) -> Found<T> {
    let keep = a.flag("keepdim");
    let over = |f: &dyn Fn(&[isize]) -> Variable<T>| Some(a.axes("dim").map(|dims| f(&dims)));
    let along = |f: &dyn Fn(isize) -> Variable<T>| Some(a.axis("dim").map(f));
    match name {
        "sum" => over(&|dims| if keep { x[0].sum_keepdim(dims) } else { x[0].sum_dim(dims) }),
        "mean" => over(&|dims| if keep { x[0].mean_keepdim(dims) } else { x[0].mean_dim(dims) }),
        "amax" => over(&|dims| if keep { x[0].amax_keepdim(dims) } else { x[0].amax(dims) }),
        "amin" => over(&|dims| if keep { x[0].amin_keepdim(dims) } else { x[0].amin(dims) }),
        "logsumexp" => along(&|dim| if keep { x[0].logsumexp_keepdim(dim) } else { x[0].logsumexp(dim) }),
        "softmax" => along(&|dim| x[0].softmax(dim)),
        "log_softmax" => along(&|dim| x[0].log_softmax(dim)),
        "max_dim" => along(&|dim| if keep { x[0].max_keepdim(dim).0 } else { x[0].max_dim(dim).0 }),
        "prod" => along(&|dim| if keep { x[0].prod_keepdim(dim) } else { x[0].prod_dim(dim) }),
        "cumsum" => along(&|dim| x[0].cumsum(dim)),
        "cumprod" => along(&|dim| x[0].cumprod(dim)),
        "sort" => {
            along(&|dim| if a.flag("descending") { x[0].sort_descending(dim) } else { x[0].sort(dim) }.0)
        }
        "topk" => Some(a.axis("dim").and_then(|dim| Ok(x[0].topk(a.size("k")?, dim).0))),
        "var" | "std" => Some(a.axes("dim").and_then(|dims| {
            let correction = a.size("correction")?;
            Ok(if name == "var" {
                if keep { x[0].var_keepdim(&dims, correction) } else { x[0].var_dim(&dims, correction) }
            } else {
                if keep { x[0].std_keepdim(&dims, correction) } else { x[0].std_dim(&dims, correction) }
            })
        })),
        "norm" => Some(a.axes("dim").and_then(|dims| {
            Ok(if keep {
                x[0].norm_keepdim(a.number("ord")?, &dims)
            } else {
                x[0].norm(a.number("ord")?, &dims)
            })
        })),
        "layer_norm" => {
            Some(a.number("eps").map(|eps| x[0].layer_norm(x[1].shape(), Some(x[1]), Some(x[2]), eps)))
        }
        _ => None,
    }
}

fn product<T: Float>(name: &str, x: &[&Variable<T>]) -> Found<T> {
    Some(Ok(match name {
        "matmul" | "matmul_batched" | "matmul_broadcast" | "matmul_vector" => x[0].matmul(x[1]),
        "linear" => x[0].linear(x[1], Some(x[2])),
        "dot" => x[0].dot(x[1]),
        "outer" => x[0].outer(x[1]),
        "bilinear" => x[0].bilinear(x[1], x[2], Some(x[3])),
        _ => return None,
    }))
}

fn view<T: Float>(name: &str, x: &[&Variable<T>], a: &Arguments<'_>) -> Found<T> {
    viewed(name, x, a).transpose()
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
        "flip" => x[0].flip(&a.axes("dims")?),
        "roll" => x[0].roll(&a.axes("shifts")?, &a.axes("dims")?),
        "tril" => x[0].tril(a.axis("diagonal")?),
        "triu" => x[0].triu(a.axis("diagonal")?),
        "repeat" => x[0].repeat(&a.sizes("repeats")?),
        "pad" => x[0].pad(&a.axes("pad")?, a.number("value")?),
        "cat" => cat(x, a.axis("dim")?),
        "stack" => stack(x, a.axis("dim")?),
        _ => return Ok(None),
    }))
}

fn indexed<T: Float>(name: &str, x: &[&Variable<T>], a: &Arguments<'_>, case: &Case) -> Found<T> {
    by_index(name, x, a, case).transpose()
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
