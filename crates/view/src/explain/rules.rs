//! The rules of the operations, as one would write them on paper.

/// What an operation computes and how its cotangent goes on, in symbols: `g` is the cotangent of the result
/// `y`, `x0`, `x1` .. are the inputs, and attributes have their names. Behind ` | ` are words.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) forward: &'static str,
    /// What each input gets; the last one is for all inputs behind it, too.
    pub(super) back: &'static [&'static str],
    /// Whether inputs are stretched to the shape of the result.
    pub(super) is_elementwise: bool,
}

/// The rule of an operation.
pub(super) fn rule(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

/// Whether a text is a formula, in which values can stand for symbols, and no sentence.
pub(super) fn is_formula(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 1);
    words.all(|word| FORMULA_WORDS.contains(&word))
}

/// The words of a formula.
const FORMULA_WORDS: &[&str] = &[
    "abs", "alpha", "atan", "beta", "clamp", "cos", "erf", "exp", "exp_m", "exponent", "ln", "max", "min",
    "ndtr", "pow", "select", "sigmoid", "sin", "slope", "sqrt", "sum", "tanh",
];

const fn each(name: &'static str, forward: &'static str, back: &'static [&'static str]) -> Rule {
    Rule { name, forward, back, is_elementwise: true }
}

const fn whole(name: &'static str, forward: &'static str, back: &'static [&'static str]) -> Rule {
    Rule { name, forward, back, is_elementwise: false }
}

pub(super) const RULES: &[Rule] = &[
    // Of single elements.
    each("Add", "x0 + x1", &["g"]),
    each("Sub", "x0 - x1", &["g", "-g"]),
    each("Mul", "x0 * x1", &["g * x1", "g * x0"]),
    each("Div", "x0 / x1", &["g / x1", "-g * x0 / x1^2"]),
    each("Neg", "-x0", &["-g"]),
    each("AddScalar", "x0 + c", &["g"]),
    each("MulScalar", "x0 * c", &["g * c"]),
    each("DivScalar", "x0 / c", &["g / c"]),
    each("ScalarSub", "c - x0", &["-g"]),
    each("ScalarDiv", "c / x0", &["-g * c / x0^2"]),
    each("MulAdd", "x0 * x1 + x2", &["g * x1", "g * x0", "g"]),
    each("Scale", "x0 * x1 | 0 where x0 is 0", &["g * x1", "g * x0"]),
    each("Exp", "exp(x0)", &["g * y"]),
    each("ExpM1", "exp(x0) - 1", &["g * (y + 1)"]),
    each("Ln", "ln(x0)", &["g / x0"]),
    each("Ln1p", "ln(1 + x0)", &["g / (1 + x0)"]),
    each("Sqrt", "sqrt(x0)", &["g / (2 * y)"]),
    each("Rsqrt", "1 / sqrt(x0)", &["-g * y / (2 * x0)"]),
    each("Square", "x0^2", &["g * 2 * x0"]),
    each("Recip", "1 / x0", &["-g * y^2"]),
    each("Abs", "|x0|", &["g * sign(x0)"]),
    each("Sin", "sin(x0)", &["g * cos(x0)"]),
    each("Cos", "cos(x0)", &["-g * sin(x0)"]),
    each("Erf", "erf(x0)", &["g * 2 / sqrt(pi) * exp(-x0^2)"]),
    each("Ndtr", "ndtr(x0) | the normal distribution function", &["g * exp(-x0^2 / 2) / sqrt(2 * pi)"]),
    each("Atan2", "atan2(x0, x1)", &["g * x1 / (x0^2 + x1^2)", "-g * x0 / (x0^2 + x1^2)"]),
    each("Tanh", "tanh(x0)", &["g * (1 - y^2)"]),
    each("Sigmoid", "sigmoid(x0)", &["g * y * (1 - y)"]),
    each("Pow", "x0^x1", &["g * x1 * x0^(x1 - 1)", "g * y * ln(x0)"]),
    each("PowScalar", "x0^exponent", &["g * exponent * x0^(exponent - 1)"]),
    each(
        "Maximum",
        "max(x0, x1)",
        &["g | where x0 is larger, half of it at a tie", "g | where x1 is larger"],
    ),
    each(
        "Minimum",
        "min(x0, x1)",
        &["g | where x0 is smaller, half of it at a tie", "g | where x1 is smaller"],
    ),
    each("Clamp", "clamp(x0, min, max)", &["g | where x0 lies between min and max, else 0"]),
    each("Logaddexp", "ln(exp(x0) + exp(x1))", &["g * exp(x0 - y)", "g * exp(x1 - y)"]),
    each("Relu", "max(x0, 0)", &["g | where x0 is above 0, else 0"]),
    each("LeakyRelu", "max(x0, slope * x0)", &["g | where x0 is above 0, else slope times that"]),
    each("Elu", "x0 above 0, else alpha * (exp(x0) - 1)", &["g | where x0 is above 0, else g * (y + alpha)"]),
    each(
        "Selu",
        "1.0507 * x0 above 0, else 1.7581 * (exp(x0) - 1)",
        &["g | times 1.0507 where x0 is above 0, else g * (y + 1.7581)"],
    ),
    each("Gelu", "x0 * ndtr(x0)", &["g * (ndtr(x0) + x0 * exp(-x0^2 / 2) / sqrt(2 * pi))"]),
    each(
        "GeluTanh",
        "x0 * sigmoid(1.5958 * (x0 + 0.044715 * x0^3))",
        &["g * (s + x0 * s * (1 - s) * 1.5958 * (1 + 0.134145 * x0^2)) | with s = y / x0"],
    ),
    each("Silu", "x0 * sigmoid(x0)", &["g * sigmoid(x0) * (1 + x0 * (1 - sigmoid(x0)))"]),
    each(
        "Mish",
        "x0 * tanh(ln(1 + exp(x0)))",
        &["g * (t + x0 * (1 - t^2) * sigmoid(x0)) | with t = tanh(ln(1 + exp(x0)))"],
    ),
    each("Softplus", "ln(1 + exp(x0))", &["g * sigmoid(x0)"]),
    each("SoftplusOf", "ln(1 + exp(beta * x0)) / beta", &["g * sigmoid(beta * x0)"]),
    each("Logsigmoid", "ln(sigmoid(x0))", &["g * sigmoid(-x0)"]),
    each("Softsign", "x0 / (1 + |x0|)", &["g / (1 + |x0|)^2"]),
    each("Hardtanh", "clamp(x0, min, max)", &["g | where x0 lies between min and max, else 0"]),
    each("Hardsigmoid", "clamp(x0 / 6 + 1 / 2, 0, 1)", &["g / 6 | where x0 lies between -3 and 3, else 0"]),
    each(
        "Where",
        "x1 where x0 holds, else x2",
        &["nothing", "g | where x0 holds, else 0", "g | where x0 does not hold, else 0"],
    ),
    each("MaskedFill", "value where x0 holds, else x1", &["nothing", "g | where x0 does not hold, else 0"]),
    each("Dropout", "x0 * x1 | x1 is the mask, scaled", &["g * x1", "nothing"]),
    // Products.
    whole("MatMul", "x0 @ x1", &["g @ x1^T", "x0^T @ g"]),
    whole("Linear", "x0 @ x1^T + x2", &["g @ x1", "g^T @ x0", "g | added up where x2 was stretched"]),
    // Sums and the like: a result of many elements.
    whole(
        "Sum",
        "the sum of x0 over the axes dim",
        &["g | each element of a sum gets the cotangent of the sum"],
    ),
    whole("Mean", "the mean of x0 over the axes dim", &["g / n | n elements go into a mean"]),
    whole("Var", "the variance of x0 over the axes dim", &["g * 2 * (x0 - mean(x0)) / (n - correction)"]),
    whole(
        "Std",
        "the standard deviation of x0 over the axes dim",
        &["g * (x0 - mean(x0)) / ((n - correction) * y)"],
    ),
    whole(
        "Norm",
        "the norm of x0 over the axes dim",
        &["g * x0 / y | of the norm of second order; others with its powers"],
    ),
    whole("Max", "the largest element of x0", &["g | to the element that was largest, else 0"]),
    whole("Min", "the smallest element of x0", &["g | to the element that was smallest, else 0"]),
    whole("Amax", "the largest elements of x0", &["g | shared by the elements that are largest, else 0"]),
    whole("Amin", "the smallest elements of x0", &["g | shared by the elements that are smallest, else 0"]),
    whole(
        "CumSum",
        "the sums of x0 up to each element along dim",
        &["g | summed from the end up to each element"],
    ),
    whole(
        "LinearScan",
        "h[t] = x0[t] * h[t - 1] + x1[t]",
        &[
            "s[t] * h[t - 1] | with s[t] = g[t] + x0[t + 1] * s[t + 1], from the end",
            "s | with s[t] = g[t] + x0[t + 1] * s[t + 1], from the end",
        ],
    ),
    // Rows.
    whole("Softmax", "exp(x0) / sum(exp(x0)) | along dim", &["y * (g - sum(g * y)) | the sum along dim"]),
    whole("LogSoftmax", "x0 - ln(sum(exp(x0))) | along dim", &["g - exp(y) * sum(g) | the sum along dim"]),
    whole("LogSumExp", "ln(sum(exp(x0))) | along dim", &["g * exp(x0 - y)"]),
    whole(
        "CrossEntropy",
        "-log_softmax(x0)[target] | for each row",
        &["g * (softmax(x0) - onehot(target)) | by rows"],
    ),
    whole(
        "LayerNorm",
        "n * x1 + x2 | with n = x0 shifted and scaled to mean 0 and variance 1",
        &[
            "(u - mean(u) - n * mean(u * n)) / std | with u = g * x1",
            "g * n | summed over the rows",
            "g | summed over the rows",
        ],
    ),
    // What moves numbers.
    whole("Contiguous", "x0 with its elements in order", &["g"]),
    whole("Reshape", "x0 in another shape", &["g | in the shape of x0"]),
    whole("Transpose", "x0 with two axes exchanged", &["g | with the axes exchanged back"]),
    whole("Permute", "x0 with axes in another order", &["g | with the axes in the old order"]),
    whole("Squeeze", "x0 without an axis of extent 1", &["g | with the axis again"]),
    whole("Unsqueeze", "x0 with an axis of extent 1", &["g | without the axis"]),
    whole("Expand", "x0 stretched", &["g | summed over the axes that were stretched"]),
    whole("Select", "the part of x0 at index along dim", &["g | at its place, zeros elsewhere"]),
    whole("Narrow", "a part of x0 along dim", &["g | at its place, zeros elsewhere"]),
    whole("Slice", "every so many elements of x0 along dim", &["g | at their places, zeros elsewhere"]),
    whole("Extract", "a part of x0", &["g | at its place, zeros elsewhere"]),
    whole("Embed", "zeros, with the inputs at their places", &["g | the part at the input's place"]),
    whole("Split", "x0 in parts along dim", &["g0, g1, .. | the parts' cotangents, one behind the other"]),
    whole("Cat", "the inputs one behind the other along dim", &["g | the part that came from this input"]),
    whole("Stack", "the inputs along a new axis dim", &["g | the part that came from this input"]),
    whole("Flip", "x0 with the order along axes turned round", &["g | turned round in the same way"]),
    whole("Roll", "x0 shifted round along axes", &["g | shifted back"]),
    whole("Pad", "x0 with a border", &["g | without the border"]),
    whole("IndexSelect", "the parts of x0 at indices along dim", &["g | each part added at its index"]),
    whole("IndexAdd", "x0 with the parts of x1 added at indices", &["g", "g | the parts at the indices"]),
    whole("Gather", "the elements of x0 at indices along dim", &["g | each element added at its index"]),
    whole(
        "ScatterAdd",
        "x0 with the elements of x1 added at indices",
        &["g", "g | the elements at the indices"],
    ),
];

/// What is said of an operation that has no rule here.
pub(super) const GENERIC: &str = "the sum over outputs y of g * dy/dx";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_registry_has_one_rule() {
        let names: Vec<&str> = wengert_core::operations::<f64>().iter().map(|entry| entry.name()).collect();
        // Of a norm's second derivative only.
        let without = |name: &&&str| !name.starts_with("NormSlope") && rule(name).is_none();
        assert_eq!(names.iter().filter(without).collect::<Vec<_>>(), [&""; 0]);
        for rule in RULES {
            assert_eq!(RULES.iter().filter(|other| other.name == rule.name).count(), 1, "{}", rule.name);
            assert!(names.contains(&rule.name), "{} is no operation", rule.name);
        }
    }
}
