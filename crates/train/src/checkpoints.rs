//! A folder of checkpoints: the last ones and the best.

use std::fs;
use std::path::{Path, PathBuf};

use wengert_core::__private::remove_left_in;
use wengert_core::{Error, Result};

use crate::kept::Kept;
use crate::mode::Mode;

/// What a file's name begins and ends with.
const PREFIX: &str = "step-";
const SUFFIX: &str = ".safetensors";

/// A folder with a run's checkpoints: the last `n`, and the best by a metric.
///
/// A file is named `step-STEP.safetensors`, with a metric `step-STEP-METRIC.safetensors`; so what there
/// is, and which is best, is known from the folder alone, in another process too. A file is written beside
/// and renamed, and only then are older ones removed: whatever fails, the earlier checkpoints stay.
///
/// ```
/// use wengert_nn::{Linear, Persist};
/// use wengert_train::{Checkpoints, Kept, Mode};
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let model = Linear::new(2, 1)?;
/// let checkpoints = Checkpoints::new(folder)?.keep_last(2)?.keep_best(Mode::Min);
/// for (step, loss) in [(10, 0.5), (20, 0.3), (30, 0.4), (40, 0.6)] {
///     checkpoints.save(step, loss, &Kept::new().module("model", &model))?;
/// }
/// let steps: Vec<u64> = checkpoints.list()?.iter().map(|saved| saved.step).collect();
/// assert_eq!(steps, [20, 30, 40]);
/// assert_eq!(checkpoints.best()?.unwrap().metric, Some(0.3));
///
/// let other = Linear::new(2, 1)?;
/// let saved = checkpoints.resume(&mut Kept::new().module("model", &other))?;
/// assert_eq!(saved.map(|saved| saved.step), Some(40));
/// assert_eq!(other.state_dict(), model.state_dict());
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "ModelCheckpoint")]
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    last: usize,
    best: Option<Mode>,
}

/// A checkpoint in a folder.
///
/// ```
/// use wengert_train::{Checkpoints, Kept};
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let saved = Checkpoints::new(folder)?.save(3, 0.25, &Kept::new())?;
/// assert_eq!((saved.step, saved.metric), (3, Some(0.25)));
/// assert_eq!(saved.path, folder.join("step-3-0.25.safetensors"));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CheckpointFile {
    /// The step that it was saved at.
    pub step: u64,
    /// The metric that it was saved with.
    pub metric: Option<f64>,
    /// The file.
    pub path: PathBuf,
}

impl CheckpointFile {
    /// The checkpoint of a file, if its name is that of one.
    fn of(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
        let (step, metric) = match name.split_once('-') {
            Some((step, metric)) => (step, Some(metric.parse().ok()?)),
            None => (name, None),
        };
        Some(CheckpointFile { step: step.parse().ok()?, metric, path })
    }
}

impl Checkpoints {
    /// A folder, made if there is none, that keeps the last checkpoint.
    ///
    /// # Errors
    /// If the folder can't be made.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|error| Error::of_file(&folder, error))?;
        Ok(Checkpoints { folder, last: 1, best: None })
    }

    /// Keeps so many of the last ones; default 1.
    ///
    /// # Errors
    /// If that is none.
    #[doc(alias = "max_to_keep")]
    pub fn keep_last(mut self, last: usize) -> Result<Self> {
        if last == 0 {
            return Err(Error::argument("Checkpoints", "keep_last", "at least 1", last));
        }
        self.last = last;
        Ok(self)
    }

    /// Keeps the best one too, by the metric that it is saved with.
    #[doc(alias = "save_best_only")]
    #[must_use]
    pub fn keep_best(mut self, mode: Mode) -> Self {
        self.best = Some(mode);
        self
    }

    /// Writes a checkpoint, and removes those that are neither among the last nor the best, and what saves
    /// by processes that have died left in the folder (`step-...safetensors.PID-N.part`).
    ///
    /// # Errors
    /// If it can't be written, as on a full disk, or the folder holds a checkpoint of a later step, which
    /// a run that has not resumed from there would be mixed with; then the folder is as it was. If an
    /// older one can't be removed; then the new one is there.
    pub fn save(&self, step: u64, metric: impl Into<Option<f64>>, kept: &Kept<'_>) -> Result<CheckpointFile> {
        let metric = metric.into();
        if let Some(later) = self.list()?.last().filter(|saved| saved.step > step) {
            let expected = format!("at least {}, that of {}; ", later.step, later.path.display())
                + "resume from there, or remove it with `forget_after`";
            return Err(Error::argument("Checkpoints", "the step", expected, step));
        }
        self.remove_left();
        let text = metric.map(|metric: f64| format!("-{}", shown(metric))).unwrap_or_default();
        let path = self.folder.join(format!("{PREFIX}{step}{text}{SUFFIX}"));
        kept.save(&path)?;
        let saved = CheckpointFile { step, metric, path };
        self.remove_old(&saved)?;
        Ok(saved)
    }

    /// Removes what processes that died while they saved left in the folder: a save of another step or metric
    /// has another name, so none would find what lies beside its own.
    fn remove_left(&self) {
        remove_left_in(&self.folder, |name| {
            std::str::from_utf8(name).is_ok_and(|name| CheckpointFile::of(PathBuf::from(name)).is_some())
        });
    }

    /// Removes what is no longer kept, now that `new` is there.
    fn remove_old(&self, new: &CheckpointFile) -> Result<()> {
        let mut all = self.list()?;
        let is_again = |saved: &CheckpointFile| saved.step == new.step && saved.path != new.path;
        let (again, rest): (Vec<_>, Vec<_>) = all.drain(..).partition(is_again);
        let best = self.best_of(&rest).map(|best| best.path.clone());
        let old = &rest[..rest.len().saturating_sub(self.last)];
        let gone = old.iter().filter(|saved| Some(&saved.path) != best.as_ref());
        again.iter().chain(gone).try_for_each(|saved| remove(&saved.path))
    }

    /// All checkpoints in the folder, by step.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn list(&self) -> Result<Vec<CheckpointFile>> {
        let failed = |error| Error::of_file(&self.folder, error);
        let entries = fs::read_dir(&self.folder).map_err(failed)?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let paths = paths.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        let mut all: Vec<CheckpointFile> = paths.into_iter().filter_map(CheckpointFile::of).collect();
        all.sort_by(|a, b| a.step.cmp(&b.step).then_with(|| a.path.cmp(&b.path)));
        Ok(all)
    }

    /// The checkpoint of the latest step, if there is one.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn latest(&self) -> Result<Option<CheckpointFile>> {
        Ok(self.list()?.pop())
    }

    /// The best checkpoint in the folder; of equal ones the first. None without
    /// [`keep_best`](Checkpoints::keep_best), or if none was saved with a metric.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn best(&self) -> Result<Option<CheckpointFile>> {
        Ok(self.best_of(&self.list()?).cloned())
    }

    fn best_of<'s>(&self, all: &'s [CheckpointFile]) -> Option<&'s CheckpointFile> {
        let (mode, value) = (self.best?, |saved: &CheckpointFile| saved.metric.unwrap_or(f64::NAN));
        let with = all.iter().filter(|saved| !value(saved).is_nan());
        with.reduce(|best, next| if mode.is_better(value(next), value(best)) { next } else { best })
    }

    /// Loads all parts from the latest checkpoint, or none; gives which it was, if there is one.
    ///
    /// # Errors
    /// If it can't be read, is damaged, or [`Kept::restore`] refuses it; then nothing has changed.
    pub fn resume(&self, kept: &mut Kept<'_>) -> Result<Option<CheckpointFile>> {
        let latest = self.latest()?;
        latest.iter().try_for_each(|saved| kept.load(&saved.path))?;
        Ok(latest)
    }

    /// Removes the checkpoints of later steps, for a run that goes on from an earlier one.
    ///
    /// # Errors
    /// If one can't be removed.
    ///
    /// ```
    /// use wengert_train::{Checkpoints, Kept};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let folder = folder.path();
    /// let checkpoints = Checkpoints::new(folder)?;
    /// checkpoints.save(8, None, &Kept::new())?;
    /// assert!(checkpoints.save(3, None, &Kept::new()).is_err());
    /// checkpoints.forget_after(3)?;
    /// checkpoints.save(3, None, &Kept::new())?;
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn forget_after(&self, step: u64) -> Result<()> {
        let all = self.list()?;
        all.iter().filter(|saved| saved.step > step).try_for_each(|saved| remove(&saved.path))
    }
}

/// A number that reads back as itself, with an exponent where a file's name would be too long without one.
fn shown(metric: f64) -> String {
    let plain = metric.to_string();
    if plain.len() <= 24 { plain } else { format!("{metric:e}") }
}

fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| Error::of_file(path, error))
}
