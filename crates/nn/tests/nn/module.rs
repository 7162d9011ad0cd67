//! Parameters by name, modes, freezing, tying, copying and counting.

use wengert_core::{Float, Parameter, Tensor, Variable};
use wengert_nn::{
    Cast, Dropout, Embedding, Gru, LayerNorm, Linear, Module, Persist, Relu, RnnCell, Sequential, Sigmoid,
    Tanh, module,
};

use crate::{bits, names, variable};

/// A model of nested parts; the head's weight may be tied to the embedding's.
#[derive(Clone)]
struct Model<T: Float = f32> {
    embedding: Embedding<T>,
    rnn: Gru<T>,
    blocks: Vec<Linear<T>>,
    norm: Option<LayerNorm<T>>,
    head: Linear<T>,
    scale: Parameter<T>,
}
module!(Model<T> { embedding, rnn, blocks, norm, head, scale });

fn model() -> Model {
    Model {
        embedding: Embedding::new(7, 3).unwrap(),
        rnn: Gru::builder(3, 3).dropout(0.5).num_layers(2).build().unwrap(),
        blocks: vec![Linear::new(3, 3).unwrap(), Linear::without_bias(3, 3).unwrap()],
        norm: Some(LayerNorm::new([3])),
        head: Linear::new(3, 7).unwrap(),
        scale: Parameter::new(Tensor::ones([1])),
    }
}

fn tied() -> Model {
    let mut model = model();
    model.head.weight = model.embedding.weight.clone();
    model
}

#[test]
fn names_follow_fields_in_order() {
    let names = names(&model());
    assert_eq!(names[..2], ["embedding.weight", "rnn.weight_ih_l0"]);
    let after = ["blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "norm.weight", "norm.bias"];
    assert_eq!(names[9..14], after);
    assert_eq!(names[14..], ["head.weight", "head.bias", "scale"]);
    let without = Model { norm: None, ..model() };
    assert!(without.named_parameters().iter().all(|(name, _)| !name.starts_with("norm")));
}

#[test]
fn sequential_numbers_its_parts_and_counts_those_without_parameters() {
    let parts = (Linear::new(2, 3).unwrap(), Tanh::new(), LayerNorm::new([3]), Dropout::new(0.5).unwrap());
    let net =
        Sequential::new((Sequential::new(parts), Relu::new(), Sigmoid::new(), Linear::new(3, 1).unwrap()));
    assert_eq!(names(&net), ["0.0.weight", "0.0.bias", "0.2.weight", "0.2.bias", "3.weight", "3.bias"]);
}

#[test]
fn parameters_are_found_by_name_or_the_error_lists_the_names() {
    let linear = Linear::new(2, 3).unwrap();
    assert!(linear.parameter("bias").unwrap().is_same(linear.bias.as_ref().unwrap()));
    let error = linear.parameter("biases").err().unwrap();
    assert_eq!(error.to_string(), "parameter: name must be one of weight, bias, got biases");
}

#[test]
fn modes_reach_every_nested_part() {
    let mut net =
        Sequential::new((Sequential::new((Dropout::new(1.0).unwrap(),)), Dropout::new(1.0).unwrap()));
    let x = Variable::new(Tensor::<f32>::ones([3]));
    assert_eq!(net.forward(&x).unwrap().to_vec(), [0.0; 3], "training is the start");
    net.eval();
    assert_eq!(net.forward(&x).unwrap().to_vec(), [1.0; 3]);
    net.train();
    assert_eq!(net.forward(&x).unwrap().to_vec(), [0.0; 3]);
}

#[test]
fn modes_reach_recurrent_layers_inside_a_model() {
    let mut model = model();
    let x = variable(&[5, 2, 3]).cast();
    let outputs = |model: &Model| [0, 1].map(|_| model.rnn.forward(&x, None).unwrap().0.to_vec());
    let [a, b] = outputs(&model);
    assert_ne!(a, b);
    model.eval();
    let [a, b] = outputs(&model);
    assert_eq!(a, b);
}

#[test]
fn freezing_by_name_takes_one_parameter_or_all_below() {
    let model = model();
    let frozen = || -> Vec<String> {
        let all = model.named_parameters().into_iter();
        all.filter(|(_, p)| !p.requires_grad()).map(|(name, _)| name).collect()
    };
    model.set_requires_grad("head.bias", false).unwrap();
    assert_eq!(frozen(), ["head.bias"]);
    model.set_requires_grad("blocks", false).unwrap();
    assert_eq!(frozen(), ["blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "head.bias"]);
    model.set_requires_grad("blocks.0", true).unwrap();
    assert_eq!(frozen(), ["blocks.1.weight", "head.bias"]);
    let error = model.set_requires_grad("block", false).unwrap_err().to_string();
    assert!(error.starts_with("set_requires_grad: name must be one of embedding.weight, "), "{error}");
    assert!(error.ends_with(", got block"), "{error}");
    assert_eq!(frozen(), ["blocks.1.weight", "head.bias"]);
}

#[test]
fn a_frozen_parameter_gets_no_gradient_and_the_others_do() {
    let gru = Gru::builder(3, 4).num_layers(2).build().unwrap();
    gru.set_requires_grad("weight_hh_l0", false).unwrap();
    gru.forward(&variable(&[5, 2, 3]).cast(), None).unwrap().0.sum().backward().unwrap();
    let without: Vec<String> = gru
        .named_parameters()
        .into_iter()
        .filter(|(_, p)| p.grad().is_none())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(without, ["weight_hh_l0"]);
}

#[test]
fn parameters_that_no_backward_reached_are_named() {
    let model = tied();
    let run = || {
        let x = model.embedding.weight.embedding(&Tensor::from([[1i64, 4], [2, 3]]));
        model.rnn.forward(&x, None).unwrap().0
    };
    run().sum().backward().unwrap();
    let unused = ["blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "norm.weight", "norm.bias"];
    // The head's weight is the embedding's and so has one.
    assert_eq!(model.without_gradient(), [&unused[..], &["head.bias", "scale"]].concat());
    // Frozen ones are not missed; a part names its own.
    model.set_requires_grad("blocks", false).unwrap();
    assert_eq!(model.without_gradient(), ["norm.weight", "norm.bias", "head.bias", "scale"]);
    assert_eq!(model.norm.without_gradient(), ["weight", "bias"]);
    // The same of a single backward; then of one that uses everything.
    model.zero_grad();
    let missed = model.head.forward(&run()).unwrap().sum().backward_reporting(&model.parameters()).unwrap();
    assert_eq!(missed, ["norm.weight", "norm.bias", "scale"]);
    let normed = model.norm.as_ref().unwrap().forward(&run()).unwrap();
    let loss = (model.head.forward(&normed).unwrap() * &*model.scale).sum();
    assert!(loss.backward_reporting(&model.parameters()).unwrap().is_empty());
    assert!(model.without_gradient().is_empty());
}

#[test]
fn what_the_walk_gives_is_named_by_its_place() {
    let model = tied();
    assert!(model.named_parameters().iter().all(|(name, parameter)| parameter.name() == Some(name)));
    assert_eq!(model.parameters()[0].name(), Some("embedding.weight"), "a tied one by its first name");
    assert_eq!(model.parameter("head.weight").unwrap().name(), Some("head.weight"));
    assert_eq!(model.head.parameter("weight").unwrap().name(), Some("weight"));
    assert_eq!(model.scale.name(), None);
}

#[test]
fn zero_grad_forgets_all_gradients() {
    let gru = Gru::new(3, 4).unwrap();
    gru.forward(&variable(&[5, 2, 3]).cast(), None).unwrap().0.sum().backward().unwrap();
    assert!(gru.parameters().iter().all(|p| p.grad().is_some()));
    gru.zero_grad();
    assert!(gru.parameters().iter().all(|p| p.grad().is_none()));
}

#[test]
fn a_tied_parameter_is_counted_once_and_named_twice() {
    let (untied, tied) = (model(), tied());
    assert_eq!(tied.num_parameters(), untied.num_parameters() - 21);
    assert_eq!(tied.parameters().len(), untied.parameters().len() - 1);
    assert_eq!(names(&tied), names(&untied));
    assert!(tied.parameter("head.weight").unwrap().is_same(&tied.parameter("embedding.weight").unwrap()));
}

#[test]
fn a_tied_parameter_gets_the_sum_of_its_uses_gradients() {
    let model = tied();
    let index = Tensor::from([1i64, 4]);
    let loss = |a: &Parameter, b: &Variable| a.embedding(&index).linear(b, None).square().sum();
    loss(&model.embedding.weight, &model.head.weight).backward().unwrap();
    let both = model.embedding.weight.grad().unwrap().to_vec();
    model.zero_grad();
    loss(&model.embedding.weight, &model.head.weight.detach()).backward().unwrap();
    let first = model.embedding.weight.grad().unwrap().to_vec();
    model.zero_grad();
    let detached = Parameter::new(model.embedding.weight.value());
    loss(&detached, &model.head.weight).backward().unwrap();
    let second = model.embedding.weight.grad().unwrap().to_vec();
    assert!(
        first != second
            && both.iter().zip(first.iter().zip(second)).all(|(b, (f, s))| (b - f - s).abs() < 1e-4)
    );
}

#[test]
fn a_deep_clone_shares_nothing_and_ties_what_was_tied() {
    let model = tied();
    let copy = model.deep_clone();
    assert_eq!(bits(&copy), bits(&model));
    let before = bits(&model);
    copy.parameters().iter().for_each(|p| p.update("test", |p| p.fill(9.0)).unwrap());
    assert_eq!(bits(&model), before);
    assert!(copy.head.weight.is_same(&copy.embedding.weight));
    assert_eq!(copy.num_parameters(), model.num_parameters());
}

#[test]
fn a_plain_clone_shares_its_parameters() {
    let model = model();
    let clone = model.clone();
    clone.parameters().iter().for_each(|p| p.update("test", |p| p.fill(9.0)).unwrap());
    assert_eq!(bits(&model), bits(&clone));
}

#[test]
fn copies_keep_what_is_frozen_the_mode_and_other_fields() {
    let mut model = tied();
    model.set_requires_grad("scale", false).unwrap();
    model.eval();
    let cast = model.cast::<f64>();
    assert!(!cast.scale.requires_grad() && !model.deep_clone().scale.requires_grad());
    assert!(cast.head.weight.is_same(&cast.embedding.weight));
    let x = variable(&[5, 2, 3]);
    let [a, b] = [0, 1].map(|_| cast.rnn.forward(&x, None).unwrap().0.to_vec());
    assert_eq!(a, b);
    assert_eq!(
        cast.state_dict().tensor::<f32>("rnn.weight_hh_l1").unwrap(),
        model.rnn.cell(1, 0).parameter("weight_hh").unwrap().value()
    );
}

#[test]
fn the_summary_lists_shapes_counts_and_what_is_frozen() {
    let cell = RnnCell::new(2, 3).unwrap();
    cell.set_requires_grad("weight_hh", false).unwrap();
    let expected = "\
weight_ih  [3, 2]  6
weight_hh  [3, 3]  9  frozen
bias_ih    [3]     3
bias_hh    [3]     3
total              21
";
    assert_eq!(cell.summary(), expected);
}
