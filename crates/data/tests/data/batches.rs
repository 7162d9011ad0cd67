use proptest::prelude::*;
use wengert_core::{Tensor, generator_state, manual_seed, with_generator};
use wengert_data::{DataLoader, Dataset};

use super::{all, config, numbers};

/// The batches of each of some epochs.
fn epochs(len: usize, size: usize, seed: u64, count: u64, drop_last: bool) -> Vec<Vec<Vec<i64>>> {
    let loader = DataLoader::builder(numbers(len))
        .batch_size(size)
        .shuffle(seed)
        .drop_last(drop_last)
        .build()
        .unwrap();
    (0..count).map(|_| all(loader.iter())).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_epoch_is_a_permutation(len in 1usize..80, size in 1usize..20, seed: u64) {
        for batches in epochs(len, size, seed, 3, false) {
            let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
            let mut samples = batches.concat();
            samples.sort_unstable();
            prop_assert_eq!(samples, (0..len as i64).collect::<Vec<_>>());
            prop_assert!(sizes[..sizes.len() - 1].iter().all(|&n| n == size));
            prop_assert_eq!(sizes.len(), len.div_ceil(size));
        }
    }

    #[test]
    fn a_last_batch_that_is_not_full_is_dropped(len in 1usize..80, size in 1usize..20, seed: u64) {
        prop_assume!(size <= len);
        let kept = epochs(len, size, seed, 2, false);
        for (batches, with_last) in epochs(len, size, seed, 2, true).into_iter().zip(kept) {
            prop_assert_eq!(batches.as_slice(), &with_last[..len / size]);
        }
    }

    #[test]
    fn buckets_lose_nothing_and_hold_like_lengths(
        lengths in prop::collection::vec(0usize..30, 1..60),
        (size, pool) in (1usize..8, 1usize..5),
        seed: Option<u64>,
        drop_last: bool,
    ) {
        let len = lengths.len();
        prop_assume!(!drop_last || size <= len);
        let builder = DataLoader::builder(numbers(len)).batch_size(size).drop_last(drop_last);
        let builder = builder.bucket_by_length(lengths.clone()).bucket_pool(pool);
        let loader = if let Some(seed) = seed { builder.shuffle(seed) } else { builder }.build().unwrap();
        let batches = all(loader.iter());
        let mut samples = batches.concat();
        let kept = if drop_last { len - len % size } else { len };
        prop_assert_eq!(samples.len(), kept);
        prop_assert_eq!(batches.len(), loader.len());
        prop_assert!(batches.iter().filter(|batch| batch.len() != size).count() <= 1);
        samples.sort_unstable();
        samples.dedup();
        prop_assert_eq!(samples.len(), kept);
        if pool * size >= len {
            // All in one pool: the ranges of lengths of two batches do not overlap.
            let of = |batch: &Vec<i64>| {
                let own: Vec<usize> = batch.iter().map(|&sample| lengths[sample as usize]).collect();
                (*own.iter().min().unwrap(), *own.iter().max().unwrap())
            };
            let mut ranges: Vec<_> = batches.iter().map(of).collect();
            ranges.sort_unstable();
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
    }
}

#[test]
fn epochs_and_seeds_have_orders_of_their_own() {
    let [first, second] = [0, 1].map(|seed| epochs(50, 50, seed, 2, false).concat());
    let orders = [&first[0], &first[1], &second[0], &second[1]];
    for (i, order) in orders.iter().enumerate() {
        assert!(orders[..i].iter().all(|other| other != order));
    }
    assert_eq!(epochs(50, 50, 0, 2, false).concat(), first);
}

#[test]
fn an_order_stays_what_it_is() {
    // From fixtures/reference.py. A saved position is refused if it changes.
    let order = epochs(10, 10, 42, 2, false).concat();
    assert_eq!(order, [[8, 9, 3, 0, 1, 4, 5, 6, 7, 2], [3, 6, 0, 1, 7, 4, 5, 2, 9, 8]]);
}

#[test]
fn every_sample_comes_first_as_often() {
    let loader = DataLoader::builder(numbers(5)).batch_size(5).shuffle(3).build().unwrap();
    let mut counts = [0; 5];
    (0..5000).for_each(|_| counts[all(loader.iter())[0][0] as usize] += 1);
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

#[test]
fn the_number_of_batches_left_is_known() {
    let loader = DataLoader::builder(numbers(10)).batch_size(4).build().unwrap();
    let mut batches = loader.iter();
    for left in [3, 2, 1, 0] {
        assert_eq!(batches.len(), left);
        batches.next();
    }
    assert!(batches.next().is_none());
    assert_eq!((loader.epoch(), loader.batch()), (1, 0));
}

#[test]
fn a_loop_that_was_left_goes_on_where_it_was() {
    let mut loader = DataLoader::builder(numbers(5)).batch_size(2).build().unwrap();
    let first = loader.iter().next().unwrap().unwrap();
    assert_eq!((first.to_vec(), loader.epoch(), loader.batch()), (vec![0, 1], 0, 1));
    assert_eq!(all(loader.iter()), [vec![2, 3], vec![4]]);
    loader.iter().next();
    loader.set_epoch(0);
    assert_eq!(all(loader.iter()).concat(), [0, 1, 2, 3, 4]);
}

#[test]
fn what_samples_draw_is_apart_from_what_the_loop_draws() {
    let noisy = |ahead| {
        let noise = |_| Ok(Tensor::<f32>::randn([2]));
        DataLoader::builder(numbers(6).map(noise)).batch_size(2).seed(5).prefetch(ahead).build().unwrap()
    };
    manual_seed(0);
    let before = generator_state();
    let batches: Vec<Tensor<f32>> = noisy(0).iter().map(Result::unwrap).collect();
    assert_eq!(generator_state(), before);
    assert!(batches[0] != batches[1] && batches[1] != batches[2]);
    with_generator(|generator| generator.normal());
    assert_eq!(noisy(0).iter().map(Result::unwrap).collect::<Vec<_>>(), batches);
    assert_eq!(noisy(3).iter().map(Result::unwrap).collect::<Vec<_>>(), batches);
    let again = noisy(0);
    again.iter().for_each(drop);
    assert_ne!(again.iter().next().unwrap().unwrap(), batches[0]);
}
