//! Three ways to an operation of one's own: a formula, a rule in variables, a backward in tensors.
//!
//! `cargo run --release --example custom_op`

use wengert::prelude::*;
use wengert::{
    Cotangents, FirstOrder, Gradients, Operation, Outputs, Saved, SavedTensors, Saves, Wants, hessian, vjp,
};

type V = Variable<f64>;

// (a) An elementwise formula. Forward, backward and every higher derivative are read off this one line.

pointwise! {
    /// `x + sin(rate x)^2 / rate`, the activation "snake".
    struct Snake { rate }
    fn eval(x) -> 1 { let s = (rate * x).sin(); [x + s * s / rate] }
}

// (b) Anything else: a forward in tensors, and a pullback in variables. As the pullback is made of
// operations, it is recorded where that is asked for, and differentiated like all else.

/// The length of a vector, `y = sqrt(sum x^2)`.
struct Length;

fn length(x: &Tensor<f64>) -> f64 {
    x.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt()
}

impl Operation<f64> for Length {
    const NAME: &'static str = "Length";

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [Tensor::scalar(length(inputs[0]))].into()
    }

    /// What the pullback needs stays in memory until then; nothing else does.
    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS.and_input(0)
    }

    /// `c^T dy/dx = c x / y`.
    fn pullback(&self, saved: &Saved<'_, f64>, c: &Cotangents<f64>, gradients: &mut Gradients<'_, f64>) {
        gradients.add(0, c.only() * saved.input(0) / saved.output(0));
    }
}

// (c) The same with a backward in tensors, as it would call a library's routine: the first derivative
// alone.

/// [`Length`], to the first order.
struct LengthOnce;

impl FirstOrder<f64> for LengthOnce {
    const NAME: &'static str = "LengthOnce";

    fn forward(&self, inputs: &[&Tensor<f64>]) -> Outputs<Tensor<f64>> {
        [Tensor::scalar(length(inputs[0]))].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS.and_input(0)
    }

    /// A cotangent for each input; that of an output that nothing came back to would be none.
    fn backward(
        &self,
        saved: &SavedTensors<'_, f64>,
        cotangents: &[Option<Tensor<f64>>],
        _: Wants,
    ) -> Vec<Option<Tensor<f64>>> {
        let number = |tensor: &Tensor<f64>| tensor.to_vec()[0];
        let (y, c) = (number(saved.output(0)), cotangents[0].as_ref().map_or(0.0, number));
        vec![Some(saved.input(0).map(|x| c * x / y))]
    }
}

/// The derivative of a scalar `f` at `x`.
fn slope(f: impl Fn(&V) -> V, x: &V) -> Result<Vec<f64>> {
    let (_, found) = vjp(|x| vec![f(&x[0])], &[x], &[&V::from(Tensor::scalar(1.0))])?;
    Ok(found[0].to_vec())
}

/// The central difference of each number that `f` gives, by each element of `x`.
fn differences(f: impl Fn(&V) -> Result<Vec<f64>>, x: &V) -> Result<Vec<f64>> {
    const STEP: f64 = 1e-5;
    let moved = |i: usize, by: f64| {
        let mut values = x.to_vec();
        values[i] += by;
        f(&V::from(Tensor::from(values)))
    };
    let mut columns = Vec::new();
    for i in 0..x.numel() {
        let (above, below) = (moved(i, STEP)?, moved(i, -STEP)?);
        columns.push(above.iter().zip(&below).map(|(a, b)| (a - b) / (2.0 * STEP)).collect::<Vec<_>>());
    }
    Ok((0..columns[0].len()).flat_map(|k| columns.iter().map(move |column| column[k])).collect())
}

/// Prints what was found beside the differences; gives how far apart they are.
fn compare(what: &str, found: &[f64], differences: &[f64]) -> f64 {
    println!("  {what:<18} {found:9.6?}\n  {:<18} {differences:9.6?}", "by differences");
    found.iter().zip(differences).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// First and second derivative of a scalar `f` beside its differences.
fn check(f: impl Fn(&V) -> V, x: &V) -> Result<f64> {
    let first = compare("first derivative", &slope(&f, x)?, &differences(|x| Ok(f(x).to_vec()), x)?);
    let second = hessian(|x| f(&x[0]), &[x])?[0][0].to_vec();
    Ok(first.max(compare("second derivative", &second, &differences(|x| slope(&f, x), x)?)))
}

/// The three in turn; gives the largest distance of a derivative from its difference.
pub fn run() -> Result<f64> {
    let x = V::from(Tensor::from([3.0, 4.0]));

    println!("(a) a formula: the sum of Snake {{ rate: 0.5 }} at {:?}", x.to_vec());
    let snake = |x: &V| Snake { rate: 0.5 }.apply([x])[0].sum();
    let mut apart = check(snake, &x)?;

    println!("\n(b) a rule in variables: Length at {:?}", x.to_vec());
    apart = apart.max(check(|x| Length.apply1(&[x]), &x)?);

    println!("\n(c) a backward in tensors: LengthOnce at {:?}", x.to_vec());
    let f = |x: &V| LengthOnce.apply1(&[x]);
    let differences = differences(|x| Ok(f(x).to_vec()), &x)?;
    apart = apart.max(compare("first derivative", &slope(f, &x)?, &differences));
    match hessian(|x| f(&x[0]), &[&x]) {
        Err(error @ Error::FirstOrderOnly { .. }) => println!("  asked for the second: {error}"),
        other => panic!("expected to be refused, got {other:?}"),
    }
    Ok(apart)
}

#[allow(dead_code, reason = "the tests call `run`")]
fn main() -> Result<()> {
    run().map(|_| ())
}
