//! A cell from parameters and a function, for an idea that has no type yet.

use std::fmt;

use wengert_core::Variable;

use super::step_fn_with::StepFnWith;
use crate::cell::Cell;
use crate::cell_with::CellWith;
use crate::module::{Module, Visitor, VisitorMut};
use crate::state::State;

/// A cell whose step is a closure over parameters: what [`Recurrent`](crate::Recurrent) runs of an idea
/// before it has a type. The parameters are any [`Module`]: a layer, a list of them, a struct.
///
/// The closure gives no `Result`, so there is no `?` in it: a linear map is written
/// `x.linear(&w.weight, ..)`, and to the `forward` of another layer belongs an `expect`.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{Linear, Recurrent, StepFn};
/// // h' = tanh(W x + U h + b)
/// let cell = |input: usize| {
///     let weights = vec![Linear::new(input, 8)?, Linear::without_bias(8, 8)?];
///     Ok(StepFn::new([input, 8], weights, |w, x, h| {
///         let h = h.linear(&w[1].weight, Some(&x.linear(&w[0].weight, w[0].bias.as_deref()))).tanh();
///         (h.clone(), h)
///     }))
/// };
/// let net = Recurrent::of(4, cell).num_layers(2).bidirectional(true).build()?;
/// let (out, h) = net.forward(&Tensor::randn([5, 3, 4]), None)?;
/// assert_eq!((out.shape(), h.shape()), (&[5, 3, 16][..], &[4, 3, 8][..]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
///
/// A step that sees inputs beside the sequence is a [`StepFnWith`].
pub struct StepFn<P: Module, S: State<Element = P::Element> = Variable<<P as Module>::Element>>(
    StepFnWith<P, (), S>,
);

impl<P: Module> StepFn<P> {
    /// A cell from inputs of the first width to outputs of the second one, whose state is one variable like
    /// the output. `step` takes the parameters, an input (N, in) and the state (N, out), and gives output
    /// and next state.
    pub fn new(
        sizes: [usize; 2],
        parameters: P,
        step: impl Fn(
            &P,
            &Variable<P::Element>,
            &Variable<P::Element>,
        ) -> (Variable<P::Element>, Variable<P::Element>)
        + Send
        + Sync
        + 'static,
    ) -> Self {
        StepFn(StepFnWith::new(sizes, parameters, move |p, x, (), h| step(p, x, h)))
    }
}

impl<P: Module, S: State<Element = P::Element>> StepFn<P, S> {
    /// [`StepFn::new`] with any state: `zero` gives it before the first step of so many samples.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// use wengert_nn::{Linear, Recurrent, StepFn};
    /// // A fast and a slow memory of the input.
    /// let zero = |batch| [4, 4].map(|width| Variable::new(Tensor::zeros([batch, width])));
    /// let cell = move |input: usize| {
    ///     Ok(StepFn::with_state([input, 4], Linear::new(input, 4)?, zero, |w, x, [fast, slow]| {
    ///         let x = x.linear(&w.weight, w.bias.as_deref());
    ///         let (fast, slow) = (fast * 0.5 + &x, slow * 0.99 + &x * 0.01);
    ///         (&fast + &slow, [fast, slow])
    ///     }))
    /// };
    /// let net = Recurrent::of(3, cell).build()?;
    /// let (out, [fast, _]) = net.forward(&Tensor::randn([5, 2, 3]), None)?;
    /// assert_eq!((out.shape(), fast.shape()), (&[5, 2, 4][..], &[1, 2, 4][..]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn with_state(
        sizes: [usize; 2],
        parameters: P,
        zero: impl Fn(usize) -> S + Send + Sync + 'static,
        step: impl Fn(&P, &Variable<P::Element>, &S) -> (Variable<P::Element>, S) + Send + Sync + 'static,
    ) -> Self {
        StepFn(StepFnWith::with_state(sizes, parameters, zero, move |p, x, (), state| step(p, x, state)))
    }
}

impl<P: Module + Clone, S: State<Element = P::Element>> Clone for StepFn<P, S> {
    fn clone(&self) -> Self {
        StepFn(self.0.clone())
    }
}

impl<P: Module, S: State<Element = P::Element>> Module for StepFn<P, S> {
    type Element = P::Element;

    fn visit(&self, visitor: &mut Visitor<'_, P::Element>) {
        self.0.visit(visitor);
    }

    fn visit_mut(&mut self, visitor: &mut VisitorMut<'_, P::Element>) {
        self.0.visit_mut(visitor);
    }

    fn settings(&self) -> String {
        self.0.settings()
    }
}

impl<P, S> Cell for StepFn<P, S>
where
    P: Module + Clone + Send + Sync + 'static,
    S: State<Element = P::Element>,
{
    type State = S;

    fn input_size(&self) -> usize {
        self.0.input_size()
    }

    fn output_size(&self) -> usize {
        self.0.output_size()
    }

    #[track_caller]
    fn zero_state(&self, batch: usize) -> S {
        self.0.zero_state(batch)
    }

    #[track_caller]
    fn step(&self, x: &Variable<P::Element>, state: &S) -> (Variable<P::Element>, S) {
        self.0.step_with(x, &(), state)
    }
}

impl<P, S> fmt::Display for StepFn<P, S>
where
    P: Module + Clone + Send + Sync + 'static,
    S: State<Element = P::Element>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::repr::print_cell(self, f)
    }
}
