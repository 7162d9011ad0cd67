//! Jobs of the team: each part once, from many threads, panics.

use std::collections::HashSet;

use super::*;
use crate::run::panics::Grenade;

#[test]
fn every_part_is_done_once() {
    set_num_threads(3);
    for parts in [0, 1, 2, 7, 100] {
        let done: Vec<AtomicUsize> = (0..parts).map(|_| AtomicUsize::new(0)).collect();
        share(parts, |part| {
            done[part].fetch_add(1, Ordering::Relaxed);
        });
        assert!(done.iter().all(|done| done.load(Ordering::Relaxed) == 1), "{parts} parts");
    }
}

#[test]
fn many_jobs_from_many_threads() {
    set_num_threads(3);
    let sum = |n: usize| {
        let sum = AtomicUsize::new(0);
        share(n, |part| {
            sum.fetch_add(part * part, Ordering::Relaxed);
        });
        sum.into_inner()
    };
    std::thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || {
                for n in (0..if cfg!(miri) { 20 } else { 2000 }).map(|n| (n + seed) % 100) {
                    assert_eq!(sum(n), (0..n).map(|i| i * i).sum::<usize>());
                }
            });
        }
    });
}

/// Jobs until one of them is seen to be done by two threads, whose parts wait for each other; as the
/// tests run side by side, another one may have the helpers for a while.
fn helpers_work() {
    set_num_threads(3);
    let alone = (0..300).all(|_| {
        let threads = Mutex::new(HashSet::new());
        share(2, |_| {
            lock(&threads).insert(std::thread::current().id());
            let begun = Instant::now();
            while lock(&threads).len() < 2 && begun.elapsed() < Duration::from_millis(100) {
                std::thread::yield_now();
            }
        });
        lock(&threads).len() < 2
    });
    assert!(!alone, "no helper takes a part");
}

#[test]
fn a_panic_reaches_the_caller_and_helpers_go_on_working() {
    set_num_threads(3);
    for bad in 0..8 {
        let caught = catch_unwind(|| share(8, |part| assert!(part != bad, "part {part}")));
        let message = caught.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(*message, format!("part {bad}"));
    }
    every_part_is_done_once();
    helpers_work();
}

#[test]
fn panics_whose_payload_panics_when_dropped_neither_end_a_job_early_nor_a_helper() {
    set_num_threads(3);
    for times in 0..if cfg!(miri) { 3 } else { 20 } {
        let done: Vec<AtomicUsize> = (0..8).map(|_| AtomicUsize::new(0)).collect();
        let caught = catch_unwind(AssertUnwindSafe(|| {
            share(8, |part| {
                // Long enough for others to come.
                (0..1000).for_each(|_| std::hint::spin_loop());
                done[part].fetch_add(1, Ordering::Relaxed);
                std::panic::panic_any(Grenade(times % 3));
            });
        }));
        let payload = caught.unwrap_err();
        assert!(payload.is::<Grenade>());
        discard(payload);
        // Alone, the first panic ends it; shared, every part is done once and only once.
        let all = done.iter().map(|done| done.load(Ordering::Relaxed)).sum::<usize>();
        assert!(all == 8 || all == 1, "{all} parts");
    }
    helpers_work();
}

#[test]
fn short_work_is_not_cut() {
    assert_eq!(parts_worth(LEAST_NANOSECONDS), 1);
    assert_eq!([2, 3, 4, 7, 8, 100].map(|most| cut(most, 4)), [2, 3, 4, 4, 8, 4 * PARTS]);
    assert!((1..50).all(|total| (0..7).map(|part| range(part, 7, total).len()).sum::<usize>() == total));
    let (first, last) = (range(0, 7, usize::MAX), range(6, 7, usize::MAX));
    assert_eq!((first.start, last.end), (0, usize::MAX));
    assert!(first.len().abs_diff(last.len()) <= 1);
}
