//! A graph as a picture.

use std::fmt::Write as _;

use crate::graph::{Graph, GraphNode, NodeKind};
use crate::layout::{GraphLayout, LINE_HEIGHT, Placed, Route, edge_text};
use crate::text::{pixel, xml};

/// Colours for a light ground, and for a dark one where the reader prefers that.
const STYLE: &str = "
svg{--ground:#fff;--text:#111827;--faint:#4b5563;--box:#f3f4f6;--line:#6b7280;--parameter:#fef3c7;\
--leaf:#dcfce7;--module:#e0e7ff;--back:#1d4ed8;--grad:#dc2626}
@media (prefers-color-scheme:dark){svg{--ground:#111827;--text:#f3f4f6;--faint:#9ca3af;--box:#1f2937;\
--line:#9ca3af;--parameter:#5b3a0a;--leaf:#14432a;--module:#312e81;--back:#60a5fa;--grad:#f87171}}
.ground{fill:#fff;fill:var(--ground)}
text{font-family:ui-monospace,'DejaVu Sans Mono',monospace;font-size:12px;fill:#111827;fill:var(--text);\
text-anchor:middle}
.faint{fill:#4b5563;fill:var(--faint)}
.small{font-size:10px}
.first{font-weight:bold}
.box{stroke:#6b7280;stroke:var(--line);fill:#f3f4f6;fill:var(--box)}
.parameter{fill:#fef3c7;fill:var(--parameter)}
.leaf{fill:#dcfce7;fill:var(--leaf)}
.module{fill:#e0e7ff;fill:var(--module)}
.way{fill:none;stroke:#6b7280;stroke:var(--line);stroke-width:1.2}
.back{stroke:#1d4ed8;stroke:var(--back);stroke-dasharray:6 3}
.grad{stroke:#dc2626;stroke:var(--grad);stroke-dasharray:2 3}
.tip{fill:#6b7280;fill:var(--line)}
.tip-back{fill:#1d4ed8;fill:var(--back)}
.tip-grad{fill:#dc2626;fill:var(--grad)}
";

/// How far the way of a gradient is beside that of the value.
const ASIDE: f64 = 5.0;

/// The beginning of a picture: frame, style, a title and a description for who does not see it.
pub(crate) fn begin(width: f64, height: f64, title: &str, description: &str) -> String {
    let (w, h) = (pixel(width), pixel(height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         role=\"img\">\n<title>{}</title>\n<desc>{}</desc>\n<style>{STYLE}</style>\n",
        xml(title),
        xml(description)
    );
    let _ = writeln!(out, "<rect class=\"ground\" width=\"{w}\" height=\"{h}\"/>");
    out
}

/// A picture of a few words.
pub(crate) fn words(title: &str, text: &str) -> String {
    let lines = wrapped(text, 70);
    let height = lines.len() as f64 * LINE_HEIGHT + 40.0;
    let mut out = begin(560.0, height, title, text);
    for (place, line) in lines.iter().enumerate() {
        text_at(280.0, 32.0 + place as f64 * LINE_HEIGHT, "", line, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// The words of a text in lines of at most so many columns.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(word.to_string());
        } else {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    lines
}

pub(crate) fn text_at(x: f64, y: f64, class: &str, text: &str, out: &mut String) {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    let _ = writeln!(out, "<text x=\"{}\" y=\"{}\"{class}>{}</text>", pixel(x), pixel(y), xml(text));
}

impl Graph {
    /// The graph as a picture: a document of SVG on its own, in light or dark colours as the reader prefers,
    /// with a title and a description for screen readers. Each node has its lines of the tape as a tooltip.
    ///
    /// A page that shows it finds its parts: a node is `<g class="node" data-node="3" data-lines="4 9
    /// 14">`, by its place in [`Graph::nodes`] and the numbers of its lines, an edge `<g class="edge"
    /// data-from="1" data-to="3">`. Colours are the variables `--ground`, `--text`, `--faint`, `--box`,
    /// `--line`, `--parameter`, `--leaf`, `--module`, `--back` and `--grad` of the picture's style, which a
    /// page may set.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// use wengert_view::View;
    /// let x = Variable::new(Tensor::from([0.5f32])).requires_grad_(true);
    /// let svg = Tape::of(&x.sin()).graph().gradients(true).to_svg();
    /// assert!(svg.contains("<title>") && svg.contains(">Sin</text>"));
    /// ```
    pub fn to_svg(&self) -> String {
        let title = "Graph of a tape";
        if self.nodes.is_empty() {
            return words(title, self.remark().unwrap_or_default());
        }
        let Some(layout) = GraphLayout::of(self) else {
            let nodes = self.nodes.len();
            let text = format!("A graph of {nodes} nodes is too large to be seen: fold it, as `Fold` does.");
            return words(title, &text);
        };
        let remark = self.remark().map(|remark| wrapped(remark, 60)).unwrap_or_default();
        let height = layout.height + remark.len() as f64 * LINE_HEIGHT;
        let width = if remark.is_empty() { layout.width } else { layout.width.max(480.0) };
        let mut out = begin(width, height, title, &self.summary());
        self.write_tips(&mut out);
        for (place, route) in layout.edges.iter().enumerate() {
            self.write_edge(place, route, &mut out);
        }
        for (place, at) in layout.nodes.iter().enumerate() {
            write_node(place, &self.nodes[place], *at, &mut out);
        }
        for (place, route) in layout.edges.iter().enumerate() {
            write_label(&edge_text(self, place), route.label, &mut out);
        }
        for (place, line) in remark.iter().enumerate() {
            text_at(width / 2.0, layout.height + place as f64 * LINE_HEIGHT, "faint", line, &mut out);
        }
        out.push_str("</svg>\n");
        out
    }

    /// The tips of the edges.
    fn write_tips(&self, out: &mut String) {
        out.push_str("<defs>\n");
        let kinds = ["tip", "tip-back", "tip-grad"];
        for kind in &kinds[..if self.gradients { 3 } else { 2 }] {
            let _ = writeln!(
                out,
                "<marker id=\"{kind}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" \
                 markerHeight=\"7\" orient=\"auto\"><path class=\"{kind}\" d=\"M0 0L8 4L0 8z\"/></marker>"
            );
        }
        out.push_str("</defs>\n");
    }

    fn write_edge(&self, place: usize, route: &Route, out: &mut String) {
        let edge = &self.edges[place];
        let (class, tip) = if edge.is_back { ("way back", "tip-back") } else { ("way", "tip") };
        let way = path(&route.points, edge.is_back, 0.0);
        let _ = writeln!(out, "<g class=\"edge\" data-from=\"{}\" data-to=\"{}\">", edge.from, edge.to);
        let _ = writeln!(out, "<path class=\"{class}\" marker-end=\"url(#{tip})\" d=\"{way}\"/>");
        if self.gradients && edge.requires_grad {
            let mut points = route.points.clone();
            points.reverse();
            let way = path(&points, edge.is_back, ASIDE);
            let _ = writeln!(out, "<path class=\"way grad\" marker-end=\"url(#tip-grad)\" d=\"{way}\"/>");
        }
        out.push_str("</g>\n");
    }
}

/// Points joined by vertical curves, or by straight lines.
fn path(points: &[(f64, f64)], is_straight: bool, aside: f64) -> String {
    let mut way = String::new();
    let mut before: Option<(f64, f64)> = None;
    for &(x, y) in points {
        let x = x + aside;
        let _ = match before {
            None => write!(way, "M{} {}", pixel(x), pixel(y)),
            Some((x0, y0)) if !is_straight && pixel(x0) != pixel(x) => {
                let middle = pixel((y0 + y) / 2.0);
                let end = format!("{} {middle} {} {}", pixel(x), pixel(x), pixel(y));
                write!(way, "C{} {middle} {end}", pixel(x0))
            }
            Some(_) => write!(way, "L{} {}", pixel(x), pixel(y)),
        };
        before = Some((x, y));
    }
    way
}

fn write_node(place: usize, node: &GraphNode, at: Placed, out: &mut String) {
    let (class, round) = match node.kind {
        NodeKind::Parameter => ("box parameter", at.height / 2.0),
        NodeKind::Leaf => ("box leaf", at.height / 2.0),
        NodeKind::Module => ("box module", 0.0),
        NodeKind::Operation => ("box", 4.0),
    };
    let lines: Vec<String> = node.lines.iter().take(8).map(|number| format!("%{number}")).collect();
    let more = if node.lines.len() > 8 { " \u{2026}" } else { "" };
    let path = if node.path.is_empty() { String::new() } else { format!(" in {}", node.path) };
    let title = format!("{}{path}: {}{more}", node.name, lines.join(" "));
    let numbers: Vec<String> = node.lines.iter().map(ToString::to_string).collect();
    let _ = writeln!(
        out,
        "<g class=\"node\" data-node=\"{place}\" data-lines=\"{}\">\n<title>{}</title>",
        numbers.join(" "),
        xml(&title)
    );
    let [x, y, width, height] = [at.x, at.y, at.width, at.height].map(pixel);
    let round = pixel(round.min(14.0));
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{round}\"/>"
    );
    for (place, text) in node.texts().iter().enumerate() {
        let class = if place == 0 { "first" } else { "faint" };
        let baseline = at.y + 17.0 + place as f64 * LINE_HEIGHT;
        text_at(at.x + at.width / 2.0, baseline, class, text, out);
    }
    out.push_str("</g>\n");
}

/// A label, which covers the edge beneath it.
fn write_label(text: &str, at: Placed, out: &mut String) {
    let [x, y, width, height] = [at.x, at.y, at.width, at.height].map(pixel);
    let _ =
        writeln!(out, "<rect class=\"ground\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>");
    text_at(at.x + at.width / 2.0, at.y + at.height - 4.0, "faint small", text, out);
}
