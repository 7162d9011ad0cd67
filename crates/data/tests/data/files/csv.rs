use std::fs;
use std::path::PathBuf;

use wengert_core::Tensor;
use wengert_data::Csv;

use super::{behind_path, expected, fixture};

fn bits(x: &Tensor<f64>) -> Vec<i128> {
    x.to_vec().iter().map(|x| x.to_bits().into()).collect()
}

/// A file of a text, which is removed with its folder.
fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn tables_are_what_numpy_wrote_bit_for_bit() {
    let (_, extents, elements) = expected("f64");
    let table = Csv::open(fixture("table.csv")).unwrap();
    assert_eq!((table.names(), table.len()), (&["a", "b", "c"].map(String::from)[..], 5));
    let x = table.numbers::<f64>(&["a", "b", "c"]).unwrap();
    assert_eq!((x.shape(), bits(&x)), (&extents[..], elements.clone()));
    let table = Csv::options().delimiter(b';').header(false).open(fixture("semicolons.csv")).unwrap();
    assert_eq!(bits(&table.numbers(&["0", "1", "2"]).unwrap()), elements);
    let column = table.numbers::<f64>(&["2"]).unwrap();
    assert_eq!(bits(&column), elements.into_iter().skip(2).step_by(3).collect::<Vec<_>>());
}

#[test]
fn cells_can_be_missing_quoted_and_text() {
    let (_folder, path) = written("x, name,y\n1,\"a, b\",\nNA,c,-2.5e1\n-,\"say \"\"d\"\"\",nan\n");
    let table = Csv::options().missing(&["NA", "-", "nan"]).open(&path).unwrap();
    let x = table.numbers::<f32>(&["y", "x"]).unwrap();
    let printed = x.to_vec().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(printed, ["NaN", "1", "-25", "NaN", "NaN", "NaN"]);
    assert_eq!(table.texts("name").unwrap(), ["a, b", "c", "say \"d\""]);
}

#[test]
fn what_is_not_there_is_refused_with_its_place() {
    let (_folder, path) = written("x,name,class\n1,\"two\nlines\",0\n2,b,1.5\n");
    let table = Csv::open(&path).unwrap();
    assert_eq!(
        behind_path(&path, table.numbers::<f32>(&["x", "name"])),
        "expected a number in row 0, column \"name\" (line 2), got \"two\\nlines\""
    );
    assert_eq!(
        behind_path(&path, table.integers("class")),
        "expected a whole number in row 1, column \"class\" (line 4), got \"1.5\""
    );
    let none = "there is no column \"z\"; there are [\"x\", \"name\", \"class\"]";
    assert_eq!(behind_path(&path, table.numbers::<f32>(&["x", "z"])), none);
    assert_eq!(behind_path(&path, table.texts("z")), none);
}

#[test]
fn a_file_that_is_no_table_is_refused() {
    let (_folder, path) = written("a,b\n1,2\n3\n");
    assert_eq!(
        behind_path(&path, Csv::open(&path)),
        "CSV error: record 2 (line: 3, byte: 8): found record with 1 fields, but the previous record has 2 \
         fields"
    );
    let (_folder, path) = written("a,b\n");
    let empty = Csv::open(&path).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.numbers::<f32>(&["a"]).unwrap().shape(), [0, 1]);
}
