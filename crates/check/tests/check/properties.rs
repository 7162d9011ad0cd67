//! What becomes of a failing property: it is told at once, made smaller in the same way, and runs again.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use wengert_check::proptest::test_runner::RngSeed;
use wengert_check::{Property, tensor};
use wengert_core::Tensor;

use crate::{V, without_last_line};

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A property whose announcements are kept, from a seed that goes before the environment's.
fn heard(seed: u64) -> Property {
    TOLD.take();
    let property = Property::new().config(|config| config.rng_seed = RngSeed::Fixed(seed));
    property.announce(|text| TOLD.with_borrow_mut(|told| told.push(text.to_string())))
}

/// `exp` with a derivative of ones.
fn wrong_exp(x: &V) -> V {
    x.exp().detach() + x - x.detach()
}

#[test]
fn a_failure_is_told_before_a_smaller_case_is_looked_for() {
    let calls = Cell::new(0);
    let at_the_telling = Cell::new(0);
    let property = heard(5).config(|config| config.cases = 20);
    let text = property.for_all(|draw| {
        if calls.get() == 1 {
            at_the_telling.set(TOLD.with_borrow(Vec::len));
        }
        calls.set(calls.get() + 1);
        let x = draw.draw(tensor([3]));
        draw.note("x", &x);
        if x.to_vec()[0].abs() > 0.0 { Err("not zero") } else { Ok(()) }
    });
    assert!(text.is_err() && calls.get() > 2);
    assert_eq!(at_the_telling.get(), 1, "told before the second call");
    let told = TOLD.take();
    assert!(
        told[0].contains("properties.rs:") && told[0].contains("fails at case 1 of 20: not zero"),
        "{told:?}"
    );
    assert!(told[0].contains("the case as it was drawn:\n  x = "), "{told:?}");
    assert!(told[0].contains("PROPTEST_RNG_SEED=5 PROPTEST_CASES=1 cargo test "), "{told:?}");
}

#[test]
fn the_seed_that_is_told_makes_the_failing_case_the_first() {
    let sum_of = |text: &str| text.lines().find(|line| line.contains("sum = ")).unwrap().to_string();
    let failing = |draw: &mut wengert_check::Draw| {
        let sum: f64 = draw.draw(tensor([4])).to_vec().iter().sum();
        draw.note("sum", sum);
        if sum > 4.0 { Err("large") } else { Ok(()) }
    };
    let run = |seed, cases| {
        let property = heard(seed).config(|config| config.cases = cases);
        let _ = property.shrink_for(Duration::ZERO).for_all(failing);
        TOLD.take().pop()
    };
    let told = (0..).find_map(|seed| run(seed, 100).filter(|told| !told.contains("at case 1 of"))).unwrap();
    let seed = told.split("PROPTEST_RNG_SEED=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(sum_of(&run(seed, 1).unwrap()), sum_of(&told));
}

#[test]
fn shrinking_ends_with_its_time() {
    let calls = |limit: Duration| {
        let calls = Cell::new(0);
        let text = heard(1).shrink_for(limit).for_all(|draw| {
            calls.set(calls.get() + 1);
            let x = draw.draw(tensor([20]));
            draw.note("x", &x);
            Err::<(), _>("always")
        });
        (calls.get(), text.unwrap_err())
    };
    let (few, text) = calls(Duration::ZERO);
    assert!(
        few <= 2 && text.contains("as far as 0ns went (Property::shrink_for):\n  x = "),
        "{few} calls: {text}"
    );
    let (many, text) = calls(Duration::from_secs(1000));
    assert!(many > few && text.contains("always\nsmallest case that fails:\n  x = "), "{many} calls: {text}");
}

#[test]
fn a_panic_of_what_is_checked_is_a_case_like_others() {
    let property = || heard(2).cases(50);
    let text = property().run(
        |case| {
            case.input("x", tensor((1..6,)));
        },
        |x| {
            assert!(x[0].numel() < 3, "too many: {}", x[0].numel());
            x[0].exp()
        },
    );
    let text = text.unwrap_err();
    assert!(text.starts_with("property: panicked at ") && text.contains("properties.rs:"), "{text}");
    assert!(text.contains(": too many: 3\nsmallest case that fails:\n  x = [0, 0, 0]\n"), "{text}");
    let text = property().for_all(|draw| {
        let n = draw.draw(0..9usize);
        draw.note("n", n);
        if n > 2 {
            Tensor::from_vec(vec![0.0f64; n], [n + 1]).map(drop).map_err(|error| panic!("{error}"))
        } else {
            Ok::<(), String>(())
        }
    });
    assert!(text.unwrap_err().contains("smallest case that fails:\n  n = 3\n"));
    // Afterwards panics are printed and caught as ever.
    assert!(std::panic::catch_unwind(|| panic!("as ever")).is_err());
}

#[test]
fn a_smaller_case_fails_in_the_same_way() {
    // Zeros would fail too, by another panic.
    let text = heard(4).for_all(|draw| {
        let n = draw.draw(1..100usize);
        draw.note("n", n);
        assert!(n != 1, "one");
        if n > 10 { Err("more than ten") } else { Ok(()) }
    });
    assert!(text.unwrap_err().contains("more than ten\nsmallest case that fails:\n  n = 11\n"));
}

#[test]
fn a_smaller_case_is_off_as_clearly() {
    // The smaller the scale, the less it is off: by the factor 1 at 3, by 1e-5 at 1, by nothing at 0.
    let text = heard(4).run(
        |case| {
            case.input("x", tensor([1]).within(2.0, 3.0));
            case.input("scale", tensor([1]).within(0.0, 3.0));
        },
        |x| {
            let wrong = x[1].to_vec()[0].powi(10) * 2e-5;
            x[0].exp() * (1.0 - wrong) + x[0].exp().detach() * wrong
        },
    );
    let text = text.unwrap_err();
    let scale = text.split("scale = [").nth(1).unwrap().split(']').next().unwrap().parse::<f64>().unwrap();
    assert!(scale >= 2.0, "{text}");
}

#[test]
fn what_could_not_be_decided_is_told_at_the_end() {
    let case = |case: &mut wengert_check::Case<'_>| {
        case.input("x", tensor([2]));
    };
    let drowned = |x: &[V]| x[0].sin() * 1e-9 + 1e7;
    heard(8).config(|config| config.cases = 3).order(1).run(case, drowned).unwrap();
    let told = TOLD.take();
    assert!(told.len() == 1 && told[0].contains("6 of 12 derivatives undecidable\n"), "{told:?}");
    assert!(told[0].contains("\n  and 3 more"), "{told:?}");
    heard(9).cases(3).run(case, |x| x[0].exp()).unwrap();
    assert!(TOLD.take().is_empty());
}

#[test]
fn nothing_is_written_beside_the_tests() {
    heard(1)
        .of("nothing_is_written", file!())
        .run(
            |case| {
                case.input("x", tensor([2]));
            },
            |x| wrong_exp(&x[0]),
        )
        .unwrap_err();
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    for folder in [tests.clone(), tests.join("check")] {
        let mut entries = std::fs::read_dir(folder).unwrap();
        assert!(entries.all(|entry| !entry.unwrap().file_name().to_string_lossy().contains("regressions")));
    }
}

#[test]
fn a_plain_function_fails_with_the_same_report() {
    let text = heard(3).run_derivative(
        |case| {
            let n = case.draw(2..5);
            case.input("weights", tensor([n]));
            case.input("bias", tensor(Vec::new()));
        },
        |x: &[f64]| x.iter().sum::<f64>().tanh(),
        |x: &[f64]| {
            let slope = 1.0 - x.iter().sum::<f64>().tanh().powi(2);
            let mut gradient = vec![slope; x.len()];
            gradient[1] *= 2.0;
            gradient
        },
    );
    let expected = "\
property: the derivative of output in weights [1] is wrong (order 1)
  analytical  2
  numerical   1
  off by      1.000e0, 1.000e0 of it; allowed 1.000e-6
  Jacobian (outputs down, inputs across): 1 row, 3 columns
  analytical                            numerical
      1.00000    *2.00000     1.00000       1.00000    *1.00000     1.00000
smallest case that fails:
  weights = [0, 0]
  bias = 0
";
    assert_eq!(without_last_line(&text.unwrap_err()), expected);
}
