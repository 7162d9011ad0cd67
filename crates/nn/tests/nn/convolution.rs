//! Convolution over time against a loop, and differences.

use wengert_check::{Gradcheck, Property, check_gradient, tensor};
use wengert_core::{Parameter, Tensor};
use wengert_nn::{Cast, Conv1d, Conv1dBuilder, ConvPadding, Module, Sequential, Tanh};

use crate::{V, close, names, variable};

/// Stride, zeros in front and behind, dilation, groups.
type Numbers = (usize, [usize; 2], usize, usize);

/// The sum of products, place by place.
fn naive(
    conv: &Conv1d<f64>,
    x: &V,
    (stride, [front, behind], dilation, groups): Numbers,
) -> (Vec<f64>, usize) {
    let [out, taps] = [conv.weight.shape()[0], conv.weight.shape()[2]];
    let of_group = conv.weight.shape()[1];
    let [samples, inputs, length] = [0, 1, 2].map(|axis| x.shape()[axis]);
    let (x, w) = (x.to_vec(), conv.weight.to_vec());
    let steps = (length + front + behind - dilation * (taps - 1) - 1) / stride + 1;
    let at = |n: usize, c: usize, t: usize| match t.checked_sub(front) {
        Some(t) if t < length => x[(n * inputs + c) * length + t],
        _ => 0.0,
    };
    let value = |n: usize, o: usize, t: usize| {
        let first = o / (out / groups) * of_group;
        let products = (0..of_group * taps).map(|i| {
            let (c, tap) = (i / taps, i % taps);
            w[(o * of_group + c) * taps + tap] * at(n, first + c, t * stride + tap * dilation)
        });
        products.sum::<f64>() + conv.bias.as_ref().map_or(0.0, |bias| bias.to_vec()[o])
    };
    let places = (0..samples * out * steps).map(|i| (i / steps / out, i / steps % out, i % steps));
    (places.map(|(n, o, t)| value(n, o, t)).collect(), steps)
}

/// Configurations and the numbers that they stand for.
fn all() -> Vec<(Conv1dBuilder, Numbers)> {
    let same = |kernel, front, behind, dilation| {
        let builder = Conv1d::builder(2, 3, kernel).padding(ConvPadding::Same).dilation(dilation);
        (builder, (1, [front, behind], dilation, 1))
    };
    vec![
        (Conv1d::builder(2, 3, 3), (1, [0, 0], 1, 1)),
        (Conv1d::builder(2, 3, 1), (1, [0, 0], 1, 1)),
        (Conv1d::builder(2, 3, 3).bias(false).stride(2).padding(2), (2, [2, 2], 1, 1)),
        (Conv1d::builder(4, 6, 2).groups(2).dilation(3).padding(1), (1, [1, 1], 3, 2)),
        (Conv1d::builder(3, 6, 3).groups(3).stride(3), (3, [0, 0], 1, 3)),
        (Conv1d::builder(2, 3, 3).padding(ConvPadding::Causal).dilation(2), (1, [4, 0], 2, 1)),
        (Conv1d::builder(2, 3, 2).padding(ConvPadding::Causal).stride(2), (2, [1, 0], 1, 1)),
        same(3, 1, 1, 1),
        same(4, 1, 2, 1),
        same(2, 1, 2, 3),
    ]
}

#[test]
fn every_configuration_is_the_sum_of_products() {
    for (builder, numbers) in all() {
        let conv = builder.build().unwrap().cast::<f64>();
        let inputs = conv.weight.shape()[1] * numbers.3;
        let x = variable(&[2, inputs, 9]);
        let y = conv.forward(&x).unwrap();
        let (expected, steps) = naive(&conv, &x, numbers);
        assert_eq!(y.shape(), &[2, conv.weight.shape()[0], steps], "{conv}");
        close(&y.to_vec(), &expected, 1e-13);
        let alone = conv.forward(&x.select(0, 1)).unwrap();
        assert_eq!(alone.shape(), &y.shape()[1..]);
        close(&alone.to_vec(), &expected[expected.len() / 2..], 1e-13);
    }
}

#[test]
fn first_and_second_derivatives_are_those_of_differences() {
    for (builder, numbers) in all() {
        let conv = builder.build().unwrap().cast::<f64>();
        let x = variable(&[2, conv.weight.shape()[1] * numbers.3, 7]).requires_grad_(true);
        let net = Sequential::new((conv, Tanh::new().cast::<f64>()));
        for order in [1, 2] {
            Gradcheck::new().check_module_order(order, &net, &[&x]).unwrap();
        }
    }
}

check_gradient! {
    #![property(Property::new().cases(24))]

    fn any_convolution(
        n in 1..3,
        channels in 1..3,
        groups in 1..3,
        kernel in 1..4,
        stride in 1..3,
        dilation in 1..3,
        zeros in 0..3,
        x in tensor([n, channels * groups, 7]),
        w in tensor([2 * groups, channels, kernel]),
        b in tensor([2 * groups]),
    ) {
        let builder = Conv1d::builder(channels * groups, 2 * groups, kernel).stride(stride);
        let mut conv = builder.dilation(dilation).padding(zeros).groups(groups).build()?.cast::<f64>();
        (conv.weight, conv.bias) = (Parameter::computed(w), Some(Parameter::computed(b)));
        conv.forward(&x)
    }
}

#[test]
fn a_causal_output_depends_on_no_later_input() {
    let conv =
        Conv1d::builder(1, 1, 3).padding(ConvPadding::Causal).dilation(2).build().unwrap().cast::<f64>();
    let x = variable(&[1, 1, 8]).requires_grad_(true);
    conv.forward(&x).unwrap().select(2, 4).sum().backward().unwrap();
    let reached: Vec<bool> = x.grad().unwrap().to_vec().iter().map(|g| *g != 0.0).collect();
    assert_eq!(reached, [true, false, true, false, true, false, false, false]);
}

#[test]
fn it_starts_as_pytorchs_does_and_prints_so() {
    let conv = Conv1d::builder(8, 64, 4).groups(2).build().unwrap();
    let (w, b) = (conv.weight.to_vec(), conv.bias.as_ref().unwrap().to_vec());
    // 4 channels of 4 taps.
    for values in [&w[..], &b[..]] {
        let largest = values.iter().fold(0f32, |largest, x| largest.max(x.abs()));
        assert!(largest <= 0.25 && largest > 0.22, "{largest}");
    }
    assert_eq!(names(&conv), ["weight", "bias"]);
    assert_eq!(conv.num_parameters(), 64 * 4 * 4 + 64);
    let printed = |builder: Conv1dBuilder| builder.build().unwrap().to_string();
    assert_eq!(printed(Conv1d::builder(4, 8, 3)), "Conv1d(4, 8, kernel_size=(3,), stride=(1,))");
    assert_eq!(
        printed(Conv1d::builder(4, 8, 3).stride(2).padding(1).dilation(2).groups(2).bias(false)),
        "Conv1d(4, 8, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), groups=2, bias=False)"
    );
    assert_eq!(
        printed(Conv1d::builder(4, 8, 3).padding(ConvPadding::Same)),
        "Conv1d(4, 8, kernel_size=(3,), stride=(1,), padding=same)"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |builder: Conv1dBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(refused(Conv1d::builder(0, 2, 3)), "Conv1d: in_channels must be at least 1, got 0");
    assert_eq!(refused(Conv1d::builder(2, 2, 0)), "Conv1d: kernel_size must be at least 1, got 0");
    assert_eq!(refused(Conv1d::builder(2, 2, 1).stride(0)), "Conv1d: stride must be at least 1, got 0");
    let groups = "Conv1d: out_channels must be a multiple of groups 2, got 3";
    assert_eq!(refused(Conv1d::builder(2, 3, 1).groups(2)), groups);
    let same = "Conv1d: stride must be 1 where padding is same, got 2";
    assert_eq!(refused(Conv1d::builder(2, 3, 1).padding(ConvPadding::Same).stride(2)), same);
    let conv = Conv1d::builder(2, 3, 3).dilation(2).build().unwrap();
    let forward = |shape: &[usize]| conv.forward(&Tensor::ones(shape)).unwrap_err().to_string();
    let expected = "Conv1d: expected an input of shape (N, 2, L) or (2, L), got [3, 9]";
    assert_eq!(forward(&[3, 9]), expected);
    let short = "Conv1d: expected an input of at least 5 steps, padding included, got 4 from [1, 2, 4]";
    assert_eq!(forward(&[1, 2, 4]), short);
}
