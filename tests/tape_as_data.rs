//! A tape that goes through JSON and comes back.

use wengert::prelude::*;
use wengert::record;

fn through_json(tape: &Tape) -> Tape {
    serde_json::from_str(&serde_json::to_string(tape).unwrap()).unwrap()
}

#[test]
fn a_recurrent_backward_comes_back_and_runs_again() {
    manual_seed(0);
    let lstm = Lstm::builder(3, 4).num_layers(2).bidirectional(true).build().unwrap();
    let x = Variable::new(Tensor::randn([5, 2, 3])).requires_grad_(true);
    let loss = record(|| lstm.forward(&x, None).unwrap().0.square().mean());
    loss.backward().unwrap();
    let tape = Tape::of(&loss);
    let back = through_json(&tape);
    assert_eq!(back, tape);
    let mut again = back.replay::<f32>().unwrap();
    again.backward().unwrap();
    for deviation in again.deviations(&tape) {
        assert!(deviation.absolute <= 1e-5 * deviation.scale.max(1e-2), "{deviation:?}");
    }
}

#[test]
fn indices_masks_and_numbers_that_json_has_not() {
    let x = Variable::new(Tensor::from([[f64::NAN, f64::INFINITY, 1.5], [-0.0, f64::NEG_INFINITY, 2.5]]));
    let x = x.requires_grad_(true);
    let index = Tensor::from([2i64, 0]);
    let y = record(|| x.index_select(1, &index).clamp(-1.0, f64::INFINITY).sum());
    let tape = Tape::of(&y);
    let back = through_json(&tape);
    // Two NaN are not equal, so it is the texts that are compared.
    assert_eq!(serde_json::to_string(&back).unwrap(), serde_json::to_string(&tape).unwrap());
    let value = back.entries()[0].outputs[0].value.as_ref().unwrap().cast::<f64>().to_vec();
    assert!(value[0].is_nan() && value[1] == f64::INFINITY && value[4] == f64::NEG_INFINITY);
    assert!(value[3] == 0.0 && value[3].is_sign_negative());
}

#[test]
fn doubles_come_back_to_the_last_bit() {
    manual_seed(1);
    // Of all sizes, where a quick reading of decimal digits is off by a bit now and then.
    let sizes = Tensor::<f64>::uniform([4000], -300.0, 300.0);
    let x = Variable::new(Tensor::<f64>::randn([4000]) * sizes.map(|size| 10f64.powf(size)));
    let tape = Tape::of(&record(|| x.requires_grad_(true) * 1.0));
    assert_eq!(through_json(&tape), tape);
}

#[test]
fn what_does_not_fit_is_refused() {
    let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    let text = serde_json::to_string(&Tape::of(&record(|| x.exp()))).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        serde_json::from_str::<Tape>(&text.replacen(from, to, 1)).unwrap_err().to_string()
    };
    let short = refused("\"data\":[1.0,2.0]", "\"data\":[1.0]");
    assert!(short.contains("2 elements") || short.contains("expected"), "{short}");
    assert!(refused("\"data\":[1.0,2.0]", "\"data\":[1.0,\"two\"]").contains("got \"two\""));
}
