//! Modules of another element type.

use std::collections::HashMap;

use wengert_core::{Float, Parameter};

use crate::buffer::Buffer;

/// Copies of parameters and buffers made so far, so that tied ones stay tied.
pub struct Memo<U: Float> {
    copies: HashMap<usize, Parameter<U>>,
    buffers: HashMap<usize, Buffer<U>>,
}

impl<U: Float> Memo<U> {
    pub(crate) fn new() -> Self {
        Memo { copies: HashMap::new(), buffers: HashMap::new() }
    }

    /// The copy of `parameter`, made at the first call.
    pub fn copy<T: Float>(&mut self, parameter: &Parameter<T>) -> Parameter<U> {
        self.copies.entry(parameter.id()).or_insert_with(|| parameter.copy()).clone()
    }

    /// The copy of `buffer`, made at the first call.
    pub fn copy_buffer<T: Float>(&mut self, buffer: &Buffer<T>) -> Buffer<U> {
        self.buffers.entry(buffer.id()).or_insert_with(|| buffer.copy()).clone()
    }
}

/// A module, or a part of one, that exists for every element type.
///
/// ```
/// use wengert_nn::{Cast, Lstm, Module};
/// let lstm = Lstm::new(2, 3)?.cast::<f64>();
/// assert_eq!(lstm.parameter("bias_hh_l0")?.shape(), &[12]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` exists for one type of numbers only",
    label = "expected a module for every type of numbers",
    note = "declare it as `struct Name<T: Float = f32> {{ .. }}`, with `module!(Name<T> {{ every, field }})` \
            or `cell!(Name<T> {{ every, field }})`"
)]
pub trait Cast {
    /// The type of the module with elements of type `U`.
    type To<U: Float>;

    /// A copy with elements of type `U`; parameters go through `memo`.
    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Self::To<U>;

    /// A copy with parameters of its own, of element type `U`.
    fn cast<U: Float>(&self) -> Self::To<U> {
        self.cast_with(&mut Memo::new())
    }
}

impl<T: Float> Cast for Parameter<T> {
    type To<U: Float> = Parameter<U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Parameter<U> {
        memo.copy(self)
    }
}
