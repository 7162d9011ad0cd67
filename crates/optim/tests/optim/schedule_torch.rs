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
