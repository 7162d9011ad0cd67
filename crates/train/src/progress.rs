//! How far a run is.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wengert_core::{Result, StateReader, Stateful, TensorMap};

use crate::state::numbers;

/// What the bar looks like.
const TEMPLATE: &str = "{elapsed_precise} [{wide_bar}] {pos}/{len} {msg} {per_sec} eta {eta}";

/// A bar where standard error is a terminal, and a line now and then where it is none: of an iterator's
/// items, and of the metrics that are shown beside (`tqdm`).
///
/// ```
/// use wengert_train::{Mean, Metric, Progress};
/// let progress = Progress::new();
/// let mut loss = Mean::new();
/// for batch in progress.over([3.0, 2.0, 1.0]) {
///     loss.add(batch, 1.0)?;
///     progress.show(&loss);
/// }
/// assert_eq!(progress.position(), 3);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "tqdm")]
#[doc(alias = "ProgbarLogger")]
pub struct Progress {
    bar: ProgressBar,
    lines: Option<Mutex<Lines>>,
}

/// Where there is no terminal.
struct Lines {
    to: Box<dyn Write + Send>,
    every: Duration,
    /// When the last line was written, and when the run began.
    last: Instant,
    start: Instant,
    /// How far it was then.
    from: u64,
    message: String,
    /// Whether the message is of the item that is counted next.
    is_fresh: bool,
    /// Whether an item is being worked on, as far as an iterator knows.
    in_item: bool,
    /// Whether the first message came before the first count: then each is taken to be of the next one.
    shows_first: Option<bool>,
    /// The count of a line that is due and waits for its message.
    due: Option<(u64, u64)>,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// A bar on standard error if that is a terminal, else a line there every ten seconds.
    pub fn new() -> Self {
        match io::stderr().is_terminal() {
            true => Progress { bar: bar(ProgressBar::new(0)), lines: None },
            false => Progress::lines_to(io::stderr(), Duration::from_secs(10)),
        }
    }

    /// Shows nothing, and counts.
    pub fn hidden() -> Self {
        Progress { bar: hidden(), lines: None }
    }

    /// Writes a line to `to` at most once in `every`, and one for the last item. A line that is due after an
    /// item for which nothing was shown yet waits for what is [shown](Progress::show) next, until the next
    /// item is counted or the run [finishes](Progress::finish): what is shown at the end of an epoch is
    /// beside that epoch's count.
    ///
    /// ```
    /// use std::time::Duration;
    /// use wengert_train::Progress;
    /// let (mut file, path) = tempfile::NamedTempFile::new().unwrap().into_parts();
    /// let progress = Progress::lines_to(file, Duration::ZERO);
    /// progress.show("loss 0.5");
    /// progress.over(0..2).for_each(drop);
    /// progress.show("loss 0.25");
    /// let text = std::fs::read_to_string(&path).unwrap();
    /// let lines: Vec<&str> = text.lines().collect();
    /// assert!(lines[0].starts_with("1/2 loss 0.5 ") && lines[1].starts_with("2/2 loss 0.25 "), "{text}");
    /// ```
    pub fn lines_to(to: impl Write + Send + 'static, every: Duration) -> Self {
        let (to, now) = (Box::new(to), Instant::now());
        let lines = Lines {
            to,
            every,
            last: now,
            start: now,
            from: 0,
            message: String::new(),
            is_fresh: false,
            in_item: false,
            shows_first: None,
            due: None,
        };
        Progress { bar: hidden(), lines: Some(Mutex::new(lines)) }
    }

    /// The items of an iterator, counted; an item counts when the next is asked for, that is when its work is
    /// done. The length grows by that of the iterator: so a run goes on after [`Progress::skip`], or from one
    /// epoch to the next.
    pub fn over<I>(&self, items: I) -> ProgressOver<'_, I::IntoIter>
    where
        I: IntoIterator<IntoIter: ExactSizeIterator>,
    {
        let items = items.into_iter();
        self.expect(items.len() as u64);
        ProgressOver { items, progress: self, pending: false }
    }

    /// Says that so many more items will come, for a loop that counts with [`Progress::advance`].
    pub fn expect(&self, items: u64) {
        self.bar.inc_length(items);
    }

    /// Counts items that were done before, by the run that this one resumes.
    pub fn skip(&self, items: u64) {
        // A bar of no length would show as full.
        if items == 0 {
            return;
        }
        self.bar.inc_length(items);
        self.bar.inc(items);
        self.bar.reset_eta();
        if let Some(mut lines) = self.lines() {
            lines.from += items;
        }
    }

    /// Counts items that are done.
    pub fn advance(&self, items: u64) {
        self.bar.inc(items);
        let (position, length) = (self.position(), self.bar.length().unwrap_or(0));
        if let Some(mut lines) = self.lines() {
            lines.advance(position, length);
        }
    }

    /// Sets the text beside the count: a metric, or whatever prints itself.
    pub fn show(&self, message: impl Display) {
        let message = message.to_string();
        match self.lines() {
            Some(mut lines) => lines.show(message),
            None => self.bar.set_message(message),
        }
    }

    /// Runs what prints, with the bar out of the way.
    pub fn suspend<R>(&self, print: impl FnOnce() -> R) -> R {
        self.bar.suspend(print)
    }

    /// How many items are done.
    pub fn position(&self) -> u64 {
        self.bar.position()
    }

    /// How many items are done in a second, lately.
    pub fn per_second(&self) -> f64 {
        match self.lines() {
            Some(lines) => lines.per_second(self.position()),
            None => self.bar.per_sec(),
        }
    }

    /// Takes the bar away, and writes the line that waits, if one does.
    pub fn finish(&self) {
        if let Some(mut lines) = self.lines() {
            lines.write();
        }
        self.bar.finish_and_clear();
    }

    fn lines(&self) -> Option<MutexGuard<'_, Lines>> {
        let lines = self.lines.as_ref()?;
        Some(lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// A bar that only counts.
fn hidden() -> ProgressBar {
    ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden())
}

fn bar(bar: ProgressBar) -> ProgressBar {
    bar.with_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl Lines {
    fn per_second(&self, position: u64) -> f64 {
        let seconds = self.start.elapsed().as_secs_f64();
        if seconds > 0.0 { (position - self.from) as f64 / seconds } else { 0.0 }
    }

    /// Has a line due if it is time for one, or for the last item; written at once if its message is there,
    /// or none has ever been and more items come.
    fn advance(&mut self, position: u64, length: u64) {
        self.write();
        self.in_item = false;
        self.shows_first.get_or_insert(false);
        let is_fresh = std::mem::take(&mut self.is_fresh);
        let is_last = position >= length;
        if !is_last && self.last.elapsed() < self.every {
            return;
        }
        self.last = Instant::now();
        self.due = Some((position, length));
        if is_fresh || (self.message.is_empty() && !is_last) {
            self.write();
        }
    }

    fn show(&mut self, message: String) {
        let shows_first = *self.shows_first.get_or_insert(true);
        self.message = message;
        self.is_fresh = self.in_item || (shows_first && self.due.is_none());
        self.write();
    }

    /// The line that is due. That it can't be written is no reason to end a run.
    fn write(&mut self) {
        let Some((position, length)) = self.due.take() else { return };
        let (speed, message) = (self.per_second(position), &self.message);
        let left = length.saturating_sub(position) as f64 / speed.max(f64::MIN_POSITIVE);
        let space = if message.is_empty() { "" } else { " " };
        let _ = writeln!(self.to, "{position}/{length} {message}{space}{speed:.1}/s eta {left:.0}s");
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(mut lines) = self.lines() {
            lines.write();
        }
    }
}

impl Stateful for Progress {
    /// How many items are done.
    fn state_dict(&self) -> TensorMap {
        numbers([("position", self.position() as f64)])
    }

    /// Goes on from that position; the length grows with what is still to come.
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new("Progress", map);
        let position = reader.whole("position");
        reader.finish()?;
        self.bar.set_position(0);
        self.bar.set_length(0);
        if let Some(mut lines) = self.lines() {
            lines.from = 0;
        }
        self.skip(position);
        Ok(())
    }
}

/// An iterator whose items are counted; made by [`Progress::over`].
///
/// ```
/// use wengert_train::Progress;
/// let progress = Progress::hidden();
/// let mut items = progress.over([1, 2]);
/// assert_eq!((items.next(), progress.position()), (Some(1), 0));
/// assert_eq!((items.next(), progress.position()), (Some(2), 1));
/// assert_eq!((items.next(), progress.position()), (None, 2));
/// ```
pub struct ProgressOver<'p, I> {
    items: I,
    progress: &'p Progress,
    /// Whether an item was given and is not counted yet.
    pending: bool,
}

impl<I: Iterator> Iterator for ProgressOver<'_, I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        if std::mem::take(&mut self.pending) {
            self.progress.advance(1);
        }
        let item = self.items.next();
        self.pending = item.is_some();
        if let Some(mut lines) = self.progress.lines().filter(|_| self.pending) {
            // Nothing was shown between the items.
            lines.write();
            lines.in_item = true;
        }
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for ProgressOver<'_, I> {}
