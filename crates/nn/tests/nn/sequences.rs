//! Packing and padding: what lies where, that nothing is lost on the way, and what is refused.

use proptest::prelude::*;
use wengert_check::check_gradient;
use wengert_core::Tensor;
use wengert_nn::{
    Cast, Gru, PackOptions, PackedSequence, PadOptions, PaddingSide, invert_permutation,
    pack_padded_sequence, pack_sequence, pad_packed_sequence, pad_sequence, unpack_sequence, unpad_sequence,
};

use crate::errors::{refused, zeros};
use crate::{V, config, variable};

fn sequence(values: &[f64]) -> V {
    V::new(Tensor::from(values.to_vec())).requires_grad_(true)
}

fn of_lengths(lengths: &[usize], width: usize) -> Vec<V> {
    lengths.iter().map(|&length| variable(&[length, width])).collect()
}

fn values(sequences: &[V]) -> Vec<Vec<f64>> {
    sequences.iter().map(|sequence| sequence.to_vec()).collect()
}

#[test]
fn packed_data_is_the_first_elements_then_the_second_ones() {
    let given = [sequence(&[1.0, 2.0, 3.0]), sequence(&[4.0, 5.0]), sequence(&[6.0])];
    let packed = pack_sequence(&given, PackOptions::default()).unwrap();
    assert_eq!(packed.data().to_vec(), [1.0, 4.0, 6.0, 2.0, 5.0, 3.0]);
    assert_eq!(packed.batch_sizes(), [3, 2, 1]);
    assert_eq!((packed.sorted_indices(), packed.unsorted_indices()), (None, None));
}

#[test]
fn sequences_in_any_order_remember_it() {
    let given = [sequence(&[4.0, 5.0]), sequence(&[6.0]), sequence(&[1.0, 2.0, 3.0])];
    let packed = pack_sequence(&given, PackOptions::default().enforce_sorted(false)).unwrap();
    assert_eq!(packed.data().to_vec(), [1.0, 4.0, 6.0, 2.0, 5.0, 3.0]);
    assert_eq!(packed.sorted_indices(), Some(&[2, 0, 1][..]));
    assert_eq!(packed.unsorted_indices(), Some(&[1, 2, 0][..]));
    assert_eq!(packed.lengths(), [2, 1, 3]);
    assert_eq!(values(&unpack_sequence(&packed)), values(&given));
}

#[test]
fn the_padding_gets_no_gradient() {
    let batch = variable(&[3, 3, 2]).requires_grad_(true);
    let packed =
        pack_padded_sequence(&batch, &[3, 1, 2], PackOptions::default().enforce_sorted(false)).unwrap();
    packed.data().sum().backward().unwrap();
    let expected = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
    assert_eq!(batch.grad().unwrap().to_vec(), expected);
}

#[test]
fn the_lengths_and_the_batch_of_the_caller_stay_as_they_were() {
    let (batch, lengths) = (variable(&[4, 3]), vec![2, 4, 1]);
    let before = (batch.to_vec(), lengths.clone());
    unpad_sequence(&batch, &[1, 2, 3, 3], PadOptions::default().batch_first(true)).unwrap();
    pack_padded_sequence(
        &batch,
        &[1, 3, 2, 2],
        PackOptions::default().batch_first(true).enforce_sorted(false),
    )
    .unwrap();
    let gru = Gru::new(1, 2).unwrap().cast::<f64>();
    gru.forward_masked(&batch.unsqueeze(-1), &lengths, None).unwrap();
    assert_eq!((batch.to_vec(), lengths), before);
}

#[test]
fn a_longer_total_length_pads_every_sequence() {
    let packed =
        pack_sequence(&of_lengths(&[1, 3], 2), PackOptions::default().enforce_sorted(false)).unwrap();
    let (batch, lengths) = pad_packed_sequence(
        &packed,
        PadOptions::default().batch_first(true).padding_value(-7.0).total_length(5),
    )
    .unwrap();
    assert_eq!((batch.shape(), lengths), (&[2, 5, 2][..], vec![1, 3]));
    assert_eq!(batch.select(0, 1).narrow(0, 3, 2).to_vec(), [-7.0; 4]);
}

#[test]
fn elements_may_have_any_number_of_axes() {
    let given = [variable(&[2, 3, 4]), variable(&[5, 3, 4])];
    let packed = pack_sequence(&given, PackOptions::default().enforce_sorted(false)).unwrap();
    assert_eq!(packed.data().shape(), &[7, 3, 4]);
    let (batch, _) = pad_packed_sequence(&packed, PadOptions::default().batch_first(true)).unwrap();
    assert_eq!(batch.shape(), &[2, 5, 3, 4]);
    assert_eq!(
        values(&unpad_sequence(&batch, &[2, 5], PadOptions::default().batch_first(true)).unwrap()),
        values(&given)
    );
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn every_way_there_and_back_is_the_identity(
        lengths in prop::collection::vec(1usize..6, 1..6),
        batch_first: bool,
        left: bool,
    ) {
        let given = of_lengths(&lengths, 2);
        let pack = PackOptions::default().batch_first(batch_first).enforce_sorted(false);
        let pad = PadOptions::default().batch_first(batch_first).padding_value(9.0);
        let packed = pack_sequence(&given, pack).unwrap();
        prop_assert_eq!(packed.lengths(), lengths.clone());
        prop_assert_eq!(values(&unpack_sequence(&packed)), values(&given));
        let (batch, found) = pad_packed_sequence(&packed, pad).unwrap();
        prop_assert_eq!(&found, &lengths);
        prop_assert_eq!(values(&unpad_sequence(&batch, &lengths, pad).unwrap()), values(&given));
        let again = pack_padded_sequence(&batch, &lengths, pack).unwrap();
        prop_assert_eq!(again.data().to_vec(), packed.data().to_vec());
        prop_assert_eq!(again.sorted_indices(), packed.sorted_indices());
        let right = pad_sequence(&given, pad).unwrap();
        prop_assert_eq!(right.to_vec(), batch.to_vec());
        if left {
            let left = pad_sequence(&given, pad.padding_side(PaddingSide::Left)).unwrap();
            let flipped: Vec<V> = given.iter().map(|sequence| sequence.flip(&[0])).collect();
            let other = pad_sequence(&flipped, pad).unwrap();
            let time = if batch_first { 1 } else { 0 };
            prop_assert_eq!(left.flip(&[time]).to_vec(), other.to_vec());
        }
    }

    #[test]
    fn a_permutation_and_its_inverse_cancel(order in Just((0..9).collect::<Vec<usize>>()).prop_shuffle()) {
        let inverse = invert_permutation(&order);
        prop_assert!((0..9).all(|i| order[inverse[i]] == i && inverse[order[i]] == i));
    }
}

check_gradient! {
    fn packing_and_padding(
        x in wengert_check::tensor([3, 2, 2]),
        lengths in wengert_check::draws(|draw| vec![1 + draw.below(3), 1 + draw.below(3)]),
    ) {
        let pack = PackOptions::default().enforce_sorted(false);
        let pad = PadOptions::default().batch_first(true).padding_value(2.0).total_length(4);
        let packed = pack_padded_sequence(&x, &lengths, pack).unwrap();
        let sequences = unpack_sequence(&packed);
        (pad_packed_sequence(&packed, pad).unwrap().0,
            pad_sequence(&sequences, PadOptions::default().padding_side(PaddingSide::Left)).unwrap(),
            pack_sequence(&sequences, pack).unwrap().data().clone())
    }
}

#[test]
fn batches_that_cannot_be_packed() {
    let pack = |shape: &[usize], lengths: &[usize], sorted| {
        pack_padded_sequence(&zeros(shape), lengths, PackOptions::default().enforce_sorted(sorted))
    };
    let of = |text: &str| format!("pack_padded_sequence: {text}");
    let nothing = "expected a batch with at least one sequence and one step, got shape ";
    refused(pack(&[3], &[3], true), &of(&format!("{nothing}[3]")));
    refused(pack(&[0, 2, 5], &[], true), &of(&format!("{nothing}[0, 2, 5]")));
    refused(pack(&[3, 0, 5], &[], true), &of(&format!("{nothing}[3, 0, 5]")));
    refused(pack(&[3, 2, 5], &[3], true), &of("expected 2 lengths, one for each sample, got 1"));
    refused(pack(&[3, 2, 5], &[3, 0], true), &of("lengths must be at least 1, got 0 for sample 1"));
    let longer = of("lengths must be at most 3, the steps of the input, got 4 for sample 0");
    refused(pack(&[3, 2, 5], &[4, 1], true), &longer);
    let growing = of("lengths must be decreasing, or enforce_sorted false, got 1 for sample 0, then 3");
    refused(pack(&[3, 2, 5], &[1, 3], true), &growing);
    assert!(pack(&[3, 2, 5], &[1, 3], false).is_ok());
}

#[test]
fn sequences_that_cannot_be_packed_or_padded() {
    let shapes = |shapes: &[&[usize]]| shapes.iter().map(|shape| zeros(shape)).collect::<Vec<_>>();
    refused(
        pack_sequence::<f32>(&[], PackOptions::default()),
        "pack_sequence: expected at least one sequence, got 0",
    );
    refused(
        pad_sequence::<f32>(&[], PadOptions::default().batch_first(true)),
        "pad_sequence: expected at least one sequence, got 0",
    );
    refused(
        pack_sequence(&shapes(&[&[2, 3], &[2, 4]]), PackOptions::default()),
        "pack_sequence: expected sequences of one width, the first of shape [2, 3], \
         got [2, 4] for sequence 1",
    );
    refused(
        pack_sequence(&shapes(&[&[2], &[0]]), PackOptions::default()),
        "pack_sequence: lengths must be at least 1, got 0 for sample 1",
    );
    refused(
        pack_sequence(&shapes(&[&[2], &[3]]), PackOptions::default()),
        "pack_sequence: lengths must be decreasing, or enforce_sorted false, got 2 for sample 0, then 3",
    );
}

#[test]
fn packed_sequences_that_cannot_be_padded() {
    let packed = pack_sequence(&[zeros(&[3, 1]), zeros(&[2, 1])], PackOptions::default()).unwrap();
    refused(
        pad_packed_sequence(&packed, PadOptions::default().total_length(2)),
        "pad_packed_sequence: total_length must be at least 3, the longest sequence, got 2",
    );
    refused(packed.with_data(zeros(&[4, 1])), "PackedSequence: expected 5 elements, got shape [4, 1]");
}

#[test]
fn lengths_that_a_padded_batch_has_not() {
    let unpad =
        |shape: &[usize], lengths: &[usize]| unpad_sequence(&zeros(shape), lengths, PadOptions::default());
    refused(unpad(&[3], &[3]), "unpad_sequence: expected a batch of at least 2 axes, got shape [3]");
    refused(unpad(&[3, 2], &[3]), "unpad_sequence: expected 2 lengths, one for each sample, got 1");
    refused(
        unpad(&[3, 2], &[3, 4]),
        "unpad_sequence: lengths must be at most 3, the steps of the input, got 4 for sample 1",
    );
}

#[test]
fn parts_that_are_no_packed_sequence() {
    let new = |sizes: &[usize], order: Option<&[usize]>| {
        PackedSequence::new(zeros(&[4, 1]), sizes.to_vec(), order.map(<[usize]>::to_vec))
    };
    let sizes = "PackedSequence: batch_sizes must be at least 1 and not growing, got ";
    refused(new(&[], None), &format!("{sizes}[]"));
    refused(new(&[4, 0], None), &format!("{sizes}[4, 0]"));
    refused(new(&[1, 3], None), &format!("{sizes}[1, 3]"));
    refused(new(&[3, 2], None), "PackedSequence: expected 5 elements, got shape [4, 1]");
    let order = "PackedSequence: sorted_indices must be a permutation of 2 sequences, got ";
    refused(new(&[2, 2], Some(&[0])), &format!("{order}[0]"));
    refused(new(&[2, 2], Some(&[1, 1])), &format!("{order}[1, 1]"));
}

#[test]
fn layers_refuse_what_does_not_fit_their_sequences() {
    let gru = Gru::builder(3, 5).num_layers(2).build().unwrap();
    let packed = pack_sequence(&[zeros(&[3, 3]), zeros(&[2, 3])], PackOptions::default()).unwrap();
    let wide = packed.with_data(zeros(&[5, 4])).unwrap();
    refused(gru.forward_packed(&wide, None), "GRU: expected an input of width 3, got 4 in shape [5, 4]");
    let state = zeros(&[2, 3, 5]);
    refused(
        gru.forward_packed(&packed, Some(&state)),
        "GRU: expected state 0 of shape [2, 2, 5], got [2, 3, 5]",
    );
    let input = zeros(&[4, 2, 3]);
    refused(gru.forward_masked(&input, &[4], None), "GRU: expected 2 lengths, one for each sample, got 1");
    refused(
        gru.forward_masked(&input, &[4, 5], None),
        "GRU: lengths must be at most 4, the steps of the input, got 5 for sample 1",
    );
    let mask = Tensor::from([[true; 4]; 2]);
    refused(gru.forward_masked(&input, &mask, None), "GRU: expected a mask of shape [4, 2], got [2, 4]");
    refused(
        gru.forward_masked(&input, &[4, 4], Some(&state)),
        "GRU: expected state 0 of shape [2, 2, 5], got [2, 3, 5]",
    );
}
