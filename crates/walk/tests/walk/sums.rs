//! The sums of a walk are the gradients of the tape.

use std::collections::HashMap;

use wengert_check::RandomProgram;
use wengert_core::{GradOptions, Tape, Tensor, Variable, manual_seed, record};
use wengert_nn::{Gru, Lstm, Rnn};
use wengert_walk::{Event, Ref, Scene, Value};

/// Programs that are walked through; `WENGERT_DEEP_CASES` asks for another number.
const PROGRAMS: u64 = 150;
/// Roundings that each line may bring a sum off by, in parts of the largest sum of its terms' magnitudes: a
/// formula is one line, whose terms come at once, and several operations where the tape is run again, between
/// whose terms others come.
const ROUNDINGS: f64 = 8.0;

fn elements(value: &Value) -> Option<Vec<f64>> {
    value.data.as_ref().map(|data| data.iter().map(|number| number.0).collect())
}

/// The last sum that came to each place, and the magnitudes of its terms.
fn sums(scene: &Scene) -> HashMap<Ref, (Value, Option<Vec<f64>>)> {
    let mut found: HashMap<Ref, (Value, Option<Vec<f64>>)> = HashMap::new();
    let mut come = |to: Ref, term: &Value, sum: &Value| {
        let term = elements(term);
        let entry =
            found.entry(to).or_insert_with(|| (sum.clone(), term.clone().map(|t| vec![0.0; t.len()])));
        entry.0 = sum.clone();
        if let (Some(all), Some(term)) = (&mut entry.1, term) {
            all.iter_mut().zip(term).for_each(|(all, term)| *all += term.abs());
        }
    };
    for event in &scene.backward {
        match event {
            Event::Pull { gives, .. } => gives.iter().for_each(|give| come(give.to, &give.value, &give.sum)),
            Event::Product { to, value, sum, .. } => come(*to, value, sum),
            _ => {}
        }
    }
    found
}

/// Holds a scene against the tape's own gradients; how many sums were compared, and how many had other bits.
fn compare(tape: &Tape, name: &str) -> (usize, usize) {
    let scene = Scene::of::<f64>(tape).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut replay = tape.replay::<f64>().unwrap();
    replay.backward().unwrap();
    let sums = sums(&scene);
    let (mut compared, mut other) = (0, 0);
    for line in &scene.lines {
        for (output, shown) in line.outputs.iter().enumerate() {
            let Some((sum, terms)) = scene_sum(&sums, line.number, output) else { continue };
            let expected = replay.grad(line.number, output).expect("something came there").to_vec();
            assert_eq!(shown.grad.as_ref(), Some(sum), "{name}: %{}.{output}", line.number);
            let (Some(got), Some(terms)) = (elements(sum), terms) else { continue };
            compared += 1;
            other += usize::from(!same_bits(&expected, &got));
            let terms = terms.iter().fold(0.0f64, |most, x| most.max(*x));
            let allowed = ROUNDINGS * f64::EPSILON * terms * (tape.len() - line.number) as f64;
            for (expected, got) in expected.iter().zip(&got) {
                assert!(
                    (expected - got).abs() <= allowed || expected.is_nan() && got.is_nan(),
                    "{name}: %{}.{output}: {got} for {expected}, terms of {terms}\n{tape}",
                    line.number
                );
            }
        }
    }
    // And nothing came to those whose gradient is not zero but that the walk does not know.
    for line in &scene.lines {
        for output in 0..line.outputs.len() {
            let is_zero = |grad: &Tensor<f64>| grad.to_vec().iter().all(|x| *x == 0.0);
            if scene_sum(&sums, line.number, output).is_none() && line.number + 1 != tape.len() {
                assert!(replay.grad(line.number, output).is_none_or(is_zero), "{name}: %{}", line.number);
            }
        }
    }
    (compared, other)
}

fn scene_sum(
    sums: &HashMap<Ref, (Value, Option<Vec<f64>>)>,
    line: usize,
    output: usize,
) -> Option<(&Value, Option<&Vec<f64>>)> {
    let found = sums.iter().find(|(place, _)| place.line == line && place.output == output)?.1;
    Some((&found.0, found.1.as_ref()))
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    // A zero that was added to may have lost its sign.
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || *a == 0.0 && *b == 0.0)
}

#[test]
fn random_programs_sum_to_their_gradients() {
    let count = std::env::var("WENGERT_DEEP_CASES").ok().and_then(|text| text.parse().ok());
    let (mut compared, mut other) = (0, 0);
    for seed in 0..count.unwrap_or(PROGRAMS) {
        let tape = RandomProgram::from_seed(seed).tape();
        if tape.len() < 2 {
            continue;
        }
        let (all, off) = compare(&tape, &format!("program {seed}"));
        compared += all;
        other += off;
    }
    println!("{compared} sums, {other} with other bits");
    assert!(compared as u64 > 3 * PROGRAMS && other * 4 < compared, "{compared} sums, {other} of other bits");
}

/// The tape of a layer over a sequence, whose cells are of one operation each or of the registry's.
macro_rules! of_layer {
    ($layer:expr) => {{
        let layer = $layer.build().unwrap();
        let x = Variable::new(Tensor::randn([4, 2, 3])).requires_grad_(true);
        let loss = record(|| layer.forward(&x, None).unwrap().0.square().mean());
        Tape::of(&loss)
    }};
}

#[test]
fn recurrent_layers_sum_to_their_gradients_and_their_weights_wait() {
    manual_seed(3);
    let tapes = [
        ("rnn", of_layer!(Rnn::builder(3, 4))),
        ("lstm", of_layer!(Lstm::builder(3, 4))),
        ("gru", of_layer!(Gru::builder(3, 4))),
    ];
    for (name, tape) in tapes {
        let (compared, _) = compare(&tape, name);
        assert!(compared > 15, "{name}: {compared}");
        let scene = Scene::of::<f64>(&tape).unwrap();
        let of_all_steps =
            scene.backward.iter().filter(|event| matches!(event, Event::Product { count: 4, .. }));
        assert!(of_all_steps.count() >= 1, "{name}");
        let steps = scene.lines.iter().filter_map(|line| line.step).max();
        assert!(steps >= Some(3), "{name}: {steps:?}");
    }
}

#[test]
fn events_say_how_many_terms_come_and_how_many_wait() {
    let x = Variable::new(Tensor::from([[1.0, 2.0]])).requires_grad_(true);
    let w = Variable::new(Tensor::from([[0.5, 0.25], [1.0, -1.0]])).requires_grad_(true);
    let loss = record(|| {
        let h = x.matmul(&w).tanh().matmul(&w).tanh();
        (&h + &h).sum()
    });
    let scene = Scene::of::<f64>(&Tape::of(&loss)).unwrap();
    let mut waiting = Vec::new();
    for event in &scene.backward {
        match event {
            Event::Pull { gives, waits, .. } => {
                assert!(gives.iter().all(|give| 1 <= give.arrived && give.arrived <= give.of));
                waiting.extend(waits.iter().map(|wait| (wait.to.line, wait.waiting)));
            }
            Event::Product { to, count, factors, value, sum } => {
                // The factors' product, written out.
                let [left, right] = factors.each_ref().map(|factor| elements(factor).unwrap());
                let (rows, m, n) = (factors[0].shape[0], factors[0].shape[1], factors[1].shape[1]);
                assert_eq!(sum.shape, [m, n], "{to:?}");
                assert!(to.line != 1 || rows == *count, "a row a step");
                for (place, value) in elements(value).unwrap().into_iter().enumerate() {
                    let (i, j) = (place / n, place % n);
                    let expected: f64 = (0..rows).map(|r| left[r * m + i] * right[r * n + j]).sum();
                    assert!((expected - value).abs() < 1e-14, "{expected} {value}");
                }
            }
            _ => {}
        }
    }
    let to_w: Vec<usize> =
        waiting.iter().filter(|(line, _)| *line == 1).map(|(_, waiting)| *waiting).collect();
    assert_eq!(to_w, [1, 2], "{waiting:?}");
}

#[test]
fn edits_change_what_is_computed_and_other_types_round() {
    let x = Variable::new(Tensor::from([0.1f64, 0.2])).requires_grad_(true);
    let tape = Tape::of(&record(|| x.exp().sum()));
    let options = wengert_walk::SceneOptions::default().edit(0, vec![1.0, 2.0]);
    let scene = Scene::with::<f64>(&tape, &options).unwrap();
    let other = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    let loss = other.exp().sum();
    assert_eq!(elements(scene.lines[2].outputs[0].value.as_ref().unwrap()), Some(loss.to_vec()));
    let grad = wengert_core::grad(&[&loss], &[&other], GradOptions::default()).unwrap();
    assert_eq!(elements(scene.lines[0].outputs[0].grad.as_ref().unwrap()), Some(grad[0].to_vec()));
    let single = Scene::of::<f32>(&tape).unwrap();
    let value = elements(single.lines[1].outputs[0].value.as_ref().unwrap()).unwrap();
    assert!(value.iter().all(|x| f64::from(*x as f32) == *x) && single.element == "f32");
    let wrong = |options| Scene::with::<f64>(&tape, &options).unwrap_err().to_string();
    let options = || wengert_walk::SceneOptions::default();
    assert!(wrong(options().edit(0, vec![1.0])).contains("2 elements"));
    assert!(wrong(options().edit(1, vec![1.0])).contains("%1"));
    assert!(Scene::of::<f64>(&tape.filtered(|_| false)).unwrap_err().to_string().contains("no history"));
}

#[test]
fn what_has_no_values_or_no_gradient_says_so() {
    let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
    let scene = Scene::of::<f64>(&Tape::of(&x.exp().sum())).unwrap();
    assert!(scene.remarks[0].contains("record") && scene.lines[1].outputs[0].value.is_none());
    let scene = Scene::of::<f64>(&Tape::of(&record(|| x.exp()))).unwrap();
    assert!(scene.remarks[0].contains("shape [2]") && scene.backward.is_empty(), "{:?}", scene.remarks);
}

#[test]
fn a_long_tape_gives_its_folded_lines() {
    let x = Variable::new(Tensor::from([0.5f64])).requires_grad_(true);
    let loss = record(|| (0..10_000).fold(x.clone(), |h, _| h.sin()).sum());
    loss.backward().unwrap();
    let begin = std::time::Instant::now();
    let scene = Scene::of::<f64>(&Tape::of(&loss)).unwrap();
    let took = begin.elapsed();
    assert_eq!((scene.lines.len(), scene.backward.len(), scene.drawings.unrolled.is_none()), (3, 0, true));
    assert!(scene.remarks[0].contains("10002 lines"), "{:?}", scene.remarks);
    assert!(scene.lines[1].text.ends_with("\u{d7}10000") && scene.lines[1].outputs[0].grad.is_some());
    assert!(took.as_secs_f64() < 10.0, "{took:?}");
}

#[test]
fn a_formula_that_hands_its_input_on_gives_it_its_gradient() {
    type Way = fn(&Variable<f64>) -> Variable<f64>;
    let ways: [Way; 3] = [|x| x / 1.0, |x| x * 1.0, |x| (x.tanh() / 1.0) / 1.0];
    let x = Variable::new(Tensor::from([1.0, -2.0])).requires_grad_(true);
    for (i, way) in ways.into_iter().enumerate() {
        let tape = Tape::of(&record(|| (way(&x) * Tensor::from([3.0, 5.0])).sum()));
        assert!(compare(&tape, &format!("way {i}")).0 >= 3);
    }
}
