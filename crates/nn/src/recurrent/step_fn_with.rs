//! A cell from parameters and a function that sees inputs beside the sequence.

use std::fmt;
use std::sync::Arc;

use wengert_core::Variable;

use crate::cell_with::CellWith;
use crate::context::Context;
use crate::module::{Module, Visitor, VisitorMut};
use crate::state::State;

type Zero<S> = Arc<dyn Fn(usize) -> S + Send + Sync>;
type Step<P, K, T, S> = Arc<dyn Fn(&P, &Variable<T>, &K, &S) -> (Variable<T>, S) + Send + Sync>;

/// A [`StepFn`](crate::StepFn) that sees more than the sequence: the closure takes this step's part of a
/// context `K` as well, which is named where it is written. It is a [`CellWith`].
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{Linear, Recurrent, StepFnWith};
/// // h' = tanh(W x + U (h exp(-gap)) + b): the longer ago, the less is left.
/// let cell = |input: usize| {
///     let weights = vec![Linear::new(input, 8)?, Linear::without_bias(8, 8)?];
///     Ok(StepFnWith::new([input, 8], weights, |w, x, gap: &Variable, h| {
///         let x = x.linear(&w[0].weight, w[0].bias.as_deref());
///         let h = (h * (-gap).exp()).linear(&w[1].weight, Some(&x)).tanh();
///         (h.clone(), h)
///     }))
/// };
/// let net = Recurrent::of(4, cell).num_layers(2).bidirectional(true).build()?;
/// let gaps = Variable::new(Tensor::rand([5, 3, 1]));
/// let (out, _) = net.forward_with(&Tensor::randn([5, 3, 4]), &gaps, None)?;
/// assert_eq!(out.shape(), &[5, 3, 16]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub struct StepFnWith<P: Module, K, S: State<Element = P::Element> = Variable<<P as Module>::Element>> {
    parameters: P,
    sizes: [usize; 2],
    zero: Zero<S>,
    step: Step<P, K, P::Element, S>,
}

impl<P: Module, K: Context<P::Element>> StepFnWith<P, K> {
    /// A cell from inputs of the first width to outputs of the second one, whose state is one variable like
    /// the output. `step` takes the parameters, an input (N, in), the context, (N, ..) each, and the state
    /// (N, out), and gives output and next state.
    pub fn new(
        sizes: [usize; 2],
        parameters: P,
        step: impl Fn(
            &P,
            &Variable<P::Element>,
            &K,
            &Variable<P::Element>,
        ) -> (Variable<P::Element>, Variable<P::Element>)
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let zero = move |batch| Variable::zeros([batch, sizes[1]]);
        StepFnWith::with_state(sizes, parameters, zero, step)
    }
}

impl<P: Module, K: Context<P::Element>, S: State<Element = P::Element>> StepFnWith<P, K, S> {
    /// [`StepFnWith::new`] with any state: `zero` gives it before the first step of so many samples.
    pub fn with_state(
        sizes: [usize; 2],
        parameters: P,
        zero: impl Fn(usize) -> S + Send + Sync + 'static,
        step: impl Fn(&P, &Variable<P::Element>, &K, &S) -> (Variable<P::Element>, S) + Send + Sync + 'static,
    ) -> Self {
        StepFnWith { parameters, sizes, zero: Arc::new(zero), step: Arc::new(step) }
    }
}

impl<P: Module + Clone, K, S: State<Element = P::Element>> Clone for StepFnWith<P, K, S> {
    fn clone(&self) -> Self {
        StepFnWith {
            parameters: self.parameters.clone(),
            sizes: self.sizes,
            zero: Arc::clone(&self.zero),
            step: Arc::clone(&self.step),
        }
    }
}

impl<P: Module, K, S: State<Element = P::Element>> Module for StepFnWith<P, K, S> {
    type Element = P::Element;

    fn visit(&self, visitor: &mut Visitor<'_, P::Element>) {
        self.parameters.visit(visitor);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, P::Element>) {
        self.parameters.visit_mut(visitor);
    }

    fn settings(&self) -> String {
        self.parameters.settings()
    }
}

impl<P, K, S> CellWith for StepFnWith<P, K, S>
where
    P: Module + Clone + Send + Sync + 'static,
    K: Context<P::Element>,
    S: State<Element = P::Element>,
{
    type State = S;
    type Context = K;

    fn input_size(&self) -> usize {
        self.sizes[0]
    }

    fn output_size(&self) -> usize {
        self.sizes[1]
    }

    #[track_caller]
    fn zero_state(&self, batch: usize) -> S {
        (self.zero)(batch)
    }

    #[track_caller]
    fn step_with(&self, x: &Variable<P::Element>, context: &K, state: &S) -> (Variable<P::Element>, S) {
        (self.step)(&self.parameters, x, context, state)
    }
}

impl<P, K, S> fmt::Display for StepFnWith<P, K, S>
where
    P: Module + Clone + Send + Sync + 'static,
    K: Context<P::Element>,
    S: State<Element = P::Element>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::repr::print_cell(self, f)
    }
}
