//! Schedules of functions and of other schedules against the rates of PyTorch 2, which makes each from the
//! one before. Those of numbers alone are cases of `tests/parity`.

use wengert_core::Result;
use wengert_optim::schedule::*;

/// Where the rates are compared.
const STEPS: [u64; 12] = [0, 1, 2, 5, 9, 13, 22, 24, 46, 60, 73, 96];

type Rates = [f64; 12];

fn check(schedule: &dyn Schedule, expected: &Rates) {
    for (step, expected) in STEPS.into_iter().zip(expected) {
        let got = schedule.lr(step);
        assert!((got - expected).abs() <= 1e-12, "{schedule} at {step}: {got}, expected {expected}");
    }
}

/// A test for each schedule: how one is made, and its rates.
macro_rules! agrees {
    ($($name:ident: $make:expr, $rates:expr;)*) => {
        $(
            #[test]
            fn $name() -> Result<()> {
                check(&$make, &$rates);
                Ok(())
            }
        )*
    };
}

agrees! {
    lambda: LambdaLr::new(0.4, |step| 1.0 / (1 + step) as f64)?, LAMBDA;
    multiplicative: MultiplicativeLr::new(0.4, |step| 1.0 - 0.1 / (1 + step) as f64)?, MULTIPLICATIVE;
    sequential: {
        let schedules = [
            LinearLr::new(0.4)?.boxed(),
            CosineAnnealingLr::new(0.4, 23)?.boxed(),
            ExponentialLr::new(0.4, 0.9)?.boxed(),
        ];
        SequentialLr::new(schedules, [5, 40])?
    }, SEQUENTIAL;
    chained: {
        let schedules = [
            ExponentialLr::new(0.4, 0.97)?.boxed(),
            StepLr::new(0.4, 7)?.gamma(0.6)?.boxed(),
            PolynomialLr::new(0.4)?.total_iters(61)?.boxed(),
        ];
        ChainedLr::new(schedules)?
    }, CHAINED;
}

const LAMBDA: Rates = [
    0.4,
    0.2,
    0.13333333333333333,
    0.06666666666666667,
    0.04000000000000001,
    0.02857142857142857,
    0.017391304347826087,
    0.016,
    0.00851063829787234,
    0.006557377049180329,
    0.005405405405405406,
    0.004123711340206186,
];

const MULTIPLICATIVE: Rates = [
    0.4,
    0.38,
    0.36733333333333335,
    0.34513721666666664,
    0.32889906530731255,
    0.3184162988481092,
    0.3033703312584968,
    0.30089786305874,
    0.28272631320411556,
    0.2755103916402753,
    0.2702737415361111,
    0.26309480593817147,
];

const SEQUENTIAL: Rates = [
    0.13333333333333333,
    0.18666666666666668,
    0.24000000000000002,
    0.4,
    0.3708838809092977,
    0.2920130075462304,
    0.06348937135626914,
    0.029116119090702327,
    0.21257640000000008,
    0.04863066183622776,
    0.012361261753053061,
    0.001095570979981365,
];

const CHAINED: Rates = [
    0.4,
    0.38163934426229507,
    0.3640203278688524,
    0.3153383963226229,
    0.1555357969181799,
    0.12710282096241673,
    0.02826354730043511,
    0.02522941926241635,
    0.0011303910074281329,
    1.7711046176743883e-05,
    0.0,
    0.0,
];

/// At these steps momentums are compared.
const CYCLE: [u64; 8] = [0, 1, 2, 5, 9, 13, 22, 29];

/// `torch.optim.lr_scheduler.OneCycleLR` and `CyclicLR` with `cycle_momentum=True`.
#[test]
fn momentums_go_against_the_rates() -> Result<()> {
    let one_cycle = OneCycleLr::new(0.4, 30)?;
    let three = one_cycle.clone().pct_start(0.4)?.linear(true)?.three_phase(true)?;
    let cyclic = CyclicLr::new(0.1, 0.4, 3)?;
    let shrinking = cyclic.clone().step_size_down(4)?.mode(CyclicMode::ExpRange)?.gamma(0.9)?;
    let halved = CyclicLr::new(0.1, 0.4, 4)?.mode(CyclicMode::Triangular2)?;
    let momentums: [(Box<dyn Schedule>, [f64; 8]); 5] = [
        (one_cycle.momentum(0.85, 0.95)?.boxed(), ONE_CYCLE),
        (three.momentum(0.7, 0.99)?.boxed(), THREE_PHASES),
        (cyclic.momentum(0.8, 0.9)?.boxed(), CYCLIC),
        (shrinking.momentum(0.5, 0.99)?.boxed(), SHRINKING),
        (halved.momentum(0.8, 0.9)?.boxed(), HALVED),
    ];
    for (schedule, expected) in momentums {
        let got = CYCLE.map(|step| schedule.lr(step));
        let near = got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-12);
        assert!(near, "{schedule}: {got:?}, expected {expected:?}");
    }
    Ok(())
}

#[test]
fn a_constant_factor_without_first_steps_is_for_ever() -> Result<()> {
    let schedule = ConstantLr::new(0.4)?.total_iters(0)?;
    check(&schedule, &[0.13333333333333333; 12]);
    Ok(())
}

const ONE_CYCLE: [f64; 8] = [
    0.95,
    0.9461939766255643,
    0.9353553390593273,
    0.8808658283817454,
    0.8505584586887436,
    0.8633474064085087,
    0.9249999999999999,
    0.95,
];

const THREE_PHASES: [f64; 8] = [
    0.99,
    0.9636363636363636,
    0.9372727272727273,
    0.8581818181818182,
    0.7527272727272727,
    0.7527272727272727,
    0.99,
    0.99,
];

const CYCLIC: [f64; 8] = [
    0.9,
    0.8666666666666667,
    0.8333333333333334,
    0.8666666666666667,
    0.8,
    0.8666666666666667,
    0.8333333333333333,
    0.8666666666666666,
];

const SHRINKING: [f64; 8] = [
    0.99,
    0.843,
    0.7254,
    0.84532995,
    0.86344264026,
    0.9588621436029697,
    0.9739154085976677,
    0.9823067897944978,
];

const HALVED: [f64; 8] = [
    0.9,
    0.875,
    0.8500000000000001,
    0.8250000000000001,
    0.8875000000000001,
    0.8625,
    0.8875000000000001,
    0.890625,
];
