//! Memory and time of full, truncated and checkpointed backpropagation against the length of the sequence,
//! for an LSTM(128) on 16 samples: a table, and a plot.
//!
//! `cargo run --release -p wengert-bench --bin memory -- [--plot docs/memory.svg]`
//!
//! Each figure comes from a process of its own: its peak above what it held before its first tensor, and
//! the time of a forward and backward pass after a first one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use clap::Parser;
use indicatif::ProgressBar;
use plotters::coord::Shift;
use plotters::prelude::*;
use wengert::prelude::*;
use wengert_bench::memory;

const WAYS: [&str; 3] = ["full", "checkpointed", "truncated"];
const LENGTHS: [usize; 6] = [100, 300, 1000, 2000, 5000, 10_000];
/// The steps of a window, and between two checkpoints.
const WINDOW: usize = 100;
const BATCH: usize = 16;
const WIDTH: usize = 128;

#[derive(Parser)]
struct Arguments {
    /// Where the plot goes; none if not given.
    #[arg(long)]
    plot: Option<PathBuf>,
    /// Measures one way at one length in this process.
    #[arg(long, hide = true, num_args = 2)]
    only: Option<Vec<String>>,
}

/// What one process measured.
#[derive(Clone, Copy)]
struct Figure {
    steps: usize,
    mib: f64,
    seconds: f64,
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    if let Some(only) = &arguments.only {
        let (mib, seconds) = measure(&only[0], only[1].parse()?)?;
        println!("{mib} {seconds}");
        return Ok(());
    }
    let progress = ProgressBar::new((WAYS.len() * LENGTHS.len()) as u64);
    let mut lines = Vec::new();
    for way in WAYS {
        let figures: std::result::Result<Vec<Figure>, Box<dyn Error>> = LENGTHS
            .iter()
            .map(|&steps| {
                let figure = in_a_process(way, steps);
                progress.inc(1);
                figure
            })
            .collect();
        lines.push((way, figures?));
    }
    progress.finish_and_clear();
    print(&lines);
    match &arguments.plot {
        Some(path) => plot(path, &lines),
        None => Ok(()),
    }
}

fn in_a_process(way: &str, steps: usize) -> std::result::Result<Figure, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?).args(["--only", way, &steps.to_string()]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (mib, seconds) = text.trim().split_once(' ').ok_or("no figures")?;
    Ok(Figure { steps, mib: mib.parse()?, seconds: seconds.parse()? })
}

/// Peak MiB above the start's, and seconds of a pass.
fn measure(way: &str, steps: usize) -> std::result::Result<(f64, f64), Box<dyn Error>> {
    let unknown = "memory is read on Linux";
    let before = memory::resident().ok_or(unknown)?;
    let mut lstm = Lstm::new(WIDTH, WIDTH)?;
    if way == "checkpointed" {
        lstm.set_checkpointing(Some(Checkpointing::Every(WINDOW)))?;
    }
    let pass = || if way == "truncated" { truncated(&lstm, steps) } else { whole(&lstm, steps) };
    pass()?;
    let start = Instant::now();
    pass()?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((memory::peak().ok_or(unknown)? - before, seconds))
}

/// The loss of all outputs, differentiated at once.
fn whole(lstm: &Lstm, steps: usize) -> Result<()> {
    let x = Variable::new(Tensor::randn([steps, BATCH, WIDTH]));
    let (output, _) = lstm.forward(&x, None)?;
    output.square().mean().backward()?;
    lstm.zero_grad();
    Ok(())
}

/// Window by window, each drawn when it is its turn.
fn truncated(lstm: &Lstm, steps: usize) -> Result<()> {
    let mut truncated = Truncated::new(WINDOW, WINDOW)?;
    for window in truncated.windows(steps) {
        let x = Variable::new(Tensor::randn([window.len(), BATCH, WIDTH]));
        truncated.window(lstm, &x, None, |output| Ok(output.square().mean()))?;
    }
    lstm.zero_grad();
    Ok(())
}

fn print(lines: &[(&str, Vec<Figure>)]) {
    println!("{:<8} {:>32} {:>36}", "", "peak MiB", "seconds a pass");
    let names = WAYS.map(|way| format!("{way:>13}")).concat();
    println!("{:<8}{names}{names}", "steps");
    for (row, steps) in LENGTHS.iter().enumerate() {
        let mib: String = lines.iter().map(|(_, figures)| format!("{:>13.1}", figures[row].mib)).collect();
        let seconds: String =
            lines.iter().map(|(_, figures)| format!("{:>13.3}", figures[row].seconds)).collect();
        println!("{steps:<8}{mib}{seconds}");
    }
}

fn plot(path: &Path, lines: &[(&str, Vec<Figure>)]) -> std::result::Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(path, (1000, 420)).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(500);
    panel(&left, lines, "peak memory, MiB", |figure| figure.mib)?;
    panel(&right, lines, "a forward and backward pass, seconds", |figure| figure.seconds)?;
    area.present()?;
    Ok(())
}

/// One quantity over the steps, both axes logarithmic.
fn panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    lines: &[(&str, Vec<Figure>)],
    caption: &str,
    value: impl Fn(&Figure) -> f64,
) -> std::result::Result<(), Box<dyn Error>> {
    let all = || lines.iter().flat_map(|(_, figures)| figures).map(&value);
    let (low, high) = all().fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
    let mut chart = ChartBuilder::on(area)
        .caption(caption, ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(54)
        .build_cartesian_2d((100.0..10_000.0).log_scale(), (low / 1.3..high * 1.3).log_scale())?;
    chart.configure_mesh().x_desc("steps").light_line_style(WHITE).draw()?;
    for ((name, figures), colour) in lines.iter().zip([RED, BLUE, BLACK]) {
        let points = || figures.iter().map(|figure| (figure.steps as f64, value(figure)));
        chart
            .draw_series(LineSeries::new(points(), &colour))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    Ok(())
}
