//! Positive numbers as bars and as a line, on a scale of powers of ten.

use std::fmt::Write as _;

use crate::svg;
use crate::text::{columns, number, pixel, shortened, visible, xml};

/// Norms by name or time step: bars in a terminal, a line in a picture, both on a logarithmic scale, on which
/// what vanishes or explodes step by step is a slope.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    title: String,
    bars: Vec<(String, Option<f64>)>,
    /// What to say if nothing is known.
    missing: &'static str,
}

/// How long bars are at most.
const BAR: f64 = 40.0;
/// Decades that are shown at least, and at most: what is farther below the largest has the shortest bar.
const DECADES: std::ops::RangeInclusive<f64> = 2.0..=16.0;

impl Chart {
    pub(crate) fn new(title: &str, bars: Vec<(String, Option<f64>)>, missing: &'static str) -> Self {
        Chart { title: title.to_string(), bars, missing }
    }

    /// Names and numbers, in order; none where a number is not known.
    pub fn bars(&self) -> &[(String, Option<f64>)] {
        &self.bars
    }

    /// The powers of ten at both ends of the scale; none without a number above 0.
    fn scale(&self) -> Option<(f64, f64)> {
        let known =
            self.bars.iter().filter_map(|bar| bar.1).filter(|value| *value > 0.0 && value.is_finite());
        let (low, high) =
            known.fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
        if high <= 0.0 {
            return None;
        }
        let (low, high) = (low.log10().floor(), high.log10().ceil());
        Some((high - (high - low).clamp(*DECADES.start(), *DECADES.end()), high))
    }

    /// How high a number stands on the scale, from 0 to 1.
    fn part(scale: Option<(f64, f64)>, value: f64) -> f64 {
        match scale {
            _ if value.is_nan() || value == f64::INFINITY => 1.0,
            Some((low, high)) if value > 0.0 => ((value.log10() - low) / (high - low)).clamp(0.0, 1.0),
            _ => 0.0,
        }
    }

    fn is_missing(&self) -> bool {
        self.bars.iter().all(|(_, value)| value.is_none())
    }

    /// Bars for a terminal, a line each, in characters without colour.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tape, Tensor};
    /// let w = Parameter::new(Tensor::from([3.0f64, 4.0])).named("w");
    /// let loss = w.square().sum();
    /// let norms = wengert_view::parameter_norms(&Tape::of(&loss));
    /// assert!(norms.to_terminal().contains("call `backward()`"));
    /// loss.backward()?;
    /// let norms = wengert_view::parameter_norms(&Tape::of(&loss)).to_terminal();
    /// assert!(norms.contains("w  10 ####"), "{norms}");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn to_terminal(&self) -> String {
        let mut out = visible(&self.title);
        if self.is_missing() {
            let _ = writeln!(out, "\n{}", self.missing);
            return out;
        }
        let scale = self.scale();
        if let Some((low, high)) = scale {
            let _ = write!(out, ", bars from 1e{low} to 1e{high}");
        }
        out.push('\n');
        let names: Vec<String> = self.bars.iter().map(|(name, _)| shortened(name, 48)).collect();
        let text = |value: Option<f64>| value.map_or("none".to_string(), number);
        let numbers: Vec<String> = self.bars.iter().map(|(_, value)| text(*value)).collect();
        let widest = names.iter().map(|name| columns(name)).max().unwrap_or(0);
        let longest = numbers.iter().map(String::len).max().unwrap_or(0);
        for ((name, number), (_, value)) in names.iter().zip(&numbers).zip(&self.bars) {
            let pad = " ".repeat(widest - columns(name));
            let bar = value.map_or(0.0, |value| Chart::part(scale, value) * BAR);
            let line = format!("{pad}{name}  {number:>longest$} {}", "#".repeat(bar.round() as usize));
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }

    /// A line as a document of SVG, with a dot for each number.
    ///
    /// ```
    /// use wengert_core::{Parameter, Tape, Tensor};
    /// let w = Parameter::new(Tensor::from([3.0f64, 4.0])).named("<w>");
    /// let loss = w.square().sum();
    /// loss.backward()?;
    /// let svg = wengert_view::parameter_norms(&Tape::of(&loss)).to_svg();
    /// assert!(svg.contains("<title>&lt;w&gt;: 10</title>"));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn to_svg(&self) -> String {
        if self.is_missing() {
            return svg::words(&self.title, self.missing);
        }
        let scale = self.scale();
        let (left, top, height) = (60.0, 40.0, 200.0);
        let step = (600.0 / self.bars.len() as f64).clamp(1.0, 60.0);
        let width = (self.bars.len() as f64 * step).max(columns(&visible(&self.title)) as f64 * 7.4);
        let longest = self.bars.iter().map(|(name, _)| columns(&shortened(name, 24))).max().unwrap_or(0);
        let below = (longest as f64 * 6.0).max(10.0) + 24.0;
        let whole = left + width + 20.0;
        let mut out = svg::begin(whole, top + height + below, &self.title, &self.description());
        svg::text_at(whole / 2.0, 22.0, "", &self.title, &mut out);
        write_grid(scale, [left, top, width, height], &mut out);
        let mut way = String::new();
        let mut dots = String::new();
        let mut is_on = false;
        // Names that would run into each other are left out, but for every so many.
        let every = (12.0 / step).ceil() as usize;
        for (place, (name, value)) in self.bars.iter().enumerate() {
            let x = left + (place as f64 + 0.5) * step;
            if place % every == 0 {
                write_name(x, top + height + 12.0, &shortened(name, 24), &mut out);
            }
            let Some(value) = *value else {
                is_on = false;
                continue;
            };
            let y = top + height * (1.0 - Chart::part(scale, value));
            let _ = write!(way, "{}{} {}", if is_on { "L" } else { "M" }, pixel(x), pixel(y));
            let title = format!("{}: {}", xml(name), number(value));
            let (x, y) = (pixel(x), pixel(y));
            let _ = writeln!(
                dots,
                "<circle class=\"tip-grad\" cx=\"{x}\" cy=\"{y}\" r=\"2.5\"><title>{title}</title></circle>"
            );
            is_on = true;
        }
        let _ = writeln!(out, "<path class=\"way\" d=\"{way}\"/>");
        out + &dots + "</svg>\n"
    }

    fn description(&self) -> String {
        let known: Vec<(&str, f64)> =
            self.bars.iter().filter_map(|(name, value)| Some((name.as_str(), (*value)?))).collect();
        let told = |bar: Option<&(&str, f64)>| bar.map(|(name, value)| format!("{name}: {}", number(*value)));
        let (first, last) = (told(known.first()).unwrap_or_default(), told(known.last()).unwrap_or_default());
        format!("{}, {} numbers on a logarithmic scale, from {first} to {last}.", self.title, known.len())
    }
}

/// A line for each power of ten, or for every few.
fn write_grid(scale: Option<(f64, f64)>, [left, top, width, height]: [f64; 4], out: &mut String) {
    let Some((low, high)) = scale else { return };
    let every = ((high - low) / 6.0).ceil().max(1.0) as usize;
    for decade in (low as i64..=high as i64).rev().step_by(every) {
        let y = top + height * (1.0 - (decade as f64 - low) / (high - low));
        let _ = writeln!(
            out,
            "<path class=\"way\" opacity=\"0.25\" d=\"M{} {y}H{}\"/>",
            pixel(left),
            pixel(left + width),
            y = pixel(y)
        );
        svg::text_at(left - 26.0, y + 4.0, "faint small", &format!("1e{decade}"), out);
    }
}

/// A name that hangs down from its place.
fn write_name(x: f64, y: f64, name: &str, out: &mut String) {
    let (x, y) = (pixel(x), pixel(y));
    let _ = writeln!(
        out,
        "<text class=\"faint small\" style=\"text-anchor:end\" x=\"{x}\" y=\"{y}\" \
         transform=\"rotate(-90 {x} {y})\" dy=\"3\">{}</text>",
        xml(name)
    );
}
