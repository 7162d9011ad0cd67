//! Layers beside the recurrence.

use wengert_core::Tensor;
use wengert_nn::{
    AdditiveAttention, AttentionOptions, BatchNorm1d, Celu, Conv1d, ConvPadding, Dropout, Elu, Embedding,
    Gelu, Glu, Hardshrink, Hardsigmoid, Hardswish, Hardtanh, LayerNorm, LeakyRelu, Linear, LogSigmoid,
    LogSoftmax, Mish, Module, PackOptions, PadOptions, Prelu, Relu, Relu6, RmsNorm, Rrelu, Selu, Sequential,
    Sigmoid, Silu, Softmax, Softmin, Softplus, Softshrink, Softsign, State, Tanh, Tanhshrink, Threshold,
    WeightNorm, gumbel_softmax, gumbel_softmax_hard, pack_padded_sequence, pack_sequence,
    pad_packed_sequence, pad_sequence, rrelu, scaled_dot_product_attention, unpack_sequence, unpad_sequence,
    watched,
};

use crate::{are_recorded_at_their_lines, row, x};

#[test]
fn layers() {
    let rows = [
        row("Linear", || vec![Linear::new(3, 2).unwrap().forward(&x(&[4, 3])).unwrap()]),
        row("Linear without a bias", || {
            vec![Linear::without_bias(3, 2).unwrap().forward(&x(&[5, 4, 3])).unwrap()]
        }),
        row("Conv1d", || vec![Conv1d::new(3, 4, 2).unwrap().forward(&x(&[2, 3, 5])).unwrap()]),
        row("Conv1d in groups", || {
            let conv = Conv1d::builder(4, 4, 3).groups(2).padding(ConvPadding::Causal).build().unwrap();
            vec![conv.forward(&x(&[4, 5])).unwrap()]
        }),
        row("BatchNorm1d", || vec![BatchNorm1d::new(3).unwrap().forward(&x(&[4, 3])).unwrap()]),
        row("BatchNorm1d, evaluating", || {
            let mut norm = BatchNorm1d::new(3).unwrap();
            norm.eval();
            vec![norm.forward(&x(&[4, 3, 2])).unwrap()]
        }),
        row("LayerNorm", || vec![LayerNorm::new([3]).forward(&x(&[4, 3])).unwrap()]),
        row("RmsNorm", || vec![RmsNorm::new([3]).forward(&x(&[4, 3])).unwrap()]),
        row("RmsNorm without a weight", || {
            vec![RmsNorm::without_weight([4, 3]).forward(&x(&[4, 3])).unwrap()]
        }),
        row("Embedding", || vec![Embedding::new(4, 2).unwrap().forward(&Tensor::from([0i64, 3])).unwrap()]),
        row("Embedding with padding", || {
            vec![Embedding::with_padding(4, 2, 0).unwrap().forward(&Tensor::from([0i64, 3])).unwrap()]
        }),
        row("Dropout", || vec![Dropout::new(0.5).unwrap().forward(&x(&[4, 3])).unwrap()]),
        row("Sequential", || {
            let net = (Linear::new(3, 4).unwrap(), Tanh::new(), Sequential::new((Relu::new(),)));
            vec![Sequential::new(net).forward(&x(&[4, 3])).unwrap()]
        }),
        row("WeightNorm", || {
            let norm = WeightNorm::new(Linear::new(3, 2).unwrap(), &["weight"]).unwrap();
            vec![norm.forward(&x(&[4, 3])).unwrap()]
        }),
        row("WeightNorm as a whole", || {
            let norm = WeightNorm::along(Linear::new(3, 2).unwrap(), &["weight"], None).unwrap();
            vec![norm.normed().forward(&x(&[4, 3])).unwrap()]
        }),
        row("an evaluating view", || {
            vec![Linear::new(3, 2).unwrap().evaluating().forward(&x(&[4, 3])).unwrap()]
        }),
        row("watched", || {
            let linear = Linear::new(3, 2).unwrap();
            vec![watched(&linear, || linear.forward(&x(&[4, 3]))).unwrap()]
        }),
    ];
    are_recorded_at_their_lines(&rows);
}

#[test]
fn activations() {
    let rows = [
        row("Tanh", || vec![Tanh::new().forward(&x(&[2, 4])).unwrap()]),
        row("Sigmoid", || vec![Sigmoid::new().forward(&x(&[2, 4])).unwrap()]),
        row("Relu", || vec![Relu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Relu6", || vec![Relu6::new().forward(&x(&[2, 4])).unwrap()]),
        row("LeakyRelu", || vec![LeakyRelu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Elu", || vec![Elu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Celu", || vec![Celu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Selu", || vec![Selu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Silu", || vec![Silu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Mish", || vec![Mish::new().forward(&x(&[2, 4])).unwrap()]),
        row("Gelu", || vec![Gelu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Gelu by tanh", || vec![Gelu::tanh().forward(&x(&[2, 4])).unwrap()]),
        row("Glu", || vec![Glu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Hardshrink", || vec![Hardshrink::new().forward(&x(&[2, 4])).unwrap()]),
        row("Hardsigmoid", || vec![Hardsigmoid::new().forward(&x(&[2, 4])).unwrap()]),
        row("Hardswish", || vec![Hardswish::new().forward(&x(&[2, 4])).unwrap()]),
        row("Hardtanh", || vec![Hardtanh::new().forward(&x(&[2, 4])).unwrap()]),
        row("LogSigmoid", || vec![LogSigmoid::new().forward(&x(&[2, 4])).unwrap()]),
        row("Prelu", || vec![Prelu::of_channels(4).unwrap().forward(&x(&[2, 4])).unwrap()]),
        row("Rrelu", || vec![Rrelu::new().forward(&x(&[2, 4])).unwrap()]),
        row("Rrelu, evaluating", || {
            let mut layer = Rrelu::new();
            layer.eval();
            vec![layer.forward(&x(&[2, 4])).unwrap()]
        }),
        row("rrelu", || vec![rrelu(&x(&[2, 4]), 0.1, 0.2).unwrap()]),
        row("gumbel_softmax", || vec![gumbel_softmax(&x(&[2, 4]), 1.0, 1).unwrap()]),
        row("gumbel_softmax_hard", || vec![gumbel_softmax_hard(&x(&[2, 4]), 1.0, 1).unwrap()]),
        row("Softmax", || vec![Softmax::new(0).forward(&x(&[2, 4])).unwrap()]),
        row("LogSoftmax", || vec![LogSoftmax::new(1).forward(&x(&[2, 4])).unwrap()]),
        row("Softmin", || vec![Softmin::new(1).forward(&x(&[2, 4])).unwrap()]),
        row("Softplus", || vec![Softplus::new().forward(&x(&[2, 4])).unwrap()]),
        row("Softshrink", || vec![Softshrink::new().forward(&x(&[2, 4])).unwrap()]),
        row("Softsign", || vec![Softsign::new().forward(&x(&[2, 4])).unwrap()]),
        row("Tanhshrink", || vec![Tanhshrink::new().forward(&x(&[2, 4])).unwrap()]),
        row("Threshold", || vec![Threshold::new(0.1, 0.2).forward(&x(&[2, 4])).unwrap()]),
    ];
    are_recorded_at_their_lines(&rows);
}

#[test]
fn attention() {
    let rows = [
        row("AdditiveAttention", || {
            let attention = AdditiveAttention::new(3, 4, 5).unwrap();
            let mask = Tensor::from([[true, false], [true, true]]);
            let memory = x(&[2, 2, 4]);
            let (context, weights) = attention.forward(&x(&[2, 3]), &memory, &memory, Some(&mask)).unwrap();
            vec![context, weights]
        }),
        row("scaled_dot_product_attention", || {
            let q = x(&[2, 3, 4]);
            let mask = Tensor::from([[true, false, true]]);
            let options = AttentionOptions::default().causal(true).mask(mask).bias(x(&[3, 3])).dropout(0.1);
            vec![scaled_dot_product_attention(&q, &q, &q, &options).unwrap()]
        }),
    ];
    are_recorded_at_their_lines(&rows);
}

#[test]
fn sequences_and_states() {
    let (first, last) = (PackOptions::default().batch_first(true), PackOptions::default());
    let rows = [
        row("pack_padded_sequence", move || {
            vec![pack_padded_sequence(&x(&[2, 3, 4]), &[3, 1], first).unwrap().data().clone()]
        }),
        row("pack_padded_sequence in another order", move || {
            let options = last.enforce_sorted(false);
            vec![pack_padded_sequence(&x(&[3, 2, 4]), &[1, 3], options).unwrap().data().clone()]
        }),
        row("pad_packed_sequence", move || {
            let packed = pack_padded_sequence(&x(&[3, 2, 4]), &[3, 1], last).unwrap();
            vec![pad_packed_sequence(&packed, PadOptions::default().total_length(5)).unwrap().0]
        }),
        row("pack_sequence and unpack_sequence", move || {
            let packed = pack_sequence(&[x(&[2, 4]), x(&[1, 4])], last).unwrap();
            unpack_sequence(&packed)
        }),
        row("pad_sequence and unpad_sequence", || {
            let padded = pad_sequence(&[x(&[2, 4]), x(&[1, 4])], PadOptions::default()).unwrap();
            unpad_sequence(&padded, &[2, 1], PadOptions::default()).unwrap()
        }),
        row("State::select", || (x(&[2, 3]), x(&[2, 4])).select(0, 1).variables()),
        row("State::index_select", || {
            (x(&[2, 3]), x(&[2, 4])).index_select(0, &Tensor::from([1i64])).variables()
        }),
        row("State::masked", || {
            (x(&[2, 3]), x(&[2, 4]))
                .masked(&Tensor::from([true, false]), &(x(&[2, 3]), x(&[2, 4])))
                .variables()
        }),
        row("State::narrow", || [x(&[2, 3]), x(&[2, 4])].narrow(0, 1, 1).variables()),
        row("State::cat", || State::cat(&[&vec![x(&[2, 3])], &vec![x(&[1, 3])]], 0).variables()),
        row("State::stack", || State::stack(&[&(x(&[2]), x(&[3])), &(x(&[2]), x(&[3]))], 0).variables()),
    ];
    are_recorded_at_their_lines(&rows);
}
