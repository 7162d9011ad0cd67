//! Layers without a state: convolutions, normalisations, activations, attention.

use wengert::nn::{
    Celu, Conv1d, ConvPadding, Elu, Gelu, Glu, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LeakyRelu,
    LogSigmoid, LogSoftmax, Mish, Prelu, Relu, Relu6, Selu, Sigmoid, Silu, Softmax, Softmin, Softplus,
    Softshrink, Softsign, Tanh, Tanhshrink, Threshold,
};
use wengert::prelude::*;

use crate::case::{Arguments, Case, Failure, Named};

/// A case of the kind `layer`.
pub fn run<T: Float>(case: &Case) -> Result<(), Failure> {
    let (name, a) = (case.text("module")?, case.arguments());
    match name {
        "Conv1d" => forward::<T, _>(case, convolution(&a)?.cast()),
        "RMSNorm" => forward::<T, _>(case, rms_norm(&a)?.cast()),
        "BatchNorm1d" => forward::<T, _>(case, batch_norm(&a)?.cast()),
        "WeightNorm" => {
            let dim = a.size("dim").ok();
            let layer = WeightNorm::along(Linear::new(4, 3)?, &["weight"], dim)?;
            forward::<T, _>(case, layer.cast())
        }
        "Attention" => attention::<T>(case, &a),
        _ => plain::<T>(case, name)
            .or_else(|| with_arguments::<T>(case, name, &a))
            .unwrap_or_else(|| Err(Failure::Unsupported(format!("module {name}")))),
    }
}

fn convolution(a: &Arguments<'_>) -> Result<Conv1d, Failure> {
    let [inputs, outputs, taps] = [a.size("in_channels")?, a.size("out_channels")?, a.size("kernel_size")?];
    let padding = match a.text("padding") {
        Some("same") => ConvPadding::Same,
        _ => ConvPadding::Both(a.size("padding").unwrap_or(0)),
    };
    let one = |name| a.size(name).unwrap_or(1);
    let builder = Conv1d::builder(inputs, outputs, taps).padding(padding).bias(!a.is_off("bias"));
    Ok(builder.stride(one("stride")).dilation(one("dilation")).groups(one("groups")).build()?)
}

fn rms_norm(a: &Arguments<'_>) -> Result<RmsNorm, Failure> {
    let shape = a.sizes("normalized_shape")?;
    let norm =
        if a.is_off("elementwise_affine") { RmsNorm::without_weight(shape) } else { RmsNorm::new(shape) };
    Ok(match a.number("eps") {
        Ok(eps) => norm.eps(eps),
        Err(_) => norm,
    })
}

fn batch_norm(a: &Arguments<'_>) -> Result<BatchNorm1d, Failure> {
    let mut norm = BatchNorm1d::new(a.size("num_features")?)?;
    if let Ok(eps) = a.number("eps") {
        norm = norm.eps(eps);
    }
    norm = match (a.has("momentum"), a.number("momentum")) {
        (true, Ok(momentum)) => norm.momentum(momentum),
        (true, Err(_)) => norm.cumulative(),
        (false, _) => norm,
    };
    if a.is_off("affine") {
        norm = norm.without_affine();
    }
    Ok(if a.is_off("track_running_stats") { norm.without_running_stats() } else { norm })
}

/// None for an activation with arguments.
fn plain<T: Float>(case: &Case, name: &str) -> Option<Result<(), Failure>> {
    Some(match name {
        "ReLU" => forward::<T, _>(case, Relu::new().cast()),
        "ReLU6" => forward::<T, _>(case, Relu6::new().cast()),
        "SELU" => forward::<T, _>(case, Selu::new().cast()),
        "SiLU" => forward::<T, _>(case, Silu::new().cast()),
        "Mish" => forward::<T, _>(case, Mish::new().cast()),
        "Softsign" => forward::<T, _>(case, Softsign::new().cast()),
        "Hardsigmoid" => forward::<T, _>(case, Hardsigmoid::new().cast()),
        "Hardswish" => forward::<T, _>(case, Hardswish::new().cast()),
        "Tanhshrink" => forward::<T, _>(case, Tanhshrink::new().cast()),
        "LogSigmoid" => forward::<T, _>(case, LogSigmoid::new().cast()),
        "Sigmoid" => forward::<T, _>(case, Sigmoid::new().cast()),
        "Tanh" => forward::<T, _>(case, Tanh::new().cast()),
        _ => return None,
    })
}

fn with_arguments<T: Float>(case: &Case, name: &str, a: &Arguments<'_>) -> Option<Result<(), Failure>> {
    activation::<T>(case, name, a).transpose()
}

fn activation<T: Float>(case: &Case, name: &str, a: &Arguments<'_>) -> Result<Option<()>, Failure> {
    match name {
        "LeakyReLU" => {
            let layer = LeakyRelu::new().negative_slope(a.number("negative_slope")?);
            forward::<T, _>(case, layer.cast())
        }
        "PReLU" => forward::<T, _>(case, Prelu::of_channels(a.size("num_parameters")?)?.cast()),
        "ELU" => forward::<T, _>(case, Elu::new().alpha(a.number("alpha")?).cast()),
        "CELU" => forward::<T, _>(case, Celu::new().alpha(a.number("alpha")?).cast()),
        "GELU" if a.text("approximate") == Some("tanh") => forward::<T, _>(case, Gelu::tanh().cast()),
        "GELU" => forward::<T, _>(case, Gelu::new().cast()),
        "Softplus" => {
            let layer = Softplus::new().beta(a.number("beta")?).threshold(a.number("threshold")?);
            forward::<T, _>(case, layer.cast())
        }
        "Hardtanh" => {
            let layer = Hardtanh::new().min_val(a.number("min_val")?).max_val(a.number("max_val")?);
            forward::<T, _>(case, layer.cast())
        }
        "Hardshrink" => forward::<T, _>(case, Hardshrink::new().lambda(a.number("lambd")?).cast()),
        "Softshrink" => forward::<T, _>(case, Softshrink::new().lambda(a.number("lambd")?).cast()),
        "Threshold" => {
            forward::<T, _>(case, Threshold::new(a.number("threshold")?, a.number("value")?).cast())
        }
        "GLU" => forward::<T, _>(case, Glu::new().dim(a.axis("dim")?).cast()),
        "Softmin" => forward::<T, _>(case, Softmin::new(a.axis("dim")?).cast()),
        "Softmax" => forward::<T, _>(case, Softmax::new(a.axis("dim")?).cast()),
        "LogSoftmax" => forward::<T, _>(case, LogSoftmax::new(a.axis("dim")?).cast()),
        _ => return Ok(None),
    }
    .map(Some)
}

/// A forward with PyTorch's parameters and buffers, and what became of the buffers.
fn forward<T: Float, M: Forward<Element = T>>(case: &Case, mut layer: M) -> Result<(), Failure> {
    let mut state = case.parameters();
    state.insert_all("", &case.all_given("buffer."));
    layer.load_state_dict(&state)?;
    if !case.is_training() {
        layer.eval();
    }
    let mut leaves = case.leaves()?;
    for (name, parameter) in layer.named_parameters() {
        leaves.insert(format!("param.{name}"), Variable::clone(&parameter));
    }
    let output = layer.forward(&leaves["in.0"])?;
    let mut outputs: Named<T> = [("output".to_string(), output)].into();
    for (name, buffer) in layer.named_buffers() {
        outputs.insert(format!("buffer.{name}"), Variable::from(buffer.tensor()));
    }
    case.judge(&leaves, &outputs)
}

fn attention<T: Float>(case: &Case, a: &Arguments<'_>) -> Result<(), Failure> {
    let leaves: Named<T> = case.leaves()?;
    let mut options = AttentionOptions::default().causal(a.flag("is_causal"));
    if let Ok(scale) = a.number("scale") {
        options = options.scale(scale);
    }
    if let Some(bias) = leaves.get("in.3") {
        options = options.bias(bias.clone());
    }
    let output = scaled_dot_product_attention(&leaves["in.0"], &leaves["in.1"], &leaves["in.2"], &options)?;
    case.judge(&leaves, &[("output".to_string(), output)].into())
}
