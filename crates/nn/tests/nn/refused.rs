//! Modules for which there is no memory: an error that names them, and the process goes on.

use wengert_core::{Error, Result, Tensor, Variable};
use wengert_nn::{
    Embedding, Gru, Linear, Lstm, LstmCell, PackOptions, PackedSequence, PadOptions, Rnn, init, mse_loss,
    pack_padded_sequence, pad_packed_sequence,
};

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
