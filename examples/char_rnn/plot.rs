//! The curve of both losses.

use std::path::Path;

use plotters::prelude::*;
use wengert::{Error, Result};

use super::checkpoint::Position;

/// Draws training and validation loss over steps.
pub fn draw(path: &Path, position: &Position) -> Result<()> {
    chart(path, position).map_err(|error| Error::file(path, error))
}

fn chart(path: &Path, position: &Position) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let all = || position.training.iter().chain(&position.validation);
    let range = |value: fn(&(f64, f64)) -> f64| {
        let (low, high) =
            all().fold((f64::MAX, f64::MIN), |(low, high), p| (low.min(value(p)), high.max(value(p))));
        if low < high { low..high } else { low - 0.5..low + 0.5 }
    };
    if all().next().is_none() {
        return Ok(());
    }
    let area = SVGBackend::new(path, (800, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(15)
        .x_label_area_size(35)
        .y_label_area_size(50)
        .build_cartesian_2d(range(|p| p.0), range(|p| p.1))?;
    chart.configure_mesh().x_desc("steps").y_desc("nats per character").draw()?;
    for (name, points, colour) in
        [("training", &position.training, BLUE), ("validation", &position.validation, RED)]
    {
        let line = LineSeries::new(points.iter().copied(), &colour);
        chart
            .draw_series(line)?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
    }
    chart.configure_series_labels().border_style(BLACK).background_style(WHITE).draw()?;
    area.present()?;
    Ok(())
}
