//! What the comparison is able to see: no alarm for what is right, no pass for what is wrong by a
//! thousandth, over sixteen orders of magnitude.

use wengert_check::{Failure, Gradcheck, Report};
use wengert_core::Generator;

use crate::{V, input};

type Real = Box<dyn Fn(f64) -> f64>;
type Pure = fn(f64) -> f64;

/// A function, its derivative, and a point.
struct Drawn {
    text: String,
    f: Real,
    derivative: Real,
    x: f64,
}

/// `size g(rate x) + offset`, whose offset may be larger by many orders, and may be taken off again: then
/// the noise is that of a sum that cancels.
fn draw(random: &mut Generator) -> Drawn {
    let mut decades = |low: f64, high: f64| 10f64.powf(random.uniform(low, high));
    let (size, rate) = (decades(-8.0, 8.0), decades(-1.0, 1.0));
    let (offset, near) = (size * decades(-1.0, 10.0), decades(-3.0, 0.0));
    let x = random.uniform(-3.0, 3.0) * near;
    let (kind, with_offset) = (random.uniform(0.0, 7.0) as usize, random.uniform(0.0, 3.0) as usize);
    let (added, taken) = [(0.0, 0.0), (offset, 0.0), (offset, offset)][with_offset];
    let shapes: [(Pure, Pure); 7] = [
        (f64::sin, f64::cos),
        (f64::exp, f64::exp),
        (f64::tanh, |x| 1.0 - x.tanh().powi(2)),
        (|x| x * x * x - 2.0 * x, |x| 3.0 * x * x - 2.0),
        (|x| (x * x + 1.0).ln(), |x| 2.0 * x / (x * x + 1.0)),
        (|x| 1.0 / (1.0 + x * x), |x| -2.0 * x / (1.0 + x * x).powi(2)),
        (|x| (x * x + 0.5).sqrt(), |x| x / (x * x + 0.5).sqrt()),
    ];
    let (g, slope) = shapes[kind];
    Drawn {
        text: format!("shape {kind}, size {size:e}, rate {rate}, offset {added:e} - {taken:e}, x {x:e}"),
        f: Box::new(move |x| size * g(rate * x) + added - taken),
        derivative: Box::new(move |x| size * rate * slope(rate * x)),
        x,
    }
}

fn check(drawn: &Drawn, factor: f64) -> Result<Report, Failure> {
    let derivative = |x: &[f64]| factor * (drawn.derivative)(x[0]);
    Gradcheck::new().report_derivative(|x: &[f64]| (drawn.f)(x[0]), derivative, &[drawn.x])
}

#[test]
fn a_hundred_thousand_right_derivatives_of_all_sizes_give_no_alarm() {
    let mut random = Generator::from_seed(1);
    let mut undecidable = 0;
    for _ in 0..100_000 {
        let drawn = draw(&mut random);
        let report = check(&drawn, 1.0).unwrap_or_else(|failure| panic!("{}: {failure}", drawn.text));
        undecidable += report.undecidable;
    }
    // The large offsets hide some; most are decided.
    assert!((100..20_000).contains(&undecidable), "{undecidable}");
}

#[test]
fn an_error_of_a_thousandth_is_caught_or_undecidable_in_99_of_100_draws_of_all_sizes() {
    let mut random = Generator::from_seed(2);
    let (mut caught, mut undecidable, mut passed) = (0, 0, 0);
    for i in 0..20_000 {
        let drawn = draw(&mut random);
        match check(&drawn, if i % 2 == 0 { 1.001 } else { 0.999 }) {
            Err(Failure::Mismatch(_)) => caught += 1,
            Err(failure) => panic!("{failure}"),
            Ok(report) if report.undecidable > 0 => undecidable += 1,
            Ok(_) => passed += 1,
        }
    }
    assert!(passed <= 200, "{caught} caught, {undecidable} undecidable, {passed} passed");
    assert!(caught > 16_000, "{caught} caught, {undecidable} undecidable, {passed} passed");
}

#[test]
fn what_drowns_in_noise_is_counted_with_its_place_and_not_passed_in_silence() {
    let x = input([0.5, 2.0]);
    let drowned = |x: &[V]| &x[0] * 1e-9 + 1e7;
    let report = Gradcheck::new().names(["x"]).report(1, drowned, &[&x]).unwrap();
    assert_eq!((report.compared, report.undecidable, report.doubts.len()), (4, 2, 2));
    let text = report.to_string();
    assert!(
        text.starts_with("2 of 4 derivatives undecidable\n  output 0 [0] in x [0] (order 1): "),
        "{text}"
    );
    // Neither is a wrong one failed on no evidence.
    let wrong = |x: &[V]| &x[0] * 1e-9 + 1e7 - (&x[0] * 2e-9).detach();
    assert_eq!(Gradcheck::new().report(1, wrong, &[&x]).unwrap().undecidable, 2);
    // What can be seen beside it is decided.
    let visible = |x: &[V]| &x[0] * 3.0 + 1e7;
    assert_eq!(Gradcheck::new().report(1, visible, &[&x]).unwrap().undecidable, 0);
}

#[test]
fn a_sum_that_cancels_is_as_noisy_as_its_terms() {
    // The values are around 1e-8, what they are made of around 1e6.
    let cancels = |x: &[V]| (x[0].sin() * 1e-8 + 1e6) - 1e6;
    let report = Gradcheck::new().report(1, cancels, &[&input([0.5])]).unwrap();
    assert_eq!(report.undecidable, 1);
    // Of a constant nothing else is expected than 0.
    assert_eq!(Gradcheck::new().report(1, |x| &x[0] * 0.0 + 1.0, &[&input([0.5])]).unwrap().undecidable, 0);
    assert!(Gradcheck::new().check(|x| &x[0] - x[0].detach(), &[&input([0.5])]).is_err());
}

#[test]
fn an_absolute_tolerance_lets_pass_what_lies_below_it() {
    let off = |x: &[f64]| 1e-6 + x[0].cos();
    let sine = |x: &[f64]| x[0].sin();
    assert!(Gradcheck::new().check_derivative(sine, off, &[0.3]).is_err());
    Gradcheck::new().atol(2e-6).check_derivative(sine, off, &[0.3]).unwrap();
    // Beside 1e7 this can be seen to be less than 1e-4.
    let report = Gradcheck::new().atol(1e-4).report(1, |x| &x[0] * 1e-9 + 1e7, &[&input([0.5])]).unwrap();
    assert_eq!(report.undecidable, 0);
}
