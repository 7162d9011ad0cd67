//! The state that a recurrent cell carries from step to step.

use smallvec::SmallVec;
use wengert_core::{Element, Float, Result, Tensor, Variable, cat, stack};

use crate::line::called;

/// A function for [`State::combine`], from the variables that stand at one place of the states to one.
pub type Combine<'f, T> = dyn FnMut(&[&Variable<T>]) -> Variable<T> + 'f;

/// A list on the stack, for as many states as a runner ever combines step by step.
#[doc(hidden)]
pub type Few<V> = SmallVec<[V; 4]>;

/// A function for [`Cell::map_hidden`](crate::Cell::map_hidden), from a variable of a state to another.
pub type MapPart<'f, T> = dyn FnMut(&Variable<T>) -> Variable<T> + 'f;

/// Variables that a cell carries on; all that a runner does to a state follows from one function.
///
/// A variable is a state, and so are tuples of up to eight states, arrays and lists of them; a struct becomes
/// one with [`state!`](crate::state!).
///
/// The samples are rows of each variable, and not always the same ones: with lengths, a mask or packed
/// sequences, a runner puts them in the order of their lengths, leaves out those that have ended, and gives
/// them back as they came. So what belongs to a sample, such as weights that another network wrote for it
/// (batch, out, in), stands in the state, which goes along, and not in the cell.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// use wengert_nn::{state, State};
///
/// #[derive(Clone)]
/// struct Memory { fast: Variable, slow: Variable }
/// state!(Memory { fast, slow });
///
/// let of = |v: f32| Memory {
///     fast: Variable::new(Tensor::full([2, 3], v)),
///     slow: Variable::new(Tensor::full([2, 1], v)),
/// };
/// let layers = Memory::stack(&[&of(1.0), &of(2.0)], 0);
/// assert_eq!(layers.slow.shape(), &[2, 2, 1]);
/// assert_eq!(layers.select(0, 1).fast.to_vec(), vec![2.0; 6]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no state of a cell",
    label = "expected a `State`",
    note = "a state is a `Variable`, a tuple of two to eight states, an array or a `Vec` of states; a number \
            is carried as a `Variable`",
    note = "a struct of your own, all of whose fields are states, becomes one with \
            `state!(Name {{ every, field }})`, or, generic over its numbers, \
            `state!(Name<T> {{ every, field }})`"
)]
pub trait State: Clone + Send + Sync + 'static {
    /// The element type of the variables.
    type Element: Float;

    /// Combines states of one structure, variable by variable.
    fn combine(states: &[&Self], f: &mut Combine<'_, Self::Element>) -> Self;

    /// Each variable through a function.
    fn map(&self, mut f: impl FnMut(&Variable<Self::Element>) -> Variable<Self::Element>) -> Self {
        Self::combine(&[self], &mut |parts| f(parts[0]))
    }

    /// The variables, in order.
    fn variables(&self) -> Vec<Variable<Self::Element>> {
        let mut parts = Vec::new();
        self.map(|part| {
            parts.push(part.clone());
            part.clone()
        });
        parts
    }

    /// The values without history: carried on, they keep nothing of the past alive.
    fn detach(&self) -> Self {
        self.map(Variable::detach)
    }

    /// The slice at `index` of axis `dim` of each variable.
    #[track_caller]
    fn select(&self, dim: isize, index: usize) -> Self {
        let _call = called();
        self.map(|part| part.select(dim, index))
    }

    /// The entries of axis `dim` that `index` names, of each variable.
    #[track_caller]
    fn index_select(&self, dim: isize, index: &Tensor<i64>) -> Self {
        let _call = called();
        self.map(|part| part.index_select(dim, index))
    }

    /// The state where `mask` (one truth value per sample, (N)) holds, else `other`.
    #[track_caller]
    fn masked(&self, mask: &Tensor<bool>, other: &Self) -> Self {
        let _call = called();
        Self::combine(&[self, other], &mut |parts| {
            parts[0].where_(&along_first(mask, parts[0].rank()), parts[1])
        })
    }

    /// `length` entries of axis `dim` from `start` on, of each variable.
    #[track_caller]
    fn narrow(&self, dim: isize, start: usize, length: usize) -> Self {
        let _call = called();
        self.map(|part| part.narrow(dim, start, length))
    }

    /// States one behind the other along axis `dim`.
    #[track_caller]
    fn cat(states: &[&Self], dim: isize) -> Self {
        let _call = called();
        Self::combine(states, &mut |parts| cat(parts, dim))
    }

    /// States side by side along a new axis `dim`.
    #[track_caller]
    fn stack(states: &[&Self], dim: isize) -> Self {
        let _call = called();
        Self::combine(states, &mut |parts| stack(parts, dim))
    }
}

/// A state like this one, of these variables.
pub(crate) fn filled<S: State>(like: &S, parts: &[Variable<S::Element>]) -> S {
    let mut parts = parts.iter();
    like.map(|_| parts.next().expect("one for each part").clone())
}

/// A mask (N) seen with shape (N, 1, ..) of the given rank.
fn along_first<T: Element>(mask: &Tensor<T>, rank: usize) -> Tensor<T> {
    let widened = (1..rank).try_fold(mask.clone(), |mask, _| -> Result<_> { mask.unsqueeze(-1) });
    widened.expect("an axis can be appended to any tensor")
}

impl<T: Float> State for Variable<T> {
    type Element = T;

    fn combine(states: &[&Self], f: &mut Combine<'_, T>) -> Self {
        f(states)
    }
}

/// Tuples of states.
macro_rules! tuples {
    ($(($first:ident $($other:ident)*) ($($place:tt)+);)*) => {$(
        impl<$first: State, $($other: State<Element = $first::Element>),*> State for ($first, $($other),*) {
            type Element = $first::Element;

            fn combine(states: &[&Self], f: &mut Combine<'_, Self::Element>) -> Self {
                ($({
                    let parts: Few<_> = states.iter().map(|state| &state.$place).collect();
                    State::combine(&parts, f)
                },)+)
            }
        }
    )*};
}

tuples! {
    (A B) (0 1);
    (A B C) (0 1 2);
    (A B C D) (0 1 2 3);
    (A B C D E) (0 1 2 3 4);
    (A B C D E F) (0 1 2 3 4 5);
    (A B C D E F G) (0 1 2 3 4 5 6);
    (A B C D E F G H) (0 1 2 3 4 5 6 7);
}

impl<S: State, const N: usize> State for [S; N] {
    type Element = S::Element;

    fn combine(states: &[&Self], f: &mut Combine<'_, S::Element>) -> Self {
        std::array::from_fn(|i| S::combine(&states.iter().map(|state| &state[i]).collect::<Few<_>>(), f))
    }
}

impl<S: State> State for Vec<S> {
    type Element = S::Element;

    /// # Panics
    /// If the lists differ in length.
    fn combine(states: &[&Self], f: &mut Combine<'_, S::Element>) -> Self {
        let lengths = || states.iter().map(|state| state.len());
        let length = lengths().next().unwrap_or(0);
        assert!(lengths().all(|other| other == length), "states that are lists: expected one length for all");
        (0..length)
            .map(|i| S::combine(&states.iter().map(|state| &state[i]).collect::<Few<_>>(), f))
            .collect()
    }
}

/// Makes a struct of states a [`State`]: `state!(Memory { fast, slow })`, or `state!(Memory<T> { fast, slow
/// })`.
#[macro_export]
macro_rules! state {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::State for $name {
            type Element = f32;
            $crate::state!(@combine $name { $($field),+ } f32);
        }
    };
    ($name:ident<$t:ident> { $($field:ident),+ $(,)? }) => {
        impl<$t: $crate::__private::Float> $crate::State for $name<$t> {
            type Element = $t;
            $crate::state!(@combine $name { $($field),+ } $t);
        }
    };
    (@combine $name:ident { $($field:ident),+ } $t:ty) => {
        fn combine(
            states: &[&Self],
            f: &mut $crate::Combine<'_, $t>,
        ) -> Self {
            $name { $(
                $field: {
                    let parts = states.iter().map(|state| &state.$field);
                    $crate::State::combine(&parts.collect::<$crate::__private::Few<_>>(), f)
                },
            )+ }
        }
    };
}
