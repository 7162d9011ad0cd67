//! What a recorded tape keeps, and what comes of running it again.

use wengert_core::{
    Cotangents, Gradients, Operation, Outputs, Parameter, Pointwise, Recompute, Saved, Tape, TapeInput,
    Tensor, Variable, pointwise, record, with_plain,
};

use crate::V;

fn matrix(rows: usize, columns: usize, seed: f64) -> V {
    let at = |i: usize| ((i as f64 + seed) * 0.7).sin();
    V::new(Tensor::from_fn([rows, columns], at)).requires_grad_(true)
}

pointwise! {
    // The second result is used on the way to the first one, as a cell's state is.
    struct Gate { bias }
    fn eval(i, g) -> 2 { let c = R::select(i.lt(g), i, g * g); [(i + bias).sigmoid() * c.tanh(), c] }
}

/// A recurrence of three steps with a product, a formula of two outputs, and parts.
fn recurrence(x: &V, u: &V) -> V {
    let mut h = x.clone();
    for _ in 0..3 {
        let both = h.matmul(u).tanh();
        let parts = both.chunk(2, 1);
        let [a, b] = Gate { bias: 0.25 }.apply([&parts[0], &parts[1]]);
        h = wengert_core::cat(&[&a, &b], 1);
    }
    (h.softmax(1) * 3.0).sum()
}

#[test]
fn a_tape_outside_of_a_recording_has_no_values() {
    let x = matrix(2, 4, 1.0);
    let tape = Tape::of(&recurrence(&x, &matrix(4, 4, 2.0)));
    let values = tape.entries().iter().flat_map(|entry| &entry.outputs);
    assert!(values.into_iter().all(|output| output.value.is_none() && output.grad.is_none()));
    let refusal = tape.replay::<f64>().unwrap_err().to_string();
    assert_eq!(
        refusal,
        "replay: tape must be values that were recorded: compute inside `record(|| ..)`, got none of the \
         leaf %0"
    );
}

#[test]
fn every_value_and_gradient_comes_again() {
    for plain in [false, true] {
        let (x, u) = (matrix(2, 4, 1.0), matrix(4, 4, 2.0));
        let run = || {
            let loss = record(|| recurrence(&x, &u));
            loss.backward().unwrap();
            Tape::of(&loss)
        };
        let tape = if plain { with_plain(run) } else { run() };
        let mut again = tape.replay::<f64>().unwrap();
        again.backward().unwrap();
        let deviations = again.deviations(&tape);
        let outputs: usize = tape.entries().iter().map(|entry| entry.outputs.len()).sum();
        assert_eq!(deviations.len(), 2 * outputs, "each has a value and a gradient");
        for deviation in deviations {
            assert!(deviation.absolute <= 1e-14 * deviation.scale.max(1.0), "{deviation:?}");
        }
        assert!(again.opaque().is_empty());
    }
}

#[test]
fn other_leaves_give_what_the_function_gives_for_them() {
    let (x, u) = (matrix(2, 4, 1.0), matrix(4, 4, 2.0));
    let tape = Tape::of(&record(|| recurrence(&x, &u)));
    let other = matrix(2, 4, 5.0);
    let again = tape.replay_with(&[(0, other.clone())]).unwrap();
    let expected = recurrence(&other, &u);
    assert!((again.output().item().unwrap() - expected.item().unwrap()).abs() < 1e-14);
    again.output().backward().unwrap();
    let got = other.grad().unwrap().to_vec();
    other.zero_grad();
    expected.backward().unwrap();
    let expected = other.grad().unwrap().to_vec();
    assert!(got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-14));
}

#[test]
fn values_are_those_of_the_recording_though_a_parameter_moves() {
    let w = Parameter::new(Tensor::from([2.0f64])).named("head.scale");
    let x = V::new(Tensor::from([3.0])).requires_grad_(true);
    let loss = record(|| (&x * &*w).sum());
    loss.backward().unwrap();
    w.set_value(Tensor::from([100.0])).unwrap();
    let tape = Tape::of(&loss);
    let line = tape.entries().iter().find(|entry| entry.name == "head.scale").unwrap();
    assert_eq!(line.to_string(), format!("%{} = leaf head.scale             [1]     grad", line.number));
    assert_eq!(line.outputs[0].value.as_ref().unwrap().cast::<f64>().to_vec(), [2.0]);
    assert_eq!(line.outputs[0].grad.as_ref().unwrap().cast::<f64>().to_vec(), [3.0]);
    assert_eq!(tape.replay::<f64>().unwrap().output().item().unwrap(), 6.0);
}

#[test]
fn constants_are_kept_and_shown() {
    let x = matrix(2, 2, 1.0);
    let constant = V::new(Tensor::from([[1.0, 2.0]]));
    let tape = Tape::of(&record(|| &x + &constant));
    let line = &tape.entries()[1];
    assert!(matches!(&line.inputs[1], TapeInput::Constant(Some(value)) if value.shape() == [1, 2]));
    assert_eq!(
        tape.to_string(),
        "%0 = leaf                        [2, 2]  grad\n%1 = Add(%0, constant[1, 2])     [2, 2]  grad\n"
    );
}

#[test]
fn what_waits_for_the_pullback_is_shown_until_it_is_used() {
    let x = matrix(2, 3, 1.0);
    let loss = x.tanh().sum();
    let kept = |tape: &Tape| tape.entries().iter().map(|entry| entry.kept_bytes()).collect::<Vec<_>>();
    assert_eq!(kept(&Tape::of(&loss)), [0, 48, 0]);
    let text = format!("{:#}", Tape::of(&loss));
    assert!(text.contains("keeps 48 B") && text.contains("replay.rs:"), "{text}");
    loss.backward().unwrap();
    assert_eq!(kept(&Tape::of(&loss)), [0, 0, 0]);
}

/// Squares, in the user's own code.
struct Square;

impl Operation<f64> for Square {
    /// The registry has another operation of this name.
    const NAME: &'static str = "Sum";

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].map(|x| x * x)].into_iter().collect()
    }

    fn saves(&self, _: wengert_core::Wants) -> wengert_core::Saves {
        wengert_core::Saves::INPUTS
    }

    fn pullback(
        &self,
        saved: &Saved<'_, f64>,
        cotangents: &Cotangents<f64>,
        gradients: &mut Gradients<'_, f64>,
    ) {
        let cotangent = cotangents.get(0).expect("there is one output");
        gradients.add(0, cotangent * (saved.input(0) * 2.0));
    }
}

#[test]
fn a_users_operation_is_taken_as_it_was_recorded() {
    let x = V::new(Tensor::from([1.0, 3.0])).requires_grad_(true);
    let tape = Tape::of(&record(|| Square.apply1(&[&x]) * 2.0));
    assert_eq!(tape.entries()[1].recompute, Recompute::Opaque);
    let again = tape.replay_with(&[(0, V::new(Tensor::from([7.0, 7.0])))]).unwrap();
    assert_eq!(again.opaque(), [1]);
    assert_eq!(again.output().to_vec(), [2.0, 18.0]);
}

#[test]
fn leaves_that_are_none_or_have_another_shape_are_refused() {
    let x = V::new(Tensor::from([1.0, 3.0])).requires_grad_(true);
    let tape = Tape::of(&record(|| x.exp()));
    let refused = |number, shape: usize| {
        let value = V::new(Tensor::zeros([shape]));
        tape.replay_with(&[(number, value)]).unwrap_err().to_string()
    };
    assert_eq!(refused(1, 2), "replay: leaves must be numbers of lines that are leaves, got %1");
    assert_eq!(refused(0, 3), "replay: leaves must be shape [2] for %0, got [3]");
    let empty = Tape::of(&Variable::from(Tensor::scalar(1.0f64)));
    assert_eq!(
        empty.replay::<f64>().unwrap_err().to_string(),
        "replay: tape must be a line at least, got an empty tape: the value has no history"
    );
}
