//! Modules for which there is no memory: an error that names them, and the process goes on.

use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable};
use wengert_nn::{
    AdditiveAttention, AttentionOptions, BatchNorm1d, Cell, Conv1d, Dropout, Embedding, Flat, Gelu, Glu, Gru,
    LayerNorm, Linear, LogSoftmax, Lstm, LstmCell, Module, PackOptions, PackedSequence, PadOptions, Persist,
    Prelu, Relu, RmsNorm, Rnn, Rrelu, Sequential, Softmax, Tanhshrink, WeightNorm, binary_cross_entropy,
    gumbel_softmax, gumbel_softmax_hard, init, l1_loss, module, mse_loss, pack_padded_sequence,
    pack_sequence, pad_packed_sequence, pad_sequence, rrelu, scaled_dot_product_attention,
};

use crate::all_refused::all_refused;
use crate::limited::within;

/// A gibibyte of address space.
const LIMIT: usize = 1 << 20;
const MANY: usize = 1 << 34;

fn refused<R>(operation: &str, result: Result<R>) {
    match result.err() {
        Some(Error::Memory { operation: by, .. }) => assert_eq!(by, operation),
        other => panic!("{operation}: {other:?}"),
    }
}

#[derive(Clone)]
struct Held<T: Float> {
    values: Parameter<T>,
}
module!(Held<T> { values });

#[test]
fn what_there_is_no_memory_for_is_an_error() {
    within(LIMIT, "refused::what_there_is_no_memory_for_is_an_error", || {
        refused("Linear", Linear::new(1 << 20, 1 << 20));
        refused("Embedding", Embedding::new(1 << 20, 1 << 20));
        refused("LSTM", Lstm::new(1 << 20, 1 << 20));
        refused("LSTM", LstmCell::new(1 << 20, 1 << 20));
        refused("GRU", Gru::new(1, 1 << 20));
        refused("RNN", Rnn::new(1 << 20, 1 << 20));
        refused("LSTM", Lstm::builder(1, 1).num_layers(usize::MAX / 2).build());
        let linear = Linear::new(1, 3).unwrap();
        let many = Variable::new(Tensor::scalar(1.0f32).expand(&[MANY, 1]).unwrap());
        refused("Linear", linear.forward(&many));
        refused("mse_loss", mse_loss(&many, &many));
        let lstm = Lstm::new(1, 2).unwrap();
        refused("LSTM", lstm.forward(&many.unsqueeze(1), None));
        refused("LSTM", lstm.forward(&many.unsqueeze(0), None));
        refused("Stepper", lstm.stepper(MANY));
        let turned = Lstm::builder(1, 2).batch_first(true).build().unwrap();
        let rows = many.unsqueeze(0).expand([2, MANY, 1]);
        refused("LSTM", turned.forward(&rows, None));
        refused("LSTM", turned.forward_masked(&rows, &[1, 2], None));
        refused("LSTM", lstm.forward_masked(&rows.transpose(0, 1), &[1, 2], None));
        refused(
            "LSTM",
            turned.forward_masked(&rows, &Tensor::scalar(true).expand(&[2, MANY]).unwrap(), None),
        );
        refused("LSTM", LstmCell::new(1, 2).unwrap().forward(&many, None));
        let held = Held { values: Parameter::new(many.value()) };
        refused("load_state_dict", held.load_state_dict(&held.state_dict()));
        refused("set_flat", held.set_flat(&many.squeeze(1)));
        let sequences = many.unsqueeze(1);
        refused("pack_padded_sequence", pack_padded_sequence(&sequences, &[MANY], PackOptions::default()));
        refused("LSTM", lstm.forward_masked(&sequences, &[MANY], None));
        let packed = pack_padded_sequence(&sequences.narrow(0, 0, 2), &[2], PackOptions::default()).unwrap();
        refused(
            "pad_packed_sequence",
            pad_packed_sequence(&packed, PadOptions::default().total_length(MANY)),
        );
        let fresh = linear.weight.value();
        init::uniform(&linear.weight, 0.0, 1.0).unwrap();
        assert_ne!(linear.weight.value(), fresh);
    });
}

#[test]
fn forwards_there_is_no_memory_for_are_errors() {
    within(LIMIT, "refused::forwards_there_is_no_memory_for_are_errors", || {
        let many = |shape: &[usize]| Variable::new(Tensor::scalar(1.0f32).expand(shape).unwrap());
        let (rows, columns) = (&many(&[MANY, 2]), &many(&[2, MANY]));
        let (norm, attention) = (&BatchNorm1d::new(2).unwrap(), &AdditiveAttention::new(2, 2, 3).unwrap());
        let evaluating = &mut BatchNorm1d::new(2).unwrap();
        evaluating.eval();
        let padded = &many(&[1, MANY, 2]);
        let index = &Tensor::scalar(1i64).expand(&[MANY]).unwrap();
        let of = AttentionOptions::default;
        let short = &many(&[2, 2]);
        let wide = &WeightNorm::new(Linear::new(2, 2).unwrap(), &["weight"]).unwrap();
        all_refused(&[
            ("Relu", &|| Relu::new().forward(rows)),
            ("Relu", &|| Sequential::new((Relu::new(), Linear::new(2, 1)?)).forward(rows)),
            ("Linear", &|| Sequential::new((Linear::new(2, 1)?, Relu::new())).forward(rows)),
            ("Tanhshrink", &|| Tanhshrink::new().forward(rows)),
            ("Softmax", &|| Softmax::new(1).forward(rows)),
            ("LogSoftmax", &|| LogSoftmax::new(0).forward(rows)),
            ("GELU", &|| Gelu::tanh().forward(rows)),
            ("GLU", &|| Glu::new().forward(rows)),
            ("PReLU", &|| Prelu::new().forward(rows)),
            ("rrelu", &|| Rrelu::new().forward(rows)),
            ("RReLU", &|| Rrelu::new().evaluating().forward(rows)),
            ("rrelu", &|| rrelu(rows, 0.1, 0.2)),
            ("dropout", &|| Dropout::new(0.5)?.forward(rows)),
            ("BatchNorm1d", &|| norm.forward(rows)),
            ("BatchNorm1d", &|| evaluating.forward(rows)),
            ("LayerNorm", &|| LayerNorm::new([2]).forward(rows)),
            ("RMSNorm", &|| RmsNorm::new([2]).forward(rows)),
            ("Conv1d", &|| Conv1d::new(2, 3, 3)?.forward(columns)),
            ("Linear", &|| wide.forward(rows)),
            ("Embedding", &|| Embedding::new(3, 2)?.forward(index)),
            ("Embedding", &|| Embedding::with_padding(3, 2, 0)?.forward(index)),
            ("gumbel_softmax", &|| gumbel_softmax(rows, 1.0, -1)),
            ("gumbel_softmax", &|| gumbel_softmax_hard(rows, 1.0, -1)),
            ("scaled_dot_product_attention", &|| scaled_dot_product_attention(rows, rows, rows, &of())),
            ("scaled_dot_product_attention", &|| {
                scaled_dot_product_attention(short, rows, rows, &of().causal(true).dropout(0.1))
            }),
            ("AdditiveAttention", &|| attention.project(padded)),
            ("AdditiveAttention", &|| {
                Ok(attention.attend(&many(&[1, 2]), &many(&[1, MANY, 3]), padded, None)?.0)
            }),
            ("pad_sequence", &|| pad_sequence(&[rows.clone(), short.clone()], PadOptions::default())),
            ("pack_sequence", &|| {
                Ok(pack_sequence(std::slice::from_ref(rows), PackOptions::default())?.data().clone())
            }),
        ]);
        // Nothing has changed.
        assert_eq!(norm.state_dict(), BatchNorm1d::new(2).unwrap().state_dict());
        assert_eq!(Relu::new().forward(&many(&[2])).unwrap().to_vec(), [1.0; 2]);
    });
}

/// There is memory for the first of several values that are needed, but not for all.
#[test]
fn forwards_there_is_half_the_memory_for_are_errors() {
    within(LIMIT / 4, "refused::forwards_there_is_half_the_memory_for_are_errors", || {
        let half = Variable::new(Tensor::scalar(1.0f32).expand(&[1 << 22, 6]).unwrap());
        let norm = BatchNorm1d::new(6).unwrap();
        all_refused(&[
            ("BatchNorm1d", &|| norm.forward(&half)),
            ("RMSNorm", &|| RmsNorm::new([6]).forward(&half)),
            ("LayerNorm", &|| LayerNorm::new([6]).forward(&(&half * 1.0))),
            ("pad_sequence", &|| pad_sequence(&[half.clone(), half.clone()], PadOptions::default())),
        ]);
        assert_eq!(norm.state_dict(), BatchNorm1d::new(6).unwrap().state_dict());
        let most = Variable::new(Tensor::scalar(1.0f32).expand(&[1 << 22, 9]).unwrap());
        all_refused(&[
            ("mse_loss", &|| mse_loss(&most, &most)),
            ("l1_loss", &|| l1_loss(&most, &most)),
            ("binary_cross_entropy", &|| binary_cross_entropy(&most, &most)),
        ]);
        let mut stepper = Gru::new(1, 4).unwrap().stepper(1 << 22).unwrap();
        refused("Stepper", stepper.step(&half.narrow(1, 0, 1)));
    });
}

#[test]
fn batch_sizes_whose_sum_is_no_number_are_refused() {
    let two = Variable::new(Tensor::<f32>::zeros([2, 1]));
    let message = PackedSequence::new(two, vec![usize::MAX, 3], None).unwrap_err().to_string();
    assert_eq!(message, "PackedSequence: expected more elements than there can be, got shape [2, 1]");
}

#[test]
fn widths_whose_product_is_no_number_are_refused() {
    for (name, result) in [
        ("LSTM", Lstm::new(1, (1 << 62) + 1).map(drop)),
        ("GRU", Gru::new(1, usize::MAX / 3 + 2).map(drop)),
        ("Linear", Linear::new(1 << 32, 1 << 32).map(drop)),
        ("Embedding", Embedding::new(1 << 32, 1 << 32).map(drop)),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(
            message.starts_with(&format!("{name}: expected extents whose product is at most")),
            "{message}"
        );
    }
}
