//! From a tape to its scene.

use std::collections::HashMap;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Result, Tape, TapeEntry, TapeInput, Tensor, Variable};
use wengert_view::{Fold, Graph, NodeKind, pullback_rules};

use crate::backward::{shown, walk};
use crate::check::check;
use crate::limits::{MOST_EDITED, MOST_LINES, MOST_UNROLLED};
use crate::scene::{Check, Drawing, Drawings, Event, Ref, Scene, SceneInput, SceneLine, SceneOutput};
use crate::value::Value;

/// How the [`Scene`] of a tape is made: values of leaves that are changed, how far it is folded, and words on
/// it.
///
/// ```
/// use wengert_core::{Tape, Tensor, Variable, record};
/// use wengert_walk::{Scene, SceneOptions};
/// let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
/// let tape = Tape::of(&record(|| x.square().sum()));
/// let scene = Scene::with::<f64>(&tape, &SceneOptions::default().edit(0, vec![3.0, 4.0]))?;
/// assert_eq!(scene.lines[2].outputs[0].value.as_ref().unwrap().norm.0, 25.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SceneOptions {
    edits: HashMap<usize, Vec<f64>>,
    fold: Fold,
    title: Option<String>,
    names: HashMap<Ref, String>,
    is_program: bool,
    check: bool,
}

impl Default for SceneOptions {
    fn default() -> Self {
        SceneOptions {
            edits: HashMap::new(),
            fold: Fold::default().varied(true),
            title: None,
            names: HashMap::new(),
            is_program: false,
            check: false,
        }
    }
}

impl SceneOptions {
    /// Another value for the leaf of this line, its elements in rows.
    pub fn edit(mut self, line: usize, elements: Vec<f64>) -> Self {
        self.edits.insert(line, elements);
        self
    }

    /// How far the rolled picture is folded; time steps are, also where attributes differ, if not said
    /// otherwise.
    pub fn fold(mut self, fold: Fold) -> Self {
        self.fold = fold;
        self
    }

    /// A few words on what there is.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Whether gradients are held against differences, in `f64`.
    pub fn check(mut self, on: bool) -> Self {
        self.check = on;
        self
    }

    /// The tape is that of a program, whose variables have these names.
    pub(crate) fn of_program(mut self, names: HashMap<Ref, String>) -> Self {
        self.names = names;
        self.is_program = true;
        self
    }
}

/// What was computed, as a page shows it.
#[derive(Default)]
struct Computed {
    values: HashMap<Ref, Value>,
    grads: HashMap<Ref, Value>,
    events: Vec<Event>,
    check: Option<Check>,
    remarks: Vec<String>,
}

impl Scene {
    /// The scene of a tape, computed in numbers of type `T`.
    ///
    /// # Errors
    /// See [`Scene::with`].
    ///
    /// ```
    /// use wengert_core::{Tape, Tensor, Variable, record};
    /// use wengert_walk::{Event, Scene};
    /// let x = Variable::new(Tensor::from([3.0f64])).requires_grad_(true);
    /// let scene = Scene::of::<f64>(&Tape::of(&record(|| (&x * &x).sum())))?;
    /// let Event::Pull { line: 1, gives, .. } = &scene.backward[2] else { panic!() };
    /// assert_eq!((gives.len(), gives[1].sum.norm.0, gives[1].of), (2, 6.0, 2));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn of<T: Float>(tape: &Tape) -> Result<Scene> {
        Scene::with::<T>(tape, &SceneOptions::default())
    }

    /// The scene of a tape, computed in numbers of type `T`, with all options. A tape of more than 2,000
    /// lines gives its folded lines, without values.
    ///
    /// # Errors
    /// [`Error::Argument`] for an empty tape, and for a value of a line that is no leaf or of another
    /// number of elements. [`Error::Memory`] if there is none to run the tape again.
    pub fn with<T: Float>(tape: &Tape, options: &SceneOptions) -> Result<Scene> {
        if tape.is_empty() {
            return Err(refused("tape", "a line at least", "an empty tape: the value has no history"));
        }
        or_refused("scene", || Scene::built::<T>(tape, options))
    }

    fn built<T: Float>(tape: &Tape, options: &SceneOptions) -> Result<Scene> {
        let graph = Graph::of(tape, &options.fold);
        let is_long = tape.len() > MOST_LINES;
        let computed = if is_long { too_long(tape) } else { computed::<T>(tape, options)? };
        let nodes = nodes_of(&graph);
        let lines = if is_long {
            graph
                .nodes
                .iter()
                .enumerate()
                .map(|(n, node)| folded_line(tape, &graph, n, node.lines[0]))
                .collect()
        } else {
            let line =
                |entry: &TapeEntry| line(tape, entry, &graph, nodes[&entry.number], &computed, options);
            tape.entries().iter().map(line).collect()
        };
        let unrolled =
            (tape.len() <= MOST_UNROLLED).then(|| Drawing { svg: Graph::of(tape, &Fold::none()).to_svg() });
        let title = options.title.clone().unwrap_or_else(|| format!("A tape of {} lines", tape.len()));
        Ok(Scene {
            title,
            element: T::NAME,
            lines,
            backward: computed.events,
            drawings: Drawings { rolled: Drawing { svg: graph.to_svg() }, unrolled },
            check: computed.check,
            remarks: computed.remarks,
        })
    }
}

fn refused(argument: &'static str, expected: &str, got: &str) -> Error {
    Error::argument("scene", argument, expected, got)
}

fn too_long(tape: &Tape) -> Computed {
    let remark = format!(
        "The tape has {} lines, more than the {MOST_LINES} that are shown with values: these are the folded \
         ones, with shapes and norms alone.",
        tape.len()
    );
    Computed { remarks: vec![remark], ..Computed::default() }
}

/// Values of leaves that are changed.
fn edited<T: Float>(tape: &Tape, options: &SceneOptions) -> Result<Vec<(usize, Variable<T>)>> {
    let leaf = |(&number, elements): (&usize, &Vec<f64>)| {
        let Some(entry) = tape.entry(number).filter(|entry| entry.is_leaf()) else {
            return Err(refused("edits", "numbers of lines that are leaves", &format!("%{number}")));
        };
        let shape = &entry.outputs[0].shape;
        let count: usize = shape.iter().product();
        if elements.len() != count {
            let expected = format!("{count} elements for %{number} of shape {shape:?}");
            return Err(refused("edits", &expected, &elements.len().to_string()));
        }
        let value = Tensor::from_vec(elements.iter().map(|&x| T::from_f64(x)).collect(), shape)?;
        Ok((number, Variable::new(value).requires_grad_(entry.requires_grad)))
    };
    let mut leaves = options.edits.iter().map(leaf).collect::<Result<Vec<_>>>()?;
    leaves.sort_by_key(|(number, _)| *number);
    Ok(leaves)
}

fn computed<T: Float>(tape: &Tape, options: &SceneOptions) -> Result<Computed> {
    let leaves = edited::<T>(tape, options)?;
    let mut found = Computed::default();
    let replay = match tape.replay_with(&leaves) {
        Ok(replay) => replay,
        // What was not recorded with its values has shapes still.
        Err(error @ Error::Argument { .. }) if options.edits.is_empty() => {
            found.remarks.push(format!("There are no values: {error}"));
            return Ok(found);
        }
        Err(error) => return Err(error),
    };
    if !replay.opaque().is_empty() {
        let lines: Vec<String> = replay.opaque().iter().map(|number| format!("%{number}")).collect();
        let lines = lines.join(", ");
        found.remarks.push(format!(
            "Not computed again, as the code is the user's: {lines}. Their values are those that were \
             recorded, and no gradient goes on through them."
        ));
    }
    for entry in tape.entries() {
        for output in 0..entry.outputs.len() {
            if let Some(value) = replay.value(entry.number, output) {
                found.values.insert(Ref { line: entry.number, output }, shown(value));
            }
        }
    }
    let loss = replay.output();
    if !loss.requires_grad() {
        found
            .remarks
            .push("No gradient flows to the last line: no leaf that it depends on requires one.".into());
    } else if loss.numel() != 1 {
        let shape = loss.shape();
        let remark =
            format!("The last line has shape {shape:?}: a backward begins at a value of one element.");
        found.remarks.push(remark);
    } else {
        let walked = walk(tape, &replay)?;
        found.events = walked.events;
        let shown = |(place, grad): (Ref, Tensor<T>)| (place, Value::of(&grad.cast()));
        found.grads = walked.grads.into_iter().map(shown).collect();
        if options.check {
            let name = |line| options.names.get(&Ref { line, output: 0 }).cloned();
            let (table, remark) = check(tape, &edited::<f64>(tape, options)?, name)?;
            found.check = Some(table);
            found.remarks.extend(remark);
        }
    }
    Ok(found)
}

/// Nodes by lines.
fn nodes_of(graph: &Graph) -> HashMap<usize, usize> {
    let of_node = |(place, node): (usize, &wengert_view::GraphNode)| {
        node.lines.iter().map(move |&line| (line, place)).collect::<Vec<_>>()
    };
    graph.nodes.iter().enumerate().flat_map(of_node).collect()
}

fn source(entry: &TapeEntry, options: &SceneOptions) -> Option<String> {
    let line = entry.location.as_ref()?;
    Some(match options.is_program {
        true => format!("{}:{}", line.line, line.column),
        false => line.to_string(),
    })
}

fn line(
    tape: &Tape,
    entry: &TapeEntry,
    graph: &Graph,
    node: usize,
    computed: &Computed,
    options: &SceneOptions,
) -> SceneLine {
    let place = |output| Ref { line: entry.number, output };
    let output = |(output, value): (usize, &wengert_core::TapeValue)| SceneOutput {
        shape: value.shape.clone(),
        value: computed.values.get(&place(output)).cloned(),
        grad: computed.grads.get(&place(output)).cloned(),
    };
    let few = |entry: &TapeEntry| entry.outputs[0].shape.iter().product::<usize>() <= MOST_EDITED;
    let name = options.names.get(&place(0)).cloned().unwrap_or_else(|| entry.name.clone());
    let folds = &graph.nodes[node];
    let is_step = folds.count > 1 && folds.kind == NodeKind::Operation;
    SceneLine {
        outputs: entry.outputs.iter().enumerate().map(output).collect(),
        editable: entry.is_leaf() && few(entry) && computed.values.contains_key(&place(0)),
        inputs: entry.inputs.iter().map(input).collect(),
        step: if is_step { folds.lines.binary_search(&entry.number).ok() } else { None },
        source: source(entry, options),
        name,
        ..bare(tape, entry, node)
    }
}

fn input(input: &TapeInput) -> SceneInput {
    match input {
        TapeInput::Value { number, output } => SceneInput::Value(Ref { line: *number, output: *output }),
        TapeInput::Constant(value) => {
            SceneInput::Constant { constant: value.as_ref().map(|value| Value::of(&value.cast())) }
        }
        _ => SceneInput::Constant { constant: None },
    }
}

/// A line without values.
fn bare(tape: &Tape, entry: &TapeEntry, node: usize) -> SceneLine {
    SceneLine {
        number: entry.number,
        text: format!("%{} = {}", entry.number, entry.call(Some(tape))),
        operation: entry.operation.to_string(),
        name: entry.name.clone(),
        path: entry.path.clone(),
        source: entry.location.as_ref().map(ToString::to_string),
        requires_grad: entry.requires_grad,
        editable: false,
        inputs: Vec::new(),
        outputs: Vec::new(),
        rule: pullback_rules(tape, entry).into_iter().map(|(_, rule)| rule).collect(),
        kept_bytes: entry.kept_bytes(),
        step: None,
        node,
    }
}

/// The first line of a node of a long tape, with its shapes and the norms of what the node stands for; inputs
/// are the nodes that it takes values from.
fn folded_line(tape: &Tape, graph: &Graph, place: usize, first: usize) -> SceneLine {
    let node = &graph.nodes[place];
    let entry = tape.entry(first).expect("a node's line");
    // They are in the order of the nodes that they lead to.
    let begin = graph.edges.partition_point(|edge| edge.to < place);
    let sources = graph.edges[begin..].iter().take_while(|edge| edge.to == place);
    let input = |edge: &wengert_view::GraphEdge| {
        SceneInput::Value(Ref { line: graph.nodes[edge.from].lines[0], output: 0 })
    };
    let norm = |shape: &[usize]| node.grad_norm.map(|norm| Value::of_norm(shape, norm));
    let output = |value: &wengert_core::TapeValue| SceneOutput {
        shape: value.shape.clone(),
        value: None,
        grad: norm(&value.shape),
    };
    let times = if node.count > 1 { format!(" \u{d7}{}", node.count) } else { String::new() };
    let bare = bare(tape, entry, place);
    SceneLine {
        text: bare.text.clone() + &times,
        inputs: sources.map(input).collect(),
        outputs: entry.outputs.iter().map(output).collect(),
        ..bare
    }
}
