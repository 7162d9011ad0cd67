//! Operations of one's own whose backward is written in tensors: right to the first order, an error beyond.

use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_core::{
    Cotangents, Error, FirstOrder, GradOptions, Gradients, Operation, Outputs, Parameter, Saved,
    SavedTensors, Saves, Tape, Tensor, Wants, detect_anomaly, grad, hessian, hvp, jvp, no_grad, scope, vjp,
};

use crate::{V, gradient, scalar, vector};

type Found = Vec<Option<Tensor<f64>>>;

fn zipped(a: &Tensor<f64>, b: &Tensor<f64>, f: impl Fn(f64, f64) -> f64) -> Tensor<f64> {
    let (a, b) = (a.to_vec(), b.to_vec());
    Tensor::from(a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect::<Vec<f64>>())
}

/// `x^3`.
struct Cube;

impl FirstOrder<f64> for Cube {
    const NAME: &'static str = "Cube";
    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].map(|x| x * x * x)].into()
    }
    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }
    fn backward(&self, saved: &SavedTensors<'_, f64>, c: &[Option<Tensor<f64>>], _: Wants) -> Found {
        vec![Some(zipped(&saved.input(0).map(|x| 3.0 * x * x), c[0].as_ref().unwrap(), |d, c| d * c))]
    }
}

fn cube(x: &V) -> V {
    Cube.apply1(&[&x.reshape([x.numel()])]).sum()
}

/// `(x y, x + y)`; its backward says what it was asked for.
struct MulAdd;

impl FirstOrder<f64> for MulAdd {
    const NAME: &'static str = "MulAdd";
    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [zipped(inputs[0], inputs[1], |x, y| x * y), zipped(inputs[0], inputs[1], |x, y| x + y)]
            .into_iter()
            .collect()
    }
    fn saves(&self, wants: Wants) -> Saves {
        let saves = if wants.input(0) { Saves::NOTHING.and_input(1) } else { Saves::NOTHING };
        if wants.input(1) { saves.and_input(0) } else { saves }
    }
    fn backward(&self, saved: &SavedTensors<'_, f64>, c: &[Option<Tensor<f64>>], wants: Wants) -> Found {
        let of = |i: usize, other: usize| {
            let product = c[0].as_ref().map(|c| zipped(c, saved.input(other), |c, x| c * x));
            assert_eq!(saved.input_shape(i), [2]);
            match (product, &c[1]) {
                (Some(a), Some(b)) => Some(zipped(&a, b, |a, b| a + b)),
                (a, b) => a.or_else(|| b.clone()),
            }
        };
        vec![wants.input(0).then(|| of(0, 1)).flatten(), wants.input(1).then(|| of(1, 0)).flatten()]
    }
}

fn recorded(create: bool) -> GradOptions<f64> {
    GradOptions::default().create_graph(create)
}

/// That an error is of a first-order operation recorded in this file.
#[track_caller]
fn assert_only_first<R: std::fmt::Debug>(result: Result<R, Error>, name: &str) {
    match result.unwrap_err() {
        Error::FirstOrderOnly { operation, location, .. } => {
            assert_eq!(operation, name);
            assert!(location.file().ends_with("custom.rs"), "{location}");
        }
        other => panic!("{other}"),
    }
}

#[test]
fn the_first_derivative_is_that_of_the_formula() {
    let x = vector([2.0, -1.0]);
    let y = Cube.apply1(&[&x]);
    assert_eq!((y.grad_fn(), y.to_vec()), (Some("Cube"), vec![8.0, -1.0]));
    (y * 2.0).sum().backward().unwrap();
    assert_eq!(gradient(&x), [24.0, 6.0]);
    // Added to what is there, as any gradient.
    cube(&x).backward().unwrap();
    assert_eq!(gradient(&x), [36.0, 9.0]);
    assert!(no_grad(|| cube(&x)).is_leaf() && cube(&V::from(Tensor::from([1.0]))).is_leaf());
}

#[test]
fn outputs_that_nothing_came_back_to_have_no_cotangent() {
    let gradients = |loss: fn(&V, &V) -> V| {
        let (x, y) = (vector([2.0, 3.0]), vector([5.0, 7.0]));
        let outputs = MulAdd.apply(&[&x, &y]);
        loss(&outputs[0], &outputs[1]).sum().backward().unwrap();
        [gradient(&x), gradient(&y)]
    };
    assert_eq!(gradients(|product, _| product * 1.0), [[5.0, 7.0], [2.0, 3.0]]);
    assert_eq!(gradients(|_, sum| sum * 4.0), [[4.0, 4.0], [4.0, 4.0]]);
    assert_eq!(gradients(|product, sum| product + sum * 4.0), [[9.0, 11.0], [6.0, 7.0]]);
}

#[test]
fn an_input_without_gradient_is_not_wanted_and_what_only_it_needs_is_not_saved() {
    let (x, y) = (Parameter::new(Tensor::from([2.0, 3.0])), V::from(Tensor::from([5.0, 7.0])));
    let outputs = MulAdd.apply(&[&x, &y]);
    // Nobody else holds the value of x, so that it can be changed where it is.
    let place = || x.value().as_slice().unwrap().as_ptr();
    let before = place();
    x.update("step", |_| ()).unwrap();
    assert_eq!(place(), before);
    outputs[0].sum().backward().unwrap();
    assert_eq!((x.grad().unwrap().to_vec(), y.grad().is_none()), (vec![5.0, 7.0], true));
    // As for `grad`, which asks for one of two.
    let (x, y) = (vector([2.0, 3.0]), vector([5.0, 7.0]));
    let outputs = MulAdd.apply(&[&x, &y]);
    let found = grad(&[&outputs[0].sum()], &[&y], recorded(false)).unwrap();
    assert_eq!(found[0].to_vec(), [2.0, 3.0]);
}

#[test]
fn a_recorded_backward_is_right_and_through_it_there_is_an_error_with_the_line() {
    let x = vector([2.0, -1.0]);
    let y = scope("model", || scope("head", || Cube.apply1(&[&x])));
    let line = line!() - 1;
    let first = grad(&[&y.sum()], &[&x], recorded(true)).unwrap().remove(0);
    assert_eq!(first.to_vec(), [12.0, 3.0]);
    assert_eq!(first.grad_fn(), Some("FirstOrderBackward"));
    let error = first.square().sum().backward().unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("Cube recorded at "), "{text}");
    assert!(text.contains(&format!("custom.rs:{line}:")), "{text}");
    assert!(text.contains(" in model.head has a derivative of first order only"), "{text}");
    assert!(x.grad().is_none(), "a backward that is refused changes no gradient");
    assert_only_first(grad(&[&first.sum()], &[&x], recorded(false)), "Cube");
    // Into `grad()`, recorded, and read only.
    y.sum().backward_options(None, &recorded(true)).unwrap();
    assert_eq!(gradient(&x), [12.0, 3.0]);
    assert_only_first(x.grad().unwrap().sum().backward(), "Cube");
}

#[test]
fn an_operation_that_saves_nothing_is_refused_as_well() {
    // Nothing shows what its backward made use of.
    let (x, y) = (vector([2.0, 3.0]), vector([5.0, 7.0]));
    let sum = MulAdd.apply(&[&x, &y]).remove(1);
    let first = grad(&[&sum.sum()], &[&x], recorded(true)).unwrap().remove(0);
    assert_eq!(first.to_vec(), [1.0, 1.0]);
    assert_only_first(first.sum().backward(), "MulAdd");
}

#[test]
fn a_cotangent_with_history_is_no_way_around() {
    let x = vector([2.0, -1.0]);
    let y = cube(&x).square();
    let first = grad(&[&y], &[&x], recorded(true)).unwrap().remove(0);
    assert_eq!(first.to_vec(), [2.0 * 7.0 * 12.0, 2.0 * 7.0 * 3.0]);
    assert_only_first(first.sum().backward(), "Cube");
}

#[test]
fn second_order_along_other_paths_is_right() {
    // d/dw of w^2 x^3, beside which nothing goes through the recorded backward.
    let (w, x) = (scalar(5.0), scalar(2.0));
    let loss = w.square() * cube(&x);
    let first = grad(&[&loss], &[&w], recorded(true)).unwrap().remove(0);
    assert_eq!(first.item().unwrap(), 80.0);
    let second = grad(&[&first], &[&w, &x], recorded(false)).unwrap();
    assert_eq!([second[0].item().unwrap(), second[1].item().unwrap()], [16.0, 120.0]);

    // Both gradients are recorded; only what leads back through the operation's is refused.
    let loss = w.square() * cube(&x);
    let first = grad(&[&loss], &[&w, &x], recorded(true)).unwrap();
    assert_eq!(first[1].item().unwrap(), 300.0);
    first[0].backward_options(None, &GradOptions::default().retain_graph(true)).unwrap();
    assert_eq!((gradient(&w), gradient(&x)), (vec![16.0], vec![120.0]));
    assert_only_first(first[1].backward_options(None, &GradOptions::default().retain_graph(true)), "Cube");
    // A detached gradient is a number, and may be used as one.
    w.zero_grad();
    (first[1].detach() * &w).backward().unwrap();
    assert_eq!(gradient(&w), [300.0]);
}

#[test]
fn derivatives_of_functions_report_it() {
    let x = V::from(Tensor::from([2.0, -1.0]));
    let one = V::from(Tensor::scalar(1.0));
    assert_eq!(vjp(|x| vec![cube(&x[0])], &[&x], &[&one]).unwrap().1[0].to_vec(), [12.0, 3.0]);
    assert_only_first(hessian(|x| cube(&x[0]), &[&x]), "Cube");
    assert_only_first(hvp(|x| cube(&x[0]), &[&x], &[&x]), "Cube");
    // The tangent is found by going back twice.
    assert_only_first(jvp(|x| vec![cube(&x[0])], &[&x], &[&x]), "Cube");
}

#[test]
fn the_tape_shows_it_and_its_recorded_backward() {
    let x = vector([2.0, -1.0]);
    let first = grad(&[&Cube.apply1(&[&x]).sum()], &[&x], recorded(true)).unwrap().remove(0);
    let tape = Tape::of(&first);
    let operations: Vec<&str> = tape.entries().iter().map(|entry| &*entry.operation).collect();
    assert_eq!(operations, ["leaf", "FirstOrderBackward"]);
    assert!(tape.entries()[1].location.as_ref().unwrap().file.ends_with("custom.rs"));
}

#[test]
fn a_value_that_it_saved_stays_when_the_parameter_changes() {
    let w = Parameter::new(Tensor::from([2.0, -1.0]));
    let y = Cube.apply1(&[&w]).sum();
    w.update("step", |values| values.fill(7.0)).unwrap();
    y.backward().unwrap();
    assert_eq!(w.grad().unwrap().to_vec(), [12.0, 3.0]);
    assert!(y.backward().unwrap_err().to_string().starts_with("backward through freed values"));
}

#[test]
fn anomalies_in_it_are_found() {
    let x = vector([f64::MAX, 1.0]);
    let find = || detect_anomaly(|| Cube.apply1(&[&x]).sum().backward()).unwrap_err().to_string();
    assert!(find().starts_with("inf in the forward of Cube recorded at "), "{}", find());
}

/// An operation whose backward gives what it was told to.
struct Wrong(Found);

impl FirstOrder<f64> for Wrong {
    const NAME: &'static str = "Wrong";
    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].clone()].into()
    }
    fn backward(&self, saved: &SavedTensors<'_, f64>, _: &[Option<Tensor<f64>>], _: Wants) -> Found {
        if self.0.is_empty() {
            saved.output(0);
        }
        self.0.clone()
    }
}

#[test]
fn mistakes_in_a_backward_are_named() {
    let fault = |found: Found| {
        let x = vector([1.0, 2.0]);
        let y = Wrong(found).apply1(&[&x]).sum();
        let panic = catch_unwind(AssertUnwindSafe(|| y.backward())).unwrap_err();
        *panic.downcast::<String>().unwrap()
    };
    let text = fault(vec![Some(Tensor::ones([3]))]);
    assert_eq!(text, "the pullback of Wrong: expected a cotangent of its input's shape [2], got [3]");
    assert!(fault(vec![None, None]).contains("the backward of Wrong: expected one cotangent for each input"));
    assert_eq!(fault(vec![]), "Wrong: its pullback asks for output 0, which it does not save");
    // None is zero: nothing arrives.
    let x = vector([1.0, 2.0]);
    Wrong(vec![None]).apply1(&[&x]).sum().backward().unwrap();
    assert!(x.grad().is_none());
}

/// An operation in variables that refuses twice.
struct Refusing;

impl Operation<f64> for Refusing {
    const NAME: &'static str = "Refusing";
    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [inputs[0].clone()].into()
    }
    fn pullback(&self, _: &Saved<'_, f64>, c: &Cotangents<f64>, gradients: &mut Gradients<'_, f64>) {
        gradients.refuse(Error::argument("Refusing", "first", "said", "this"));
        gradients.refuse(Error::argument("Refusing", "second", "said", "this"));
        gradients.add(0, c.only().clone());
    }
}

#[test]
fn a_pullback_may_refuse_and_the_first_word_counts() {
    let (x, z) = (vector([1.0, 2.0]), vector([1.0, 2.0]));
    let y = (Refusing.apply1(&[&x]) * &z).sum();
    assert_eq!(y.backward().unwrap_err().to_string(), "Refusing: first must be said, got this");
    assert!(x.grad().is_none() && z.grad().is_none());
    // It has no say where its input is not asked for.
    let y = (Refusing.apply1(&[&x]) * &z).sum();
    assert_eq!(grad(&[&y], &[&z], recorded(false)).unwrap()[0].to_vec(), [1.0, 2.0]);
}
