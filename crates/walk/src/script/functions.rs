//! The functions of the language.

/// How a function is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Element by element, by this operation of the registry.
    Each(&'static str),
    /// Over all elements, or over one axis: `sum(x)`, `sum(x, 0)`.
    Reduce,
    /// Along an axis, the last one if it is not said: `softmax(x)`.
    Along,
    /// Of several tensors, element by element.
    Pair,
    /// Of several tensors, along an axis.
    Join,
    /// A tensor that is not computed: `zeros [2, 3]`.
    Constant,
    Other,
}

/// The functions by name.
pub(crate) const FUNCTIONS: &[(&str, Form)] = &[
    ("tanh", Form::Each("Tanh")),
    ("sigmoid", Form::Each("Sigmoid")),
    ("relu", Form::Each("Relu")),
    ("exp", Form::Each("Exp")),
    ("log", Form::Each("Ln")),
    ("ln", Form::Each("Ln")),
    ("sqrt", Form::Each("Sqrt")),
    ("abs", Form::Each("Abs")),
    ("sin", Form::Each("Sin")),
    ("cos", Form::Each("Cos")),
    ("erf", Form::Each("Erf")),
    ("square", Form::Each("Square")),
    ("recip", Form::Each("Recip")),
    ("rsqrt", Form::Each("Rsqrt")),
    ("expm1", Form::Each("ExpM1")),
    ("log1p", Form::Each("Ln1p")),
    ("neg", Form::Each("Neg")),
    ("silu", Form::Each("Silu")),
    ("swish", Form::Each("Silu")),
    ("gelu", Form::Each("Gelu")),
    ("mish", Form::Each("Mish")),
    ("selu", Form::Each("Selu")),
    ("softplus", Form::Each("Softplus")),
    ("softsign", Form::Each("Softsign")),
    ("logsigmoid", Form::Each("Logsigmoid")),
    ("hardsigmoid", Form::Each("Hardsigmoid")),
    ("sum", Form::Reduce),
    ("mean", Form::Reduce),
    ("max", Form::Reduce),
    ("min", Form::Reduce),
    ("norm", Form::Reduce),
    ("softmax", Form::Along),
    ("log_softmax", Form::Along),
    ("logsumexp", Form::Along),
    ("maximum", Form::Pair),
    ("minimum", Form::Pair),
    ("dot", Form::Pair),
    ("mse", Form::Pair),
    ("cat", Form::Join),
    ("concat", Form::Join),
    ("stack", Form::Join),
    ("zeros", Form::Constant),
    ("ones", Form::Constant),
    ("normal", Form::Constant),
    ("uniform", Form::Constant),
    ("eye", Form::Constant),
    ("range", Form::Constant),
    ("transpose", Form::Other),
    ("reshape", Form::Other),
    ("detach", Form::Other),
    ("cross_entropy", Form::Other),
];

pub(crate) fn form(name: &str) -> Option<Form> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
}

pub(crate) fn is_function(name: &str) -> bool {
    form(name).is_some()
}

pub(crate) fn is_constant(name: &str) -> bool {
    form(name) == Some(Form::Constant)
}
