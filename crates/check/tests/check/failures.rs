//! How failures read, and that they shrink.

use wengert_check::{Gradcheck, Property, tensor};
use wengert_core::{Float, Parameter, Pointwise, Tensor, Variable, pointwise};
use wengert_nn::{Cast, Cell, Recurrent, module};

use crate::{V, input, without_last_line};

/// `tanh` whose derivative forgets a thousandth.
fn wrong_tanh<T: Float>(x: &Variable<T>) -> Variable<T> {
    let y = x.tanh();
    &y * 0.999 + y.detach() * 0.001
}

#[test]
fn a_failing_property_shows_the_smallest_case() {
    let text = Property::new().seed(3).announce(|_| ()).run(
        |case| {
            let n = case.draw(1..5);
            case.input("x", tensor((1..4, n)));
            case.input("w", tensor([n]));
        },
        |x| wrong_tanh(&(&x[0] * &x[1])).sum_dim(&[0]),
    );
    let expected = "\
property: the derivative of output 0 [0] in x [0, 0] is wrong (order 1)
  analytical  0.999
  numerical   1
  off by      1.000e-3, 1.000e-3 of it; allowed 1.000e-6
  operations  Mul -> Tanh -> MulScalar -> Add -> Sum
  seed        0
  Jacobian (outputs down, inputs across): 1 row, 1 column
  analytical    numerical
     *0.99900      *1.00000
smallest case that fails:
  x = [[0]]
  w = [1]
";
    assert_eq!(without_last_line(&text.unwrap_err()), expected);
}

/// `h' = tanh(W x + U h)`, whose derivative stops at `h`.
#[derive(Clone)]
struct Wrong<T: Float> {
    input: Parameter<T>,
    recurrent: Parameter<T>,
}
module!(Wrong<T> { input, recurrent });

impl<T: Float> Cell for Wrong<T> {
    type State = Variable<T>;

    fn input_size(&self) -> usize {
        self.input.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.input.shape()[0]
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Variable::new(Tensor::zeros([batch, self.output_size()]))
    }

    fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        let h = h.detach().linear(&self.recurrent, Some(&x.linear(&self.input, None))).tanh();
        (h.clone(), h)
    }
}

#[test]
fn a_failing_module_names_the_parameter_and_the_first_wrong_time_step() {
    let weight = |rows: usize, columns: usize| {
        Parameter::new(Tensor::from_fn([rows, columns], |i| 0.3 - 0.1 * i as f32))
    };
    let cell = |input| Ok(Wrong { input: weight(2, input), recurrent: weight(2, 2) });
    let net = Recurrent::of(1, cell).build().unwrap().cast::<f64>();
    let x = input([[0.5], [-1.0], [0.25]]);
    let text = Gradcheck::new().check_module(&net, &[&x]).unwrap_err().to_string();
    let expected = "\
the derivative of output [1, 0] (time step 1) in input [0, 0] (time step 0) is wrong (order 1)
  analytical  0
  numerical   0.1207897149
  off by      1.208e-1, 1.000e0 of it; allowed 1.208e-7
  operations  l0.Split -> l0.Linear x2 -> l0.Tanh -> l0.Cat
  seed        0
  Jacobian (outputs down, inputs across): rows 0..5 of 6, 3 columns
  analytical                            numerical
      0.29335     0.00000     0.00000       0.29335     0.00000     0.00000
      0.19801     0.00000     0.00000       0.19801     0.00000     0.00000
     *0.00000     0.28397     0.00000      *0.12079     0.28397     0.00000
      0.00000     0.19330     0.00000       0.02835     0.19330     0.00000
      0.00000     0.00000     0.29971       0.04187     0.12373     0.29971";
    assert_eq!(text, expected);
    let first_line = |order, x: &V| {
        let text = Gradcheck::new().check_module_order(order, &net, &[x]).unwrap_err().to_string();
        text.lines().next().unwrap().to_string()
    };
    let expected = "the derivative of output [1, 0] (time step 1) in input_l0 [1, 0] is wrong (order 1)";
    assert_eq!(first_line(1, &x.detach()), expected);
    assert!(first_line(2, &x).starts_with("the derivative of gradient of input "));
}

pointwise! { struct Gate; fn eval(a, b) -> 1 { [a.sigmoid() * b] } }

#[test]
fn a_large_jacobian_is_shown_around_the_worst_element() {
    let x = input((0..12).map(|i| 0.1 * i as f64).collect::<Vec<_>>());
    let y = input((0..12).map(|i| 0.5 - 0.1 * i as f64).collect::<Vec<_>>());
    let f = |x: &[V]| {
        let [gated] = Gate.apply([&x[0], &x[1]]);
        // The fifth output depends on the ninth input, and the tape doesn't know.
        gated + V::from(Tensor::from_fn([12], |i| f64::from(i == 5))) * (x[0].select(0, 9) * 0.125).detach()
    };
    let text = Gradcheck::new().names(["a", "b"]).check(f, &[&x, &y]).unwrap_err().to_string();
    let expected = "\
the derivative of output 0 [5] in a [9] is wrong (order 1)
  analytical  0
  numerical   0.125
  off by      1.250e-1, 1.000e0 of it; allowed 1.250e-7
  operations  Gate -> Add
  seed        0
  Jacobian (outputs down, inputs across): rows 3..8 of 12, columns 7..12 of 12
  analytical                                                    numerical
      0.00000     0.00000     0.00000     0.00000     0.00000       \
        0.00000     0.00000     0.00000     0.00000     0.00000
      0.00000     0.00000     0.00000     0.00000     0.00000       \
        0.00000     0.00000     0.00000     0.00000     0.00000
      0.00000     0.00000    *0.00000     0.00000     0.00000       \
        0.00000     0.00000    *0.12500     0.00000     0.00000
      0.00000     0.00000     0.00000     0.00000     0.00000       \
        0.00000     0.00000     0.00000     0.00000     0.00000
     -0.04434     0.00000     0.00000     0.00000     0.00000      \
        -0.04434     0.00000     0.00000     0.00000     0.00000";
    assert_eq!(text, expected);
}
