//! Event files that TensorBoard reads.

mod proto;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Float, Result, Stateful, Tensor, TensorMap};

use crate::state::{last_step, read_last_step};
use proto::Message;

/// Into how many parts of equal width a histogram's values are put.
const BUCKETS: usize = 64;

/// A file of scalars and histograms over steps, for TensorBoard (`torch.utils.tensorboard.SummaryWriter`).
///
/// Each value is a record of the file when the call returns. A run that resumes writes another file in the
/// same folder; that begins with a mark from which step on TensorBoard is to forget what the earlier ones
/// have.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::EventFile;
/// # let folder = tempfile::tempdir().unwrap();
/// # let folder = folder.path();
/// let mut events = EventFile::create(folder)?;
/// events.scalar(1, "loss/training", 0.5)?;
/// events.histogram(1, "weights", &Tensor::from([0.1f32, -0.2, 0.3]))?;
/// assert!(events.path().starts_with(folder));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "TensorBoard")]
#[doc(alias = "SummaryWriter")]
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
    last: Option<u64>,
    /// The step that the mark of a resumed run is to be written for.
    mark: Option<u64>,
}

impl EventFile {
    /// A new file in a folder, which is made if there is none.
    ///
    /// # Errors
    /// If it can't be made or written.
    pub fn create(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        fs::create_dir_all(folder).map_err(|error| Error::of_file(folder, error))?;
        let (path, file) = new_file(folder)?;
        let mut events = EventFile { path, file, last: None, mark: None };
        events.write(&event(None).text(3, "brain.Event:2"))?;
        Ok(events)
    }

    /// Goes on behind `step`: before the next value, the mark is written that later ones count no more.
    pub fn resume_at(&mut self, step: u64) {
        (self.last, self.mark) = (Some(step), Some(step + 1));
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a number, which the format holds in single precision, under a tag; tags with the same text
    /// before a `/` are shown together.
    ///
    /// # Errors
    /// If it can't be written.
    #[doc(alias = "add_scalar")]
    pub fn scalar(&mut self, step: u64, tag: &str, value: f64) -> Result<()> {
        self.summary(step, Message::new().text(1, tag).float(2, value as f32))
    }

    /// Writes how a tensor's elements are distributed: 64 buckets of equal width from the least to the
    /// largest. Elements that are infinite or NaN are left out.
    ///
    /// # Errors
    /// If no element is finite, there is no memory for a copy, or it can't be written.
    #[doc(alias = "add_histogram")]
    pub fn histogram<T: Float>(&mut self, step: u64, tag: &str, values: &Tensor<T>) -> Result<()> {
        let values = or_refused("histogram", || {
            let (mut finite, elements) = (vec_of(values.numel()), values.contiguous());
            let all = elements.as_slice().expect("contiguous").iter().map(|value| value.to_f64());
            finite.extend(all.filter(|value| value.is_finite()));
            Ok(finite)
        })?;
        if values.is_empty() {
            return Err(Error::argument("histogram", "the values", "finite, at least one", "none"));
        }
        self.summary(step, Message::new().text(1, tag).message(5, &histogram(&values)))
    }

    fn summary(&mut self, step: u64, value: Message) -> Result<()> {
        if let Some(mark) = self.mark {
            let start = Message::new().number(1, 1);
            self.write(&event(Some(mark)).message(7, &start))?;
            self.mark = None;
        }
        self.write(&event(Some(step)).message(5, &Message::new().message(1, &value)))?;
        self.last = self.last.max(Some(step));
        Ok(())
    }

    fn write(&mut self, event: &Message) -> Result<()> {
        let written = self.file.write_all(&record::framed(event.bytes()));
        written.map_err(|error| Error::of_file(&self.path, error))
    }
}

/// An event of now.
fn event(step: Option<u64>) -> Message {
    let event = Message::new().double(1, since_epoch().as_secs_f64());
    step.map_or(event.clone(), |step| event.number(2, step))
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A file whose name is later in the alphabet than those made before, the order in which they are read.
fn new_file(folder: &Path) -> Result<(PathBuf, File)> {
    loop {
        let now = since_epoch();
        let (seconds, nanos) = (now.as_secs(), now.subsec_nanos());
        let path = folder.join(format!("events.out.tfevents.{seconds:010}.{nanos:09}.wengert"));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::of_file(&path, error)),
        }
    }
}

/// The message `HistogramProto`.
fn histogram(values: &[f64]) -> Message {
    let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), &v| (a.min(v), b.max(v)));
    let buckets = if least < most { BUCKETS } else { 1 };
    let part = |i: usize| i as f64 / buckets as f64;
    let inner = (1..buckets).map(|i| least * (1.0 - part(i)) + most * part(i));
    let limits: Vec<f64> = inner.chain([most]).collect();
    let mut counts = vec![0.0; buckets];
    for value in values {
        let at = limits.partition_point(|limit| limit <= value);
        counts[at.min(buckets - 1)] += 1.0;
    }
    Message::new()
        .double(1, least)
        .double(2, most)
        .double(3, values.len() as f64)
        .double(4, values.iter().sum())
        .double(5, values.iter().map(|value| value * value).sum())
        .doubles(6, &limits)
        .doubles(7, &counts)
}

impl Stateful for EventFile {
    /// The latest step that was written; NaN before the first.
    fn state_dict(&self) -> TensorMap {
        last_step(self.last)
    }

    /// Goes on behind the step that was last when it was saved.
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let last = read_last_step("EventFile", map)?;
        (self.last, self.mark) = (last, Some(last.map_or(0, |last| last + 1)));
        Ok(())
    }
}
