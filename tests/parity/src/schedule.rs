//! Schedules: the rate of each step.

use wengert::Tensor;
use wengert::optim::schedule::{
    ConstantLr, CosineAnnealingLr, CosineAnnealingWarmRestarts, CyclicLr, CyclicMode, ExponentialLr,
    LinearLr, MultiStepLr, OneCycleLr, PolynomialLr, ReduceLrOnPlateau, Schedule, StepLr,
};

use crate::case::{Arguments, Case, Failure};

type Made = Result<Box<dyn Schedule>, Failure>;

/// A case of the kind `schedule`.
pub fn run(case: &Case) -> Result<(), Failure> {
    let mut schedule = made(case)?;
    let metrics = case.given::<f64>("metric").map(|metric| metric.to_vec());
    let expected = case
        .given::<f64>("expect.lr")
        .ok_or_else(|| Failure::Malformed("no tensor `expect.lr`".to_string()))?;
    let mut rates = Vec::with_capacity(expected.numel());
    for step in 0..expected.numel() {
        rates.push(schedule.lr(step as u64));
        if let Some(metrics) = &metrics {
            schedule.observe(metrics[step]);
        }
    }
    case.compare("expect.lr", &Tensor::from_vec(rates, expected.shape())?)
}

fn made(case: &Case) -> Made {
    let (lr, arguments) = (case.number("lr")?, case.arguments());
    match case.text("scheduler")? {
        "StepLR" => step(lr, &arguments),
        "MultiStepLR" => multi_step(lr, &arguments),
        "ConstantLR" => constant(lr, &arguments),
        "LinearLR" => linear(lr, &arguments),
        "ExponentialLR" => exponential(lr, &arguments),
        "PolynomialLR" => polynomial(lr, &arguments),
        "CosineAnnealingLR" => cosine(lr, &arguments),
        "CosineAnnealingWarmRestarts" => warm_restarts(lr, &arguments),
        "CyclicLR" => cyclic(&arguments),
        "OneCycleLR" => one_cycle(&arguments),
        "ReduceLROnPlateau" => plateau(lr, &arguments),
        other => Err(Failure::Unsupported(format!("scheduler {other}"))),
    }
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

fn cyclic(arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&["base_lr", "max_lr", "step_size_up", "step_size_down", "mode", "gamma"])?;
    let mode = match arguments.text("mode") {
        None | Some("triangular") => CyclicMode::Triangular,
        Some("triangular2") => CyclicMode::Triangular2,
        Some("exp_range") => CyclicMode::ExpRange,
        Some(other) => return Err(Failure::Unsupported(format!("mode {other}"))),
    };
    let up = whole(arguments, "step_size_up", 2000);
    let schedule = CyclicLr::new(arguments.number("base_lr")?, arguments.number("max_lr")?, up)?;
    let schedule = schedule.step_size_down(whole(arguments, "step_size_down", up))?.mode(mode)?;
    Ok(schedule.gamma(arguments.number_or("gamma", 1.0))?.boxed())
}

fn one_cycle(arguments: &Arguments<'_>) -> Made {
    arguments.refuse_others(&[
        "max_lr",
        "total_steps",
        "pct_start",
        "anneal_strategy",
        "div_factor",
        "final_div_factor",
        "three_phase",
    ])?;
    let linear = match arguments.text("anneal_strategy") {
        None | Some("cos") => false,
        Some("linear") => true,
        Some(other) => return Err(Failure::Unsupported(format!("anneal_strategy {other}"))),
    };
    let schedule = OneCycleLr::new(arguments.number("max_lr")?, arguments.size("total_steps")? as u64)?;
    let schedule = schedule.pct_start(arguments.number_or("pct_start", 0.3))?.linear(linear)?;
    let schedule = schedule.div_factor(arguments.number_or("div_factor", 25.0))?;
    let schedule = schedule.final_div_factor(arguments.number_or("final_div_factor", 1e4))?;
    Ok(schedule.three_phase(arguments.flag("three_phase"))?.boxed())
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
