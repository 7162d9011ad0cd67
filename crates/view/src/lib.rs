//! Pictures and words of a recorded [`Tape`]: a folded [`Graph`] of it as DOT and SVG,
//! its backward explained line by line, heat maps of matrices and norms of gradients.
//!
//! ```
//! use wengert_core::{Tape, Tensor, Variable, record};
//! use wengert_view::View;
//! let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
//! let loss = record(|| x.square().sum());
//! loss.backward()?;
//! let tape = Tape::of(&loss);
//! assert!(tape.to_dot().starts_with("digraph tape {"));
//! assert!(tape.to_svg().starts_with("<svg "));
//! assert!(tape.explain().contains("2 * x0"));
//! # Ok::<(), wengert_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod chart;
mod dot;
mod explain;
mod graph;
mod heat;
mod layout;
mod norms;
mod svg;
mod text;

pub use chart::Chart;
pub use explain::pullback_rules;
pub use graph::{Fold, Graph, GraphEdge, GraphNode, NodeKind};
pub use heat::{Colours, HeatMap};
pub use layout::{GraphLayout, Placed, Route};
pub use norms::{parameter_norms, step_norms};

use wengert_core::Tape;

/// Pictures and words of a tape, as methods of it.
///
/// Pictures are of the tape folded ([`Fold::default`]): `Graph::of` takes other options.
pub trait View {
    /// The tape folded, as nodes and edges.
    fn graph(&self) -> Graph;

    /// The tape folded, in Graphviz's language.
    fn to_dot(&self) -> String {
        self.graph().to_dot()
    }

    /// The tape folded, as a picture.
    fn to_svg(&self) -> String {
        self.graph().to_svg()
    }

    /// Forward and then backward in words and numbers, as they happened: at each line which cotangent is at
    /// hand, the rule, and what goes to each input. The tape must be that of a value that was computed inside
    /// [`record`](wengert_core::record) and went backward; if it is not, the text says what to do.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable, record};
    /// use wengert_view::View;
    /// let x = Variable::new(Tensor::from([3.0f64])).requires_grad_(true);
    /// let y = record(|| x.exp().sum());
    /// assert!(Tape::of(&y).explain().contains("call `backward()`"));
    /// ```
    fn explain(&self) -> String;
}

impl View for Tape {
    fn graph(&self) -> Graph {
        Graph::of(self, &Fold::default())
    }

    fn explain(&self) -> String {
        explain::explain(self)
    }
}

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
