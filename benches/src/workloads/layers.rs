//! A recurrent layer alone: the loss is the mean of the squared output, and every parameter gets a
//! gradient.

use wengert::prelude::*;

use super::Workload;

/// Forward alone, and forward and backward, over an input of this shape.
pub fn passes<C>(name: &'static str, layer: Recurrent<C>, input: [usize; 3]) -> [Workload; 2]
where
    C: Cell<Element = f32>,
{
    let x = Variable::new(Tensor::randn(input));
    let (inference, same) = (layer.clone(), x.clone());
    let forward = move || drop(no_grad(|| inference.forward(&same, None)).expect("the shapes fit"));
    let both = move || {
        let (out, _) = layer.forward(&x, None).expect("the shapes fit");
        out.square().mean().backward().expect("a scalar with history");
        layer.zero_grad();
    };
    [Workload::new(name, "f", forward), Workload::new(name, "fb", both)]
}
