//! Optimizers: the same gradients, or the same function, step by step.

use wengert::optim::{
    AdadeltaOptions, AdagradOptions, AdamOptions, AdamWOptions, AdamaxOptions, AsgdOptions, Lbfgs,
    LbfgsOptions, LionOptions, MuonOptions, NAdamOptions, Optimizer, Options, RAdamOptions, RmsPropOptions,
    RpropOptions, Rule, RuleOptimizer, SgdOptions,
};
use wengert::{Float, Parameter, Tensor, Variable};

use crate::case::{Arguments, Case, Failure};

/// A case of the kind `optimizer`.
pub fn run<T: Float>(case: &Case) -> Result<(), Failure> {
    match case.text("optimizer")? {
        "SGD" => steps::<SgdOptions, T>(case),
        "Adam" => steps::<AdamOptions, T>(case),
        "AdamW" => steps::<AdamWOptions, T>(case),
        "RMSprop" => steps::<RmsPropOptions, T>(case),
        "Adagrad" => steps::<AdagradOptions, T>(case),
        "Adadelta" => steps::<AdadeltaOptions, T>(case),
        "Adamax" => steps::<AdamaxOptions, T>(case),
        "NAdam" => steps::<NAdamOptions, T>(case),
        "RAdam" => steps::<RAdamOptions, T>(case),
        "Rprop" => steps::<RpropOptions, T>(case),
        "ASGD" => steps::<AsgdOptions, T>(case),
        "Muon" => steps::<MuonOptions, T>(case),
        "Lion" => steps::<LionOptions, T>(case),
        other => Err(Failure::Unsupported(format!("optimizer {other}"))),
    }
}

fn steps<R: Rule + Options + Default, T: Float>(case: &Case) -> Result<(), Failure> {
    let missing = |name: &str| Failure::Malformed(format!("no tensor `{name}`"));
    let parameter = Parameter::new(case.given::<T>("param").ok_or_else(|| missing("param"))?);
    let mut optimizer = RuleOptimizer::with([parameter.clone()], options::<R>(&case.arguments())?)?;
    for step in 0..case.count("steps")? {
        parameter.set_grad(case.given(&format!("grad.{step}")).map(Variable::new));
        optimizer.step()?;
        case.compare(&format!("expect.param.{step}"), &parameter.value())?;
    }
    Ok(())
}

/// A case of the kind `closure`: an optimizer that evaluates a function of the parameters x and y.
pub fn run_closure<T: Float>(case: &Case) -> Result<(), Failure> {
    if case.text("optimizer")? != "LBFGS" {
        return Err(Failure::Unsupported(format!("optimizer {}", case.text("optimizer")?)));
    }
    let function = match case.text("function")? {
        "valley" => valley,
        "bowl" => bowl,
        other => return Err(Failure::Unsupported(format!("function {other}"))),
    };
    let start = case.parameters();
    let [x, y] = [start.tensor::<T>("x")?, start.tensor("y")?].map(Parameter::new);
    let options: LbfgsOptions = options(&case.arguments())?;
    let mut optimizer = Lbfgs::with([x.clone(), y.clone()], options)?;
    let mut losses = Vec::new();
    for step in 0..case.count("steps")? {
        losses.push(optimizer.step(|| Ok(function(&x, &y)))?);
        case.compare(&format!("expect.x.{step}"), &x.value())?;
        case.compare(&format!("expect.y.{step}"), &y.value())?;
    }
    case.compare::<f64>("expect.loss", &Tensor::from(losses))
}

/// `(1 - x0)^2 + 100 (x1 - x0^2)^2 + (y - x1)^2 + y^4`.
fn valley<T: Float>(x: &Variable<T>, y: &Variable<T>) -> Variable<T> {
    let (x0, x1) = (x.narrow(0, 0, 1), x.narrow(0, 1, 1));
    let slope = (1.0 - &x0).square() + (&x1 - &x0.square()).square() * 100.0;
    (slope + (y - &x1).square() + y.square().square()).sum()
}

/// `|x|^2 / 2 + 3 (y - x0)^2 + cosh(x1 y)`.
fn bowl<T: Float>(x: &Variable<T>, y: &Variable<T>) -> Variable<T> {
    let (x0, power) = (x.narrow(0, 0, 1), x.narrow(0, 1, 1) * y);
    let cosh = (power.exp() + (-&power).exp()) / 2.0;
    x.square().sum() / 2.0 + ((y - &x0).square() * 3.0 + cosh).sum()
}

/// PyTorch's keyword arguments, as options of the same names but for pairs.
fn options<R: Options + Default>(arguments: &Arguments<'_>) -> Result<R, Failure> {
    let mut options = R::default();
    for (name, values) in arguments.numbers()? {
        let names: &[&str] = match name {
            "betas" => &["beta1", "beta2"],
            "etas" => &["eta_minus", "eta_plus"],
            "step_sizes" => &["step_size_min", "step_size_max"],
            "ns_coefficients" => &["ns_a", "ns_b", "ns_c"],
            name => &[name],
        };
        if names.len() != values.len() {
            return Err(Failure::Malformed(format!("{} numbers for `{name}`", values.len())));
        }
        for (name, value) in names.iter().zip(values) {
            options.set(name, value).map_err(|error| Failure::Unsupported(error.to_string()))?;
        }
    }
    Ok(options)
}
