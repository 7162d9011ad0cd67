//! What is said of each mistake; `WENGERT_WRITE=1` writes it down anew.

use std::fmt::Write as _;
use std::path::Path;

use wengert_walk::Script;

/// Mistakes of every kind.
const MISTAKES: &[&str] = &[
    // Characters and numbers.
    "w: [2] = ones $",
    "w = \"text\"",
    "w: [2] = 1e999",
    // Statements.
    "3 = w",
    "w",
    "w 3",
    "for = 3",
    "sum = 3",
    "w = 3 4 )",
    "w: 3 = ones",
    "w: [2 3",
    "w: [2] ones",
    "w: [2] = ones\n    v: [2] = ones",
    "for t 0..3:\n  h = t",
    "for t in 3:\n  h = t",
    "for t in 0..3:\nh = t",
    "repeat 3:",
    // Expressions.
    "h = (1 + 2",
    "h = 1 +",
    "h = sum(1, 2",
    "h = [1, 2",
    "h = x[1",
    "h = in",
    // Names and functions.
    "weight: [2] = ones\nloss = sum(wieght)",
    "loss = sum",
    "w: [2] = ones\nloss = som(w)",
    "w: [2] = ones\nloss = tanh(w, w)",
    "w: [2] = ones\nloss = sum(w, 0, 1)",
    "w: [2] = ones\nloss = sum(w, axes=0)",
    "w: [2] = normla",
    // Shapes.
    "x: [1, 2] = ones\nW: [3, 3] = ones\nloss = sum(x W)",
    "x: [2] = ones\ny: [3] = ones\nloss = sum(x + y)",
    "x: [2, 3] = ones\nloss = sum(x @ 3)",
    "x: [2, 2, 3] = ones\ny: [3, 3, 2] = ones\nloss = sum(x y)",
    "x: [2] = ones\nloss = sum(x')",
    "x: [2] = ones\ny: [3] = ones\nloss = dot(x, y)",
    "x: [2] = ones\ny: [2, 2] = ones\nloss = sum(cat(x, y))",
    "x: [2] = ones\ny: [3] = ones\nloss = sum(stack(x, y))",
    "x: [2] = ones\nloss = sum(reshape(x, [3]))",
    "x: [2] = ones\nloss = sum(softmax(x, 1))",
    "x: [2] = [1, 2, 3]",
    "x: [2, 2] = [[1, 2], [3]]",
    "x: [2, 2] = [[1, 2], 3]",
    "x: [-1] = ones",
    "x: [1.5] = ones",
    "x = zeros\nloss = sum(x)",
    "x: [2] = normal(1)",
    "x: [2] = uniform(1, 0)",
    "x: [2] = eye",
    "x: [2, 2] = ones\nloss = cross_entropy(x, [0, 2])",
    // Indices.
    "x: [4, 2] = ones\nfor t in 0..5:\n  loss = sum(x[t])",
    "x: [2] = ones\nloss = sum(x[0, 1])",
    "x: [2] = ones\nloss = sum(x[0.5])",
    "x: [2] = ones\nloss = sum(x[x])",
    "x: [2] = ones\nloss = sum(x[0..3])",
    // Losses and leaves.
    "",
    "w: [2] = ones",
    "loss = sum([1, 2])",
    "w: [2] = ones\nw: [3] = ones",
    "repeat 2:\n  w: [2] = ones",
    // Limits.
    "w: [1] = ones\nrepeat 100000:\n  w = sin(w)\nloss = sum(w)",
    "w: [1000, 1000] = ones\nloss = sum(w)",
    "w: [1, 1, 1, 1, 1, 1, 1, 1] = ones\nloss = sum(w)",
    "w: [400, 400] = ones\nrepeat 20: w = w w\nloss = sum(w)",
];

#[test]
fn mistakes_are_told_with_their_place() {
    let mut told = String::new();
    for text in MISTAKES {
        let error = Script::parse(text).and_then(|program| program.scene::<f64>()).map(|scene| scene.title);
        let _ = writeln!(told, "{text}\n  -> {}\n", error.expect_err(text));
    }
    let deep = "(".repeat(1000);
    let long = "# ".repeat(20_000);
    let many = "a = 1\n".repeat(1000);
    let far: String = (0..200).map(|depth| format!("{}repeat 1:\n", " ".repeat(depth))).collect();
    let nested = format!("w: [1] = ones\nloss = {}w", "-".repeat(1000));
    let wide = format!("w: [1] = ones\nloss = w{}", " + w".repeat(5000));
    for (what, text) in
        [("deep", deep), ("long", long), ("many", many), ("far", far), ("nested", nested), ("wide", wide)]
    {
        let error = Script::parse(&text).expect_err(what);
        let _ = writeln!(told, "({what})\n  -> {error}\n");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/walk/mistakes.txt");
    if std::env::var_os("WENGERT_WRITE").is_some() {
        std::fs::write(&path, &told).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(told == written, "`WENGERT_WRITE=1 cargo test` writes what is said now:\n{told}");
}
