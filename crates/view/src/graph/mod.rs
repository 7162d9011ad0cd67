//! A tape as nodes and edges, folded so that one can see it at once.

mod fold;
mod order;

use wengert_core::Tape;

/// How far a tape is folded before it is drawn.
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable};
/// use wengert_view::{Fold, Graph};
/// let mut x = Variable::new(Tensor::from([0.5f32])).requires_grad_(true);
/// for _ in 0..100 {
///     x = x.sin();
/// }
/// let tape = Tape::of(&x);
/// let folded = Graph::of(&tape, &Fold::default());
/// assert_eq!((folded.nodes.len(), folded.nodes[1].count), (2, 100));
/// assert!(folded.edges.iter().any(|edge| edge.is_back), "the recurrence");
/// assert_eq!(Graph::of(&tape, &Fold::none()).nodes.len(), 101);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Fold {
    steps: bool,
    varied: bool,
    depth: Option<usize>,
}

impl Default for Fold {
    /// Time steps folded, modules open.
    fn default() -> Self {
        Fold { steps: true, varied: false, depth: None }
    }
}

impl Fold {
    /// A graph with nothing folded: a node for each line.
    pub fn none() -> Self {
        Fold { steps: false, varied: false, depth: None }
    }

    /// Whether time steps fold: operations of one path, name, attributes, shapes and place in the source,
    /// which take the same named parameters if any, become one node with their count.
    pub fn steps(mut self, on: bool) -> Self {
        self.steps = on;
        self
    }

    /// Whether time steps fold also where attributes differ, as the place of a `Select` does in a loop over
    /// the steps. The node shows the first one's, with an ellipsis.
    pub fn varied(mut self, on: bool) -> Self {
        self.varied = on;
        self
    }

    /// Folds modules below this depth, each to one box with the operations and parameters inside it: at 0
    /// those of the outermost modules, at 1 also those directly in these are seen.
    pub fn depth(mut self, depth: usize) -> Self {
        self.depth = Some(depth);
        self
    }
}

/// Kinds of nodes of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NodeKind {
    /// A leaf with a name.
    Parameter,
    /// A leaf without a name.
    Leaf,
    /// An operation, or several that were folded.
    Operation,
    /// A module with all that was recorded inside it.
    Module,
}

/// A node of a [`Graph`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GraphNode {
    /// The kind of what the node stands for.
    pub kind: NodeKind,
    /// The operation's name, that of a parameter or module, or `leaf`.
    pub name: String,
    /// The module path.
    pub path: String,
    /// The arguments beside the inputs, as text.
    pub attributes: String,
    /// The outputs' shapes; none of a module.
    pub shapes: Vec<Vec<usize>>,
    /// How many lines of the tape it stands for.
    pub count: usize,
    /// The lines' numbers, in order.
    pub lines: Vec<usize>,
    /// Whether a gradient flows through it.
    pub requires_grad: bool,
    /// The norm of the gradients of all its lines' outputs together, if any is known.
    pub grad_norm: Option<f64>,
}

/// An edge of a [`Graph`], along which values go forward and cotangents back.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GraphEdge {
    /// The place of the node that made the value.
    pub from: usize,
    /// The place of the node that takes it.
    pub to: usize,
    /// The shapes of the values, as text: the first one, and how many others there are.
    pub label: String,
    /// How many values go along it.
    pub count: usize,
    /// Whether it leads back to an earlier time step's place: a recurrence.
    pub is_back: bool,
    /// Whether a gradient flows along it.
    pub requires_grad: bool,
}

/// A tape as nodes and edges.
///
/// Constants, which no gradient flows to, are not drawn. Without edges that lead
/// [back](GraphEdge::is_back) there are no circles.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Graph {
    /// The nodes, in the order of their first lines.
    pub nodes: Vec<GraphNode>,
    /// The edges, in the order of the nodes that they lead to.
    pub edges: Vec<GraphEdge>,
    /// Whether pictures show the way of the gradients beside that of the values.
    pub gradients: bool,
}

impl Graph {
    /// The graph of a tape.
    pub fn of(tape: &Tape, fold: &Fold) -> Graph {
        fold::folded(tape, fold)
    }

    /// Whether pictures show the way of the gradients, too.
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable};
    /// use wengert_view::View;
    /// let x = Variable::new(Tensor::from([0.5f32])).requires_grad_(true);
    /// let graph = Tape::of(&x.sin()).graph();
    /// assert!(!graph.to_dot().contains("dotted"));
    /// assert!(graph.gradients(true).to_dot().contains("dotted"));
    /// ```
    #[must_use]
    pub fn gradients(mut self, on: bool) -> Self {
        self.gradients = on;
        self
    }

    /// What to say where there is nothing, or nothing that requires a gradient.
    pub(crate) fn remark(&self) -> Option<&'static str> {
        if self.nodes.is_empty() {
            return Some(NOTHING_RECORDED);
        }
        (!self.nodes.iter().any(|node| node.requires_grad)).then_some(NO_GRADIENT)
    }

    /// A sentence on what there is.
    pub(crate) fn summary(&self) -> String {
        use crate::text::counted;
        let lines: usize = self.nodes.iter().map(|node| node.count).sum();
        let parameters = self.nodes.iter().filter(|node| node.kind == NodeKind::Parameter).count();
        let back = self.edges.iter().filter(|edge| edge.is_back).count();
        format!(
            "{} of a tape as {}, of which {}; {}, {} of them back to an earlier step's place.",
            counted(lines, "line"),
            counted(self.nodes.len(), "node"),
            counted(parameters, "parameter"),
            counted(self.edges.len(), "edge"),
            back
        )
    }
}

pub(crate) const NOTHING_RECORDED: &str = "Nothing was recorded: the value has no history. It was computed \
    from constants, detached, or inside `no_grad`; an input must be a parameter or `requires_grad_(true)`.";
pub(crate) const NO_GRADIENT: &str = "No gradient flows here: none of the leaves is alive and requires one. \
    Keep the inputs that were marked `requires_grad_(true)` while the tape is looked at.";

impl GraphNode {
    /// The lines of text that a picture shows.
    pub(crate) fn texts(&self) -> Vec<String> {
        use crate::text::{number, shape, shortened};
        let times = if self.count > 1 { format!(" \u{d7}{}", self.count) } else { String::new() };
        let mut texts = vec![format!("{}{times}", shortened(&self.name, 36))];
        if self.kind == NodeKind::Module {
            texts[0] = shortened(&self.name, 36);
            texts.push(crate::text::counted(self.count, "line"));
        }
        if !self.attributes.is_empty() {
            texts.push(shortened(&self.attributes, 36));
        }
        match self.shapes.as_slice() {
            [] => {}
            [one] => texts.push(shape(one)),
            [first, rest @ ..] if rest.iter().all(|other| other == first) => {
                texts.push(format!("{} of {}", self.shapes.len(), shape(first)));
            }
            all => texts.push(shortened(&all.iter().map(|s| shape(s)).collect::<Vec<_>>().join(" "), 36)),
        }
        if let Some(norm) = self.grad_norm {
            texts.push(format!("|grad| {}", number(norm)));
        }
        texts
    }
}
