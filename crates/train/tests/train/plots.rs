//! Pictures, by the text of their SVG: what is there, where, and that it stays within the frame.

use wengert_core::{Generator, Tensor};
use wengert_train::{All, BarPlot, ConfusionMatrix, Curve, CurvePlot, HeatMapPlot};

/// An element: its tag, attributes, and the text in it.
#[derive(Debug)]
struct Element {
    tag: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Element {
    fn get(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|attribute| attribute.0 == name);
        found.map_or("", |attribute| attribute.1.as_str())
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).parse().unwrap_or_else(|_| panic!("{name} of {self:?}"))
    }
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&amp;", "&")
}

/// The elements of a text that is XML without surprises: each `<` opens a tag, each `&` a known name.
fn elements(svg: &str) -> Vec<Element> {
    let mut elements = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        for entity in svg.split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(["lt", "gt", "amp", "quot", "apos"].contains(&name), "&{name}");
        }
        if tag.starts_with('/') {
            continue;
        }
        let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let parts: Vec<&str> = rest.split('"').collect();
        let attributes = parts
            .chunks_exact(2)
            .map(|pair| (pair[0].trim().trim_end_matches('=').to_string(), unescaped(pair[1])));
        let attributes = attributes.collect();
        elements.push(Element { tag: name.to_string(), attributes, text: unescaped(text.trim()) });
    }
    assert!(svg.chars().all(|c| !c.is_control() || c == '\n'));
    elements
}

fn texts(elements: &[Element]) -> Vec<&str> {
    elements.iter().filter(|element| element.tag == "text").map(|element| element.text.as_str()).collect()
}

/// Every text, point and corner is in the picture.
fn check_inside(svg: &str) -> Vec<Element> {
    let elements = elements(svg);
    let (width, height) = (elements[0].number("width"), elements[0].number("height"));
    for element in &elements[1..] {
        if element.tag == "text" {
            let size = element.number("font-size");
            let wide: f64 = element.text.chars().map(|c| if c.is_ascii() { 0.6 } else { 1.0 } * size).sum();
            let before = match element.get("text-anchor") {
                "start" => 0.0,
                "middle" => wide / 2.0,
                _ => wide,
            };
            let (x, y) = (element.number("x"), element.number("y"));
            let (left, right, top, bottom) = match element.get("transform") {
                "" => (x - before, x - before + wide, y - size / 2.0, y + size / 2.0),
                // From the bottom up.
                _ => (x - size / 2.0, x + size / 2.0, y + before - wide, y + before),
            };
            let inside = left >= -1.0 && right <= width + 1.0 && top >= -1.0 && bottom <= height + 1.0;
            assert!(inside, "{element:?} is outside of {width} x {height}");
        }
        let numbers = element.get("points").split([' ', ',']).filter(|text| !text.is_empty());
        for (i, number) in numbers.enumerate() {
            let number: f64 = number.parse().unwrap();
            assert!((0.0..=if i % 2 == 0 { width } else { height }).contains(&number), "{element:?}");
        }
        if element.tag == "rect" {
            let (x, y) = (element.number("x"), element.number("y"));
            assert!(x >= 0.0 && x + element.number("width") <= width && y >= 0.0, "{element:?}");
            assert!(y + element.number("height") <= height, "{element:?}");
        }
    }
    elements
}

fn falling(name: &str, start: f64) -> Curve {
    let mut curve = Curve::new(name);
    (0..100).for_each(|i| curve.push(10 * i, start * (-0.05 * i as f64).exp() + 0.3));
    curve
}

/// Writes pictures to be looked at where a folder is given.
fn show(name: &str, svg: &str) {
    if let Some(folder) = std::env::var_os("WENGERT_TEST_PICTURES") {
        std::fs::write(std::path::Path::new(&folder).join(name).with_extension("svg"), svg).unwrap();
    }
}

#[test]
fn curves_have_a_legend_whole_steps_and_labels_inside() {
    let names = ["training", "validation <of & \"all\">"];
    let [a, b] = names.map(|name| falling(name, name.len() as f64));
    let plot = CurvePlot::new("loss").curve(&a).curve(&b).y_label("nats per character");
    for (name, plot) in [("curves", plot.clone()), ("curves-log", plot.log_scale())] {
        let svg = plot.to_svg().unwrap();
        show(name, &svg);
        let elements = check_inside(&svg);
        let texts = texts(&elements);
        for expected in ["loss", "step", "nats per character", names[0], names[1]] {
            assert!(texts.contains(&expected), "{expected} is not in {texts:?}");
        }
        for step in ["0", "200", "400", "600", "800"] {
            assert!(texts.contains(&step), "{step} is not in {texts:?}");
        }
        // Two curves with their marks in the legend, in two colours.
        let thick = elements.iter().filter(|e| e.tag == "polyline" && e.get("stroke-width") == "2");
        let mut colours: Vec<&str> = thick.map(|element| element.get("stroke")).collect();
        assert_eq!(colours.len(), 4);
        colours.sort();
        colours.dedup();
        assert_eq!(colours.len(), 2);
    }
}

#[test]
fn many_curves_of_long_names_are_inside() {
    let mut plot = CurvePlot::new("長".repeat(99)).x_label("步".repeat(99)).y_label("値".repeat(99));
    for i in 0..40 {
        plot = plot.curve(&falling(&format!("曲線 {i} {}", "長".repeat(40)), i as f64));
    }
    check_inside(&plot.to_svg().unwrap());
}

#[test]
fn a_point_without_a_place_is_a_gap() {
    let values = [1.0, 2.0, f64::NAN, 4.0, 0.0, 3.0, 2.0];
    let svg = |plot: CurvePlot| plot.curve(&Curve::of("x", values)).to_svg().unwrap();
    let drawn = |svg: &str| {
        let elements = check_inside(svg);
        let lines =
            elements.iter().filter(|e| e.tag == "polyline" && e.get("stroke-width") == "2").count() - 1;
        (lines, elements.iter().filter(|e| e.tag == "circle").count())
    };
    assert_eq!(drawn(&svg(CurvePlot::new("x"))), (2, 0));
    assert_eq!(drawn(&svg(CurvePlot::new("x").log_scale())), (2, 1));
}

#[test]
fn pictures_of_strange_values_are_whole() {
    let values =
        [vec![], vec![1.0], vec![f64::NAN], vec![f64::MAX, -f64::MAX], vec![1e-300, 1e300], vec![5e-324]];
    for values in values {
        for plot in [CurvePlot::new("x"), CurvePlot::new("x").log_scale()] {
            check_inside(&plot.curve(&Curve::of("y".repeat(500), values.clone())).to_svg().unwrap());
        }
        let bars = || values.iter().map(|&value| ("p\u{0}\u{1b}\u{202e}<>".repeat(40), value));
        check_inside(&BarPlot::new("t".repeat(300)).bars(bars()).to_svg().unwrap());
        check_inside(&BarPlot::new("x").bars(bars()).log_scale().to_svg().unwrap());
        if let [first, ..] = values[..] {
            let matrix = Tensor::<f64>::from_fn([3, 5], |i| if i % 2 == 0 { first } else { -first });
            check_inside(
                &HeatMapPlot::new("x", &matrix)
                    .unwrap()
                    .axes("r".repeat(99), "c".repeat(99))
                    .to_svg()
                    .unwrap(),
            );
        }
    }
}

#[test]
fn bars_are_as_long_as_their_numbers() {
    let bars = [
        ("lstm.weight_ih_l0", 4.0),
        ("lstm.weight_hh_l0", 2.0),
        ("a.very.long.path.to.a.parameter.weight", 1.0),
        ("dead", f64::NAN),
    ];
    let svg = BarPlot::new("gradient norms")
        .bars(bars.map(|(name, value)| (name.to_string(), value)))
        .to_svg()
        .unwrap();
    show("bars", &svg);
    let elements = check_inside(&svg);
    let fill = "#0072B2";
    let lengths: Vec<f64> =
        elements.iter().filter(|e| e.get("fill") == fill).map(|element| element.number("width")).collect();
    assert_eq!(lengths.len(), 3);
    assert!((lengths[0] / lengths[1] - 2.0).abs() < 0.02 && (lengths[1] / lengths[2] - 2.0).abs() < 0.02);
    let texts = texts(&elements);
    assert!(texts.contains(&"NaN") && texts.contains(&"lstm.weight_hh_l0"), "{texts:?}");
    assert!(texts.contains(&"…ng.path.to.a.parameter.weight") || texts.iter().any(|t| t.starts_with('…')));
    let log = [3e-6, 4.0, 0.02, 1e-4].into_iter().enumerate().map(|(i, value)| (format!("layer {i}"), value));
    let svg = BarPlot::new("gradient norms").bars(log).log_scale().to_svg().unwrap();
    show("bars-log", &svg);
    check_inside(&svg);
}

#[test]
fn heat_maps_have_a_cell_for_each_number() {
    let mut confusion = ConfusionMatrix::new(3).unwrap();
    let classes = |seed| {
        let mut generator = Generator::from_seed(seed);
        Tensor::from_fn(
            [90],
            |i| if generator.bernoulli(0.7) { i as i64 % 3 } else { generator.below(3) as i64 },
        )
    };
    confusion.update_classes(&classes(0), &classes(1), All).unwrap();
    let plot = HeatMapPlot::confusion(&confusion)
        .rows(["cat", "dog", "bird"])
        .unwrap()
        .columns(["cat", "dog", "bird"]);
    let svg = plot.unwrap().to_svg().unwrap();
    show("confusion", &svg);
    let elements = check_inside(&svg);
    let texts = texts(&elements);
    for count in confusion.matrix().to_vec() {
        assert!(texts.contains(&count.to_string().as_str()), "{count} is not in {texts:?}");
    }
    assert!(["right", "predicted", "bird"].iter().all(|expected| texts.contains(expected)));

    let matrix = Tensor::<f32>::from_fn([8, 30], |i| ((i % 30) as f32 * 0.3 - (i / 30) as f32).sin());
    let words = (0..30).map(|i| format!("word {i}"));
    let plot = HeatMapPlot::new("attention", &matrix).unwrap().columns(words).unwrap().axes("to", "from");
    let svg = plot.to_svg().unwrap();
    show("heat", &svg);
    let cells = check_inside(&svg).into_iter().filter(|e| e.tag == "rect").count();
    // A background, two frames and the 48 parts of the scale as well.
    assert_eq!(cells, 240 + 1 + 2 + 48);
}

#[test]
fn what_is_no_matrix_is_refused() {
    let error = HeatMapPlot::new("x", &Tensor::<f32>::zeros([3])).unwrap_err().to_string();
    assert_eq!(error, "HeatMapPlot: expected a matrix of 1 to 1024 rows and columns, got [3]");
    let error =
        HeatMapPlot::new("x", &Tensor::<f32>::zeros([2, 3])).unwrap().rows(["a"]).unwrap_err().to_string();
    assert_eq!(error, "HeatMapPlot: rows must be 2 names, got 1");
}
