//! Small multiples: time and memory of each layer against each size, ours beside PyTorch's.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::prelude::*;
use serde_json::Value;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

/// The sizes that vary, as the measurements name them and as the plot does.
const AXES: [(&str, &str); 4] =
    [("steps", "steps"), ("hidden", "hidden units"), ("batch", "batch"), ("layers", "layers")];
const KINDS: [&str; 2] = ["LSTM", "GRU"];
/// What is drawn, its caption, and the least that is shown: below a tenth of a MiB it is the system's pages
/// that count.
const QUANTITIES: [(&str, &str, f64); 2] = [("ms", "ms", 0.0), ("mib", "MiB", 0.1)];
const WHO: [(&str, RGBColor); 2] = [("Wengert", RED), ("PyTorch", BLUE)];
const PANEL: (u32, u32) = (290, 220);
const TOP: u32 = 34;

/// The measurements in a file, one JSON object a line.
pub fn read(data: &Path) -> Result<Vec<Value>, Box<dyn Error>> {
    let text = std::fs::read_to_string(data).map_err(|error| format!("{}: {error}", data.display()))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// A row for each layer and quantity, a column for each size.
pub fn draw(measured: &[Value], title: &str, plot: &Path) -> Drawn {
    let rows = KINDS.len() * QUANTITIES.len();
    let size = (PANEL.0 * AXES.len() as u32, TOP + PANEL.1 * rows as u32);
    let area = SVGBackend::new(plot, size).into_drawing_area();
    area.fill(&WHITE)?;
    let (top, panels) = area.split_vertically(TOP);
    legend(&top, title)?;
    let panels = panels.split_evenly((rows, AXES.len()));
    for (index, panel) in panels.iter().enumerate() {
        let (row, axis) = (index / AXES.len(), AXES[index % AXES.len()]);
        let (kind, quantity) = (KINDS[row / QUANTITIES.len()], QUANTITIES[row % QUANTITIES.len()]);
        let of_panel = |one: &&Value| one["kind"] == kind && one["axis"] == axis.0;
        draw_panel(panel, &measured.iter().filter(of_panel).collect::<Vec<_>>(), kind, axis, quantity)?;
    }
    area.present()?;
    Ok(())
}

fn legend(area: &Area<'_>, title: &str) -> Drawn {
    let style = ("sans-serif", 15).into_font();
    for (index, (who, colour)) in WHO.iter().enumerate() {
        let x = 60 + 110 * index as i32;
        area.draw(&PathElement::new([(x, 18), (x + 24, 18)], colour.stroke_width(2)))?;
        area.draw(&Text::new(*who, (x + 30, 10), style.clone()))?;
    }
    area.draw(&Cross::new((294, 18), 5, BLACK))?;
    area.draw(&Text::new("the same input packed", (306, 10), style.clone()))?;
    area.draw(&Text::new(title.to_string(), (500, 10), style))?;
    Ok(())
}

/// Both axes logarithmic; an empty panel where nothing was measured.
fn draw_panel(
    area: &Area<'_>,
    measured: &[&Value],
    kind: &str,
    (axis, label): (&str, &str),
    (quantity, unit, least): (&str, &str, f64),
) -> Drawn {
    let point = |one: &Value| Some((one[axis].as_f64()?, one[quantity].as_f64()?.max(least)));
    let of = |who: &str, packed: bool| -> Vec<(f64, f64)> {
        let chosen = measured.iter().filter(|one| one["who"] == who && one["packed"] == packed);
        chosen.filter_map(|one| point(one)).collect()
    };
    let points: Vec<_> = measured.iter().filter_map(|one| point(one)).collect();
    if points.is_empty() {
        return Ok(());
    }
    let (xs, ys) =
        (scale(points.iter().map(|point| point.0), 1.0), scale(points.iter().map(|point| point.1), 1.3));
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{kind}, {unit}"), ("sans-serif", 14))
        .margin(8)
        .x_label_area_size(32)
        .y_label_area_size(46)
        .build_cartesian_2d(xs, ys)?;
    let number = |value: &f64| value.to_string();
    chart
        .configure_mesh()
        .x_desc(label)
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .light_line_style(WHITE)
        .draw()?;
    for (who, colour) in WHO {
        let line = of(who, false);
        chart.draw_series(LineSeries::new(line.iter().copied(), &colour))?;
        chart.draw_series(line.iter().map(|&point| Circle::new(point, 2, colour.filled())))?;
        chart.draw_series(of(who, true).into_iter().map(|point| Cross::new(point, 5, colour)))?;
    }
    Ok(())
}

/// From the least to the largest, with room around them; marked at powers of two where powers of ten would
/// be too few.
fn scale(values: impl Iterator<Item = f64>, room: f64) -> LogCoord<f64> {
    let (low, high) =
        values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let base = if high / low < 500.0 { 2.0 } else { 10.0 };
    (low / room..high * room).log_scale().base(base).into()
}
