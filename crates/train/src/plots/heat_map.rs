//! A matrix as colours.

use std::path::Path;

use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;
use wengert_core::__private::{or_refused, vec_of};
use wengert_core::{Error, Float, Result, Tensor};

use super::canvas::{Area, FRAME, INK, TEXT, TITLE, shortened, svg, widest, width};
use super::ticks::{FAR, decimal};
use crate::metrics::ConfusionMatrix;

/// The width and height of all cells together, at most.
const SIDE: f64 = 460.0;
/// What has no colour: neither finite nor a number.
const NONE: RGBColor = RGBColor(0xc8, 0xc8, 0xc8);

/// A plot of a matrix, a coloured cell for each number: white for 0 and the darker blue the larger, or if
/// there are negative numbers, those red. Numbers are written where there is room.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_train::{All, ConfusionMatrix, HeatMapPlot};
/// let attention = Tensor::from([[0.9f32, 0.1], [0.2, 0.8]]);
/// let svg = HeatMapPlot::new("attention", &attention)?.rows(["a", "b"])?.columns(["x", "y"])?.to_svg()?;
/// assert!(svg.contains("0.90"));
///
/// let mut confusion = ConfusionMatrix::new(2)?;
/// confusion.update_classes(&Tensor::from([0i64, 1, 1]), &Tensor::from([0i64, 0, 1]), All)?;
/// let svg = HeatMapPlot::confusion(&confusion).to_svg()?;
/// assert!(svg.contains("predicted"));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeatMapPlot {
    title: String,
    shape: [usize; 2],
    values: Vec<f64>,
    rows: Vec<String>,
    columns: Vec<String>,
    row_axis: String,
    column_axis: String,
}

impl HeatMapPlot {
    /// A plot of a matrix whose rows and columns have their numbers, from 0 on.
    ///
    /// # Errors
    /// If it is no matrix, is empty, has more than 1024 rows or columns, or there is no memory for a copy.
    pub fn new<T: Float>(title: impl Into<String>, matrix: &Tensor<T>) -> Result<Self> {
        const MOST: usize = 1024;
        let shape = match *matrix.shape() {
            [rows, columns] if (1..=MOST).contains(&rows) && (1..=MOST).contains(&columns) => [rows, columns],
            ref other => {
                let expected = format!("a matrix of 1 to {MOST} rows and columns");
                return Err(Error::shape("HeatMapPlot", expected, format!("{other:?}")));
            }
        };
        let values = or_refused("HeatMapPlot", || {
            let (mut values, elements) = (vec_of(matrix.numel()), matrix.contiguous());
            values.extend(elements.as_slice().expect("contiguous").iter().map(|value| value.to_f64()));
            Ok(values)
        })?;
        let [rows, columns] = shape.map(|extent| (0..extent).map(|i| i.to_string()).collect());
        let (row_axis, column_axis) = (String::new(), String::new());
        Ok(HeatMapPlot { title: title.into(), shape, values, rows, columns, row_axis, column_axis })
    }

    /// A plot of a confusion matrix: row the class that was right, column the predicted one.
    pub fn confusion(confusion: &ConfusionMatrix) -> Self {
        let (classes, values) = (confusion.classes(), confusion.matrix().to_vec());
        let names: Vec<String> = (0..classes).map(|class| class.to_string()).collect();
        let (title, row_axis) = ("confusion matrix".to_string(), "right".to_string());
        let (rows, columns, column_axis) = (names.clone(), names, "predicted".to_string());
        HeatMapPlot { title, shape: [classes; 2], values, rows, columns, row_axis, column_axis }
    }

    /// Names the rows.
    ///
    /// # Errors
    /// If there are not as many names as rows.
    pub fn rows<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Result<Self> {
        self.rows = named("rows", names, self.shape[0])?;
        Ok(self)
    }

    /// Names the columns.
    ///
    /// # Errors
    /// If there are not as many names as columns.
    pub fn columns<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Result<Self> {
        self.columns = named("columns", names, self.shape[1])?;
        Ok(self)
    }

    /// Sets what rows and columns are; default nothing.
    #[must_use]
    pub fn axes(mut self, rows: impl Into<String>, columns: impl Into<String>) -> Self {
        (self.row_axis, self.column_axis) = (rows.into(), columns.into());
        self
    }

    /// The picture.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub fn to_svg(&self) -> Result<String> {
        let [rows, columns] = self.shape;
        let side = (SIDE / rows.max(columns) as f64).min(48.0);
        let texts: Vec<String> = self.values.iter().map(|&value| number(value)).collect();
        let shown = widest(texts.iter().map(String::as_str)) + 4.0 <= side && side >= TEXT + 4.0;
        let [row_names, column_names] = [&self.rows, &self.columns]
            .map(|names| names.iter().map(|name| shortened(name)).collect::<Vec<_>>());
        let wide = widest(column_names.iter().map(String::as_str));
        let upright = wide + 6.0 > side && columns > 1;
        let below = if upright { wide } else { TEXT } + 16.0;
        let left = widest(row_names.iter().map(String::as_str)) + 48.0;
        let cells =
            Area { left, top: 44.0, right: left + side * columns as f64, bottom: 44.0 + side * rows as f64 };
        let scale = Scale::of(&self.values);
        let room = widest(scale.ends().iter().map(|(_, text)| text.as_str())) + 60.0;
        let total = (cells.right + room).max(left + width(&shortened(&self.title), TITLE) + 12.0);
        let half = width(&shortened(&self.column_axis), TEXT) / 2.0;
        let column_axis = ((cells.left + cells.right) / 2.0).max(half + 8.0);
        let total = total.max(column_axis + half + 8.0);
        let half = width(&shortened(&self.row_axis), TEXT) / 2.0;
        let row_axis = ((cells.top + cells.bottom) / 2.0).max(half + 8.0);
        let height = (cells.bottom + below + 28.0).max(row_axis + half + 8.0);
        svg(total, height, |canvas| {
            canvas.text((left, 20.0), HPos::Left, &shortened(&self.title), TITLE, INK)?;
            for (at, &value) in self.values.iter().enumerate() {
                let (x, y) = (left + side * (at % columns) as f64, cells.top + side * (at / columns) as f64);
                let colour = scale.colour(value);
                canvas.filled(Area { left: x, top: y, right: x + side, bottom: y + side }, colour)?;
                if shown {
                    let middle = (x + side / 2.0, y + side / 2.0);
                    canvas.text(middle, HPos::Center, &texts[at], TEXT, ink_on(colour))?;
                }
            }
            canvas.outlined(cells, FRAME)?;
            let every = ((TEXT + 2.0) / side).ceil() as usize;
            for (i, name) in row_names.iter().enumerate().step_by(every) {
                let middle = cells.top + side * (i as f64 + 0.5);
                canvas.text((left - 6.0, middle), HPos::Right, name, TEXT, INK)?;
            }
            for (i, name) in column_names.iter().enumerate().step_by(if upright { every } else { 1 }) {
                let middle = left + side * (i as f64 + 0.5);
                match upright {
                    true => canvas.upward((middle, cells.bottom + 8.0), HPos::Right, name)?,
                    false => canvas.text((middle, cells.bottom + 14.0), HPos::Center, name, TEXT, INK)?,
                }
            }
            let axis = cells.bottom + below + 8.0;
            canvas.text((column_axis, axis), HPos::Center, &shortened(&self.column_axis), TEXT, INK)?;
            canvas.upward((16.0, row_axis), HPos::Center, &shortened(&self.row_axis))?;
            scale.draw(canvas, Area { left: cells.right + 20.0, right: cells.right + 34.0, ..cells })
        })
    }

    /// Writes the picture to a file, beside it and then renamed.
    ///
    /// # Errors
    /// If it can't be drawn or written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        super::save(path.as_ref(), self.to_svg())
    }
}

fn named<S: Into<String>>(
    what: &'static str,
    names: impl IntoIterator<Item = S>,
    expected: usize,
) -> Result<Vec<String>> {
    let names: Vec<String> = names.into_iter().map(Into::into).collect();
    match names.len() {
        found if found == expected => Ok(names),
        found => Err(Error::argument("HeatMapPlot", what, format!("{expected} names"), found)),
    }
}

/// A number in a cell: whole, or of two digits behind the point.
fn number(value: f64) -> String {
    match value {
        _ if value.fract() == 0.0 && value.abs() < 1e6 => format!("{value}"),
        _ if value.is_finite() => decimal(value, if value.abs() < 1e3 { 0.01 } else { value / 100.0 }),
        _ => value.to_string(),
    }
}

/// What the colours mean.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    fn of(values: &[f64]) -> Self {
        let finite = values.iter().filter(|value| value.is_finite()).map(|value| value.clamp(-FAR, FAR));
        let (least, most) = finite.fold((0.0f64, 0.0f64), |(least, most), v| (least.min(v), most.max(v)));
        Scale { least, most }
    }

    /// From white to blue or red, as far as the value is from 0.
    fn colour(&self, value: f64) -> RGBColor {
        if !value.is_finite() {
            return NONE;
        }
        let far = self.most.max(-self.least);
        let part = if far > 0.0 { (value.abs() / far).min(1.0) } else { 0.0 };
        let end = if value < 0.0 { [0xb2, 0x18, 0x2b] } else { [0x08, 0x45, 0x94] };
        let [red, green, blue] = end.map(|end| (255.0 + part * (f64::from(end) - 255.0)).round() as u8);
        RGBColor(red, green, blue)
    }

    /// The ends of the scale, with 0 where it is between.
    fn ends(&self) -> Vec<(f64, String)> {
        let middle = (self.least < 0.0 && self.most > 0.0).then_some(0.0);
        [Some(self.least), middle, Some(self.most)].into_iter().flatten().map(|v| (v, number(v))).collect()
    }

    fn draw(
        &self,
        canvas: &super::canvas::Canvas<'_>,
        bar: Area,
    ) -> std::result::Result<(), plotters::drawing::DrawingAreaErrorKind<std::io::Error>> {
        const PARTS: usize = 48;
        let range = self.most - self.least;
        for i in 0..PARTS {
            let [below, above] = [i, i + 1].map(|i| bar.at(0.0, i as f64 / PARTS as f64).1);
            let value = self.least + range * (i as f64 + 0.5) / PARTS as f64;
            canvas.filled(Area { top: above, bottom: below, ..bar }, self.colour(value))?;
        }
        canvas.outlined(bar, FRAME)?;
        for (value, text) in self.ends() {
            let part = if range > 0.0 { (value - self.least) / range } else { 0.0 };
            canvas.text((bar.right + 6.0, bar.at(0.0, part).1), HPos::Left, &text, TEXT, INK)?;
        }
        Ok(())
    }
}

/// Black or white, whichever can be read on a colour.
fn ink_on(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    let bright = 0.3 * f64::from(red) + 0.59 * f64::from(green) + 0.11 * f64::from(blue);
    if bright > 140.0 { INK } else { RGBColor(255, 255, 255) }
}
