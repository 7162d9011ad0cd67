//! What is drawn on, in pixels.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use wengert_core::{Error, Result};

/// The height of ordinary text, and of a title.
pub(super) const TEXT: f64 = 13.0;
pub(super) const TITLE: f64 = 17.0;
/// The most characters of a label; of a longer one the end, which tells parameters apart, is shown.
const MOST: usize = 32;

pub(super) const FRAME: RGBColor = RGBColor(0x88, 0x88, 0x88);
pub(super) const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Colours that also those tell apart who see few (Okabe and Ito, 2008).
pub(super) const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x00, 0x00, 0x00),
];

/// A rectangle in pixels; y goes down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    pub(super) fn width(self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(self) -> f64 {
        self.bottom - self.top
    }

    /// Where a part of the way from left to right, and from bottom to top, is.
    pub(super) fn at(self, across: f64, up: f64) -> (f64, f64) {
        (self.left + across * self.width(), self.bottom - up * self.height())
    }
}

/// A white picture.
pub(super) struct Canvas<'s> {
    area: DrawingArea<SVGBackend<'s>, Shift>,
}

type Drawn = std::result::Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The SVG that `draw` makes of so many pixels.
pub(super) fn svg(width: f64, height: f64, draw: impl FnOnce(&Canvas<'_>) -> Drawn) -> Result<String> {
    let mut text = String::new();
    let drawn = {
        let size = (width.ceil() as u32, height.ceil() as u32);
        let canvas = Canvas { area: SVGBackend::with_string(&mut text, size).into_drawing_area() };
        let background = canvas.area.fill(&WHITE);
        background.and_then(|()| draw(&canvas)).and_then(|()| canvas.area.present())
    };
    drawn.map_err(|error| Error::file("plot".as_ref(), error)).map(|()| text)
}

impl Canvas<'_> {
    pub(super) fn line(&self, points: &[(f64, f64)], colour: RGBColor, width: u32) -> Drawn {
        let points: Vec<(i32, i32)> = points.iter().map(|&point| pixel(point)).collect();
        self.area.draw(&PathElement::new(points, colour.stroke_width(width)))
    }

    pub(super) fn dot(&self, at: (f64, f64), colour: RGBColor) -> Drawn {
        self.area.draw(&Circle::new(pixel(at), 2, colour.filled()))
    }

    pub(super) fn filled(&self, area: Area, colour: RGBColor) -> Drawn {
        self.rectangle(area, colour.filled())
    }

    pub(super) fn outlined(&self, area: Area, colour: RGBColor) -> Drawn {
        self.rectangle(area, colour.stroke_width(1))
    }

    fn rectangle(&self, area: Area, style: ShapeStyle) -> Drawn {
        let corners = [pixel((area.left, area.top)), pixel((area.right, area.bottom))];
        self.area.draw(&Rectangle::new(corners, style))
    }

    /// Text around a point: `across` says which part of it is there, of the height the middle.
    pub(super) fn text(&self, at: (f64, f64), across: HPos, text: &str, size: f64, ink: RGBColor) -> Drawn {
        self.styled(at, across, text, size, ink, FontTransform::None)
    }

    /// Text from the bottom up that ends at a point, or has its middle there.
    pub(super) fn upward(&self, at: (f64, f64), along: HPos, text: &str) -> Drawn {
        self.styled(at, along, text, TEXT, INK, FontTransform::Rotate270)
    }

    fn styled(
        &self,
        at: (f64, f64),
        across: HPos,
        text: &str,
        size: f64,
        ink: RGBColor,
        transform: FontTransform,
    ) -> Drawn {
        // The backend divides the size by this factor, which is that of a font it knows.
        let font = ("sans-serif", size * 1.24).into_font().transform(transform);
        let style = TextStyle::from(font).color(&ink).pos(Pos::new(across, VPos::Center));
        self.area.draw(&Text::new(printable(text), pixel(at), style))
    }
}

fn pixel((x, y): (f64, f64)) -> (i32, i32) {
    (x.round() as i32, y.round() as i32)
}

/// Text without what XML does not allow.
fn printable(text: &str) -> String {
    let allowed = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect()
}

/// How wide a text is at most, about: no font is asked.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let of = |c: char| if c == ' ' || c.is_ascii_graphic() { 0.6 } else { 1.0 };
    text.chars().map(of).sum::<f64>() * size
}

/// How wide the widest is.
pub(super) fn widest<'t>(texts: impl IntoIterator<Item = &'t str>) -> f64 {
    texts.into_iter().map(|text| width(text, TEXT)).fold(0.0, f64::max)
}

/// A label that is not too long.
pub(super) fn shortened(text: &str) -> String {
    let length = text.chars().count();
    if length <= MOST {
        return text.to_string();
    }
    std::iter::once('…').chain(text.chars().skip(length + 1 - MOST)).collect()
}
