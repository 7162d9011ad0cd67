//! Inputs beside a sequence, which every layer and step of a recurrence sees.

use wengert_core::{Error, Float, Result, Variable};

/// The axes that a variable of a [`Context`] has in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Along {
    /// Time and samples, as the sequence has them: each step sees its part.
    Steps,
    /// Samples alone: each step sees all of it.
    Samples,
}

/// A function that [`Context::map`] puts each variable of a context through.
pub type MapContext<'f, T> = dyn FnMut(Along, &Variable<T>) -> Variable<T> + 'f;

/// Inputs beside the sequence that every layer and step of a [`CellWith`](crate::CellWith) sees.
///
/// A [`Variable`] is a second sequence (L, N, ..), such as time gaps or masks: a step sees (N, ..). A
/// [`Constant`] is the same at every step, (N, ..), such as a condition. Tuples of up to four contexts and
/// arrays are contexts, and `()` is the one of cells that see none. A struct becomes one by `map` on its
/// fields.
///
/// ```
/// use wengert_core::Variable;
/// use wengert_nn::{Constant, Context, MapContext};
///
/// #[derive(Clone)]
/// struct Visit { gaps: Variable, patient: Constant }
///
/// impl Context<f32> for Visit {
///     fn map(&self, f: &mut MapContext<'_, f32>) -> Self {
///         Visit { gaps: self.gaps.map(f), patient: self.patient.map(f) }
///     }
/// }
/// ```
pub trait Context<T: Float>: Clone + Send + Sync + 'static {
    /// The context with each variable put through `f`, which is told what axes it has in front.
    fn map(&self, f: &mut MapContext<'_, T>) -> Self;
}

impl<T: Float> Context<T> for () {
    #[inline]
    fn map(&self, _: &mut MapContext<'_, T>) -> Self {}
}

impl<T: Float> Context<T> for Variable<T> {
    fn map(&self, f: &mut MapContext<'_, T>) -> Self {
        f(Along::Steps, self)
    }
}

/// A context (N, ..) that is the same at every step.
#[derive(Clone, Debug)]
pub struct Constant<T: Float = f32>(pub Variable<T>);

impl<T: Float> Context<T> for Constant<T> {
    fn map(&self, f: &mut MapContext<'_, T>) -> Self {
        Constant(f(Along::Samples, &self.0))
    }
}

impl<T: Float, K: Context<T>, const N: usize> Context<T> for [K; N] {
    fn map(&self, f: &mut MapContext<'_, T>) -> Self {
        self.each_ref().map(|context| context.map(f))
    }
}

macro_rules! tuples {
    ($(($($kind:ident)+) ($($place:tt)+);)*) => {$(
        impl<T: Float, $($kind: Context<T>),+> Context<T> for ($($kind),+) {
            fn map(&self, f: &mut MapContext<'_, T>) -> Self {
                ($(self.$place.map(f)),+)
            }
        }
    )*};
}

tuples! {
    (A B) (0 1);
    (A B C) (0 1 2);
    (A B C D) (0 1 2 3);
}

/// The variables, in order.
pub(crate) fn parts<T: Float, K: Context<T>>(context: &K) -> Vec<Variable<T>> {
    let mut parts = Vec::new();
    context.map(&mut |_, part| {
        parts.push(part.clone());
        part.clone()
    });
    parts
}

/// A context like this one, of these variables.
pub(crate) fn filled<T: Float, K: Context<T>>(like: &K, parts: &[Variable<T>]) -> K {
    let mut parts = parts.iter();
    like.map(&mut |_, _| parts.next().expect("one for each part").clone())
}

/// The variables that have an axis of time put through `steps`, the others through `samples`.
#[track_caller]
pub(crate) fn each<T: Float, K: Context<T>>(
    context: &K,
    mut steps: impl FnMut(&Variable<T>) -> Variable<T>,
    mut samples: impl FnMut(&Variable<T>) -> Variable<T>,
) -> K {
    context.map(&mut |along, part| if along == Along::Steps { steps(part) } else { samples(part) })
}

/// The variables that have an axis of time put through `f`.
#[track_caller]
pub(crate) fn in_time<T: Float, K: Context<T>>(context: &K, f: impl FnMut(&Variable<T>) -> Variable<T>) -> K {
    each(context, f, Variable::clone)
}

/// What each step sees of a context in rows, of which step `t` has `sizes[t]`.
#[track_caller]
pub(crate) fn split<T: Float, K: Context<T>>(context: &K, sizes: &[usize]) -> Vec<K> {
    let mut pieces = Vec::new();
    context.map(&mut |along, part| {
        pieces.push((along == Along::Steps).then(|| part.split(sizes, 0)));
        part.clone()
    });
    let step = |(t, &rows): (usize, &usize)| {
        let mut pieces = pieces.iter();
        context.map(&mut |_, part| match pieces.next().expect("one for each part") {
            Some(steps) => steps[t].clone(),
            None if part.shape()[0] == rows => part.clone(),
            None => part.narrow(0, 0, rows),
        })
    };
    sizes.iter().enumerate().map(step).collect()
}

/// The first axes of each variable are the sequence's: `steps` of those with an axis of time, `samples` of
/// the others.
pub(crate) fn check<T: Float, K: Context<T>>(
    operation: &'static str,
    context: &K,
    steps: &[usize],
    samples: &[usize],
) -> Result<()> {
    let (mut place, mut refusal) = (0, None);
    context.map(&mut |along, part| {
        let (leading, of) = if along == Along::Steps { (steps, "steps") } else { (samples, "samples") };
        if refusal.is_none() && !part.shape().starts_with(leading) {
            let expected = format!("context {place} to begin with {leading:?}, the input's {of}");
            refusal = Some(Error::shape(operation, expected, format!("shape {:?}", part.shape())));
        }
        place += 1;
        part.clone()
    });
    refusal.map_or(Ok(()), Err)
}
