use proptest::prelude::*;
use wengert_core::{Tensor, Variable};
use wengert_data::{Collate, DataLoader, Packed, Padded, Single, Stackable, Stacked, VecDataset};
use wengert_nn::{PadOptions, PaddingSide, pad_sequence, unpack_sequence};

use super::{config, refused};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn padding_is_that_of_the_layers(
        lengths in prop::collection::vec(0usize..6, 1..6),
        width in 1usize..3,
        (batch_first, left) in (any::<bool>(), any::<bool>()),
        value in -3i8..3,
    ) {
        let mut next = 0.0;
        let mut number = |_| {
            next += 1.0;
            next
        };
        let sequence = |&length: &usize| Tensor::<f32>::from_fn([length, width], &mut number);
        let sequences: Vec<Tensor<f32>> = lengths.iter().map(sequence).collect();
        let side = if left { PaddingSide::Left } else { PaddingSide::Right };
        let options = PadOptions::default().batch_first(batch_first).padding_value(value.into());
        let options = options.padding_side(side);
        let variables: Vec<Variable> = sequences.iter().cloned().map(Variable::new).collect();
        let expected = pad_sequence(&variables, options).unwrap();
        let padded = Padded::default().batch_first(batch_first).padding_value(value.into());
        let padded = padded.padding_side(side);
        let batch = padded.collate(sequences.clone()).unwrap();
        prop_assert_eq!(&batch.data, &expected.value());
        prop_assert_eq!(&batch.lengths, &lengths);
        let ones = lengths.iter().map(|&length| Variable::new(Tensor::<f32>::ones([length])));
        let ones: Vec<Variable> = ones.collect();
        let ones = pad_sequence(&ones, options.padding_value(0.0)).unwrap();
        prop_assert_eq!(batch.mask, ones.value().cast::<bool>());
        let tokens = padded.collate(sequences.iter().map(Tensor::cast::<i64>).collect()).unwrap();
        prop_assert_eq!(tokens.data, batch.data.cast::<i64>());
    }

    #[test]
    fn tokens_are_packed_as_numbers_are(
        lengths in prop::collection::vec(1usize..6, 1..6),
        width in prop::collection::vec(1usize..3, 0..3),
    ) {
        let mut next = 1i64 << 60;
        let mut number = |_| {
            next += 1;
            next
        };
        let sequence = |&length: &usize| Tensor::from_fn([&[length], &width[..]].concat(), &mut number);
        let sequences: Vec<Tensor<i64>> = lengths.iter().map(sequence).collect();
        let small = |x: &Tensor<i64>| x.map(|x| x - (1 << 60));
        let tokens = Packed.collate(sequences.clone()).unwrap();
        let numbers: Vec<Tensor<f64>> = sequences.iter().map(|x| small(x).cast()).collect();
        let expected = Packed.collate(numbers.clone()).unwrap();
        prop_assert_eq!(small(tokens.data()).cast::<f64>(), expected.data().value());
        prop_assert_eq!((tokens.lengths(), tokens.batch_sizes()), (lengths, expected.batch_sizes()));
        let again = tokens.with_data(expected.data().clone()).unwrap();
        let unpacked: Vec<Tensor<f64>> = unpack_sequence(&again).iter().map(Variable::value).collect();
        prop_assert_eq!(unpacked, numbers);
    }
}

#[test]
fn packed_batches_have_the_sequences() {
    let of = |values: &[f64]| Tensor::from(values.to_vec());
    let sequences = vec![of(&[6.0]), of(&[1.0, 2.0, 3.0]), of(&[4.0, 5.0])];
    let data = VecDataset::new(sequences.clone());
    let loader = DataLoader::builder(data).batch_size(3).collate(Packed).prefetch(1).build().unwrap();
    let batch = loader.iter().next().unwrap().unwrap();
    let unpacked: Vec<Tensor<f64>> = unpack_sequence(&batch).iter().map(Variable::value).collect();
    assert_eq!(unpacked, sequences);
}

#[test]
fn samples_that_do_not_fit_each_other_are_refused() {
    let sequences = || vec![Tensor::<f32>::zeros([3, 2]), Tensor::zeros([1, 2]), Tensor::zeros([3, 1])];
    assert_eq!(
        refused(Stacked.collate(sequences())),
        "stacked: expected samples of one shape, the first of [3, 2], got [1, 2] for sample 1 of the batch"
    );
    assert_eq!(
        refused(Padded::default().collate(sequences())),
        "Padded: expected sequences of one width, the first of shape [3, 2], got [3, 1] for sample 2 of the \
         batch"
    );
    assert_eq!(
        refused(Padded::default().collate(vec![Tensor::scalar(1i64)])),
        "Padded: expected sequences of one width, the first of shape [], got [] for sample 0 of the batch"
    );
    let error = refused(Packed.collate(vec![Tensor::<i64>::zeros([3, 2]), Tensor::zeros([1])]));
    let expected = "Packed: expected token sequences (L_i, ..) of one width, the first of [2], got [1] for \
                    sample 1 of the batch";
    assert_eq!(error, expected);
    assert!(refused(Packed.collate(vec![Tensor::scalar(1i64)])).contains("got [] for sample 0"));
    assert!(Packed.collate(Vec::<Tensor<i64>>::new()).is_err());
    assert!(Packed.collate(vec![Tensor::<i64>::zeros([0])]).is_err());
    assert!(
        Packed
            .collate(vec![Tensor::from([1i64])])
            .unwrap()
            .with_data(Variable::new(Tensor::from([1.0, 2.0])))
            .is_err()
    );
    assert_eq!(refused(Single.collate(vec![1, 2])), "Single: batch_size must be 1, got 2");
    assert_eq!(
        refused(<Tensor<f32> as Stackable>::stacked(vec![])),
        "stacked: expected at least one sample, got 0"
    );
    assert_eq!(
        refused(Padded::default().collate(Vec::<Tensor<f32>>::new())),
        "Padded: expected at least one sequence, got 0"
    );
}
