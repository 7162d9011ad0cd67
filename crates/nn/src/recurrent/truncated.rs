//! Truncated backpropagation through time.

use std::collections::VecDeque;
use std::rc::Rc;

use wengert_core::{
    AsVariable, Error, Float, GradOptions, Parameter, Result, Tensor, Variable, backward, cat,
};

use super::checks::{check_context, check_input, check_one_direction, time_axis};
use super::layers::{Layers, reset};
use crate::context;
use crate::line::answered;
use crate::module::VisitorMut;
use crate::state::State;

/// Truncated backpropagation through time, BPTT(k2; k1) (Williams and Peng 1990): a long sequence passes in
/// windows of `k1` steps, the state is carried on, and the loss of each window is differentiated through
/// the last `k2` steps. Memory is that of `k2` steps, however long the sequence is; with `k2` no less than
/// its length, the gradients of all windows add up to those of full backpropagation.
///
/// Parameters may change between the windows, also where these overlap (`k2 > k1`): the steps of an earlier
/// window are differentiated at the values that they were computed with.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{Gru, Module, Truncated, mse_loss};
/// let gru = Gru::new(3, 4)?;
/// let (x, y) = (Variable::new(Tensor::randn([100, 2, 3])), Variable::new(Tensor::randn([100, 2, 4])));
/// let mut truncated = Truncated::new(10, 20)?;
/// for steps in truncated.windows(100) {
///     let of = |all: &Variable| all.narrow(0, steps.start, steps.len());
///     let loss = truncated.window(&gru, &of(&x), None, |out| mse_loss(out, &of(&y)))?;
///     assert!(loss.item()? > 0.0); // here an optimizer takes its step
///     gru.zero_grad();
/// }
/// assert_eq!(truncated.state().unwrap().shape(), &[1, 2, 4]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub struct Truncated<L: Layers> {
    every: usize,
    back: usize,
    state: Option<L::State>,
    pieces: VecDeque<Piece<L>>,
}

/// Steps that a gradient goes through, or not, as a whole.
struct Piece<L: Layers> {
    steps: usize,
    input: Cut<L::Element>,
    /// Each variable of the context.
    beside: Vec<Cut<L::Element>>,
    /// The state that the steps began with: where another piece came before, leaves that stand for its
    /// exit.
    entry: Option<L::State>,
    output: Cut<L::Element>,
    exit: L::State,
    layer: Rc<Stand<L>>,
}

/// A value, and the leaf that stands for it in what is computed from it.
struct Cut<T: Float> {
    value: Variable<T>,
    leaf: Variable<T>,
}

/// A parameter, and the one that stands for it.
type Copied<T> = (Parameter<T>, Parameter<T>);

/// The layer that a window runs, and the parameters of it that stand for others.
struct Stand<L: Layers> {
    layer: L,
    parameters: Vec<Copied<L::Element>>,
}

impl<L: Layers> Truncated<L> {
    /// Windows of `k1` steps, each differentiated through `k2`.
    ///
    /// # Errors
    /// Unless `1 <= k1 <= k2`.
    ///
    /// ```
    /// use wengert_nn::{Gru, Truncated};
    /// let error = Truncated::<Gru>::new(10, 5).err().unwrap();
    /// assert_eq!(error.to_string(), "Truncated: k2 must be at least k1 = 10, got 5");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn new(k1: usize, k2: usize) -> Result<Self> {
        if k1 == 0 {
            return Err(Error::argument("Truncated", "k1", "at least 1", 0));
        }
        if k2 < k1 {
            return Err(Error::argument("Truncated", "k2", format!("at least k1 = {k1}"), k2));
        }
        Ok(Truncated { every: k1, back: k2, state: None, pieces: VecDeque::new() })
    }

    /// The steps of each window of a sequence.
    pub fn windows(&self, steps: usize) -> impl Iterator<Item = std::ops::Range<usize>> + use<L> {
        let every = self.every;
        (0..steps).step_by(every).map(move |start| start..steps.min(start + every))
    }

    /// The state after the last window, without history; none before the first.
    pub fn state(&self) -> Option<&L::State> {
        self.state.as_ref()
    }

    /// Goes on from a state, or, without one, from the layer's own: no gradient goes back beyond it.
    pub fn set_state(&mut self, state: Option<&L::State>) {
        self.state = state.map(State::detach);
        self.pieces.clear();
    }

    /// Runs the next steps, at most `k1`, in the layer's layout, takes their `loss` from the outputs, and
    /// adds its gradient to [`Variable::grad`] of the parameters, and of whatever else `input` and `loss`
    /// were computed from. Gives the loss, without history.
    ///
    /// `ends` says for each step of each sample, in the layout of the input's first axes, whether a
    /// document ends with it: the next step then starts from the layer's initial state, and no gradient
    /// passes.
    ///
    /// # Errors
    /// If the input's shape does not fit the layer, there are no steps or more than `k1`, `ends` has another
    /// shape, the layer is bidirectional, a cell breaks what its methods promise, the allocator refuses
    /// memory, or `loss` fails. The window then has not taken place.
    #[track_caller]
    pub fn window(
        &mut self,
        layer: &L,
        input: &impl AsVariable<L::Element>,
        ends: Option<&Tensor<bool>>,
        loss: impl FnOnce(&Variable<L::Element>) -> Result<Variable<L::Element>>,
    ) -> Result<Variable<L::Element>>
    where
        L: Layers<Context = ()>,
    {
        self.window_with(layer, input, &(), ends, loss)
    }

    /// [`Truncated::window`] with the window's part of a context ([`CellWith`](crate::CellWith)).
    ///
    /// # Errors
    /// If the shape of input or context does not fit; for more than `k1` steps, `ends` of another shape, a
    /// bidirectional layer, or if `loss` fails. The window then has not taken place.
    #[track_caller]
    pub fn window_with(
        &mut self,
        layer: &L,
        input: &impl AsVariable<L::Element>,
        context: &L::Context,
        ends: Option<&Tensor<bool>>,
        loss: impl FnOnce(&Variable<L::Element>) -> Result<Variable<L::Element>>,
    ) -> Result<Variable<L::Element>> {
        let input = &input.as_variable();
        answered("Truncated", || {
            check_input(layer, input)?;
            check_context(layer, context, input)?;
            let time = time_axis(layer, input) as isize;
            let steps = input.shape()[time as usize];
            self.check(layer, steps)?;
            let ends = Ends::of(ends, input.shape(), time as usize)?;
            let layer = Rc::new(self.stand_in(layer));
            let mut pieces: Vec<Piece<L>> = Vec::new();
            let length = greatest_common_divisor(self.every, self.back);
            for start in (0..steps).step_by(length) {
                let steps = length.min(steps - start);
                let input = Cut::of(input.narrow(time, start, steps));
                let before = pieces.last().or(self.pieces.back());
                let entry = before.map(|piece| piece.exit.map(leaf));
                let state = entry.as_ref().or(self.state.as_ref());
                let context = context::in_time(context, |part| part.narrow(time, start, steps));
                let beside: Vec<_> = context::parts(&context).into_iter().map(Cut::of).collect();
                let leaves: Vec<_> = beside.iter().map(|cut| cut.leaf.clone()).collect();
                let given = (&input.leaf, &context::filled(&context, &leaves));
                let (output, exit) = ends.forward(&layer.layer, given, time, start, state)?;
                let (output, layer) = (Cut::of(output), layer.clone());
                pieces.push(Piece { steps, input, beside, entry, output, exit, layer });
            }
            let outputs: Vec<_> = pieces.iter().map(|piece| &piece.output.leaf).collect();
            let loss = loss(&in_one(&outputs, time))?;
            loss.backward()?;
            self.state = pieces.last().map(|piece| piece.exit.detach());
            self.pieces.extend(pieces);
            self.go_back()?;
            Ok(loss.detach())
        })
    }

    fn check(&self, layer: &L, steps: usize) -> Result<()> {
        check_one_direction("Truncated", layer)?;
        if steps > self.every {
            let expected = format!("at most k1 = {} steps", self.every);
            return Err(Error::argument("Truncated", "a window", expected, steps));
        }
        Ok(())
    }

    /// Whether a gradient goes back beyond its own window.
    fn overlaps(&self) -> bool {
        self.back > self.every
    }

    /// The layer for a window. Where windows overlap, it has copies of the parameters: an optimizer may
    /// change these while a later window still goes back through this one.
    fn stand_in(&self, layer: &L) -> Stand<L> {
        let mut layer = layer.clone();
        let mut parameters = Vec::new();
        if self.overlaps() {
            let mut replace = |parameter: &mut Parameter<L::Element>| {
                let copy = parameter.copy();
                parameters.push((std::mem::replace(parameter, copy.clone()), copy));
            };
            layer.visit_mut(&mut VisitorMut::new(&mut replace, None));
        }
        Stand { layer, parameters }
    }

    /// Takes the cotangents of the last window's outputs back through `k2` steps.
    fn go_back(&mut self) -> Result<()> {
        let (mut steps, mut reached) = (0, 0);
        let mut cotangents: Vec<Option<Variable<L::Element>>> = Vec::new();
        for piece in self.pieces.iter().rev().take_while(|piece| {
            let within = steps < self.back;
            steps += piece.steps;
            within
        }) {
            piece.differentiate(cotangents, self.overlaps())?;
            cotangents = piece.entry.iter().flat_map(State::variables).map(|part| take_grad(&part)).collect();
            reached += 1;
        }
        self.pieces.drain(..self.pieces.len() - reached);
        for (parameter, copy) in self.pieces.iter().flat_map(|piece| &piece.layer.parameters) {
            if let Some(gradient) = take_grad(copy) {
                parameter.backward_with(&gradient)?;
            }
        }
        if !self.overlaps() {
            self.pieces.clear();
        }
        Ok(())
    }
}

impl<L: Layers> Piece<L> {
    /// Takes the cotangents of output and exit to the parameters, the input and the entry.
    fn differentiate(&self, exit: Vec<Option<Variable<L::Element>>>, again: bool) -> Result<()> {
        let mut roots = vec![(self.output.value.clone(), take_grad(&self.output.leaf))];
        roots.extend(self.exit.variables().into_iter().zip(exit));
        let (roots, cotangents): (Vec<_>, Vec<_>) = roots
            .into_iter()
            .filter_map(|(root, cotangent)| Some((root.requires_grad().then_some(root)?, cotangent?)))
            .unzip();
        let options = |cotangents| GradOptions::default().retain_graph(again).cotangents(cotangents);
        backward(&roots.iter().collect::<Vec<_>>(), &options(cotangents))?;
        // In one pass: what the input and what stands beside it are computed from may be the same.
        let cuts = std::iter::once(&self.input).chain(&self.beside);
        let (values, cotangents): (Vec<_>, Vec<_>) =
            cuts.filter_map(|cut| Some((&cut.value, take_grad(&cut.leaf)?))).unzip();
        backward(&values, &options(cotangents))
    }
}

impl<T: Float> Cut<T> {
    fn of(value: Variable<T>) -> Self {
        let leaf = leaf(&value);
        Cut { value, leaf }
    }
}

/// A leaf of this value, which gets a gradient if the value takes one.
fn leaf<T: Float>(value: &Variable<T>) -> Variable<T> {
    value.detach().requires_grad_(value.requires_grad())
}

fn take_grad<T: Float>(leaf: &Variable<T>) -> Option<Variable<T>> {
    let gradient = leaf.grad();
    if gradient.is_some() {
        leaf.zero_grad();
    }
    gradient
}

#[track_caller]
fn in_one<T: Float>(pieces: &[&Variable<T>], time: isize) -> Variable<T> {
    if let [only] = pieces { Variable::clone(only) } else { cat(pieces, time) }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

/// The steps of a window with which documents end.
struct Ends {
    batched: bool,
    /// The step, and whether it is the last, for each sample.
    steps: Vec<(usize, Vec<bool>)>,
}

impl Ends {
    /// For inputs of `shape`.
    fn of(ends: Option<&Tensor<bool>>, shape: &[usize], time: usize) -> Result<Self> {
        let leading = &shape[..shape.len() - 1];
        let batched = leading.len() == 2;
        let Some(ends) = ends else { return Ok(Ends { batched, steps: Vec::new() }) };
        if ends.shape() != leading {
            let expected = format!("ends of shape {leading:?}");
            return Err(Error::shape("Truncated", expected, format!("{:?}", ends.shape())));
        }
        let of = |t| (t, ends.select(time as isize, t).expect("a step of the window").to_vec());
        let steps = (0..leading[time]).map(of).filter(|(_, ends)| ends.contains(&true)).collect();
        Ok(Ends { batched, steps })
    }

    /// Runs steps from the window's `start` on; states are the layer's initial ones after the steps with
    /// which a document ends.
    #[track_caller]
    fn forward<L: Layers>(
        &self,
        layer: &L,
        (input, context): (&Variable<L::Element>, &L::Context),
        time: isize,
        start: usize,
        state: Option<&L::State>,
    ) -> Result<(Variable<L::Element>, L::State)> {
        let (mut state, mut done, mut outputs) = (state.cloned(), 0, Vec::new());
        let steps = input.shape()[time as usize];
        let within = |(t, ends): &'_ (usize, Vec<bool>)| {
            let behind = (t + 1).checked_sub(start).filter(|behind| (1..=steps).contains(behind))?;
            Some((behind, Some(ends.clone())))
        };
        for (behind, ends) in self.steps.iter().filter_map(within).chain([(steps, None)]) {
            if behind > done {
                let part = |all: &Variable<L::Element>| all.narrow(time, done, behind - done);
                let context = context::in_time(context, part);
                let (output, next) = layer.forward_with(&part(input), &context, state.as_ref())?;
                outputs.push(output);
                state = Some(match ends {
                    Some(ends) => self.reset(layer, &next, &ends),
                    None => next,
                });
                done = behind;
            }
        }
        let state = state.expect("a window has at least one step");
        Ok((in_one(&outputs.iter().collect::<Vec<_>>(), time), state))
    }

    /// The layer's initial state where a document ends.
    #[track_caller]
    fn reset<L: Layers>(&self, layer: &L, state: &L::State, ends: &[bool]) -> L::State {
        match self.batched {
            true => reset(layer, state, ends),
            false => reset(layer, &state.map(|part| part.unsqueeze(1)), ends).map(|part| part.squeeze(1)),
        }
    }
}
