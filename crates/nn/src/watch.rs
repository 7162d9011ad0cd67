//! Forwards that say whose they are, for whoever draws a summary.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use wengert_core::__private::{Restore, enter};
use wengert_core::{Float, Result, Variable};

use crate::module::{Identity, Module, identity};

thread_local! {
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    static SEEN: RefCell<Seen> = RefCell::default();
}

/// What forwards have said.
#[derive(Default)]
pub(crate) struct Seen {
    /// The places in the tree of modules of what has this identity; modules without size share one.
    places: HashMap<Identity, Vec<usize>>,
    open: Vec<usize>,
    /// The shapes of each place's outputs, call by call.
    pub(crate) outputs: Vec<Vec<Vec<usize>>>,
}

impl Seen {
    /// The place that a forward of a module is of; none for what is not in the tree, and within a forward of
    /// the same module. Of several it is the one with the fewest calls.
    fn enter(&mut self, module: Identity) -> Option<usize> {
        let places = self.places.get(&module)?;
        if self.open.last().is_some_and(|open| places.contains(open)) {
            return None;
        }
        let place = places.iter().copied().min_by_key(|&place| self.outputs[place].len())?;
        self.open.push(place);
        Some(place)
    }
}

/// Runs the forward of a module as that module's in a [`summary`](crate::summary): its output's shape, its
/// operations and what they keep are then known to be its own. The modules of this crate do so by themselves;
/// in a module of one's own it is the first line of `forward`. Elsewhere it does nothing but call `f`.
///
/// # Errors
/// If `f` fails.
///
/// ```
/// use wengert_core::{Result, Tensor, Variable};
/// use wengert_nn::{module, summary, watched, Forward, Linear};
/// struct Residual { inner: Linear }
/// module!(Residual { inner });
/// impl Forward for Residual {
///     fn forward(&self, x: &Variable) -> Result<Variable> {
///         watched(self, || Ok(x + self.inner.forward(x)?.tanh()))
///     }
/// }
/// let model = Residual { inner: Linear::new(3, 3)? };
/// let summary = summary(&model, &Variable::new(Tensor::ones([2, 3])))?;
/// assert_eq!(summary.total().output, Some(vec![2, 3]));
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[inline]
pub fn watched<M: Module>(
    module: &M,
    f: impl FnOnce() -> Result<Variable<M::Element>>,
) -> Result<Variable<M::Element>> {
    let watch = Watch::of(module);
    watch.output(f()?)
}

/// A forward of a module, from now on until it is dropped: [`watched`] without a closure, in which an
/// operation would not know its caller's line.
pub(crate) struct Watch(Option<Open>);

/// A forward that somebody listens to.
struct Open {
    place: usize,
    _scope: Restore,
}

impl Watch {
    #[inline]
    pub(crate) fn of<M>(module: &M) -> Self {
        if !ACTIVE.get() {
            return Watch(None);
        }
        let place = SEEN.with_borrow_mut(|seen| seen.enter(identity(module)));
        Watch(place.map(|place| Open { place, _scope: enter(&format!("#{place}")) }))
    }

    /// The output, which the forward gives.
    #[inline]
    pub(crate) fn gave<T: Float>(&self, output: Variable<T>) -> Variable<T> {
        if let Some(Open { place, .. }) = &self.0 {
            SEEN.with_borrow_mut(|seen| seen.outputs[*place].push(output.shape().to_vec()));
        }
        output
    }

    /// The result of a forward that gives this output.
    #[inline]
    #[allow(clippy::unnecessary_wraps, reason = "a forward's result, at the end of each")]
    pub(crate) fn output<T: Float>(self, output: Variable<T>) -> Result<Variable<T>> {
        Ok(self.gave(output))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        SEEN.with_borrow_mut(|seen| seen.open.pop());
    }
}

struct Stop;

impl Drop for Stop {
    fn drop(&mut self) {
        ACTIVE.set(false);
    }
}

/// Runs `f` and listens to the modules of these identities; gives the shapes of their outputs.
pub(crate) fn listening<R>(modules: &[Identity], f: impl FnOnce() -> R) -> (R, Vec<Vec<Vec<usize>>>) {
    let mut seen = Seen { outputs: vec![Vec::new(); modules.len()], ..Seen::default() };
    modules.iter().enumerate().for_each(|(i, &module)| seen.places.entry(module).or_default().push(i));
    SEEN.set(seen);
    let stop = Stop;
    ACTIVE.set(true);
    let result = f();
    drop(stop);
    (result, SEEN.take().outputs)
}

/// The place that the path of a recorded operation names last.
pub(crate) fn place_of(path: &str) -> Option<usize> {
    path.rsplit('.').find_map(|name| name.strip_prefix('#')?.parse().ok())
}
