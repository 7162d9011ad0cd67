use proptest::prelude::*;
use wengert_data::{Dataset, KFold, random_split, time_split};

use super::{config, numbers, refused};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn folds_partition_the_samples(len in 2usize..60, k in 2usize..10, seed: Option<u64>) {
        prop_assume!(k <= len);
        let folds = KFold::new(k).unwrap();
        let folds = if let Some(seed) = seed { folds.shuffle(seed) } else { folds };
        let parts = folds.split(numbers(len)).unwrap();
        prop_assert_eq!(parts.len(), k);
        let mut validated = Vec::new();
        for (part, (train, valid)) in parts.enumerate() {
            let mut both = [train.indices(), valid.indices()].concat();
            both.sort_unstable();
            prop_assert_eq!(both, (0..len).collect::<Vec<_>>());
            // The sizes of scikit-learn's KFold.
            prop_assert_eq!(valid.len(), len / k + usize::from(part < len % k));
            validated.extend_from_slice(valid.indices());
        }
        if seed.is_none() {
            prop_assert!(validated.is_sorted());
        }
        validated.sort_unstable();
        prop_assert_eq!(validated, (0..len).collect::<Vec<_>>());
    }

    #[test]
    fn random_parts_are_disjoint(len in 0usize..60, cut in 0.0f64..1.0, seed: u64) {
        let first = (len as f64 * cut) as usize;
        let [a, b] = random_split(numbers(len), [first, len - first], seed).unwrap();
        prop_assert_eq!((a.len(), b.len()), (first, len - first));
        let mut both = [a.indices(), b.indices()].concat();
        both.sort_unstable();
        prop_assert_eq!(both, (0..len).collect::<Vec<_>>());
        let [c, d] = random_split(numbers(len), [first, len - first], seed).unwrap();
        prop_assert_eq!((a.indices(), b.indices()), (c.indices(), d.indices()));
    }

    #[test]
    fn parts_by_time_are_in_order_with_gaps_between(
        (a, b, c) in (0usize..9, 0usize..9, 0usize..9),
        gap in 0usize..4,
        over in 0usize..3,
    ) {
        let len = a + b + c + 2 * gap + over;
        let parts = time_split(numbers(len), [a, b, c], gap).unwrap();
        let starts = [0, a + gap, a + b + 2 * gap];
        for ((part, start), length) in parts.iter().zip(starts).zip([a, b, c]) {
            prop_assert_eq!(part.indices(), (start..start + length).collect::<Vec<_>>());
        }
    }
}

#[test]
fn shares_are_rounded_as_pytorch_rounds_them() {
    // torch.utils.data.random_split(range(n), shares) of torch 2: the lengths of its parts.
    let lengths =
        |len, shares: [f64; 3]| random_split(numbers(len), shares, 0).unwrap().map(|part| part.len());
    assert_eq!(lengths(10, [0.3, 0.3, 0.4]), [3, 3, 4]);
    assert_eq!(lengths(11, [0.3, 0.3, 0.4]), [4, 3, 4]);
    assert_eq!(lengths(8, [0.3, 0.3, 0.4]), [3, 2, 3]);
    assert_eq!(lengths(101, [0.5, 0.25, 0.25]), [51, 25, 25]);
    // Here a share may be left over, which there is an error.
    assert_eq!(lengths(10, [0.3, 0.3, 0.1]), [3, 3, 1]);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    assert_eq!(
        refused(random_split(numbers(5), [4, 2], 0)),
        "random_split: parts must be at most 5 together, the samples there are, got [4, 2]"
    );
    assert_eq!(
        refused(random_split(numbers(5), [usize::MAX, 2], 0)),
        format!(
            "random_split: parts must be at most 5 together, the samples there are, got [{}, 2]",
            usize::MAX
        )
    );
    assert_eq!(
        refused(random_split(numbers(5), [0.8, 0.3], 0)),
        "random_split: parts must be shares in [0, 1], at most 1 together, got [0.8, 0.3]"
    );
    assert_eq!(
        refused(random_split(numbers(5), [0.8, f64::NAN], 0)),
        "random_split: parts must be shares in [0, 1], at most 1 together, got [0.8, NaN]"
    );
    assert_eq!(
        refused(time_split(numbers(5), [1, 1], 6)),
        "time_split: gaps must be at most 5 together, the samples there are, got 6"
    );
    assert_eq!(
        refused(time_split(numbers(5), [3, 2], 1)),
        "time_split: parts must be at most 4 together, the samples there are, got [3, 2]"
    );
    assert_eq!(refused(KFold::new(1)), "KFold: k must be at least 2, got 1");
    assert_eq!(
        refused(KFold::new(6).unwrap().split(numbers(5))),
        "KFold: k must be at most 5, the samples there are, got 6"
    );
    assert_eq!(refused(numbers(3).subset(vec![3])), "Subset: every index must be in 0..3, got 3");
    assert_eq!(refused(numbers(3).zip(numbers(2))), "zip: expected 3 samples in both, got 2 in the second");
}
