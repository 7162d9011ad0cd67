//! What a node keeps of an operation: how cotangents go back through it.

use wengert_kernel::memory::cut::Division;

use super::program::Program;
use super::{Attributes, Cotangents, Float, Gradients, Operation, Saved, Saves, Wants};
use crate::base::dims::Dims;
use crate::tensor::Region;

/// A pullback with its constants.
///
/// Some rules are written twice. [`Rule::pullback`] is the rule in operations on variables: it is what is
/// recorded where derivatives are to be differentiated, and the plain sweep always runs it.
/// [`Rule::fused`], the same in one pass over tensors and over the cotangents that nobody else holds, is
/// what an ordinary backward runs. Which one is the sweep's to say; that they agree is seen by running
/// every entry of the registry both ways, and by the random programs. A rule without the second text has
/// the first one for both.
pub(crate) trait Rule<T: Float>: Send + Sync + 'static {
    /// The name on the tape.
    fn name(&self) -> &'static &'static str;

    /// What the operation was called with beside its inputs.
    fn attributes(&self) -> Attributes {
        Attributes::none()
    }

    /// The steps of a formula of single elements, if the operation is one.
    fn program(&self) -> Option<Program> {
        None
    }

    /// Whether the operation, if the registry has one of this name, is that one.
    fn is_own(&self) -> bool {
        true
    }

    /// Which values the pullback will ask for, given which inputs want a gradient.
    fn saves(&self, _: Wants) -> Saves {
        Saves::NOTHING
    }

    /// Adds to `gradients` what the `cotangents` of the outputs make of those of the inputs, in variables.
    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>);

    /// [`Rule::pullback`] without history, by whoever may write over the cotangents.
    fn fused(&self, saved: &Saved<'_, T>, cotangents: &mut Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        self.pullback(saved, cotangents, gradients);
    }

    /// What becomes of the outputs' cotangents.
    fn flow(&self) -> Flow {
        Flow::Through
    }

    /// How the outputs are parts of the input, if the flow says so.
    fn division(&self) -> Option<Division<'_>> {
        None
    }

    /// For a view of a matrix, input 0 of extents `base`: products that wait to be its cotangent go on
    /// through it.
    fn matrix_view(&self, _base: &Dims) -> Option<MatrixView> {
        None
    }
}

/// What becomes of a cotangent once it is there, known when the operation is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Whatever the pullback says.
    Through,
    /// The outputs' cotangents are parts of the only input's, that share no element ([`Rule::division`]).
    Parts,
    /// That of the only output is also that of this input, unchanged.
    On(u8),
}

/// How a matrix is seen by an operation through which pairs of factors go on.
pub(crate) enum MatrixView {
    /// Rows as columns.
    Transposed,
    /// A part.
    Part(Region),
}

/// An [`Operation`] as the rule that it is.
pub(super) struct OfOperation<O>(pub(super) O);

impl<T: Float, O: Operation<T>> Rule<T> for OfOperation<O> {
    fn name(&self) -> &'static &'static str {
        &O::NAME
    }

    fn attributes(&self) -> Attributes {
        self.0.attributes()
    }

    fn is_own(&self) -> bool {
        std::any::type_name::<O>().starts_with(concat!(env!("CARGO_CRATE_NAME"), "::"))
    }

    fn saves(&self, wants: Wants) -> Saves {
        self.0.saves(wants)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        self.0.pullback(saved, cotangents, gradients);
    }
}
