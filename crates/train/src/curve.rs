//! Values of a metric over steps.

use wengert_core::{Result, StateReader, Stateful, Tensor, TensorMap};

use crate::state::pairs;

/// A named list of points (step, value), such as a loss over a run.
///
/// ```
/// use wengert_core::Stateful;
/// use wengert_train::Curve;
/// let mut loss = Curve::new("training");
/// loss.push(10, 2.5);
/// loss.push(20, 1.5);
/// assert_eq!(loss.last(), Some(1.5));
/// let mut other = Curve::new("training");
/// other.load_state_dict(&loss.state_dict())?;
/// assert_eq!(other.points(), [(10.0, 2.5), (20.0, 1.5)]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "History")]
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Curve {
    /// A curve without points.
    pub fn new(name: impl Into<String>) -> Self {
        Curve { name: name.into(), points: Vec::new() }
    }

    /// A curve of values at the steps 0, 1, 2 and so on.
    ///
    /// ```
    /// use wengert_train::Curve;
    /// assert_eq!(Curve::of("norm", [0.5, 0.25]).points(), [(0.0, 0.5), (1.0, 0.25)]);
    /// ```
    pub fn of(name: impl Into<String>, values: impl IntoIterator<Item = f64>) -> Self {
        let points = values.into_iter().enumerate().map(|(step, value)| (step as f64, value)).collect();
        Curve { name: name.into(), points }
    }

    /// Adds a point.
    pub fn push(&mut self, step: u64, value: f64) {
        self.points.push((step as f64, value));
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The points, as they were added.
    pub fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// The value that was added last.
    pub fn last(&self) -> Option<f64> {
        self.points.last().map(|point| point.1)
    }
}

impl Stateful for Curve {
    fn state_dict(&self) -> TensorMap {
        let coordinates: Vec<f64> = self.points.iter().flat_map(|&(step, value)| [step, value]).collect();
        let mut map = TensorMap::new();
        map.insert("points", Tensor::<f64>::from_fn([self.points.len(), 2], |i| coordinates[i]));
        map
    }

    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
        let mut reader = StateReader::new("curve", map);
        let points = pairs(&mut reader, map, "points");
        reader.finish()?;
        self.points = points;
        Ok(())
    }
}
