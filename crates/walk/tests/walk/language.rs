//! Programs of the language compute what the same thing does in Rust.

use proptest::prelude::*;
use wengert_core::{Tape, TapeEntry, Tensor, Variable, cat};
use wengert_walk::{Scene, Script, Value};

fn scene(text: &str) -> Scene {
    Script::parse(text)
        .and_then(|program| program.scene::<f64>())
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn elements(value: Option<&Value>) -> Vec<f64> {
    value.and_then(|value| value.data.as_ref()).expect("few elements").iter().map(|number| number.0).collect()
}

/// The value and the gradient of a leaf.
fn leaf(scene: &Scene, name: &str) -> (Vec<f64>, Vec<f64>) {
    let line = scene.lines.iter().find(|line| line.name == name).unwrap_or_else(|| panic!("no {name}"));
    (elements(line.outputs[0].value.as_ref()), elements(line.outputs[0].grad.as_ref()))
}

fn loss(scene: &Scene) -> f64 {
    elements(scene.lines.last().unwrap().outputs[0].value.as_ref())[0]
}

fn parameter(elements: &[f64], shape: &[usize]) -> Variable<f64> {
    Variable::new(Tensor::from_vec(elements.to_vec(), shape).unwrap()).requires_grad_(true)
}

#[test]
fn a_recurrent_network_has_the_bits_of_the_same_one_in_rust() {
    let text = "
        T = 4
        x: [T, 1, 2] = sin
        W: [2, 3] = normal(0, 0.5)   # of the inputs
        U: [3, 3] = normal / sqrt(3)
        b: [3] = zeros
        h = zeros [1, 3]
        for t in 0..T:
            h = tanh(x[t] W + h U + b)
        loss = mean(h^2)";
    let scene = scene(text);
    let shapes: [(&str, &[usize]); 4] = [("x", &[4, 1, 2]), ("W", &[2, 3]), ("U", &[3, 3]), ("b", &[3])];
    let leaves = shapes.map(|(name, shape)| parameter(&leaf(&scene, name).0, shape));
    let [x, w, u, b] = &leaves;
    let mut h = Variable::from(Tensor::zeros([1, 3]));
    for t in 0..4 {
        h = (x.select(0, t).matmul(w) + h.matmul(u) + b).tanh();
    }
    let expected = h.square().mean();
    assert_eq!(loss(&scene), expected.item().unwrap());
    expected.backward().unwrap();
    for ((name, _), own) in shapes.iter().zip(&leaves) {
        let expected = own.grad().unwrap().to_vec();
        let scale = expected.iter().fold(0.0f64, |scale, x| scale.max(x.abs()));
        for (a, b) in leaf(&scene, name).1.iter().zip(&expected) {
            assert!((a - b).abs() <= 8.0 * f64::EPSILON * scale, "{name}: {a} {b}");
        }
    }
    assert_eq!(x.value(), (Variable::from(Tensor::from_fn([4, 1, 2], |i| i as f64))).sin().value());
}

#[test]
fn what_stands_in_the_text_is_what_is_computed() {
    let w = parameter(&[0.5, -1.5, 2.0, 0.25], &[2, 2]);
    let begin = "w: [2, 2] = [[0.5, -1.5], [2, 0.25]]\n";
    let cases: Vec<(&str, Variable<f64>)> = vec![
        ("sum(w * w - 2 w + 1)", ((&w * &w) - (&w * 2.0) + 1.0).sum()),
        ("sum(w w')", w.matmul(&w.t()).sum()),
        ("sum(w @ w)", w.matmul(&w).sum()),
        ("sum(1 / (2 + w^2))", (1.0 / (w.square() + 2.0)).sum()),
        ("sum(-w^3)", (-w.pow(3.0)).sum()),
        ("sum(3 - w)", (3.0 - &w).sum()),
        ("sum(w[0] w[:, 1])", w.select(0, 0).matmul(&w.select(1, 1)).sum()),
        ("sum(w[-1, 0..1])", w.select(0, 1).narrow(0, 0, 1).sum()),
        ("sum(softmax(w)[.., 0])", w.softmax(1).select(1, 0).sum()),
        ("mean(log_softmax(w, 0) * w)", (w.log_softmax(0) * &w).mean()),
        (
            "sum(cat(w, w^2, dim=0) cat(w, w'))",
            cat(&[&w, &w.square()], 0).matmul(&cat(&[&w, &w.t()], 1)).sum(),
        ),
        ("max(w) + min(w)", w.max() + w.min()),
        ("sum(max(w, 0.3))", w.maximum(&Variable::from(Tensor::scalar(0.3))).sum()),
        ("sum(sum(w, 0) * mean(w, dim=1))", (w.sum_dim(&[0]) * w.mean_dim(&[1])).sum()),
        ("norm(w)", w.norm(2.0, &[])),
        ("sum(\u{3c3}(w) \u{2299} w\u{b2})", (w.sigmoid() * w.square()).sum()),
        ("sum(w\u{1d40}\u{b7}w \u{2212} w)", (w.t().matmul(&w) - &w).sum()),
        ("mse(w, [1, 2])", (&w - Variable::from(Tensor::from([1.0, 2.0]))).square().mean()),
        ("sum(reshape(w, [4])[1..3])", w.reshape([4]).narrow(0, 1, 2).sum()),
        ("sum(detach(w) w)", w.detach().matmul(&w).sum()),
        ("sum(2^w)", Variable::from(Tensor::scalar(2.0)).pow(&w).sum()),
        ("cross_entropy(w, [1, 0])", w.cross_entropy(&Tensor::from([1i64, 0]), -1).unwrap().mean()),
    ];
    for (text, expected) in cases {
        let scene = scene(&format!("{begin}loss = {text}"));
        assert_eq!(loss(&scene), expected.item().unwrap(), "{text}");
        expected.backward().unwrap();
        let grad = w.grad().unwrap().to_vec();
        w.zero_grad();
        for (a, b) in leaf(&scene, "w").1.iter().zip(&grad) {
            assert!((a - b).abs() <= 1e-14 * (1.0 + b.abs()), "{text}: {a} {b}");
        }
    }
}

#[test]
fn every_function_has_an_operation_and_a_gradient() {
    for name in "tanh sigmoid relu exp log ln sqrt abs sin cos erf square recip rsqrt expm1 log1p neg silu \
                 swish gelu mish selu softplus softsign logsigmoid hardsigmoid"
        .split_whitespace()
    {
        let program = Script::parse(&format!("w: [2] = [0.5, 1.5]\nloss = sum({name}(w))")).unwrap();
        let answer = wengert_walk::answer(
            &serde_json::json!({"program": program.to_string(), "check": true}).to_string(),
        );
        assert!(answer.contains("All gradients agree"), "{name}: {answer}");
        // A number is put through the same operation.
        let number = scene(&format!("w: [1] = ones\nloss = sum(w * {name}(0.5))"));
        let tensor = scene(&format!("w: [1] = ones\nloss = sum(w * {name}([0.5]))"));
        assert_eq!(loss(&number), loss(&tensor), "{name}");
    }
}

#[test]
fn loops_names_and_places() {
    let scene = scene(
        "w: [1] = 0.5\nh = 2 w\nrepeat 3: h = sin(h)\nfor i in 1..3:\n  h = h * i\n\
         loss = sum(h)\ndead = w * 3",
    );
    let text: Vec<&str> = scene.lines.iter().map(|line| line.operation.as_str()).collect();
    assert_eq!(text, ["leaf", "MulScalar", "Sin", "Sin", "Sin", "MulScalar", "MulScalar", "Sum"]);
    let steps: Vec<_> = scene.lines.iter().map(|line| line.step).collect();
    assert_eq!(steps[2..5], [Some(0), Some(1), Some(2)]);
    assert_eq!(scene.lines[2].source.as_deref(), Some("3:15"));
    assert_eq!((scene.lines[3].name.as_str(), scene.lines[7].name.as_str()), ("h", "loss"));
    assert!(scene.lines[0].editable && !scene.lines[1].editable);
}

#[test]
fn draws_depend_on_the_name_alone_and_unused_leaves_are_told() {
    let one = scene("a: [3] = normal\nloss = sum(a^2)");
    let other = scene("b: [2] = uniform(-1, 1)\na: [3] = normal\nloss = sum(a^2)");
    assert_eq!(leaf(&one, "a").0, leaf(&other, "a").0);
    assert_eq!(other.remarks, ["The loss does not depend on b."]);
    let constant = scene("const x: [2] = range\nw: [2] = ones\nloss = sum(w * x)");
    assert_eq!(leaf(&constant, "w").1, [0.0, 1.0]);
    assert_eq!(constant.lines.len(), 3);
    let eye = scene("w: [2, 3] = eye\nloss = sum(w)");
    assert_eq!(leaf(&eye, "w").0, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn a_program_runs_in_single_precision() {
    let program = Script::parse("w: [2] = [0.1, 0.2]\nloss = sum(exp(w))").unwrap();
    let scene = program.scene::<f32>().unwrap();
    let w = Variable::new(Tensor::from([0.1f32, 0.2]));
    assert_eq!(loss(&scene), f64::from(w.exp().sum().item().unwrap()));
    let tape: Tape = program.tape().unwrap();
    assert!(tape.entries().iter().all(|entry: &TapeEntry| entry.outputs[0].value.is_some()));
}

/// A text of an expression over `w` and `v`, both (2, 2).
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("w".to_string()),
        Just("v".to_string()),
        (0.1f64..3.0).prop_map(|value| format!("{value:?}")),
        Just("[[1, 2], [3, 4]]".to_string()),
    ];
    leaf.prop_recursive(5, 32, 3, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            (two.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")])
                .prop_map(|((a, b), sign)| format!("({a}) {sign} ({b})")),
            two.clone().prop_map(|(a, b)| format!("{a} + {b}")),
            two.clone().prop_map(|(a, b)| format!("({a}) ({b})")),
            two.prop_map(|(a, b)| format!("({a}) @ ({b})")),
            inner.clone().prop_map(|a| format!("tanh({a})")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.clone().prop_map(|a| format!("({a})^2")),
            inner.prop_map(|a| format!("(w + ({a}))'")),
        ]
    })
}

/// Characters that a damaged program has.
const OTHER: &str = "[-a-zA-Z0-9_+*/@^'=,:()\\[\\]. \n\u{3c3}]?";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_printed_program_is_the_same_one(text in expression()) {
        let begin = "w: [2, 2] = normal\nv: [2, 2] = uniform(0, 1)\nrepeat 2:\n  w = w * 0.5\n";
        let text = format!("{begin}loss = sum({text})");
        let program = Script::parse(&text).unwrap();
        let printed = program.to_string();
        prop_assert_eq!(&Script::parse(&printed).unwrap(), &program, "{}", printed);
        if let Ok(tape) = program.tape() {
            let again = Script::parse(&printed).unwrap().tape().unwrap();
            prop_assert_eq!(tape.to_string(), again.to_string());
        }
    }

    /// Programs of which characters are left out, put in or changed.
    #[test]
    fn damaged_programs_are_refused_or_run(
        text in expression(),
        changes in proptest::collection::vec((any::<usize>(), OTHER), 1..6),
    ) {
        let begin = "T = 2\nw: [2, 2] = normal\nv = zeros [2, 2]\nfor t in 0..T:\n";
        let text = format!("{begin}  v = {text}\nloss = mean(v)");
        let mut chars: Vec<char> = text.chars().collect();
        for (place, other) in changes {
            let place = place % chars.len();
            chars.splice(place..place + 1, other.chars());
        }
        let text: String = chars.into_iter().collect();
        if let Err(error) = Script::parse(&text).and_then(|program| program.scene::<f64>()) {
            let lines = text.lines().count().max(1);
            prop_assert!((1..=lines).contains(&error.line) && error.column >= 1, "{}", error);
        }
    }
}
