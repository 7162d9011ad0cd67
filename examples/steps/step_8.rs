//! Step 8: your tape, the plain sweep, and the one that runs.
//!
//! `cargo run --example step_8`

#[path = "step_7.rs"]
#[allow(dead_code, reason = "its main program")]
mod yours;

use wengert::prelude::*;
use wengert::with_plain;
use yours::numbers;

/// The loss and its gradients, the squared norm of these and its gradients: all elements in one row.
type Numbers = Vec<f64>;

fn by_yours(at: &[yours::Tensor]) -> Numbers {
    let first = yours::derivatives(yours::loss, at);
    let second = yours::derivatives(|x| yours::steepness(yours::loss, x), at);
    let mut all = Vec::new();
    for (value, gradients) in [first, second] {
        all.push(value);
        all.extend(gradients.into_iter().flatten().flat_map(|gradient| gradient.data));
    }
    all
}

fn leaf(tensor: &yours::Tensor) -> Variable<f64> {
    let value =
        Tensor::from_vec(tensor.data.clone(), tensor.shape.clone()).expect("the shape of the elements");
    Variable::new(value).requires_grad_(true)
}

/// The loss of step 7 in the variables of this library.
fn loss(inputs: &[Variable<f64>], [w, u, b]: &[Variable<f64>; 3]) -> Variable<f64> {
    let mut h = Variable::new(Tensor::zeros([1, 3]));
    for x in inputs {
        h = (x.matmul(&w.t()) + h.matmul(&u.t()) + b).tanh();
    }
    (&h * &h).sum()
}

fn by_wengert(at: &[yours::Tensor; 3]) -> Result<Numbers> {
    let inputs: Vec<_> = (0..8).map(|t| leaf(&numbers(&[1, 2], t as f64)).detach()).collect();
    let parameters = at.each_ref().map(leaf);
    let of = parameters.each_ref();

    let loss = loss(&inputs, &parameters);
    let first = grad(&[&loss], &of, GradOptions::default().create_graph(true))?;
    let squares = first.iter().map(|gradient| (gradient * gradient).sum());
    let steepness = squares.reduce(|a, b| a + b).expect("three of them");
    let second = grad(&[&steepness], &of, GradOptions::default())?;

    let mut all = Vec::new();
    for (value, gradients) in [(loss, first), (steepness, second)] {
        all.push(value.item()?);
        all.extend(gradients.iter().flat_map(Variable::to_vec));
    }
    Ok(all)
}

/// Prints what the chapter shows.
pub fn main() -> Result<()> {
    let at = [numbers(&[3, 2], 0.5), numbers(&[3, 3], 2.0), numbers(&[3], 7.0)];
    let yours = by_yours(&at);
    let plain = with_plain(|| by_wengert(&at))?;
    let real = by_wengert(&at)?;

    println!("                 loss           dloss/dW[0,0]  its square norm  d/dU[0,0] of that");
    for (name, all) in [("your tape", &yours), ("the plain sweep", &plain), ("the real one", &real)] {
        println!("{name:<16} {:<14.10} {:<14.10} {:<16.10} {:<.10}", all[0], all[1], all[19], all[26]);
    }
    let count = yours.len();
    for other in [&plain, &real] {
        assert_eq!(other.len(), count);
        let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + a.abs());
        assert!(yours.iter().zip(other).all(close));
    }
    println!("all {count} numbers agree within 1e-12\n");

    let [x, w, u, b] = [&[1, 2][..], &[3, 2], &[3, 3], &[3]].map(|shape| leaf(&numbers(shape, 1.0)));
    println!("one step on the real tape:\n{}", Tape::of(&loss(&[x], &[w, u, b])));
    Ok(())
}
