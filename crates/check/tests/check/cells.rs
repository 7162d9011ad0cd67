//! Two cells as a new user would write them, whose gradients of gradients span many orders of magnitude: no
//! alarm.

use wengert_check::{Property, randomized, tensor};
use wengert_core::{Float, Parameter, Tensor, Variable};
use wengert_nn::{Cell, module};

/// Cases: a few by default, 256 with `WENGERT_DEEP_CASES`.
fn some() -> Property {
    let deep = std::env::var_os("WENGERT_DEEP_CASES").is_some();
    Property::new().cases(if deep { 256 } else { 24 })
}

fn weight(rows: usize, columns: usize) -> Parameter<f64> {
    Parameter::new(Tensor::zeros([rows, columns]))
}

/// An LSTM with exponential gates and a normaliser, as in xLSTM.
#[derive(Clone)]
struct Exponential<T: Float> {
    input: Parameter<T>,
    recurrent: Parameter<T>,
}
module!(Exponential<T> { input, recurrent });

impl<T: Float> Cell for Exponential<T> {
    type State = (Variable<T>, (Variable<T>, Variable<T>));

    fn input_size(&self) -> usize {
        self.input.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.recurrent.shape()[1]
    }

    fn zero_state(&self, batch: usize) -> Self::State {
        let zeros = || Variable::from(Tensor::zeros([batch, self.output_size()]));
        (zeros(), (zeros(), zeros()))
    }

    fn step(&self, x: &Variable<T>, (h, (c, n)): &Self::State) -> (Variable<T>, Self::State) {
        let gates = x.linear(&self.input, None) + h.linear(&self.recurrent, None);
        let [z, i, f, o]: [Variable<T>; 4] = gates.parts(-1);
        let (i, f) = (i.exp(), f.exp());
        let c = &f * c + &i * z.tanh();
        let n = f * n + i;
        let h = o.sigmoid() * &c / &n;
        (h.clone(), (h, (c, n)))
    }
}

/// A leaky unit in continuous time: `h' = a h + (1 - a) tanh(W x + U h)` with `a = exp(-dt / tau)`.
#[derive(Clone)]
struct Continuous<T: Float> {
    input: Parameter<T>,
    recurrent: Parameter<T>,
    log_tau: Parameter<T>,
}
module!(Continuous<T> { input, recurrent, log_tau });

impl<T: Float> Cell for Continuous<T> {
    type State = Variable<T>;

    fn input_size(&self) -> usize {
        self.input.shape()[1]
    }

    fn output_size(&self) -> usize {
        self.input.shape()[0]
    }

    fn zero_state(&self, batch: usize) -> Variable<T> {
        Tensor::zeros([batch, self.output_size()]).into()
    }

    fn step(&self, x: &Variable<T>, h: &Variable<T>) -> (Variable<T>, Variable<T>) {
        // The last input is the time since the step before.
        let dt = x.narrow(-1, self.input_size() - 1, 1).exp();
        let kept = (-(dt / (&*self.log_tau * 3.0).exp())).exp();
        let target = (x.linear(&self.input, None) + h.linear(&self.recurrent, None)).tanh();
        let h = &kept * h + (1.0 - &kept) * target;
        (h.clone(), h)
    }
}

#[test]
fn exponential_gates_give_no_alarm_to_second_order() {
    let found = some().run_with(
        |case| {
            let n = case.draw(1..3);
            let make = || Exponential { input: weight(8, 3), recurrent: weight(8, 2) };
            let cell = case.draw(randomized(make));
            case.input("x", tensor([n, 3]).within(-6.0, 6.0));
            case.input("h", tensor([n, 2]));
            case.input("c", tensor([n, 2]));
            case.input("n", tensor([n, 2]).positive());
            case.parameters_of(&cell);
            cell
        },
        |cell, x| {
            let (h, (c, n)) = cell.step(&x[0], &(x[1].clone(), (x[2].clone(), x[3].clone()))).1;
            [h, c, n]
        },
    );
    found.unwrap();
}

#[test]
fn a_cell_in_continuous_time_gives_no_alarm_to_second_order() {
    let found = some().run_with(
        |case| {
            let n = case.draw(1..3);
            let make = || Continuous { input: weight(2, 3), recurrent: weight(2, 2), log_tau: weight(1, 2) };
            let cell = case.draw(randomized(make));
            case.input("x", tensor([n, 3]));
            case.input("h", tensor([n, 2]));
            case.parameters_of(&cell);
            cell
        },
        |cell, x| cell.step(&x[0], &x[1]).0,
    );
    found.unwrap();
}
