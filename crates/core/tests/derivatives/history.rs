//! What an operation gives requires a gradient if what it is given does, also where there are no elements,
//! and not otherwise.

use wengert_core::{Tensor, cat, stack};

use crate::check::{V, leaf, leaves, refs};
use crate::draw::for_all;
use crate::{elementwise, lines};

/// What holds of outputs of `inputs`, of which all or none require a gradient.
fn history_follows(f: &dyn Fn(&[&V]) -> Vec<V>, inputs: &[Tensor<f64>]) -> Result<(), String> {
    let constants: Vec<V> = inputs.iter().map(|x| V::from(x.clone())).collect();
    if f(&refs(&constants)).iter().any(V::requires_grad) {
        return Err("an output of constants requires a gradient".into());
    }
    for (k, output) in f(&refs(&leaves(inputs))).iter().enumerate() {
        let inputs = leaves(inputs);
        if !output.requires_grad() {
            return Err(format!("output {k} has no history"));
        }
        let output = f(&refs(&inputs)).swap_remove(k);
        output.sum().backward().map_err(|error| error.to_string())?;
        for (i, input) in inputs.iter().enumerate() {
            let shape = input.grad().map(|gradient| gradient.shape().to_vec());
            if shape.as_deref().is_some_and(|shape| shape != input.shape()) {
                return Err(format!("the gradient of input {i} has shape {shape:?}"));
            }
        }
    }
    Ok(())
}

#[test]
fn of_every_operation_on_random_shapes() {
    for rule in elementwise::rules::<f64>().iter().filter(|rule| !rule.domains.is_empty()) {
        for_all(rule.name, 8, |draw| {
            let inputs = elementwise::arguments(rule.domains, draw);
            history_follows(&|v| vec![(rule.function)(v)], &inputs)
        });
    }
    for (name, trial) in lines() {
        for_all(name, 48, |draw| {
            let trial = trial(draw);
            history_follows(&*trial.function, &trial.inputs)
        });
    }
}

/// An operation on a shape without elements.
type Line = (&'static str, &'static [usize], fn(&V) -> V);

const LINES: &[Line] = &[
    ("sum", &[0], |x| x.sum()),
    ("sum_dim", &[2, 0], |x| x.sum_dim(&[1])),
    ("mean", &[0, 3], |x| x.mean()),
    ("mean_dim", &[0, 3], |x| x.mean_keepdim(&[0])),
    ("prod", &[0], |x| x.prod()),
    ("prod_dim over nothing", &[2, 0], |x| x.prod_dim(1)),
    ("prod_dim over nothing, kept", &[0, 2], |x| x.prod_keepdim(0)),
    ("prod_dim of nothing", &[2, 0], |x| x.prod_dim(0)),
    ("cumsum", &[2, 0], |x| x.cumsum(1)),
    ("cumprod", &[2, 0], |x| x.cumprod(1)),
    ("linear_scan", &[0, 2], |x| x.linear_scan(x, 0)),
    ("var_dim", &[2, 0], |x| x.var_dim(&[1], 1)),
    ("std_dim", &[0, 2], |x| x.std_dim(&[0], 0)),
    ("norm", &[2, 0], |x| x.norm(2.0, &[1])),
    ("norm of order 0", &[2, 0], |x| x.norm(0.0, &[1])),
    ("norm of order 0 of something", &[2, 1], |x| x.norm(0.0, &[1])),
    ("norm of an infinite order", &[0, 2], |x| x.norm(f64::INFINITY, &[1])),
    ("logsumexp", &[0, 2], |x| x.logsumexp(1)),
    ("amax", &[0, 2], |x| x.amax(&[1])),
    ("max_dim", &[0, 2], |x| x.max_dim(1).0),
    ("sort", &[2, 0], |x| x.sort(1).0),
    ("softmax", &[2, 0], |x| x.softmax(1)),
    ("log_softmax", &[0, 2], |x| x.log_softmax(1)),
    ("layer_norm", &[0, 2], |x| x.layer_norm(&[2], None, None, 1e-5)),
    ("matmul", &[2, 0], |x| x.matmul(&x.t())),
    ("matmul of no rows", &[0, 2], |x| x.matmul(&x.t())),
    ("linear", &[0, 2], |x| x.linear(&V::from(Tensor::ones([3, 2])), None)),
    ("cat", &[0, 2], |x| cat(&[x, x], 0)),
    ("stack", &[0, 2], |x| stack(&[x, x], 1)),
    ("split", &[0, 2], |x| x.split(&[0, 0], 0).swap_remove(1)),
    ("chunk", &[0, 2], |x| x.chunk(3, 0).swap_remove(0)),
    ("parts", &[2, 0], |x| x.parts::<2>(1)[0].clone()),
    ("narrow", &[3, 2], |x| x.narrow(0, 3, 0)),
    ("reshape", &[0, 2], |x| x.reshape([4, 0])),
    ("expand", &[1, 0], |x| x.expand([3, 0])),
    ("index_select", &[3, 2], |x| x.index_select(0, &Tensor::from_vec(vec![], [0]).unwrap())),
    ("dropout", &[0, 2], |x| x.dropout(0.5).unwrap()),
    ("dropout of everything", &[0, 2], |x| x.dropout(1.0).unwrap()),
    ("contiguous", &[0, 2], |x| x.t().contiguous()),
    ("tanh", &[0], |x| x.tanh()),
    ("product with a broadcast one", &[0, 1], |x| x * V::from(Tensor::ones([1, 3]))),
    ("cross_entropy", &[0, 2], |x| x.cross_entropy(&Tensor::from_vec(vec![], [0]).unwrap(), -1).unwrap()),
];

#[test]
fn of_operations_on_nothing() {
    for (name, shape, operation) in LINES {
        let x = leaf(&Tensor::<f64>::ones(*shape));
        let y = operation(&x);
        assert!(y.requires_grad(), "{name} of {shape:?} has no history");
        y.sum().backward().unwrap_or_else(|error| panic!("{name}: {error}"));
        let gradient = x.grad().unwrap_or_else(|| panic!("{name}: no gradient"));
        assert_eq!(gradient.shape(), x.shape(), "{name}");
        assert!(gradient.to_vec().iter().all(|&g| g == 0.0), "{name}: {gradient}");
        assert!(!operation(&x.detach()).requires_grad(), "{name} of a constant");
    }
}
