//! The walk of a tape as data: what a page shows, field by field.

use serde::Serialize;

use crate::value::{JsonNumber, Value};

/// A recorded tape with all values, and its backward as the events that it is made of.
///
/// As JSON its fields have the names that they have here, but for [`Scene::element`], which is `type`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Scene {
    /// A few words on what there is.
    pub title: String,
    /// The type of the numbers: `f32` or `f64`.
    #[serde(rename = "type")]
    pub element: &'static str,
    /// Leaves and operations in the order of recording.
    pub lines: Vec<SceneLine>,
    /// The backward, in the order in which it happens.
    pub backward: Vec<Event>,
    /// Pictures of the tape.
    pub drawings: Drawings,
    /// The gradients held against differences, if that was asked for.
    pub check: Option<Check>,
    /// Remarks on what was left out, and why.
    pub remarks: Vec<String>,
}

/// A line of a [`Scene`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SceneLine {
    /// The line's number on the tape.
    pub number: usize,
    /// The line as it stands in a listing.
    pub text: String,
    /// The operation's name, or `leaf`.
    pub operation: String,
    /// The name of a parameter, or of the variable of a program; else empty.
    pub name: String,
    /// The module path.
    pub path: String,
    /// The place in the source that recorded it: file and line, or line and column of a program.
    pub source: Option<String>,
    /// Whether a gradient flows through it.
    pub requires_grad: bool,
    /// Whether it is a leaf of so few elements that one can change them.
    pub editable: bool,
    /// The origins of its inputs.
    pub inputs: Vec<SceneInput>,
    /// The values that it gives.
    pub outputs: Vec<SceneOutput>,
    /// The gradient that the pullback brings each input, as a formula with shapes.
    pub rule: Vec<String>,
    /// The bytes that wait for its pullback.
    pub kept_bytes: usize,
    /// The time step, where lines of one place fold.
    pub step: Option<usize>,
    /// The node of [`Drawings::rolled`] that stands for it.
    pub node: usize,
}

/// An output of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[non_exhaustive]
pub struct Ref {
    /// The line's number.
    pub line: usize,
    /// The number of the output among those of the line.
    pub output: usize,
}

/// An input of a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum SceneInput {
    /// An output of an earlier line.
    Value(Ref),
    /// A value that no gradient flows to.
    Constant {
        /// The value, if it is known.
        constant: Option<Value>,
    },
}

/// A value that a line gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SceneOutput {
    /// The extents of the axes.
    pub shape: Vec<usize>,
    /// The value, if it is known.
    pub value: Option<Value>,
    /// The gradient of the last line in it, if there is one.
    pub grad: Option<Value>,
}

/// Something that happens in a backward.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(
    clippy::large_enum_variant,
    reason = "all of them hold tensors elsewhere, and there are a few thousand"
)]
#[non_exhaustive]
pub enum Event {
    /// The cotangent that it begins with, one at the loss.
    Seed {
        /// The loss.
        to: Ref,
        /// The cotangent.
        value: Value,
    },
    /// A line's rule is run.
    Pull {
        /// The line's number.
        line: usize,
        /// The cotangent of each output; none stands for zero.
        cotangents: Vec<Option<Value>>,
        /// The terms that inputs get at once.
        gives: Vec<Give>,
        /// The products that wait.
        waits: Vec<Wait>,
    },
    /// All products that waited at a matrix become one.
    Product {
        /// The value whose cotangent it is added to.
        to: Ref,
        /// How many waited.
        count: usize,
        /// The left factors below each other, and the right ones, first step first: the product is that of
        /// the left one transposed and the right one.
        factors: [Value; 2],
        /// The product.
        value: Value,
        /// The sum of all that has come there.
        sum: Value,
    },
}

/// A term that a rule gives to an input.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Give {
    /// The number of the input.
    pub input: usize,
    /// The line, and the output of it, that the input is.
    pub to: Ref,
    /// The term.
    pub value: Value,
    /// The sum of all terms that have come there, with this one.
    pub sum: Value,
    /// How many terms have come there, with this one; products that were summed are one.
    pub arrived: usize,
    /// How many will come in all.
    pub of: usize,
}

/// A product `left^T right` that waits at a matrix for those of other steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Wait {
    /// The number of the input.
    pub input: usize,
    /// The line, and the output of it, that the input is.
    pub to: Ref,
    /// Left and right factor.
    pub factors: [Value; 2],
    /// How many wait there, with this one.
    pub waiting: usize,
}

/// Pictures of a tape.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Drawings {
    /// Folded: time steps are one.
    pub rolled: Drawing,
    /// Each line by itself; none of a long tape.
    pub unrolled: Option<Drawing>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Drawing {
    /// The document of SVG: [`wengert_view::Graph::to_svg`] says what its parts are marked with.
    pub svg: String,
}

/// Gradients held against central differences.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// A row for each leaf.
    pub rows: Vec<CheckRow>,
    /// The outcome, in a sentence.
    pub verdict: String,
}

/// The gradient of one leaf, and what differences say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CheckRow {
    /// The leaf's name, or its line.
    pub name: String,
    /// The gradient from the tape.
    pub analytical: Value,
    /// The gradient by differences.
    pub numerical: Value,
    /// The largest distance of two elements.
    pub largest: JsonNumber,
}
