//! Schedules: the rate and the momentum of each step.

use wengert::Tensor;
use wengert::optim::schedule::{
    ChainedLr, ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, CyclicMode,
    ExponentialLr, LambdaLr, LinearLr, MultiStepLr, MultiplicativeLr, OneCycleLr, PolynomialLr,
    ReduceLrOnPlateau, Schedule, SequentialLr, StepLr,
};

use crate::case::{Arguments, Case, Failure};

type Made<S = Box<dyn Schedule>> = Result<S, Failure>;

/// A case of the kind `schedule`.
pub fn run(case: &Case) -> Result<(), Failure> {
    let (name, arguments) = (case.text("scheduler")?, case.arguments());
    compare(case, "expect.lr", &mut *made(name, case.number("lr")?, &arguments)?)?;
    match arguments.flag("cycle_momentum") {
        true => compare(case, "expect.momentum", &mut *momentum(name, &arguments)?),
        false => Ok(()),
    }
}

fn compare(case: &Case, tensor: &str, schedule: &mut dyn Schedule) -> Result<(), Failure> {
    let metrics = case.given::<f64>("metric").map(|metric| metric.to_vec());
    let expected =
        case.given::<f64>(tensor).ok_or_else(|| Failure::Malformed(format!("no tensor `{tensor}`")))?;
    let mut rates = Vec::with_capacity(expected.numel());
    for step in 0..expected.numel() {
        rates.push(schedule.lr(step as u64));
        if let Some(metrics) = &metrics {
            schedule.observe(metrics[step]);
        }
    }
    case.compare(tensor, &Tensor::from_vec(rates, expected.shape())?)
}

fn made(name: &str, lr: f64, arguments: &Arguments<'_>) -> Made {
    match name {
        "StepLR" => step(lr, arguments),
        "MultiStepLR" => multi_step(lr, arguments),
        "ConstantLR" => constant(lr, arguments),
        "LinearLR" => linear(lr, arguments),
        "ExponentialLR" => exponential(lr, arguments),
        "PolynomialLR" => polynomial(lr, arguments),
        "CosineAnnealingLR" => cosine(lr, arguments),
        "CosineAnnealingWarmRestarts" => warm_restarts(lr, arguments),
        "CyclicLR" => Ok(cyclic(arguments)?.boxed()),
        "OneCycleLR" => Ok(one_cycle(arguments)?.boxed()),
        "ReduceLROnPlateau" => plateau(lr, arguments),
        "LambdaLR" => Ok(LambdaLr::new(lr, function(arguments)?)?.boxed()),
        "MultiplicativeLR" => Ok(MultiplicativeLr::new(lr, function(arguments)?)?.boxed()),
        "SequentialLR" => sequential(lr, arguments),
        "ChainedScheduler" => {
            arguments.refuse_others(&["schedulers"])?;
            Ok(ChainedLr::new(each_made(lr, arguments)?)?.boxed())
        }
        other => Err(Failure::Unsupported(format!("scheduler {other}"))),
    }
}

fn momentum(name: &str, arguments: &Arguments<'_>) -> Made {
    let [base, max] = match name {
        "OneCycleLR" => [0.85, 0.95],
        _ => [0.8, 0.9],
    };
    let (base, max) = (arguments.number_or("base_momentum", base), arguments.number_or("max_momentum", max));
    match name {
        "OneCycleLR" => Ok(one_cycle(arguments)?.momentum(base, max)?.boxed()),
        "CyclicLR" => Ok(cyclic(arguments)?.momentum(base, max)?.boxed()),
        other => Err(Failure::Unsupported(format!("momentum of {other}"))),
    }
}

/// The function of the step that is named.
fn function(arguments: &Arguments<'_>) -> Made<fn(u64) -> f64> {
    arguments.refuse_others(&["lr_lambda"])?;
    match arguments.text("lr_lambda") {
        Some("reciprocal") => Ok(|step| 1.0 / (1 + step) as f64),
        Some("slower") => Ok(|step| 1.0 - 0.1 / (1 + step) as f64),
        Some("halves") => Ok(|step| 0.5f64.powi(step as i32 / 30)),
        other => Err(Failure::Unsupported(format!("lr_lambda {other:?}"))),
    }
}

fn sequential(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["schedulers", "milestones"])?;
    let milestones = arguments.sizes("milestones")?.into_iter().map(|at| at as u64);
    Ok(SequentialLr::new(each_made(lr, arguments)?, milestones)?.boxed())
}

/// The schedules that one is made of.
fn each_made(lr: f64, arguments: &Arguments<'_>) -> Made<Vec<Box<dyn Schedule>>> {
    arguments.named("schedulers")?.into_iter().map(|(name, own)| made(name, lr, &own)).collect()
}

fn whole(arguments: &Arguments<'_>, name: &str, default: u64) -> u64 {
    arguments.number_or(name, default as f64) as u64
}

fn step(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["step_size", "gamma"])?;
    let schedule = StepLr::new(lr, arguments.size("step_size")? as u64)?;
    Ok(schedule.gamma(arguments.number_or("gamma", 0.1))?.boxed())
}

fn multi_step(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["milestones", "gamma"])?;
    let milestones = arguments.sizes("milestones")?.into_iter().map(|at| at as u64).collect();
    Ok(MultiStepLr::new(lr, milestones)?.gamma(arguments.number_or("gamma", 0.1))?.boxed())
}

fn constant(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["factor", "total_iters"])?;
    let schedule = ConstantLr::new(lr)?.factor(arguments.number_or("factor", 1.0 / 3.0))?;
    Ok(schedule.total_iters(whole(arguments, "total_iters", 5))?.boxed())
}

fn linear(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["start_factor", "end_factor", "total_iters"])?;
    let schedule = LinearLr::new(lr)?.start_factor(arguments.number_or("start_factor", 1.0 / 3.0))?;
    let schedule = schedule.end_factor(arguments.number_or("end_factor", 1.0))?;
    Ok(schedule.total_iters(whole(arguments, "total_iters", 5))?.boxed())
}

fn exponential(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["gamma"])?;
    Ok(ExponentialLr::new(lr, arguments.number("gamma")?)?.boxed())
}

fn polynomial(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["total_iters", "power"])?;
    let schedule = PolynomialLr::new(lr)?.total_iters(whole(arguments, "total_iters", 5))?;
    Ok(schedule.power(arguments.number_or("power", 1.0))?.boxed())
}

fn cosine(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["T_max", "eta_min"])?;
    let schedule = CosineAnnealingLr::new(lr, arguments.size("T_max")? as u64)?;
    Ok(schedule.eta_min(arguments.number_or("eta_min", 0.0))?.boxed())
}

fn warm_restarts(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["T_0", "T_mult", "eta_min"])?;
    let schedule = CosineAnnealingWarmRestarts::new(lr, arguments.size("T_0")? as u64)?;
    let schedule = schedule.t_mult(whole(arguments, "T_mult", 1))?;
    Ok(schedule.eta_min(arguments.number_or("eta_min", 0.0))?.boxed())
}

/// The arguments of a momentum, which is a schedule of its own.
const OF_MOMENTUM: [&str; 3] = ["cycle_momentum", "base_momentum", "max_momentum"];

fn cyclic(arguments: &Arguments<'_>) -> Made<CyclicLr> {
    let known = ["base_lr", "max_lr", "step_size_up", "step_size_down", "mode", "gamma"];
    arguments.refuse_others(&[&known[..], &OF_MOMENTUM].concat())?;
    let mode = match arguments.text("mode") {
        None | Some("triangular") => CyclicMode::Triangular,
        Some("triangular2") => CyclicMode::Triangular2,
        Some("exp_range") => CyclicMode::ExpRange,
        Some(other) => return Err(Failure::Unsupported(format!("mode {other}"))),
    };
    let up = whole(arguments, "step_size_up", 2000);
    let schedule = CyclicLr::new(arguments.number("base_lr")?, arguments.number("max_lr")?, up)?;
    let schedule = schedule.step_size_down(whole(arguments, "step_size_down", up))?.mode(mode)?;
    Ok(schedule.gamma(arguments.number_or("gamma", 1.0))?)
}

fn one_cycle(arguments: &Arguments<'_>) -> Made<OneCycleLr> {
    let known = [
        "max_lr",
        "total_steps",
        "pct_start",
        "anneal_strategy",
        "div_factor",
        "final_div_factor",
        "three_phase",
    ];
    arguments.refuse_others(&[&known[..], &OF_MOMENTUM].concat())?;
    let linear = match arguments.text("anneal_strategy") {
        None | Some("cos") => false,
        Some("linear") => true,
        Some(other) => return Err(Failure::Unsupported(format!("anneal_strategy {other}"))),
    };
    let schedule = OneCycleLr::new(arguments.number("max_lr")?, arguments.size("total_steps")? as u64)?;
    let schedule = schedule.pct_start(arguments.number_or("pct_start", 0.3))?.linear(linear)?;
    let schedule = schedule.div_factor(arguments.number_or("div_factor", 25.0))?;
    let schedule = schedule.final_div_factor(arguments.number_or("final_div_factor", 1e4))?;
    Ok(schedule.three_phase(arguments.flag("three_phase"))?)
}

fn plateau(lr: f64, arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&[
        "mode",
        "factor",
        "patience",
        "threshold",
        "threshold_mode",
        "cooldown",
        "min_lr",
        "eps",
    ])?;
    let schedule = ReduceLrOnPlateau::new(lr)?.factor(arguments.number_or("factor", 0.1))?;
    let schedule = schedule.patience(whole(arguments, "patience", 10))?;
    let schedule = schedule.threshold(arguments.number_or("threshold", 1e-4))?;
    let schedule = schedule.cooldown(whole(arguments, "cooldown", 0))?;
    let schedule = schedule.min_lr(arguments.number_or("min_lr", 0.0))?;
    let schedule = schedule.eps(arguments.number_or("eps", 1e-8))?;
    let schedule = schedule.maximize(arguments.text("mode") == Some("max"))?;
    Ok(schedule.absolute(arguments.text("threshold_mode") == Some("abs"))?.boxed())
}
