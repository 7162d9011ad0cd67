//! A table of metrics that grows row by row.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use wengert_core::{Error, Result, Stateful, TensorMap};

use crate::state::{last_step, read_last_step};

/// A CSV file with a row a step (`keras.callbacks.CSVLogger`): the header once, `step` and the names of the
/// first row, then numbers that read back bit for bit.
///
/// A file that is there is gone on with. Rows behind the step that was last loaded are cut off by the next
/// row, as is half a row that a killed process left: so a run that is resumed writes the file that an
/// uninterrupted one would have.
///
/// ```
/// use wengert_train::CsvLog;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("log.csv");
/// let mut log = CsvLog::open(&path)?;
/// log.row(10, &[("loss", 0.5), ("rate", 0.01)])?;
/// log.row(20, &[("loss", 0.25), ("rate", 0.01)])?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "step,loss,rate\n10,0.5,0.01\n20,0.25,0.01\n");
///
/// let mut log = CsvLog::open(&path)?;
/// log.resume_at(10);
/// let error = log.row(30, &[("loss", 0.125)]).unwrap_err().to_string();
/// assert!(error.ends_with("expected the columns loss, rate; rate is missing"), "{error}");
/// log.row(30, &[("loss", 0.125), ("rate", 0.01)])?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "step,loss,rate\n10,0.5,0.01\n30,0.125,0.01\n");
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "CSVLogger")]
#[derive(Debug)]
pub struct CsvLog {
    path: PathBuf,
    /// The names in the header but the first.
    columns: Option<Vec<String>>,
    /// The step of the last row; none before the first.
    last: Option<u64>,
    /// Whether to look for what is behind it.
    to_cut: bool,
}

impl CsvLog {
    /// A log at `path`, at the end of the rows that are there.
    ///
    /// # Errors
    /// If there is a file that can't be read or is no such table.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let text = read(&path)?;
        let (mut columns, mut last) = (None, None);
        for (line, _) in whole_lines(&text) {
            if columns.is_some() {
                last = Some(step_of(&path, line)?);
                continue;
            }
            let mut names = fields(line).into_iter();
            match names.next().as_deref() {
                Some("step") => columns = Some(names.collect()),
                _ => return Err(Error::file(&path, format!("expected a header `step,..`, got `{line}`"))),
            }
        }
        Ok(CsvLog { path, columns, last, to_cut: true })
    }

    /// Goes on behind the row of `step`: the next row cuts off what is later.
    pub fn resume_at(&mut self, step: u64) {
        (self.last, self.to_cut) = (Some(step), true);
    }

    /// The step of the last row; none before the first.
    pub fn last_step(&self) -> Option<u64> {
        self.last
    }

    /// Writes a row; the first one writes the header too.
    ///
    /// # Errors
    /// If the columns are not those of the first row, the error names the first that differs; if the step
    /// is not later than the last one, or a name is `step`, given twice or of two lines; if the file can't
    /// be written. Then the file is as it was, but for half a row that a full disk may leave and the next
    /// row cuts off.
    pub fn row(&mut self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        self.check(step, values)?;
        let mut text = String::new();
        if self.columns.is_none() {
            let names = values.iter().map(|(name, _)| format!(",{}", quoted(name)));
            text += &format!("step{}\n", names.collect::<String>());
        }
        text +=
            &format!("{step}{}\n", values.iter().map(|(_, value)| format!(",{value}")).collect::<String>());
        self.write(&text).inspect_err(|_| self.to_cut = true)?;
        self.columns.get_or_insert_with(|| values.iter().map(|(name, _)| name.to_string()).collect());
        (self.last, self.to_cut) = (Some(step), false);
        Ok(())
    }

    fn check(&self, step: u64, values: &[(&str, f64)]) -> Result<()> {
        if let Some(last) = self.last.filter(|last| *last >= step) {
            return Err(Error::argument("CsvLog", "the step", format!("later than the last, {last}"), step));
        }
        for (at, (name, _)) in values.iter().enumerate() {
            if *name == "step" || values[..at].iter().any(|(other, _)| other == name) {
                return Err(Error::file(&self.path, format!("the column {name} is there twice")));
            }
            if name.contains(['\n', '\r']) {
                return Err(Error::file(
                    &self.path,
                    format!("the column {name:?} has the end of a line in it"),
                ));
            }
        }
        let Some(columns) = &self.columns else { return Ok(()) };
        let given: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        let missing = columns.iter().find(|name| !given.contains(&name.as_str()));
        let new = given.iter().find(|name| !columns.iter().any(|own| own == *name));
        let why = match (missing, new) {
            _ if columns.iter().eq(given.iter()) => return Ok(()),
            (Some(missing), _) => format!("{missing} is missing"),
            (_, Some(new)) => format!("{new} is not among them"),
            (None, None) => format!("got them as {}", given.join(", ")),
        };
        Err(Error::file(&self.path, format!("expected the columns {}; {why}", columns.join(", "))))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let failed = |error| Error::of_file(&self.path, error);
        let end = if self.to_cut { Some(self.kept_bytes()?) } else { None };
        let mut options = OpenOptions::new();
        let mut file: File =
            options.create(true).write(true).truncate(false).open(&self.path).map_err(failed)?;
        if let Some(end) = end {
            file.set_len(end).map_err(failed)?;
        }
        file.seek(SeekFrom::End(0)).and_then(|_| file.write_all(text.as_bytes())).map_err(failed)
    }

    /// How much of the file is header and whole rows up to the last step.
    fn kept_bytes(&self) -> Result<u64> {
        let text = read(&self.path)?;
        let mut kept = 0;
        for (at, (line, end)) in whole_lines(&text).enumerate() {
            if at > 0 && Some(step_of(&self.path, line)?) > self.last {
                break;
            }
            kept = end;
        }
        if kept == 0 && self.columns.is_some() {
            return Err(Error::file(&self.path, "its header is gone"));
        }
        Ok(kept as u64)
    }
}

/// The text of a file, empty if there is none.
fn read(path: &Path) -> Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        other => other.map_err(|error| Error::of_file(path, error)),
    }
}

/// The lines that have an end, and where that is.
fn whole_lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut end = 0;
    text.split_inclusive('\n').filter_map(move |line| {
        end += line.len();
        Some((line.strip_suffix('\n')?, end))
    })
}

fn step_of(path: &Path, line: &str) -> Result<u64> {
    let step = line.split(',').next().unwrap_or_default();
    step.parse()
        .map_err(|_| Error::file(path, format!("expected a row that begins with a step, got `{line}`")))
}

/// A field with quotes if it needs them (RFC 4180).
fn quoted(field: &str) -> String {
    let text = field.replace('"', "\"\"");
    if field.contains([',', '"']) { format!("\"{text}\"") } else { text }
}

/// The fields of a line.
fn fields(line: &str) -> Vec<String> {
    let (mut fields, mut inside) = (vec![String::new()], false);
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        let field = fields.last_mut().expect("there is always one");
        match c {
            '"' if inside && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => inside = !inside,
            ',' if !inside => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}

impl Stateful for CsvLog {
    /// The step of the last row; NaN before the first.
    fn state_dict(&self) -> TensorMap {
        last_step(self.last)
    }

    /// Goes on behind the row that was last when it was saved. The file changes with the next row only.
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let last = read_last_step("CsvLog", map)?;
        (self.last, self.to_cut) = (last, true);
        Ok(())
    }
}
