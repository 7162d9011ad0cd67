//! All parameters as one vector, and back.

use wengert_core::{GradOptions, Tensor, Variable, grad};
use wengert_nn::{Flat, Linear, Lstm, Module, module};

use crate::errors::refused;

struct Model {
    lstm: Lstm,
    head: Linear,
    tied: Linear,
}
module!(Model { lstm, head, tied });

impl Clone for Model {
    fn clone(&self) -> Self {
        Model { lstm: self.lstm.clone(), head: self.head.clone(), tied: self.tied.clone() }
    }
}

fn model() -> Model {
    let head = Linear::new(4, 4).unwrap();
    Model { lstm: Lstm::new(3, 4).unwrap(), tied: head.clone(), head }
}

fn loss(model: &Model, x: &Variable) -> wengert_core::Result<Variable> {
    let (out, _) = model.lstm.forward(x, None)?;
    Ok(model.tied.forward(&model.head.forward(&out)?)?.square().sum())
}

#[test]
fn a_vector_stands_in_for_all_parameters_each_once() {
    let (model, x) = (model(), Variable::new(Tensor::randn([5, 2, 3])));
    let values: Vec<f32> = model.parameters().iter().flat_map(|p| p.to_vec()).collect();
    assert_eq!(model.flat().to_vec(), values);
    let names: Vec<String> = model.named_values().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names[4..], ["head.weight", "head.bias"]);

    let direct = loss(&model, &x).unwrap();
    direct.backward().unwrap();
    let vector = Variable::new(Tensor::from(values)).requires_grad_(true);
    let indirect = model.with_flat(&vector, |model| loss(model, &x)).unwrap();
    assert_eq!(indirect.item().unwrap(), direct.item().unwrap());
    let slope = grad(&[indirect], &[&vector], GradOptions::default()).unwrap();
    assert_eq!(slope[0].to_vec(), model.flat_gradient().to_vec());

    // Through the vector of the parameters to the parameters.
    let other = model.deep_clone();
    other.with_flat(&other.flat(), |other| loss(other, &x)).unwrap().backward().unwrap();
    assert_eq!(other.flat_gradient().to_vec(), model.flat_gradient().to_vec());
}

#[test]
fn parameters_are_set_from_a_vector() {
    let (one, other) = (model(), model());
    assert_ne!(one.flat().to_vec(), other.flat().to_vec());
    other.set_flat(&one.flat()).unwrap();
    assert_eq!(one.flat().to_vec(), other.flat().to_vec());
    assert!(other.lstm.parameters().iter().all(|parameter| parameter.requires_grad()));
    // They are not the vector's: what changes there changes nothing here.
    one.lstm.parameters()[0].update("test", |values| values.fill(0.0)).unwrap();
    assert_ne!(one.flat().to_vec(), other.flat().to_vec());
}

#[test]
fn no_gradients_are_zeros_and_other_lengths_are_refused() {
    let model = model();
    let count = model.num_parameters();
    assert_eq!(model.flat_gradient().to_vec(), vec![0.0; count]);
    let (before, short) = (model.flat().to_vec(), Tensor::zeros([count - 1]));
    let expected = |operation: &str| {
        format!(
            "{operation}: expected a vector of the {count} numbers of all parameters, got shape [{}]",
            count - 1
        )
    };
    refused(model.set_flat(&short), &expected("set_flat"));
    refused(model.with_flat(&short, |_| Ok(())), &expected("with_flat"));
    assert_eq!(model.flat().to_vec(), before);
    let computed = model.with_flat(&Tensor::zeros([count]), |model| model.set_flat(&model.flat()));
    assert!(computed.unwrap_err().to_string().contains("ones that can be set"));
}
