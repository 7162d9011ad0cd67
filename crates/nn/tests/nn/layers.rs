//! The layers without a state against their formulas.

use wengert_core::{Parameter, Tensor, Variable};
use wengert_nn::{
    BatchNorm1d, Cast, Conv1d, Dropout, Embedding, Forward, Gelu, Glu, LayerNorm, Linear, Module, Prelu,
    Relu, RmsNorm, Rrelu, Sequential, Sigmoid, Tanh, WeightNorm,
};

use crate::{V, close, variable};

#[test]
fn linear_is_an_affine_map_of_the_last_axis() {
    let linear = Linear::new(3, 2).unwrap().cast::<f64>();
    let x = variable(&[4, 5, 3]);
    let (w, b) = (linear.weight.to_vec(), linear.bias.as_ref().unwrap().to_vec());
    let of_row = |x: &[f64]| [0, 1].map(|j| b[j] + (0..3).map(|i| w[j * 3 + i] * x[i]).sum::<f64>());
    let expected: Vec<f64> = x.to_vec().chunks(3).flat_map(of_row).collect();
    let y = linear.forward(&x).unwrap();
    assert_eq!(y.shape(), &[4, 5, 2]);
    close(&y.to_vec(), &expected, 1e-14);
    let without = Linear { bias: None, ..linear.clone() };
    let shift = linear.forward(&x).unwrap() - without.forward(&x).unwrap();
    close(&shift.to_vec(), &b.repeat(20), 1e-14);
}

#[test]
fn a_layer_takes_what_stands_for_a_variable() {
    macro_rules! takes {
        ($($layer:expr),+ $(,)?) => {$({
            let layer = $layer;
            let x = Tensor::uniform([2, 4, 4], -1.0, 1.0);
            let seeded = |forward: &dyn Fn() -> Variable| {
                wengert_core::manual_seed(1);
                forward().to_vec()
            };
            let expected = seeded(&|| Forward::forward(&layer, &Variable::new(x.clone())).unwrap());
            assert_eq!(seeded(&|| layer.forward(&x).unwrap()), expected, "{layer}");
            assert_eq!(seeded(&|| layer.forward(&Parameter::new(x.clone())).unwrap()), expected, "{layer}");
        })+};
    }
    takes![
        Linear::new(4, 3).unwrap(),
        Sequential::new((Linear::new(4, 3).unwrap(), Tanh::new(), Dropout::new(0.5).unwrap())),
        WeightNorm::new(Linear::new(4, 3).unwrap(), &["weight"]).unwrap(),
        Conv1d::new(4, 3, 2).unwrap(),
        BatchNorm1d::new(4).unwrap(),
        LayerNorm::new([4]),
        RmsNorm::new([4]),
        Prelu::new(),
        Rrelu::new(),
        Gelu::new(),
        Glu::new(),
    ];
}

#[test]
fn layer_norm_divides_by_the_biased_deviation() {
    for (norm, eps) in [(LayerNorm::new([2, 3]), 1e-5), (LayerNorm::new([2, 3]).eps(0.5), 0.5)] {
        let norm = norm.cast::<f64>();
        norm.parameters().iter().for_each(|p| p.set_value(variable(&[2, 3]).value()).unwrap());
        let x = variable(&[4, 2, 3]);
        let values = x.to_vec();
        let (w, b) = (norm.weight.to_vec(), norm.bias.to_vec());
        let expected = values.chunks(6).flat_map(|x| {
            let mean = x.iter().sum::<f64>() / 6.0;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 6.0;
            (0..6).map(|i| (x[i] - mean) / (variance + eps).sqrt() * w[i] + b[i]).collect::<Vec<_>>()
        });
        close(&norm.forward(&x).unwrap().to_vec(), &expected.collect::<Vec<_>>(), 1e-12);
    }
}

#[test]
fn embedding_looks_rows_up_and_adds_gradients_where_a_row_is_used_again() {
    let embedding = Embedding::new(4, 2).unwrap().cast::<f64>();
    let table: Vec<[f64; 2]> = embedding.weight.to_vec().as_chunks().0.to_vec();
    let y = embedding.forward(&Tensor::from([[2i64, 0], [2, 3]])).unwrap();
    assert_eq!(y.shape(), &[2, 2, 2]);
    assert_eq!(y.to_vec(), [table[2], table[0], table[2], table[3]].concat());
    let weights = V::new(Tensor::from([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]));
    (y * weights).sum().backward().unwrap();
    assert_eq!(embedding.weight.grad().unwrap().to_vec(), [3.0, 4.0, 0.0, 0.0, 6.0, 8.0, 7.0, 8.0]);
}

#[test]
fn the_padding_row_starts_at_zero_and_gets_no_gradient() {
    let embedding = Embedding::with_padding(4, 2, 1).unwrap();
    let zeros: Vec<bool> = embedding.weight.to_vec().chunks(2).map(|row| row == [0.0, 0.0]).collect();
    assert_eq!(zeros, [false, true, false, false]);
    embedding.weight.update("test", |w| w[2..4].fill(5.0)).unwrap();
    let y = embedding.forward(&Tensor::from([1i64, 3, 1])).unwrap();
    assert_eq!(y.to_vec()[..2], [5.0, 5.0], "its value can be set");
    y.sum().backward().unwrap();
    assert_eq!(embedding.weight.grad().unwrap().to_vec(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn sequential_is_its_parts_one_behind_the_other() {
    let (first, second) = (Linear::new(2, 3).unwrap(), Linear::new(3, 4).unwrap());
    let x = variable(&[5, 2]).cast();
    let expected = second.forward(&first.forward(&x).unwrap().tanh().relu()).unwrap().sigmoid();
    let net = Sequential::new((first, Tanh::new(), Relu::new(), second, Sigmoid::new()));
    assert_eq!(net.forward(&x).unwrap().to_vec(), expected.to_vec());
}
