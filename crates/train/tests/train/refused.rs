//! What there is no memory for is an error, and changes nothing.

use wengert_core::{Error, Result, Stateful, Tensor, TensorMap};
use wengert_train::{
    Accuracy, All, Checkpoints, ConfusionMatrix, ErrorRate, Kept, Lengths, Mae, Mean, Metric, R2, Rmse,
};

use crate::all_refused::all_refused;
use crate::limited::within;

/// A gibibyte of address space.
const LIMIT: usize = 1 << 20;
/// Elements of which there is memory for none.
const MANY: usize = 1 << 34;

#[test]
fn metrics_of_what_there_is_no_memory_for_are_errors() {
    within(LIMIT, "refused::metrics_of_what_there_is_no_memory_for_are_errors", || {
        let numbers = &Tensor::scalar(1.0f32).expand(&[MANY]).unwrap();
        let classes = &Tensor::scalar(1i64).expand(&[MANY]).unwrap();
        let scores = &Tensor::scalar(1.0f32).expand(&[MANY, 2]).unwrap();
        let (few, wide) = (&Tensor::from([1i64]), &Tensor::scalar(1.0f32).expand(&[1, MANY]).unwrap());
        let column = &Tensor::scalar(1.0f32).expand(&[MANY, 1]).unwrap();
        let texts = &Tensor::scalar(1i64).expand(&[MANY, 1]).unwrap();
        all_refused(&[
            ("Mean", &|| Mean::new().update(numbers, All)),
            ("Mean", &|| Mean::new().update(column, Lengths(&[2]))),
            ("MAE", &|| Mae::new().update(numbers, numbers, All)),
            ("RMSE", &|| Rmse::new().update(numbers, numbers, &Tensor::from([true]))),
            ("R2", &|| R2::new().update(numbers, numbers, &Tensor::from([0.5f32]))),
            ("accuracy", &|| Accuracy::new().update(scores, classes, All)),
            ("accuracy", &|| Accuracy::new().update(wide, few, All)),
            ("confusion matrix", &|| ConfusionMatrix::new(2)?.update(scores, classes, All)),
            ("confusion matrix", &|| ConfusionMatrix::new(2)?.update_classes(classes, classes, All)),
            ("confusion matrix", &|| ConfusionMatrix::new(1 << 14).map(drop)),
            ("error rate", &|| ErrorRate::characters().update_numbers(texts, texts, All, All)),
        ]);
        let mut mean = Mean::new();
        mean.add(2.0, 1.0).unwrap();
        assert!(mean.update(numbers, All).is_err());
        assert_eq!(mean.value(), 2.0);
    });
}

#[cfg(feature = "tensorboard")]
#[test]
fn a_histogram_of_what_there_is_no_memory_for_is_an_error() {
    within(LIMIT, "refused::a_histogram_of_what_there_is_no_memory_for_is_an_error", || {
        let (folder, numbers) =
            (tempfile::tempdir().unwrap(), Tensor::scalar(1.0f32).expand(&[MANY]).unwrap());
        let written = || wengert_train::EventFile::create(folder.path())?.histogram(1, "numbers", &numbers);
        all_refused(&[("histogram", &written)]);
    });
}

/// A part whose state is a copy.
struct Copied(Tensor<f32>);

impl Stateful for Copied {
    fn state_dict(&self) -> TensorMap {
        TensorMap::from_iter([("copy", self.0.copy())])
    }
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        self.0 = map.tensor("copy")?;
        Ok(())
    }
}

#[test]
fn a_part_there_is_no_memory_to_save_or_load_is_an_error_and_all_are_put_back() {
    let name = "refused::a_part_there_is_no_memory_to_save_or_load_is_an_error_and_all_are_put_back";
    within(LIMIT, name, || {
        let (mut first, mut second) = (Copied(Tensor::zeros([4])), Copied(Tensor::zeros([4])));
        let mut many = TensorMap::new();
        let saved = Kept::new().part("a", &mut first).part("b", &mut second).to_map().unwrap();
        for (name, tensor) in saved.iter() {
            many.insert(name, tensor.clone());
        }
        saved.notes().for_each(|(key, text)| many.set_note(key, text));
        many.insert("a.copy", Tensor::<f32>::ones([4]));
        many.insert("b.copy", Tensor::scalar(1.0f32).expand(&[MANY]).unwrap());
        let mut kept = Kept::new().part("a", &mut first).part("b", &mut second);
        let error = kept.restore(&many).unwrap_err().to_string();
        assert!(error.contains("part `b`") && error.contains("no memory"), "{error}");
        drop(kept);
        assert_eq!((first.0.to_vec(), second.0.to_vec()), (vec![0.0; 4], vec![0.0; 4]));
        second.0 = Tensor::scalar(1.0f32).expand(&[MANY]).unwrap();
        let mut kept = Kept::new().part("a", &mut first).part("b", &mut second);
        all_refused(&[("Kept::to_map", &|| kept.to_map())]);
        assert!(matches!(kept.restore(&saved), Err(Error::Memory { .. })));
    });
}

/// One tensor under many names.
struct Repeated(Tensor<f32>);

impl Stateful for Repeated {
    fn state_dict(&self) -> TensorMap {
        (0..64).map(|i| (i.to_string(), self.0.clone())).collect()
    }
    fn load_state_dict(&mut self, _: &TensorMap) -> Result<()> {
        Ok(())
    }
}

#[test]
fn a_checkpoint_there_is_no_memory_for_is_an_error_and_leaves_nothing() {
    within(LIMIT, "refused::a_checkpoint_there_is_no_memory_for_is_an_error_and_leaves_nothing", || {
        let folder = tempfile::tempdir().unwrap();
        let (checkpoints, mut part) =
            (Checkpoints::new(folder.path()).unwrap(), Repeated(Tensor::zeros([6 << 20])));
        let kept = Kept::new().part("part", &mut part);
        all_refused(&[
            ("TensorMap::save", &|| checkpoints.save(1, None, &kept).map(drop)),
            ("TensorMap::save", &|| kept.save(folder.path().join("kept"))),
        ]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    });
}
