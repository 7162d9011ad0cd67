//! Parameters through files, and files that do not fit.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use wengert_core::{AnyTensor, Error, Parameter, Tensor, TensorMap};
use wengert_nn::{Cast, Embedding, Gru, Linear, Lstm, Module, Persist, Rnn, module};

use crate::{bits, config, names};

#[derive(Clone)]
struct Model {
    embedding: Embedding,
    rnn: Lstm,
    head: Linear,
}
module!(Model { embedding, rnn, head });

fn model(units: usize) -> Model {
    Model {
        embedding: Embedding::new(5, 3).unwrap(),
        rnn: Lstm::builder(3, units).num_layers(2).bidirectional(true).proj_size(2).build().unwrap(),
        head: Linear::new(4, 5).unwrap(),
    }
}

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("model.safetensors")
}

/// A model refuses to load, and stays as it is.
#[track_caller]
fn refused<M: Persist>(model: &M, load: impl Fn(&M) -> Result<(), Error>) -> Error {
    let before = bits(model);
    let error = load(model).unwrap_err();
    assert_eq!(bits(model), before, "{error}");
    error
}

#[test]
fn what_is_saved_is_loaded_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let saved = model(4);
    let odd = [f32::NAN, f32::INFINITY, -0.0, f32::MIN_POSITIVE / 4.0, f32::MAX];
    saved.head.bias.as_ref().unwrap().set_value(Tensor::from(odd)).unwrap();
    saved.save(path(&folder)).unwrap();
    let loaded = model(4);
    assert_ne!(bits(&loaded), bits(&saved));
    loaded.load(path(&folder)).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
}

#[test]
fn double_precision_is_saved_bit_for_bit() {
    let saved = Gru::new(3, 4).unwrap().cast::<f64>();
    saved
        .parameters()
        .iter()
        .for_each(|p| p.update("test", |p| p.iter_mut().for_each(|x| *x /= 3.0)).unwrap());
    let loaded = Gru::new(3, 4).unwrap().cast::<f64>();
    loaded.load_state_dict(&TensorMap::from_bytes(&saved.state_dict().to_bytes().unwrap()).unwrap()).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
}

#[test]
fn a_state_dict_has_the_names_of_the_parameters() {
    let model = model(4);
    let mut expected = names(&model);
    expected.sort();
    assert_eq!(model.state_dict().names().collect::<Vec<_>>(), expected);
}

#[test]
fn a_state_dict_keeps_its_values_when_the_model_changes() {
    let model = model(4);
    let (map, before) = (model.state_dict(), bits(&model));
    model.parameters().iter().for_each(|p| p.update("test", |p| p.fill(9.0)).unwrap());
    model.load_state_dict(&map).unwrap();
    assert_eq!(bits(&model), before);
    model.parameters().iter().for_each(|p| p.update("test", |p| p.fill(9.0)).unwrap());
    assert_ne!(map.tensor::<f32>("head.bias").unwrap().to_vec(), [9.0; 5]);
}

#[test]
fn loading_keeps_a_parameters_identity_and_whether_it_is_frozen() {
    let model = model(4);
    model.set_requires_grad("rnn", false).unwrap();
    let ids: Vec<usize> = model.parameters().iter().map(Parameter::id).collect();
    model.load_state_dict(&self::model(4).state_dict()).unwrap();
    assert_eq!(model.parameters().iter().map(Parameter::id).collect::<Vec<_>>(), ids);
    let frozen = model.named_parameters().into_iter().filter(|(_, p)| !p.requires_grad());
    assert!(
        frozen.map(|(name, _)| name).eq(names(&model).into_iter().filter(|name| name.starts_with("rnn.")))
    );
}

#[test]
fn a_tied_parameter_is_saved_under_both_names_and_loaded_as_one() {
    let tied = || {
        let mut model = model(4);
        model.head = Linear::without_bias(3, 5).unwrap();
        model.head.weight = model.embedding.weight.clone();
        model
    };
    let (saved, loaded) = (tied(), tied());
    let map = saved.state_dict();
    assert_eq!(map.get("head.weight").unwrap(), map.get("embedding.weight").unwrap());
    loaded.load_state_dict(&map).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
    assert!(loaded.head.weight.is_same(&loaded.embedding.weight));
}

#[test]
fn tied_names_with_different_values_are_refused_by_both_names() {
    let mut model = model(4);
    model.head = Linear::without_bias(3, 5).unwrap();
    model.head.weight = model.embedding.weight.clone();
    let mut map = model.state_dict();
    // NaN is the same as NaN.
    let mut values = map.tensor::<f32>("head.weight").unwrap();
    values.data_mut().unwrap()[4] = f32::NAN;
    map.insert("head.weight", values.clone());
    let error = refused(&model, |model| model.load_state_dict(&map));
    let expected = "load_state_dict: the values must be the same under embedding.weight and head.weight, \
        which are one parameter, got different ones";
    assert_eq!(error.to_string(), expected);
    map.insert("embedding.weight", values.cast::<f64>());
    model.load_state_dict(&map).unwrap();
}

#[test]
fn a_computed_value_among_the_parameters_is_refused_before_anything_is_set() {
    let mut model = model(4);
    let good = self::model(4).state_dict();
    for constant in [false, true] {
        let value = model.head.weight.copy::<f32>();
        let value = if constant { value.detach() } else { &*value * 0.5 };
        model.head.weight = Parameter::computed(value);
        let error = refused(&model, |model| model.load_state_dict(&good));
        let expected = "load_state_dict: a module's parameters must be ones that can be set, \
            got computed values in the place of head.weight";
        assert_eq!(error.to_string(), expected);
        // Nor is one frozen while another can't be.
        let error = model.set_requires_grad("head", false).unwrap_err().to_string();
        assert!(error.ends_with("got computed values in the place of head.weight"), "{error}");
        assert!(model.head.bias.as_ref().unwrap().requires_grad());
        model.set_requires_grad("rnn", false).unwrap();
    }
}

#[test]
fn everything_that_does_not_fit_is_listed_in_one_error() {
    let model = model(4);
    let good = model.state_dict();
    let mut map = TensorMap::new();
    for name in good.names().filter(|name| !["head.bias", "rnn.weight_hr_l1"].contains(name)) {
        map.insert(name, Tensor::<f32>::zeros(good.get(name).unwrap().shape()));
    }
    map.insert("head.weight", Tensor::<f32>::zeros([4, 5]));
    map.insert("rnn.bias_ih_l0", Tensor::<f32>::zeros([16, 1]));
    map.insert("head.extra", Tensor::<f32>::zeros([1]));
    map.insert("other", Tensor::<f32>::zeros([1]));
    let error = refused(&model, |model| model.load_state_dict(&map));
    let expected = "\
the values do not fit, nothing was changed
  missing: rnn.weight_hr_l1, head.bias
  unexpected: head.extra, other
  of another shape: rnn.bias_ih_l0 expected [16], got [16, 1], head.weight expected [5, 4], got [4, 5]";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn each_way_not_to_fit_is_enough_to_be_refused() {
    let gru = Gru::new(3, 4).unwrap();
    refused(&gru, |gru| gru.load_state_dict(&TensorMap::new()));
    let mut unexpected = gru.state_dict();
    unexpected.insert("more", Tensor::<f32>::zeros([1]));
    refused(&gru, |gru| gru.load_state_dict(&unexpected));
    let mut misshapen = Gru::new(3, 4).unwrap().state_dict();
    misshapen.insert("bias_hh_l0", Tensor::<f32>::zeros([1]));
    refused(&gru, |gru| gru.load_state_dict(&misshapen));
}

#[test]
fn the_file_of_another_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Lstm::new(3, 4).unwrap().save(path(&folder)).unwrap();
    let shapes = refused(&Gru::new(3, 4).unwrap(), |gru| gru.load(path(&folder))).to_string();
    assert!(shapes.contains("of another shape: weight_ih_l0 expected [12, 3], got [16, 3]"), "{shapes}");
    let names = refused(&model(4), |model| model.load(path(&folder))).to_string();
    assert!(names.contains("missing: embedding.weight, rnn.weight_ih_l0, "), "{names}");
    assert!(names.contains("unexpected: bias_hh_l0, bias_ih_l0, weight_hh_l0, weight_ih_l0"), "{names}");
    refused(&Lstm::builder(3, 4).num_layers(2).build().unwrap(), |lstm| lstm.load(path(&folder)));
    refused(&Lstm::builder(3, 4).bias(false).build().unwrap(), |lstm| lstm.load(path(&folder)));
}

#[test]
fn a_file_that_is_not_there_is_refused_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let error = refused(&model(4), |model| model.load(path(&folder))).to_string();
    assert!(error.starts_with(&path(&folder).display().to_string()), "{error}");
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (saved, other) = (Rnn::new(3, 4).unwrap(), Rnn::new(3, 4).unwrap());
    let bytes = saved.state_dict().to_bytes().unwrap();
    for length in 0..bytes.len() {
        fs::write(path(&folder), &bytes[..length]).unwrap();
        let error = refused(&other, |rnn| rnn.load(path(&folder))).to_string();
        assert!(error.contains("model.safetensors: no safetensors file, or damaged"), "{error}");
    }
    fs::write(path(&folder), &bytes).unwrap();
    other.load(path(&folder)).unwrap();
    assert_eq!(bits(&other), bits(&saved));
}

#[test]
fn a_save_that_fails_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    let beneath_a_file = path(&folder).join("model.safetensors");
    let rnn = Rnn::new(3, 4).unwrap();
    rnn.save(path(&folder)).unwrap();
    let before = fs::read(path(&folder)).unwrap();
    assert!(Rnn::new(3, 4).unwrap().save(beneath_a_file).is_err());
    assert_eq!(fs::read(path(&folder)).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn a_file_of_random_bytes_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let folder = tempfile::tempdir().unwrap();
        fs::write(path(&folder), bytes).unwrap();
        refused(&Rnn::new(3, 4).unwrap(), |rnn| rnn.load(path(&folder)));
    }

    #[test]
    fn random_bytes_behind_a_true_length_are_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let file = [&(bytes.len() as u64).to_le_bytes()[..], &bytes].concat();
        let load = |rnn: &Rnn| rnn.load_state_dict(&TensorMap::from_bytes(&file)?);
        refused(&Rnn::new(3, 4).unwrap(), load);
    }

    #[test]
    fn a_file_with_a_damaged_header_is_refused_or_loaded_whole(at in 0..1000usize, byte in any::<u8>()) {
        let (saved, other) = (Rnn::new(3, 4).unwrap(), Rnn::new(3, 4).unwrap());
        let before = bits(&other);
        let mut bytes = saved.state_dict().to_bytes().unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        bytes[at % header] = byte;
        let loaded = TensorMap::from_bytes(&bytes).and_then(|map| other.load_state_dict(&map));
        prop_assert!(loaded.is_ok() || bits(&other) == before);
    }
}

#[test]
fn entries_that_are_not_real_numbers_are_refused() {
    let linear = Linear::new(2, 2).unwrap();
    for (wrong, kind) in [
        (Tensor::from([1i64, 2]).into(), "i64"),
        (Tensor::from([true, false]).into(), "bool"),
        (AnyTensor::Bytes(vec![1, 2]), "u8"),
    ] {
        let mut map = linear.state_dict();
        map.insert("bias", wrong);
        let error = refused(&linear, |linear| linear.load_state_dict(&map));
        let expected = format!("bias expected [2] of f32 or f64, got {kind}");
        assert!(error.to_string().contains(&expected), "{error}");
    }
}
