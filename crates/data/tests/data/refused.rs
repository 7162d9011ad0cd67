//! What there is no memory for is an error, and the process goes on.

use wengert_core::{Stateful, Tensor, Variable};
use wengert_data::{
    Collate, Dataset, KFold, ObservationOptions, Packed, Padded, Scaler, Stackable, Stacked, Tokens,
    TruncatedWindows, VecDataset, Vocabulary, Windows, class_labels, observations, random_split, time_split,
};

use crate::all_refused::all_refused;
use crate::leaving::leaving;
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
            ("stacked", &|| windows.stacked().map(drop)),
            ("TruncatedWindows", &|| TruncatedWindows::pieces(tokens, MANY / 2).map(drop)),
            ("TruncatedWindows", &|| TruncatedWindows::builder(vec![tokens.clone()]).build().map(drop)),
            ("TruncatedWindows", &|| {
                TruncatedWindows::builder(vec![tokens.clone()]).steps(MANY).lanes(MANY).build().map(drop)
            }),
            ("Vocabulary::decode", &|| Vocabulary::characters("ab")?.decode(tokens).map(drop)),
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

/// Texts and samples of a mebibyte or so, where there is not so much.
#[test]
fn texts_and_samples_that_there_is_little_memory_for_are_errors() {
    within(LIMIT, "refused::texts_and_samples_that_there_is_little_memory_for_are_errors", || {
        let letters = &Vocabulary::characters("ab").unwrap();
        let text = &"ab".repeat(1 << 19);
        let words = &(0..1 << 17).map(|n| format!("{n:x}-of-words ")).collect::<String>();
        let each = words.split_whitespace().map(String::from).collect();
        let map = &Vocabulary::from_tokens(Tokens::Words, each, None).unwrap().state_dict();
        let numbers = &letters.encode(&text[..1 << 19]).unwrap();
        let long = &Vocabulary::from_tokens(Tokens::Words, vec!["a".repeat(64)], None).unwrap();
        let zeros = &Tensor::<i64>::zeros([1 << 16]);
        let samples = &vec![(1.0f32, 2usize); 1 << 18];
        let data = &VecDataset::new(samples.clone());
        leaving(1, || {
            all_refused(&[
                ("Vocabulary::encode", &|| letters.encode(text).map(drop)),
                ("Vocabulary::decode", &|| long.decode(zeros).map(drop)),
                ("Vocabulary", &|| Vocabulary::words(words).map(drop)),
                ("Vocabulary", &|| Vocabulary::default().load_state_dict(map)),
                ("stacked", &|| data.stacked().map(drop)),
            ]);
        });
        assert_eq!(letters.decode(numbers).unwrap(), text[..1 << 19]);
        let (x, y) = Stackable::stacked(samples.clone()).unwrap();
        assert_eq!((x.at(&[9]), y.at(&[9])), (1.0, 2));
    });
}

#[cfg(feature = "csv")]
#[test]
fn tables_that_there_is_little_memory_for_are_errors() {
    use wengert_data::Csv;
    within(LIMIT, "refused::tables_that_there_is_little_memory_for_are_errors", || {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, content: String| {
            std::fs::write(folder.path().join(name), content).unwrap();
            folder.path().join(name)
        };
        let rows = &written("rows.csv", format!("a,b\n{}", "1,2\n".repeat(1 << 18)));
        let wide = &written("wide.csv", format!("a{}\n", ",1".repeat(1 << 20)));
        let table = &Csv::open(rows).unwrap();
        leaving(1, || {
            all_refused(&[
                ("Csv::open", &|| Csv::open(rows).map(drop)),
                ("Csv::open", &|| Csv::open(wide).map(drop)),
                ("Csv::integers", &|| table.integers("a").map(drop)),
                ("Csv::texts", &|| table.texts("b").map(drop)),
                ("Csv::numbers", &|| table.numbers::<f64>(&["a", "b"]).map(drop)),
            ]);
        });
        assert_eq!((table.len(), table.integers("b").unwrap().at(&[77])), (1 << 18, 2));
        assert_eq!(Csv::open(wide).unwrap().names().len(), (1 << 20) + 1);
    });
}
