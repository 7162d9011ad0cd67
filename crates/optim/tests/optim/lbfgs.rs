//! L-BFGS: as PyTorch goes down Rosenbrock's valley, and from a file on.

use wengert_core::{Parameter, Result, Variable};
use wengert_optim::{Lbfgs, LbfgsOptions};

use crate::{bits, parameter};

/// A valley of two parameters: `(1 - x0)^2 + 100 (x1 - x0^2)^2 + (y - x1)^2 + y^4`.
fn valley([x, y]: &[Parameter<f64>; 2]) -> Variable<f64> {
    let (x0, x1) = (x.narrow(0, 0, 1), x.narrow(0, 1, 1));
    let slope = (1.0 - &x0).square() + (&x1 - &x0.square()).square() * 100.0;
    (slope + (&**y - &x1).square() + y.square().square()).sum()
}

fn start() -> [Parameter<f64>; 2] {
    [parameter([-1.2, 1.0]), parameter([0.5])]
}

/// The loss before each step, and the parameters after it.
type Steps = [[f64; 4]; 5];

fn check(options: LbfgsOptions, expected: &Steps) {
    let parameters = start();
    let mut lbfgs = Lbfgs::with(parameters.clone(), options).unwrap();
    for (step, expected) in expected.iter().enumerate() {
        let loss = lbfgs.step(|| Ok(valley(&parameters))).unwrap();
        let values = parameters.iter().flat_map(|parameter| parameter.to_vec());
        for (got, expected) in std::iter::once(loss).chain(values).zip(expected) {
            assert!((got - expected).abs() < 1e-9, "step {step}: {got}, expected {expected}");
        }
    }
}

#[test]
fn plain_steps_are_pytorchs() {
    check(LbfgsOptions::default().lr(0.02).max_iter(3).max_eval(3), &PLAIN);
}

#[test]
fn a_short_history_with_line_search_is_pytorchs() {
    check(LbfgsOptions::default().max_iter(4).max_eval(5).history_size(2).strong_wolfe(true), &SHORT);
}

#[test]
fn the_line_search_is_pytorchs() {
    check(LbfgsOptions::default().strong_wolfe(true), &SEARCHED);
}

#[test]
fn lbfgs_goes_on_from_a_file() {
    let parameters = start();
    let options = LbfgsOptions::default().max_iter(3).history_size(2).strong_wolfe(true);
    let mut lbfgs = Lbfgs::with(parameters.clone(), options).unwrap();
    for _ in 0..2 {
        lbfgs.step(|| Ok(valley(&parameters))).unwrap();
    }
    let copies = [parameters[0].copy(), parameters[1].copy()];
    let mut resumed = Lbfgs::new(copies.clone(), 0.5).unwrap();
    resumed.load_state_dict(&lbfgs.state_dict()).unwrap();
    assert_eq!(resumed.state_dict(), lbfgs.state_dict());
    lbfgs.step(|| Ok(valley(&parameters))).unwrap();
    resumed.step(|| Ok(valley(&copies))).unwrap();
    assert_eq!(bits(&parameters), bits(&copies));
}

#[test]
fn a_frozen_parameter_stays() {
    let parameters = start();
    parameters[1].set_requires_grad(false);
    let mut lbfgs = Lbfgs::new(parameters.clone(), 0.01).unwrap();
    lbfgs.step(|| Ok(valley(&parameters))).unwrap();
    assert_eq!(parameters[1].to_vec(), [0.5]);
    assert_ne!(parameters[0].to_vec(), [-1.2, 1.0]);
}

#[test]
fn options_and_files_that_do_not_fit_are_refused() -> Result<()> {
    let error = Lbfgs::with(start(), LbfgsOptions::default().history_size(0)).unwrap_err();
    assert_eq!(error.to_string(), "LBFGS: history_size must be at least 1, got 0");
    let none: [Parameter; 0] = [];
    assert_eq!(
        Lbfgs::new(none, 0.1).unwrap_err().to_string(),
        "LBFGS: parameters must be at least one, got none"
    );
    let parameters = start();
    let mut lbfgs = Lbfgs::new(parameters.clone(), 0.01)?;
    lbfgs.step(|| Ok(valley(&parameters)))?;
    let mut other = Lbfgs::<f64>::new([parameter([1.0, 2.0])], 0.5)?;
    let error = other.load_state_dict(&lbfgs.state_dict()).unwrap_err();
    assert!(error.to_string().contains("state.d expected [2], got [3]"), "{error}");
    assert_eq!(other.options.lr, 0.5);
    Ok(())
}

const PLAIN: Steps = [
    [24.512499999999996, -1.1831835794246865, 1.006877770764225, 0.500047358563902],
    [20.534176590772, -1.1781315186702588, 1.0093323188313288, 0.500101424099984],
    [19.40458117779399, -1.173318150699696, 1.011959985412885, 0.5001887791325156],
    [18.349555395388606, -1.1687297584263578, 1.0147244468997285, 0.5003092376063595],
    [17.36514778277773, -1.164352991609959, 1.0175924281088424, 0.5004624788581467],
];

const SHORT: Steps = [
    [24.512499999999996, -1.0284749664072061, 1.0619534428329545, 0.501821596237076],
    [4.493632024295934, -0.812465229996639, 0.6142523316795705, 0.6107813627255969],
    [3.6344100260104315, -0.5718869897822221, 0.3133767396441295, 0.6766070732264343],
    [2.8310519370339366, -0.17453754147266723, -0.003098249078477114, 0.6480989680433278],
    [2.0926614777359522, 0.09725407973081646, -0.008671297973265463, 0.41399739841007055],
];

const SEARCHED: Steps = [
    [24.512499999999996, 0.30453499266057077, 0.08377703161351605, -0.2909267808016196],
    [0.6392744609018118, 0.7634175813615361, 0.5812569434569808, 0.4263047419741296],
    [0.11324938486540026, 0.7634175813615361, 0.5812569434569808, 0.4263047419741296],
    [0.11324938486540026, 0.7634175813615361, 0.5812569434569808, 0.4263047419741296],
    [0.11324938486540026, 0.7634175813615361, 0.5812569434569808, 0.4263047419741296],
];
