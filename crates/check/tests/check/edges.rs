//! Edges of domains, and kinks.

use std::sync::{Arc, Mutex};

use wengert_check::{Failure, Gradcheck, Report, check_derivative, gradcheck, gradgradcheck};

use crate::{V, input};

#[test]
fn near_the_edge_of_a_domain_steps_get_smaller() {
    for x in [1e-1, 1e-3, 1e-6, 1e-9, 1e-12, 1e-30] {
        gradcheck(|x| x[0].ln(), &[&input([x])]).unwrap_or_else(|failure| panic!("ln at {x}: {failure}"));
        gradcheck(|x| x[0].sqrt(), &[&input([x])]).unwrap_or_else(|failure| panic!("sqrt at {x}: {failure}"));
        gradcheck(|x| x[0].recip(), &[&input([x])])
            .unwrap_or_else(|failure| panic!("recip at {x}: {failure}"));
    }
    gradgradcheck(|x| x[0].ln(), &[&input([1e-6])]).unwrap();
    // It is decided, and something wrong is found there as elsewhere.
    let report = Gradcheck::new().report(1, |x| x[0].ln(), &[&input([1e-6])]).unwrap();
    assert_eq!(report.undecidable, 0);
    let off = |x: &[V]| x[0].ln() * 1.001 - x[0].ln().detach() * 0.001;
    assert!(matches!(gradcheck(off, &[&input([1e-6])]), Err(Failure::Mismatch(_))));
}

#[test]
fn at_the_edge_itself_the_inner_side_counts() {
    let f = |x: &[f64]| x[0].sqrt().powi(3);
    let report = |slope: f64| Gradcheck::new().report_derivative(f, move |_: &[f64]| slope, &[0.0]);
    // x^(3/2) has the derivative 0 there; differences only come near it.
    assert!(report(0.0).is_ok());
    let log1p = |x: &[f64]| if x[0] < 0.0 { f64::NAN } else { x[0].ln_1p() };
    check_derivative(log1p, |x: &[f64]| 1.0 / (1.0 + x[0]), &[0.0]).unwrap();
    assert!(check_derivative(log1p, |_: &[f64]| 1.001, &[0.0]).is_err());
    let mirrored = |x: &[f64]| if x[0] > 0.0 { f64::INFINITY } else { x[0].exp() };
    check_derivative(mirrored, |x: &[f64]| x[0].exp(), &[0.0]).unwrap();
    assert!(check_derivative(mirrored, |_: &[f64]| 2.0, &[0.0]).is_err());
}

fn only_undecidable(report: Result<Report, Failure>) -> bool {
    report.is_ok_and(|report| report.undecidable == report.compared)
}

#[test]
fn where_there_is_no_derivative_nothing_is_decided() {
    let report = |f: fn(&[f64]) -> f64, slope: f64, x: f64| {
        Gradcheck::new().report_derivative(f, move |_: &[f64]| slope, &[x])
    };
    assert!(only_undecidable(report(|x| x[0].ln(), f64::NAN, -1.0)), "no value");
    assert!(only_undecidable(report(|x| x[0].sqrt(), f64::INFINITY, 0.0)), "a slope without end");
    assert!(only_undecidable(report(|x| if x[0] > 0.5 { 1.0 } else { 0.0 }, 0.0, 0.5)), "a jump");
    // A gradient that isn't a number where there is a derivative is wrong.
    assert!(report(|x| x[0].exp(), f64::NAN, 0.3).is_err());
    assert!(report(|x| x[0].exp(), f64::INFINITY, 0.3).is_err());
}

#[test]
fn at_a_kink_what_lies_between_both_sides_passes_and_is_counted() {
    let kink = |slope: f64| {
        let derivative = move |_: &[f64]| slope;
        Gradcheck::new().report_derivative(|x: &[f64]| x[0].max(0.0) + 0.25 * x[0], derivative, &[0.0])
    };
    for slope in [0.25, 0.5, 1.25] {
        let report = kink(slope).unwrap();
        assert_eq!((report.compared, report.undecidable), (1, 0));
    }
    assert_eq!(kink(0.25).unwrap().kinks, 1);
    for slope in [0.249, 1.2513, -1.0, f64::NAN] {
        let text = kink(slope).unwrap_err().to_string();
        assert!(text.contains("  a kink      0.25 from below, 1.25 from above\n"), "{text}");
    }
    gradcheck(|x| x[0].relu(), &[&input([0.0])]).unwrap();
    gradcheck(|x| x[0].abs(), &[&input([0.0, 1.0])]).unwrap();
}

#[test]
fn kinks_inside_of_a_composed_function_are_found_wherever_they_lie() {
    // The kink lies at 0.75, x at some distance of it.
    let f = |x: &[f64]| (x[0].exp() - 0.75f64.exp()).max(0.0) + x[0].sin();
    for distance in [1e-1, 1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 0.0, -1e-9, -1e-7, -1e-6, -1e-4, -0.1] {
        let x: f64 = 0.75 + distance;
        let slope = if x > 0.75 { x.exp() + x.cos() } else { x.cos() };
        check_derivative(f, |_: &[f64]| slope, &[x])
            .unwrap_or_else(|failure| panic!("{distance}: {failure}"));
        for wrong in [slope * 1.01 + 2.2, slope - 3.0] {
            let found = Gradcheck::new().report_derivative(f, |_: &[f64]| wrong, &[x]);
            assert!(found.is_err() || only_undecidable(found), "{wrong} at {distance} passed");
        }
    }
}

#[test]
fn what_could_not_be_decided_goes_to_the_hook_of_warnings() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&seen);
    wengert_core::set_warning_hook(Some(Box::new(move |text| list.lock().unwrap().push(text.to_string()))));
    let drowned = |x: &[V]| &x[0] * 1e-9 + 1e7;
    let found = Gradcheck::new().names(["small"]).check(drowned, &[&input([1.0])]);
    wengert_core::set_warning_hook(None);
    found.unwrap();
    let seen = seen.lock().unwrap();
    // Other tests of this program may warn meanwhile.
    let ours: Vec<_> = seen.iter().filter(|text| text.contains("in small [0]")).collect();
    assert!(ours.len() == 1 && ours[0].starts_with("gradcheck: 1 of 1 derivatives undecidable"), "{seen:?}");
}
