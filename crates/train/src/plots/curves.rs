//! Curves over steps.

use std::path::Path;

use plotters::style::text_anchor::HPos;
use wengert_core::Result;

use super::canvas::{Area, FRAME, GRID, INK, PALETTE, TEXT, TITLE, shortened, svg, widest, width};
use super::ticks::Axis;
use crate::curve::Curve;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 460.0;
/// Of a name in the legend.
const LINE: f64 = 20.0;

/// A plot of curves over steps: a light grid, whole numbers along the steps, a legend beside.
///
/// A point that is infinite or NaN, or not above 0 on a logarithmic axis, is a gap. So are drawn losses,
/// and the norms of gradients by time step ([`norms_by_step`](crate::norms_by_step)).
///
/// ```
/// use wengert_train::{Curve, CurvePlot};
/// let mut loss = Curve::new("training");
/// (1..=20).for_each(|step| loss.push(step, 1.0 / step as f64));
/// let plot = CurvePlot::new("loss").curve(&loss).y_label("nats").log_scale();
/// let svg = plot.to_svg()?;
/// assert!(svg.starts_with("<svg") && svg.contains("training") && svg.contains("<polyline"));
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("loss.svg");
/// plot.save(&path)?;
/// # assert_eq!(std::fs::read_to_string(path).unwrap(), svg);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CurvePlot {
    title: String,
    x_label: String,
    y_label: String,
    log: bool,
    curves: Vec<Curve>,
}

impl CurvePlot {
    /// A plot without curves.
    pub fn new(title: impl Into<String>) -> Self {
        let (title, x_label) = (title.into(), "step".to_string());
        CurvePlot { title, x_label, y_label: String::new(), log: false, curves: Vec::new() }
    }

    /// Adds a curve; its name stands in the legend.
    #[must_use]
    pub fn curve(mut self, curve: &Curve) -> Self {
        self.curves.push(curve.clone());
        self
    }

    /// Sets what the steps are called; default `step`.
    #[must_use]
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x_label = label.into();
        self
    }

    /// Sets what the values are; default nothing.
    #[must_use]
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y_label = label.into();
        self
    }

    /// Makes the axis of the values logarithmic.
    #[doc(alias = "semilogy")]
    #[must_use]
    pub fn log_scale(mut self) -> Self {
        self.log = true;
        self
    }

    /// The picture.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub fn to_svg(&self) -> Result<String> {
        let names: Vec<String> = self.curves.iter().map(|curve| shortened(curve.name())).collect();
        let names_width = widest(names.iter().map(String::as_str));
        let values = || self.curves.iter().flat_map(Curve::points).map(|point| point.1);
        let y = if self.log { Axis::log(values()) } else { Axis::linear(values(), 8) };
        let legend = if names.is_empty() { 0.0 } else { names_width + 40.0 };
        let left = widest(y.ticks.iter().map(|tick| tick.1.as_str())) + 44.0;
        let area = Area { left, top: 44.0, right: WIDTH - legend - 20.0, bottom: HEIGHT - 56.0 };
        let height = HEIGHT.max(area.top + LINE * names.len() as f64 + 10.0);
        let x_label = shortened(&self.x_label);
        let steps = || self.curves.iter().flat_map(Curve::points).map(|point| point.0);
        let widest_step = steps().map(|step| width(&format!("{step}"), TEXT)).fold(0.0, f64::max);
        let x = Axis::whole(steps(), ((area.width() / (widest_step + 20.0)) as usize).clamp(1, 12));
        svg(WIDTH, height, |canvas| {
            canvas.text((area.left, 20.0), HPos::Left, &shortened(&self.title), TITLE, INK)?;
            for (value, text) in &x.ticks {
                let (at, _) = area.at(x.part(*value).unwrap_or_default(), 0.0);
                canvas.line(&[(at, area.top), (at, area.bottom)], GRID, 1)?;
                canvas.text((at, area.bottom + 16.0), HPos::Center, text, TEXT, INK)?;
            }
            for (value, text) in &y.ticks {
                let (_, at) = area.at(0.0, y.part(*value).unwrap_or_default());
                canvas.line(&[(area.left, at), (area.right, at)], GRID, 1)?;
                canvas.text((area.left - 8.0, at), HPos::Right, text, TEXT, INK)?;
            }
            canvas.outlined(area, FRAME)?;
            let middle = area.at(0.5, 0.5);
            let under = (middle.0.max(width(&x_label, TEXT) / 2.0 + 4.0), HEIGHT - 18.0);
            canvas.text(under, HPos::Center, &x_label, TEXT, INK)?;
            canvas.upward((16.0, middle.1), HPos::Center, &shortened(&self.y_label))?;
            for (i, (curve, name)) in self.curves.iter().zip(&names).enumerate() {
                let colour = PALETTE[i % PALETTE.len()];
                for piece in pieces(curve, &x, &y) {
                    let points: Vec<(f64, f64)> = piece.iter().map(|&(x, y)| area.at(x, y)).collect();
                    match points[..] {
                        [point] => canvas.dot(point, colour)?,
                        _ => canvas.line(&points, colour, 2)?,
                    }
                }
                let (at, down) = (area.right + 12.0, area.top + 10.0 + LINE * i as f64);
                canvas.line(&[(at, down), (at + 18.0, down)], colour, 2)?;
                canvas.text((at + 24.0, down), HPos::Left, name, TEXT, INK)?;
            }
            Ok(())
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

/// The points of a curve that have a place, cut where one has none.
fn pieces(curve: &Curve, x: &Axis, y: &Axis) -> Vec<Vec<(f64, f64)>> {
    let places = curve.points().iter().map(|&(step, value)| {
        let value = Some(value).filter(|value| value.is_finite())?;
        x.part(step).zip(y.part(value))
    });
    let places: Vec<Option<(f64, f64)>> = places.collect();
    let pieces = places.split(Option::is_none).filter(|piece| !piece.is_empty());
    pieces.map(|piece| piece.iter().flatten().copied().collect()).collect()
}
