//! Early stopping against a list of all that was observed.

use proptest::prelude::*;
use wengert_core::Stateful;
use wengert_train::{EarlyStopping, Mode};

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![9 => (-8i32..8).prop_map(f64::from), 1 => Just(f64::NAN)]
}

proptest! {
    #[test]
    fn it_stops_where_a_list_says(
        values in prop::collection::vec(value(), 1..30),
        patience in 1u64..6,
        delta in 0i32..3,
        maximize: bool,
        saved_at in 0usize..30,
    ) {
        let (mode, sign) = if maximize { (Mode::Max, -1.0) } else { (Mode::Min, 1.0) };
        let fresh = EarlyStopping::new(mode, patience).unwrap().min_delta(f64::from(delta)).unwrap();
        let mut early = fresh.clone();
        let mut best: Option<(usize, f64)> = None;
        for (at, &value) in values.iter().enumerate() {
            let far = |best: f64| sign * value < sign * best - f64::from(delta);
            let better = !value.is_nan() && best.is_none_or(|(_, best)| far(best));
            if better {
                best = Some((at, value));
            }
            let waited = best.map_or(at + 1, |(step, _)| at - step);
            prop_assert_eq!(early.observe(value), waited as u64 >= patience);
            prop_assert_eq!(early.best_step().zip(early.best()), best.map(|(at, value)| (at as u64, value)));
            if at == saved_at {
                let mut loaded = fresh.clone();
                loaded.load_state_dict(&early.state_dict()).unwrap();
                early = loaded;
            }
        }
    }
}
