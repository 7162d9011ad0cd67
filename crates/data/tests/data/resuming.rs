use proptest::prelude::*;
use wengert_core::{Stateful, Tensor, TensorMap};
use wengert_data::{DataLoader, Dataset, Stackable, TensorDataset, VecDataset};

use super::{config, numbers, refused};

type Noisy = DataLoader<wengert_data::Map<VecDataset<i64>, fn(i64) -> wengert_core::Result<Tensor<f64>>>>;

fn noisy(len: usize, size: usize, shuffled: bool, seed: u64, ahead: usize) -> Noisy {
    let noise: fn(i64) -> _ = |x| Ok(Tensor::from([x as f64, Tensor::<f64>::randn([1]).item()?]));
    let lengths = (0..len).map(|sample| sample * 7 % 5).collect();
    let builder = DataLoader::builder(numbers(len).map(noise)).batch_size(size).prefetch(ahead);
    let builder = if shuffled { builder.shuffle(seed).bucket_by_length(lengths) } else { builder.seed(seed) };
    builder.bucket_pool(2).build().unwrap()
}

/// The next batches, over the ends of epochs.
fn take(loader: &Noisy, count: usize) -> Vec<(u64, Vec<f64>)> {
    (0..count).map(|_| (loader.epoch(), loader.iter().next().unwrap().unwrap().to_vec())).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_continues_from_a_saved_position_is_the_same_bit_for_bit(
        (len, size) in (1usize..20, 1usize..6),
        shuffled: bool,
        (seed, other) in (any::<u64>(), any::<u64>()),
        before in 0usize..15,
    ) {
        let loader = noisy(len, size, shuffled, seed, 0);
        take(&loader, before);
        let saved = loader.state_dict();
        let saved = TensorMap::from_bytes(&saved.to_bytes().unwrap()).unwrap();
        let expected = take(&loader, 10);
        for ahead in [0, 2] {
            // Another seed to begin with: the saved one is taken over.
            let mut resumed = noisy(len, size, shuffled, other, ahead);
            take(&resumed, 3);
            resumed.load_state_dict(&saved).unwrap();
            prop_assert_eq!(&take(&resumed, 10), &expected);
        }
    }
}

#[test]
fn a_position_saved_while_a_thread_prepares_ahead_is_that_of_the_batches_taken() {
    let loader = DataLoader::builder(numbers(10)).batch_size(2).shuffle(1).prefetch(4).build().unwrap();
    let mut states = Vec::new();
    let mut batches = Vec::new();
    for batch in &loader {
        batches.push(batch.unwrap());
        states.push(loader.state_dict());
    }
    for (taken, state) in states.iter().enumerate().take(4) {
        let mut resumed = DataLoader::builder(numbers(10)).batch_size(2).shuffle(0).build().unwrap();
        resumed.load_state_dict(state).unwrap();
        assert_eq!(resumed.iter().map(Result::unwrap).collect::<Vec<_>>(), batches[taken + 1..]);
    }
    assert_eq!(states[4].number("epoch").unwrap(), 1.0);
}

fn rows(values: [f32; 4]) -> TensorDataset<Tensor<f32>> {
    TensorDataset::new(Tensor::from(values)).unwrap()
}

/// What a loader of a dataset says to a state of one of the rows 1 to 4 in batches of 2.
fn answer<D: Dataset<Item: Stackable>>(dataset: D, size: usize, shuffled: bool) -> String {
    let saved = DataLoader::builder(rows([1.0, 2.0, 3.0, 4.0])).batch_size(2).shuffle(3).build().unwrap();
    let builder = DataLoader::builder(dataset).batch_size(size);
    let mut loader = if shuffled { builder.shuffle(0) } else { builder }.build().unwrap();
    refused(loader.load_state_dict(&saved.state_dict()))
}

#[test]
fn a_state_of_another_dataset_is_refused() {
    assert_eq!(
        answer(numbers(5), 2, true),
        "load_state_dict: the number of samples must be 4 as when the state was saved, got 5"
    );
    let [saved, here] = [4.0, 4.5].map(|last| rows([1.0, 2.0, 3.0, last]).fingerprint());
    let expected = format!("{saved} as when the state was saved, got {here}");
    assert_eq!(
        answer(rows([1.0, 2.0, 3.0, 4.5]), 2, true),
        format!("load_state_dict: the content of the dataset must be {expected}")
    );
}

#[test]
fn a_state_of_other_batches_is_refused() {
    let same = || rows([1.0, 2.0, 3.0, 4.0]);
    assert_eq!(
        answer(same(), 3, true),
        "load_state_dict: batch_size must be 2 as when the state was saved, got 3"
    );
    assert_eq!(
        answer(same(), 2, false),
        "load_state_dict: shuffle must be true as when the state was saved, got false"
    );
    let plain = || DataLoader::builder(same()).batch_size(2).shuffle(3);
    let mut bucketed = plain().bucket_by_length(vec![3, 1, 2, 0]).build().unwrap();
    let text = refused(bucketed.load_state_dict(&plain().build().unwrap().state_dict()));
    assert!(text.starts_with("load_state_dict: the order of the samples must be "), "{text}");
}

#[test]
fn a_state_that_is_none_is_refused_and_changes_nothing() {
    let mut loader = DataLoader::builder(numbers(5)).batch_size(2).shuffle(3).build().unwrap();
    loader.iter().next();
    let before = loader.state_dict();
    let mut without = TensorMap::new();
    before.names().filter(|name| *name != "epoch").for_each(|name| {
        without.insert(name, before.get(name).unwrap().clone());
    });
    without.insert_number("lr", 0.1);
    assert_eq!(
        refused(loader.load_state_dict(&without)),
        "the values do not fit, nothing was changed\n  missing: epoch\n  unexpected: lr"
    );
    let mut behind = before.clone();
    behind.insert("batch", Tensor::scalar(3i64));
    assert_eq!(refused(loader.load_state_dict(&behind)), "load_state_dict: batch must be in 0..3, got 3");
    let mut rounded = before.clone();
    rounded.insert_number("seed", 3.0);
    assert_eq!(
        refused(loader.load_state_dict(&rounded)),
        "load_state_dict: seed must be of type i64, got f64"
    );
    assert_eq!(loader.state_dict(), before);
}
