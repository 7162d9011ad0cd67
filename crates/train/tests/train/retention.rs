//! Which checkpoints a folder keeps.

use proptest::prelude::*;
use wengert_train::{Checkpoints, Kept, Mode};

use crate::dead::dead;

fn metric() -> impl Strategy<Value = Option<f64>> {
    let number = (-3i32..3).prop_map(|number| Some(f64::from(number)));
    prop_oneof![3 => number, 1 => Just(Some(f64::NAN)), 1 => Just(None)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_last_ones_and_the_best_are_kept(
        metrics in prop::collection::vec(metric(), 1..9),
        last in 1usize..4,
        maximize: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mode = if maximize { Mode::Max } else { Mode::Min };
        for (step, &metric) in metrics.iter().enumerate() {
            // Another process each time.
            let checkpoints = Checkpoints::new(folder.path()).unwrap().keep_last(last).unwrap();
            let checkpoints = checkpoints.keep_best(mode);
            checkpoints.save(step as u64, metric, &Kept::new()).unwrap();
            let so_far = &metrics[..=step];
            let value = |metric: &Option<f64>| metric.filter(|metric| !metric.is_nan());
            let with = so_far.iter().enumerate().filter_map(|(at, metric)| Some((at, value(metric)?)));
            let best = with.reduce(|a, b| {
                let better = if maximize { b.1 > a.1 } else { b.1 < a.1 };
                if better { b } else { a }
            });
            let mut expected: Vec<usize> = (0..=step).rev().take(last).collect();
            expected.extend(best.map(|best| best.0).filter(|best| best + last <= step));
            expected.sort();
            let list = checkpoints.list().unwrap();
            let steps: Vec<usize> = list.iter().map(|saved| saved.step as usize).collect();
            prop_assert_eq!(steps, expected);
            let found = checkpoints.best().unwrap().and_then(|saved| saved.metric);
            prop_assert_eq!(found, best.map(|best| best.1));
            prop_assert_eq!(checkpoints.latest().unwrap().map(|saved| saved.step), Some(step as u64));
        }
    }
}

#[test]
fn a_step_that_is_saved_again_replaces_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path()).unwrap().keep_last(3).unwrap();
    for metric in [0.5, 0.25] {
        checkpoints.save(1, metric, &Kept::new()).unwrap();
    }
    let all: Vec<Option<f64>> = checkpoints.list().unwrap().iter().map(|saved| saved.metric).collect();
    assert_eq!(all, [Some(0.25)]);
}

#[test]
fn metrics_of_any_size_are_read_back_as_they_were() {
    for metric in [f64::MAX, f64::MIN, 1e-300, -1e250, f64::MIN_POSITIVE, 0.1 + 0.2, f64::NEG_INFINITY] {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path()).unwrap();
        checkpoints.save(1, metric, &Kept::new()).unwrap();
        assert_eq!(checkpoints.latest().unwrap().unwrap().metric, Some(metric));
    }
}

#[test]
fn other_files_of_the_folder_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["step-1.txt", "step-x.safetensors", "model.safetensors", "step-1-a-b.safetensors"];
    names.iter().for_each(|name| std::fs::write(folder.path().join(name), "mine").unwrap());
    let checkpoints = Checkpoints::new(folder.path()).unwrap();
    (2..6).for_each(|step| drop(checkpoints.save(step, None, &Kept::new()).unwrap()));
    assert!(names.iter().all(|name| folder.path().join(name).exists()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), names.len() + 1);
}

#[test]
fn what_dead_processes_left_of_any_step_is_removed_by_the_next_save() {
    let folder = tempfile::tempdir().unwrap();
    let checkpoints = Checkpoints::new(folder.path()).unwrap();
    let (dead, alive) = (dead(), std::process::id());
    let gone = ["step-3", "step-3-0.5", "step-40-1e300", "step-7-NaN"];
    let gone = gone.map(|name| format!("{name}.safetensors.{dead}-0.part"));
    let stays = [
        format!("step-3.safetensors.{alive}-9999999.part"),
        format!("other.safetensors.{dead}-0.part"),
        format!("step-x.safetensors.{dead}-0.part"),
        format!("step-3.safetensors.{dead}.part"),
        format!("step-3.csv.{dead}-0.part"),
    ];
    for name in gone.iter().chain(&stays) {
        std::fs::write(folder.path().join(name), "half").unwrap();
    }
    checkpoints.save(5, 0.25, &Kept::new()).unwrap();
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut expected = [&stays[..], &["step-5-0.25.safetensors".to_string()]].concat();
    expected.sort();
    assert_eq!(names, expected);
}
