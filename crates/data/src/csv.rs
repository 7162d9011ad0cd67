//! Tables in `.csv` files.

mod cells;
mod pulled;

use std::path::{Path, PathBuf};

use csv::{ReaderBuilder, Trim};
use wengert_core::__private::{or_refused, text_of, vec_of};
use wengert_core::{Error, Float, Result, Tensor};

use cells::Cells;
use pulled::Pulled;

/// How a `.csv` file is read, from [`Csv::options`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CsvOptions {
    delimiter: u8,
    header: bool,
    missing: Vec<String>,
}

impl CsvOptions {
    /// The character between two cells; default a comma.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Whether the first row names the columns; default yes. Without it their names are `0`, `1`, ..
    pub fn header(mut self, on: bool) -> Self {
        self.header = on;
        self
    }

    /// The cells that are missing values beside empty ones; default `NA`, `NaN`, `nan` and `null`.
    #[doc(alias = "na_values")]
    pub fn missing(mut self, cells: &[&str]) -> Self {
        self.missing = cells.iter().map(ToString::to_string).collect();
        self
    }

    /// Reads a file whole.
    ///
    /// # Errors
    /// If it can't be read, is not UTF-8, a row has more cells or fewer than the first, or there is no memory
    /// for its cells.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Csv> {
        self.open_at(path.as_ref())
    }

    // Not generic: compiled once, here.
    fn open_at(self, path: &Path) -> Result<Csv> {
        or_refused("Csv::open", || self.read(path))
    }

    fn read(self, path: &Path) -> Result<Csv> {
        let failed = |error: csv::Error| Error::of_file(path, error);
        let pulled = Pulled::open(path).map_err(|error| failed(error.into()))?;
        let row = pulled.row();
        let mut builder = ReaderBuilder::new();
        builder.delimiter(self.delimiter).has_headers(self.header).trim(Trim::All);
        let mut reader = builder.from_reader(pulled);
        let mut record = reader.headers().map_err(failed)?.clone();
        let mut names = vec_of(record.len());
        names.extend(record.iter().enumerate().map(|(column, name)| match self.header {
            true => text_of(name),
            false => column.to_string(),
        }));
        let mut cells = Cells::default();
        while reader.read_record(&mut record).map_err(failed)? {
            cells.push(&record);
            row.begin(reader.position().byte());
        }
        Ok(Csv { path: path.to_path_buf(), names, cells, missing: self.missing })
    }
}

/// A table from a `.csv` file, whose columns become tensors.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::Csv;
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("iris.csv");
/// # std::fs::write(&path, "width,length,class\n1.5,2,0\n,4,1\n").unwrap();
/// let table = Csv::open(&path)?;
/// let x: Tensor<f32> = table.numbers(&["length", "width"])?; // (rows, 2), NaN where a cell is missing
/// assert_eq!((x.shape(), x.at(&[0, 1])), (&[2, 2][..], 1.5));
/// assert_eq!(table.integers("class")?, Tensor::from([0i64, 1]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "read_csv")]
#[doc(alias = "loadtxt")]
#[derive(Clone, Debug)]
pub struct Csv {
    path: PathBuf,
    names: Vec<String>,
    cells: Cells,
    missing: Vec<String>,
}

impl Csv {
    /// Reads a file whose cells are separated by commas and whose first row names the columns.
    ///
    /// # Errors
    /// If it can't be read, is not UTF-8, a row has more cells or fewer than the first, or there is no memory
    /// for its cells.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Csv::options().open(path)
    }

    /// Settings for a file that is written otherwise.
    pub fn options() -> CsvOptions {
        let missing = ["NA", "NaN", "nan", "null"].map(String::from).to_vec();
        CsvOptions { delimiter: b',', header: true, missing }
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are, without that of the names.
    pub fn len(&self) -> usize {
        self.cells.rows()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns of these names as numbers, (rows, columns); missing cells are NaN.
    ///
    /// # Errors
    /// If there is no column of that name, a cell is no number (the error says which), or there is no memory
    /// for them.
    pub fn numbers<T: Float>(&self, columns: &[&str]) -> Result<Tensor<T>> {
        let places = columns.iter().map(|name| self.place(name)).collect::<Result<Vec<_>>>()?;
        or_refused("Csv::numbers", || self.numbers_at(&places))
    }

    fn numbers_at<T: Float>(&self, places: &[usize]) -> Result<Tensor<T>> {
        let mut elements = vec_of(self.len().saturating_mul(places.len()));
        for row in 0..self.len() {
            for &place in places {
                let number = match self.cell(row, place) {
                    cell if cell.is_empty() || self.missing.iter().any(|missing| missing == cell) => f64::NAN,
                    cell => cell.parse().map_err(|_| self.refused(row, place, "a number"))?,
                };
                elements.push(T::from_f64(number));
            }
        }
        Tensor::from_vec(elements, [self.len(), places.len()])
    }

    /// The column of that name as whole numbers, (rows), such as classes.
    ///
    /// # Errors
    /// If there is no column of that name, a cell is no whole number or missing, or there is no memory for
    /// them.
    pub fn integers(&self, column: &str) -> Result<Tensor<i64>> {
        let place = self.place(column)?;
        or_refused("Csv::integers", || {
            let mut numbers = vec_of(self.len());
            for row in 0..self.len() {
                let number = self.cell(row, place).parse();
                numbers.push(number.map_err(|_| self.refused(row, place, "a whole number"))?);
            }
            Ok(Tensor::from(numbers))
        })
    }

    /// The cells of the column of that name.
    ///
    /// # Errors
    /// If there is no column of that name, or no memory for them.
    pub fn texts(&self, column: &str) -> Result<Vec<String>> {
        let place = self.place(column)?;
        or_refused("Csv::texts", || {
            let mut texts = vec_of(self.len());
            texts.extend((0..self.len()).map(|row| text_of(self.cell(row, place))));
            Ok(texts)
        })
    }

    fn cell(&self, row: usize, place: usize) -> &str {
        self.cells.at(row, place)
    }

    fn place(&self, column: &str) -> Result<usize> {
        self.names.iter().position(|name| name == column).ok_or_else(|| {
            let reason = format!("there is no column {column:?}; there are {:?}", self.names);
            Error::file(&self.path, reason)
        })
    }

    fn refused(&self, row: usize, place: usize, expected: &str) -> Error {
        let line = self.cells.line(row);
        let (name, cell) = (&self.names[place], self.cell(row, place));
        let reason = format!("expected {expected} in row {row}, column {name:?} (line {line}), got {cell:?}");
        Error::file(&self.path, reason)
    }
}
