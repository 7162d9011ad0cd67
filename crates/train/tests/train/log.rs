//! The CSV log, cut off and gone on with.

use std::fs;

use proptest::prelude::*;
use wengert_core::Stateful;
use wengert_train::CsvLog;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_log_that_is_gone_on_with_is_that_of_one_run(
        values in prop::collection::vec(any::<f64>(), 1..12),
        saved in 0usize..12,
        lost in 0usize..12,
        torn in 0usize..40,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
        let saved = saved.min(values.len());
        let row = |log: &mut CsvLog, at: usize| {
            log.row(at as u64 + 1, &[("a,\"b\"", values[at]), ("c", -values[at])]).unwrap();
        };
        let mut log = CsvLog::open(&whole).unwrap();
        (0..values.len()).for_each(|at| row(&mut log, at));

        let mut log = CsvLog::open(&parts).unwrap();
        (0..saved).for_each(|at| row(&mut log, at));
        let state = log.state_dict();
        // What comes after the save, the last row in part only.
        (saved..values.len().min(saved + lost)).for_each(|at| row(&mut log, at));
        if values.len().min(saved + lost) > saved {
            let text = fs::read_to_string(&parts).unwrap();
            let last = text.trim_end().rfind('\n').map_or(0, |at| at + 1);
            let cut = text.len() - torn.min(text.len() - last);
            fs::write(&parts, &text[..cut]).unwrap();
        }
        let mut log = CsvLog::open(&parts).unwrap();
        log.load_state_dict(&state).unwrap();
        (saved..values.len()).for_each(|at| row(&mut log, at));
        prop_assert_eq!(fs::read_to_string(&whole).unwrap(), fs::read_to_string(&parts).unwrap());

        // Read back, bit for bit.
        let text = fs::read_to_string(&parts).unwrap();
        prop_assert_eq!(text.lines().next(), Some("step,\"a,\"\"b\"\"\",c"));
        let read = text.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().parse::<f64>().unwrap());
        let same = |(a, &b): (f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        prop_assert!(read.zip(&values).all(same));
    }
}
