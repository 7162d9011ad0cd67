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
        "array \"text\": expected numbers or truth values, got elements of type '<U1'"
    );
    let path = fixture("too_large.npy");
    assert!(behind_path(&path, load_npy(&path)).ends_with("an integer above 9223372036854775807"));
    let path = fixture("table.csv");
    assert!(Npz::open(&path).is_err() && load_npy(&path).is_err());
    assert!(behind_path(&fixture("none.npz"), Npz::open(fixture("none.npz"))).contains("No such file"));
}
