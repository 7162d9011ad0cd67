//! A view of a model for evaluation, beside the model that trains.

use wengert_core::{Tensor, Variable, recorded_nodes};
use wengert_nn::{Dropout, Linear, Module, module};

use crate::bits;

#[derive(Clone)]
struct Model {
    lower: Linear,
    dropout: Dropout,
    upper: Linear,
}
module!(Model { lower, dropout, upper });

impl Model {
    fn new() -> Self {
        let linear = |inputs, outputs| Linear::new(inputs, outputs).unwrap();
        Model { lower: linear(3, 16), dropout: Dropout::new(0.5).unwrap(), upper: linear(16, 2) }
    }

    fn forward(&self, x: &Variable) -> Variable {
        let h = self.dropout.forward(&self.lower.forward(x).unwrap().tanh()).unwrap();
        self.upper.forward(&h).unwrap()
    }
}

#[test]
fn it_drops_nothing_and_records_nothing_while_the_model_trains_on() {
    let mut model = Model::new();
    let view = model.evaluating();
    let x = Variable::new(Tensor::randn([4, 3]));
    let before = recorded_nodes();
    let first = view.forward(&x);
    assert_eq!((first.to_vec(), recorded_nodes()), (view.forward(&x).to_vec(), before));
    assert_ne!(model.forward(&x).to_vec(), model.forward(&x).to_vec());
    model.eval();
    assert_eq!(first.to_vec(), model.forward(&x).to_vec());
    // What changes in the model is not seen, as what does not change has not been copied.
    let place = |parameter: &Variable| parameter.value().as_slice().unwrap().as_ptr();
    assert_eq!(place(&view.lower.weight), place(&model.lower.weight));
    model.lower.weight.update("step", |values| values.fill(0.0)).unwrap();
    assert_eq!(first.to_vec(), view.forward(&x).to_vec());
    assert_ne!(bits(&*view), bits(&model));
    assert_eq!(view.named_parameters()[0].0, "lower.weight");
}

#[test]
fn an_input_that_requires_a_gradient_gets_it() {
    let view = Model::new().evaluating();
    let x = Variable::new(Tensor::randn([4, 3])).requires_grad_(true);
    view.forward(&x).sum().backward().unwrap();
    assert!(x.grad().is_some());
    assert!(view.parameters().iter().all(|parameter| !parameter.requires_grad()));
}

/// A step counts no handle of a parameter and takes no lock, so threads that share the view share no write.
#[test]
#[cfg(debug_assertions)]
fn a_step_counts_no_handles_of_parameters() {
    use wengert_nn::{Gru, Lstm, Recurrent, Rnn};

    fn updates<C: wengert_nn::Cell<Element = f32> + Clone>(layer: &Recurrent<C>) -> usize {
        let view = layer.evaluating();
        let parameters: Vec<Tensor> = view.parameters().iter().map(|parameter| parameter.value()).collect();
        wengert_core::no_grad(|| {
            let mut stepper = view.stepper(2).unwrap();
            let x = Variable::new(Tensor::randn([2, 16]));
            // The first steps make what the later ones find.
            (0..3).for_each(|_| drop(stepper.step(&x).unwrap()));
            wengert_core::__private::handle_updates(&parameters, || drop(stepper.step(&x).unwrap()))
        })
    }
    assert_eq!(updates(&Rnn::new(16, 32).unwrap()), 0);
    assert_eq!(updates(&Gru::new(16, 32).unwrap()), 0);
    assert_eq!(updates(&Lstm::builder(16, 32).num_layers(2).build().unwrap()), 0);
}
