//! Tensors as a page shows them.

use serde::{Serialize, Serializer};
use wengert_core::Tensor;

/// The most elements that are given one by one.
pub(crate) const MOST_SHOWN_ELEMENTS: usize = 256;
/// The most rows and columns of cells.
const MOST_CELLS: (usize, usize) = (24, 48);

/// A number in JSON; what is not finite is a text there: `"NaN"`, `"inf"`, `"-inf"`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonNumber(pub f64);

impl Serialize for JsonNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            value if value.is_finite() => serializer.serialize_f64(value),
            value => serializer.serialize_str(if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "inf"
            } else {
                "-inf"
            }),
        }
    }
}

/// A tensor of a [`Scene`](crate::Scene): element by element if there are at most 256, else as cells that are
/// means of blocks; and always its norm, its least and its greatest element.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_walk::Value;
/// let value = Value::of(&Tensor::from([[3.0, -4.0]]));
/// assert_eq!((value.shape.as_slice(), value.data.as_ref().unwrap().len()), (&[1, 2][..], 2));
/// assert_eq!((value.norm.0, value.least.unwrap().0, value.greatest.unwrap().0), (5.0, -4.0, 3.0));
/// assert!(Value::of(&Tensor::zeros([30, 100])).heat.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Value {
    /// The extents of the axes.
    pub shape: Vec<usize>,
    /// The elements in rows, if there are few.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<JsonNumber>>,
    /// The elements as cells, if there are many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heat: Option<Heat>,
    /// The root of the sum of the elements' squares.
    pub norm: JsonNumber,
    /// The least element; none where the norm alone is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<JsonNumber>,
    /// The greatest element; none where the norm alone is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub greatest: Option<JsonNumber>,
}

/// A matrix of many elements, reduced: each cell is the mean of a block.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Heat {
    /// Rows of cells.
    pub rows: usize,
    /// Columns of cells.
    pub columns: usize,
    /// The cells, row by row.
    pub cells: Vec<JsonNumber>,
    /// The largest magnitude of an element.
    pub scale: JsonNumber,
}

impl Value {
    /// The value of a tensor.
    pub fn of(tensor: &Tensor<f64>) -> Self {
        let (shape, elements) = (tensor.shape().to_vec(), tensor.to_vec());
        let none = elements.is_empty();
        let least = elements.iter().fold(f64::INFINITY, |least, &x| if x >= least { least } else { x });
        let greatest = elements.iter().fold(f64::NEG_INFINITY, |most, &x| if x <= most { most } else { x });
        let (least, greatest) = if none { (0.0, 0.0) } else { (least, greatest) };
        let scale = least.abs().max(greatest.abs());
        let few = elements.len() <= MOST_SHOWN_ELEMENTS;
        let heat = (!few).then(|| heat(&shape, &elements, scale));
        Value {
            norm: JsonNumber(norm(&elements, scale)),
            data: few.then(|| elements.into_iter().map(JsonNumber).collect()),
            heat,
            shape,
            least: Some(JsonNumber(least)),
            greatest: Some(JsonNumber(greatest)),
        }
    }

    /// A value of which the shape and the norm alone are known.
    pub(crate) fn of_norm(shape: &[usize], norm: f64) -> Self {
        Value {
            shape: shape.to_vec(),
            data: None,
            heat: None,
            norm: JsonNumber(norm),
            least: None,
            greatest: None,
        }
    }
}

/// The norm, by the largest magnitude so that squares don't overflow.
fn norm(elements: &[f64], scale: f64) -> f64 {
    if scale == 0.0 || !scale.is_finite() {
        return elements.iter().fold(0.0, |norm: f64, x| norm.hypot(*x));
    }
    scale * elements.iter().map(|x| (x / scale) * (x / scale)).sum::<f64>().sqrt()
}

fn heat(shape: &[usize], elements: &[f64], scale: f64) -> Heat {
    let width = shape.last().copied().unwrap_or(1).max(1);
    let height = elements.len() / width;
    let (rows, columns) = (height.min(MOST_CELLS.0), width.min(MOST_CELLS.1));
    let cells = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let mean = |(row, column): (usize, usize)| {
        let block = |at: usize, of: usize, extent: usize| at * extent / of..(at + 1) * extent / of;
        let across = block(column, columns, width);
        let lines = block(row, rows, height);
        let count = (lines.len() * across.len()).max(1) as f64;
        let sum: f64 = lines.flat_map(|r| &elements[r * width + across.start..r * width + across.end]).sum();
        JsonNumber(sum / count)
    };
    Heat { rows, columns, cells: cells.map(mean).collect(), scale: JsonNumber(scale) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_has_not_are_texts() {
        let value = Value::of(&Tensor::from([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0]));
        let text = serde_json::to_string(&value).unwrap();
        assert!(text.contains(r#""data":["NaN","inf","-inf",-0.0]"#), "{text}");
        let empty = Value::of(&Tensor::zeros([0, 3]));
        assert_eq!((empty.norm.0, empty.least.unwrap().0), (0.0, 0.0));
    }

    #[test]
    fn cells_are_means_of_blocks() {
        let value = Value::of(&Tensor::from_fn([48, 96], |i| ((i % 96) / 2) as f64));
        let heat = value.heat.unwrap();
        assert_eq!((heat.rows, heat.columns, heat.scale.0), (24, 48, 47.0));
        let cells: Vec<f64> = heat.cells.iter().map(|cell| cell.0).collect();
        assert!(cells.chunks(48).all(|row| row.iter().enumerate().all(|(i, cell)| *cell == i as f64)));
        assert_eq!(Value::of(&Tensor::full([1000], 1e200)).norm.0, 1e200 * 1000f64.sqrt());
    }
}
