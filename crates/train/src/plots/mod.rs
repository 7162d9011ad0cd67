//! Pictures of a run, as SVG.

mod bars;
mod canvas;
mod curves;
mod heat_map;
mod ticks;

use std::path::Path;

use wengert_core::__private::replace_file;
use wengert_core::{Error, Result};

pub use bars::BarPlot;
pub use curves::CurvePlot;
pub use heat_map::HeatMapPlot;

/// Puts a picture in the place of the file at `path`.
fn save(path: &Path, svg: Result<String>) -> Result<()> {
    replace_file(path, svg?.as_bytes()).map_err(|error| Error::of_file(path, error))
}
