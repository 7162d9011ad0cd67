use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use wengert_core::{Error, Result};
use wengert_data::{DataLoader, Dataset, Prefetch};

use super::{all, config, numbers};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn batches_prepared_ahead_are_those_that_are_not(
        (len, size) in (1usize..40, 1usize..9),
        ahead in 1usize..5,
        seed: u64,
        taken in 0usize..10,
    ) {
        let loader = |ahead| {
            DataLoader::builder(numbers(len)).batch_size(size).shuffle(seed).prefetch(ahead).build().unwrap()
        };
        let (plain, prefetched) = (loader(0), loader(ahead));
        prop_assert_eq!(all(plain.iter().take(taken)), all(prefetched.iter().take(taken)));
        prop_assert_eq!((plain.epoch(), plain.batch()), (prefetched.epoch(), prefetched.batch()));
        prop_assert_eq!(plain.iter().len(), prefetched.iter().len());
        prop_assert_eq!(all(plain.iter()), all(prefetched.iter()));
        prop_assert_eq!(all(plain.iter()), all(prefetched.iter()));
    }
}

/// Samples of which one is an error or a panic, and how many have been asked for.
struct Failing {
    at: usize,
    panics: bool,
    asked: Arc<AtomicUsize>,
}

impl Dataset for Failing {
    type Item = i64;

    fn len(&self) -> usize {
        8
    }

    fn get(&self, index: usize) -> Result<i64> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if index == self.at {
            assert!(!self.panics, "sample {index} is broken");
            return Err(Error::argument("Failing", "sample", "whole", index));
        }
        Ok(index as i64)
    }
}

fn failing(at: usize, panics: bool, ahead: usize) -> (DataLoader<Failing>, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let dataset = Failing { at, panics, asked: Arc::clone(&asked) };
    (DataLoader::builder(dataset).batch_size(2).prefetch(ahead).build().unwrap(), asked)
}

#[test]
fn an_error_comes_in_its_place_and_the_next_batch_behind_it() {
    for ahead in [0, 2] {
        let (loader, _) = failing(3, false, ahead);
        let texts =
            loader.iter().map(|batch| batch.map_or_else(|e| e.to_string(), |x| format!("{:?}", x.to_vec())));
        let expected = ["[0, 1]", "Failing: sample must be whole, got 3", "[4, 5]", "[6, 7]"];
        assert_eq!(texts.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_panic_reaches_the_caller_behind_what_came_before_it() {
    for ahead in [0, 1, 3] {
        let (loader, _) = failing(4, true, ahead);
        let mut batches = loader.iter();
        assert_eq!(batches.next().unwrap().unwrap().to_vec(), [0, 1]);
        assert_eq!(batches.next().unwrap().unwrap().to_vec(), [2, 3]);
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| batches.next())) else { panic!("no panic") };
        assert_eq!(panic.downcast_ref::<String>().unwrap(), "sample 4 is broken");
        assert_eq!(loader.batch(), 2);
    }
}

#[test]
fn no_more_is_prepared_ahead_than_was_said() {
    let (loader, asked) = failing(9, false, 2);
    let mut batches = loader.iter();
    let waits = |count: usize| {
        for _ in 0..2000 {
            if asked.load(Ordering::SeqCst) >= count {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(asked.load(Ordering::SeqCst), count);
    };
    waits(4);
    batches.next();
    waits(6);
}

#[test]
fn the_thread_has_ended_when_it_is_dropped_early() {
    let (loader, asked) = failing(9, false, 1);
    let mut batches = loader.iter();
    batches.next();
    drop(batches);
    let after = asked.load(Ordering::SeqCst);
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert_eq!(asked.load(Ordering::SeqCst), after);
    // Nobody but the loader holds it any more.
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let mut items = Prefetch::new((0..1000).map(move |i| (i, Arc::clone(&held)).0), 3);
    assert_eq!(items.next(), Some(0));
    drop(items);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn a_panic_that_nobody_waits_for_is_no_panic_when_dropped() {
    let (loader, _) = failing(2, true, 2);
    let mut batches = loader.iter();
    batches.next();
    drop(batches);
    let mut items = Prefetch::new([1, 2].into_iter().map(|i| if i == 2 { panic!("two") } else { i }), 1);
    assert_eq!(items.next(), Some(1));
    assert!(catch_unwind(AssertUnwindSafe(|| items.next())).is_err());
    assert_eq!((items.next(), items.len()), (None, 0));
}
