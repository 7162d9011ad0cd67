//! A number for each of several names.

use std::path::Path;

use plotters::style::text_anchor::HPos;
use wengert_core::Result;

use super::canvas::{Area, FRAME, GRID, INK, PALETTE, TEXT, TITLE, shortened, svg, widest};
use super::ticks::{Axis, decimal};

const WIDTH: f64 = 800.0;
/// Of a bar and the room around.
const ROW: f64 = 20.0;

/// A plot of bars, a name and a number each, such as the gradient norms of parameters
/// ([`norms_by_parameter`](crate::norms_by_parameter)).
///
/// A number that is infinite or NaN, or not above 0 on a logarithmic axis, has no bar, and stands as text.
///
/// ```
/// use wengert_nn::{Linear, Module};
/// use wengert_core::Tensor;
/// use wengert_nn::Forward;
/// use wengert_train::{BarPlot, norms_by_parameter};
/// let model = Linear::new(3, 2)?;
/// model.forward(&Tensor::ones([1, 3]))?.square().sum().backward()?;
/// let plot = BarPlot::new("gradient norms").bars(norms_by_parameter(&model)).log_scale();
/// let svg = plot.to_svg()?;
/// assert!(svg.contains("weight") && svg.contains("bias"));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BarPlot {
    title: String,
    log: bool,
    bars: Vec<(String, f64)>,
}

impl BarPlot {
    /// A plot without bars.
    pub fn new(title: impl Into<String>) -> Self {
        BarPlot { title: title.into(), log: false, bars: Vec::new() }
    }

    /// Adds bars, from the top down.
    #[must_use]
    pub fn bars(mut self, bars: impl IntoIterator<Item = (String, f64)>) -> Self {
        self.bars.extend(bars);
        self
    }

    /// Makes the axis logarithmic.
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
        let values = || self.bars.iter().map(|bar| bar.1);
        // Bars begin at 0, or a little below the least.
        let axis = match self.log {
            true => Axis::log(values()),
            false => Axis::linear(values().chain([0.0]), 6),
        };
        let base = if self.log { 0.0 } else { axis.part(0.0).unwrap_or_default() };
        let names: Vec<String> = self.bars.iter().map(|bar| shortened(&bar.0)).collect();
        let numbers: Vec<String> = values().map(|value| decimal(value, value / 100.0)).collect();
        let left = widest(names.iter().map(String::as_str)) + 24.0;
        let right = WIDTH - widest(numbers.iter().map(String::as_str)) - 28.0;
        let bottom = 44.0 + ROW * self.bars.len().max(1) as f64;
        let area = Area { left, top: 44.0, right, bottom };
        svg(WIDTH, bottom + 36.0, |canvas| {
            canvas.text((left, 20.0), HPos::Left, &shortened(&self.title), TITLE, INK)?;
            for (value, text) in &axis.ticks {
                let (at, _) = area.at(axis.part(*value).unwrap_or_default(), 0.0);
                canvas.line(&[(at, area.top), (at, area.bottom)], GRID, 1)?;
                canvas.text((at, area.bottom + 16.0), HPos::Center, text, TEXT, INK)?;
            }
            for (i, (_, value)) in self.bars.iter().enumerate() {
                let top = area.top + ROW * i as f64;
                let middle = top + ROW / 2.0;
                canvas.text((left - 8.0, middle), HPos::Right, &names[i], TEXT, INK)?;
                canvas.text((right + 8.0, middle), HPos::Left, &numbers[i], TEXT, INK)?;
                if let Some(part) = axis.part(*value).filter(|_| value.is_finite()) {
                    let [from, to] = [base.min(part), base.max(part)].map(|part| area.at(part, 0.0).0);
                    let bar = Area { left: from, right: to, top: top + 4.0, bottom: top + ROW - 4.0 };
                    canvas.filled(bar, PALETTE[0])?;
                }
            }
            canvas.outlined(area, FRAME)
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
