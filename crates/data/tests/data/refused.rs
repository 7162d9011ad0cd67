//! What there is no memory for is an error, and the process goes on.

use wengert_core::{Tensor, Variable};
use wengert_data::{
    Collate, Dataset, KFold, ObservationOptions, Packed, Padded, Scaler, Stacked, TruncatedWindows, Windows,
    class_labels, observations, random_split, time_split,
};

use crate::all_refused::all_refused;
use crate::limited::within;

/// A gibibyte of address space.
const LIMIT: usize = 1 << 20;
/// Elements of which there is memory for none.
const MANY: usize = 1 << 34;

#[test]
fn what_there_is_no_memory_for_is_an_error() {
    within(LIMIT, "refused::what_there_is_no_memory_for_is_an_error", || {
        let column = &Tensor::scalar(1.0f32).expand(&[MANY, 1]).unwrap();
        let tokens = &Tensor::scalar(1i64).expand(&[MANY]).unwrap();
        let one = &Scaler::new(vec![0.5], vec![2.0]).unwrap();
        let windows = &Windows::builder(column.clone(), 3).build().unwrap();
        let truncated = &TruncatedWindows::builder(vec![tokens.clone()]).steps(MANY).build().unwrap();
        all_refused(&[
            ("observations", &|| observations(column, ObservationOptions::default()).map(drop)),
            ("observations", &|| {
                let wide = Tensor::scalar(1.0f32).expand(&[1, MANY])?;
                observations(&wide, ObservationOptions::default().times(vec![0.0])).map(drop)
            }),
            ("Scaler", &|| Scaler::standard(column).map(drop)),
            ("Scaler", &|| Scaler::min_max(column).map(drop)),
            ("Scaler", &|| Scaler::robust(column).map(drop)),
            ("Scaler", &|| one.transform(column).map(drop)),
            ("Scaler", &|| one.inverse_transform(column).map(drop)),
            ("Scaler", &|| one.transform(&Variable::new(column.clone())).map(drop)),
            ("Scaler", &|| one.inverse_transform(&Variable::new(column.clone())).map(drop)),
            ("class_labels", &|| class_labels(tokens.clone(), 2).map(drop)),
            ("stacked", &|| Stacked.collate(vec![column.clone()]).map(drop)),
            ("Padded", &|| Padded::default().collate(vec![tokens.clone(), tokens.clone()]).map(drop)),
            ("Packed", &|| Packed.collate(vec![tokens.clone()]).map(drop)),
            ("pack_sequence", &|| Packed.collate(vec![column.clone()]).map(drop)),
            ("TruncatedWindows", &|| truncated.get(0).map(drop)),
            ("random_split", &|| random_split(windows.clone(), [0.5, 0.5], 0).map(drop)),
            ("time_split", &|| time_split(windows.clone(), [0.5, 0.5], 0).map(drop)),
            ("KFold", &|| KFold::new(2)?.split(windows.clone()).map(drop)),
            ("KFold", &|| KFold::new(2)?.shuffle(0).split(windows.clone()).map(drop)),
        ]);
    });
}

/// The series is there, and memory for some of what is made of it, but not for all.
#[test]
fn what_there_is_half_the_memory_for_is_an_error_too() {
    within(LIMIT / 4, "refused::what_there_is_half_the_memory_for_is_an_error_too", || {
        let series = &Tensor::<f64>::zeros([12 << 20, 1]);
        all_refused(&[
            ("observations", &|| observations(series, ObservationOptions::default()).map(drop)),
            ("Scaler", &|| Scaler::standard(&series.expand(&[12 << 20, 2])?).map(drop)),
            ("stacked", &|| Stacked.collate(vec![series.clone(), series.clone()]).map(drop)),
        ]);
    });
}
