//! Optimizers: the same gradients, step by step.

use wengert::optim::{
    AdadeltaOptions, AdagradOptions, AdamOptions, AdamWOptions, AdamaxOptions, AsgdOptions, LionOptions,
    NAdamOptions, Optimizer, Options, RAdamOptions, RmsPropOptions, RpropOptions, Rule, RuleOptimizer,
    SgdOptions,
};
use wengert::{Float, Parameter, Variable};

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

/// PyTorch's keyword arguments, as options of the same names but for pairs.
fn options<R: Options + Default>(arguments: &Arguments<'_>) -> Result<R, Failure> {
    let mut options = R::default();
    for (name, values) in arguments.numbers()? {
        let names: &[&str] = match name {
            "betas" => &["beta1", "beta2"],
            "etas" => &["eta_minus", "eta_plus"],
            "step_sizes" => &["step_size_min", "step_size_max"],
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
