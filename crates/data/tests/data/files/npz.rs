use std::fs;

use wengert_core::{AnyTensor, Tensor};
use wengert_data::{Npz, load_npy};

use super::{behind_path, expected, fixture};

/// Kind, extents, and elements as whole numbers, floats by their bits.
fn listed(tensor: &AnyTensor) -> (String, Vec<usize>, Vec<i128>) {
    let elements = match tensor {
        AnyTensor::F32(x) => x.to_vec().iter().map(|x| x.to_bits().into()).collect(),
        AnyTensor::F64(x) => x.to_vec().iter().map(|x| x.to_bits().into()).collect(),
        AnyTensor::I64(x) => x.to_vec().iter().map(|&x| x.into()).collect(),
        AnyTensor::Bool(x) => x.to_vec().iter().map(|&x| x.into()).collect(),
        other => panic!("{other:?}"),
    };
    (tensor.kind().to_string(), tensor.shape(), elements)
}

#[test]
fn arrays_are_what_numpy_wrote_bit_for_bit() {
    let mut file = Npz::open(fixture("arrays.npz")).unwrap();
    let names = file.names().to_vec();
    assert_eq!(names.len(), 12);
    let map = file.tensors().unwrap();
    for name in &names {
        assert_eq!(listed(map.get(name).unwrap()), expected(name), "{name}");
    }
    assert_eq!(file.tensor::<f64>("u16").unwrap(), Tensor::from([65535.0f64]));
}

#[test]
fn a_compressed_archive_and_a_single_array_are_read_as_well() {
    let mut file = Npz::open(fixture("compressed.npz")).unwrap();
    assert_eq!(listed(&file.get("f64").unwrap()), expected("f64"));
    assert_eq!(listed(&load_npy(fixture("array.npy")).unwrap()), expected("f64"));
}

#[test]
fn arrays_that_can_not_be_read_are_refused() {
    let path = fixture("compressed.npz");
    let mut file = Npz::open(&path).unwrap();
    assert_eq!(behind_path(&path, file.get("x")), "there is no array \"x\"; there are [\"f64\", \"text\"]");
    assert_eq!(
        behind_path(&path, file.tensors()),
        "array \"text\": expected numbers or truth values, got elements of type <U1"
    );
    let path = fixture("too_large.npy");
    assert_eq!(
        behind_path(&path, load_npy(&path)),
        "expected integers of at most 9223372036854775807, got 9223372036854775808"
    );
    let path = fixture("table.csv");
    assert_eq!(behind_path(&path, load_npy(&path)), "is cut short, or no array of numpy");
    assert!(Npz::open(&path).is_err());
    assert!(behind_path(&fixture("none.npz"), Npz::open(fixture("none.npz"))).contains("No such file"));
}

/// What is said of `array.npy` with its bytes changed.
fn damaged(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("damaged.npy");
    let mut bytes = fs::read(fixture("array.npy")).unwrap();
    change(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    behind_path(&path, load_npy(&path))
}

/// Other text in the place of some of the header, and of the spaces at its end.
fn header(from: &str, to: &str) -> String {
    damaged(|bytes| {
        let text = String::from_utf8(bytes[10..128].to_vec()).unwrap();
        let text = text.trim_end().replace(from, to);
        bytes[10..128].copy_from_slice(format!("{text:<118}").as_bytes());
    })
}

#[test]
fn damaged_arrays_are_refused() {
    let short = "is cut short, or no array of numpy";
    assert_eq!(damaged(|bytes| bytes[0] = 0), short);
    assert_eq!(damaged(|bytes| bytes[6] = 4), short);
    (0..128).for_each(|length| assert_eq!(damaged(|bytes| bytes.truncate(length)), short));
    let elements = |shape: &str| format!("expected the elements of shape {shape}, 8 bytes each, got ");
    assert_eq!(damaged(|bytes| bytes.truncate(200)), elements("[5, 3]") + "72 bytes");
    assert_eq!(damaged(|bytes| bytes.push(0)), elements("[5, 3]") + "121 bytes");
    assert_eq!(header("(5, 3)", "(5, 1000000000000)"), elements("[5, 1000000000000]") + "120 bytes");
    assert_eq!(
        header("(5, 3)", "(9223372036854775807, 3)"),
        elements("[9223372036854775807, 3]") + "120 bytes"
    );
    for (from, to) in [("(5, 3)", "(5, -3)"), ("(5, 3)", "5, 3"), ("False", "0"), ("'shape'", "'Shape'")] {
        assert!(header(from, to).starts_with("expected a header of numpy, got \"{'descr': '<f8', "), "{to}");
    }
    assert_eq!(
        header("'<f8'", "[('x', '<f8')]"),
        "expected numbers or truth values, got elements of type [('x', '<f8')]"
    );
    for kind in ["<c8", "<f2", "f8", "=f8", "<"] {
        let expected = format!("expected numbers or truth values, got elements of type {kind}");
        assert_eq!(header("<f8", kind), expected);
    }
}
