//! What makes the cells of a recurrent layer.

use std::marker::PhantomData;

use wengert_core::{Error, Result};

use super::builder::RecurrentBuilder;
use super::runner::Recurrent;
use super::weights::HasBias;
use crate::cell_with::CellWith;
use crate::repr::layer_name;

/// The place of a cell in a recurrent layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The layer, from 0 at the input.
    pub layer: usize,
    /// The direction: 0 forward in time, 1 backward.
    pub direction: usize,
    /// The width of an input of the cell.
    pub input_size: usize,
}

/// Makes the cells of a recurrent layer, one for each layer and direction.
///
/// A closure from the input width to a cell is one; [`Recurrent::of_places`] takes one that sees the
/// [`Place`].
pub trait CellFactory {
    /// The cell that is made.
    type Cell: CellWith;

    /// A cell for inputs of that width.
    ///
    /// # Errors
    /// If its arguments are refused.
    fn make(&self, input_size: usize) -> Result<Self::Cell>;

    /// A cell for that place; one for its input width unless a factory tells places apart.
    ///
    /// # Errors
    /// If its arguments are refused.
    fn make_at(&self, place: Place) -> Result<Self::Cell> {
        self.make(place.input_size)
    }
}

impl<C: CellWith, F: Fn(usize) -> Result<C>> CellFactory for F {
    type Cell = C;

    fn make(&self, input_size: usize) -> Result<C> {
        self(input_size)
    }
}

/// A closure from a [`Place`] to a cell, as [`Recurrent::of_places`] takes it.
#[derive(Clone, Debug)]
pub struct ByPlace<F>(pub(super) F);

impl<C: CellWith, F: Fn(Place) -> Result<C>> CellFactory for ByPlace<F> {
    type Cell = C;

    fn make(&self, input_size: usize) -> Result<C> {
        self.make_at(Place { layer: 0, direction: 0, input_size })
    }

    fn make_at(&self, place: Place) -> Result<C> {
        (self.0)(place)
    }
}

/// A cell that its widths and a few arguments make: [`Recurrent`] has `new` and `builder` for it.
pub trait FromSizes: CellWith {
    /// The arguments of the cell beside its widths.
    type Arguments: Clone + Default;

    /// The cell from inputs of width `input_size` to `hidden_size` units.
    ///
    /// # Errors
    /// If an argument is out of its range.
    fn from_sizes(input_size: usize, hidden_size: usize, arguments: &Self::Arguments) -> Result<Self>;
}

/// Gives a cell that is made [from sizes](crate::FromSizes), and whose arguments say
/// [whether there are biases](crate::HasBias), PyTorch's constructors, `new` and `without_bias`:
/// `constructors!(Mgu)`.
///
/// See [`GateWeights`](crate::GateWeights) for a cell that has them.
#[macro_export]
macro_rules! constructors {
    ($cell:ident) => {
        impl $cell {
            /// A cell from inputs of width `input_size` to `hidden_size` units, with biases.
            ///
            /// # Errors
            /// If `input_size` is zero.
            pub fn new(input_size: usize, hidden_size: usize) -> $crate::__private::Result<Self> {
                $crate::__private::cell_of_sizes(input_size, hidden_size, true)
            }

            /// A cell from inputs of width `input_size` to `hidden_size` units, without biases
            /// (`bias=False`).
            ///
            /// # Errors
            /// If `input_size` is zero.
            pub fn without_bias(input_size: usize, hidden_size: usize) -> $crate::__private::Result<Self> {
                $crate::__private::cell_of_sizes(input_size, hidden_size, false)
            }
        }
    };
}

/// A single cell of these widths, which may have no units, as PyTorch's may.
pub fn cell_of_sizes<C: FromSizes<Arguments: HasBias>>(
    input_size: usize,
    hidden_size: usize,
    bias: bool,
) -> Result<C> {
    check_sizes(layer_name::<C>(), input_size, hidden_size.max(1))?;
    let mut arguments = C::Arguments::default();
    arguments.set_bias(bias);
    C::from_sizes(input_size, hidden_size, &arguments)
}

/// Makes cells of one hidden width and the same arguments.
#[derive(Debug)]
pub struct OfSizes<C: FromSizes> {
    hidden_size: usize,
    pub(super) arguments: C::Arguments,
    cell: PhantomData<fn() -> C>,
}

impl<C: FromSizes> Clone for OfSizes<C> {
    fn clone(&self) -> Self {
        let OfSizes { hidden_size, ref arguments, .. } = *self;
        OfSizes { hidden_size, arguments: arguments.clone(), cell: PhantomData }
    }
}

impl<C: FromSizes> CellFactory for OfSizes<C> {
    type Cell = C;

    fn make(&self, input_size: usize) -> Result<C> {
        check_sizes(layer_name::<C>(), input_size, self.hidden_size)?;
        C::from_sizes(input_size, self.hidden_size, &self.arguments)
    }
}

impl<C: FromSizes> Recurrent<C> {
    /// A layer with the default arguments, as PyTorch's constructor makes it.
    ///
    /// # Errors
    /// If a width is zero.
    pub fn new(input_size: usize, hidden_size: usize) -> Result<Self> {
        Self::builder(input_size, hidden_size).build()
    }

    /// A layer with arguments.
    pub fn builder(input_size: usize, hidden_size: usize) -> RecurrentBuilder<OfSizes<C>> {
        let arguments = C::Arguments::default();
        RecurrentBuilder::new(input_size, OfSizes { hidden_size, arguments, cell: PhantomData })
    }
}

impl<C: FromSizes> RecurrentBuilder<OfSizes<C>> {
    /// Changes the arguments of the cells.
    ///
    /// ```
    /// use wengert_nn::Gru;
    /// let gru = Gru::builder(3, 5).arguments(|gru| gru.bias = false).build()?;
    /// assert_eq!(gru.to_string(), "GRU(3, 5, bias=False)");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn arguments(mut self, change: impl FnOnce(&mut C::Arguments)) -> Self {
        change(&mut self.factory.arguments);
        self
    }
}

/// The widths of a layer must be positive.
pub(super) fn check_sizes(operation: &'static str, input: usize, hidden: usize) -> Result<()> {
    for (argument, size) in [("input_size", input), ("hidden_size", hidden)] {
        if size == 0 {
            return Err(Error::argument(operation, argument, "at least 1", size));
        }
    }
    Ok(())
}
