//! Values that wait for a pullback.

use smallvec::SmallVec;

use crate::tape::Float;
use crate::tensor::Tensor;
use crate::tensor::storage::Holder;

/// The inputs and then the outputs that a rule asked to keep.
pub(crate) type Keeps<T> = SmallVec<[Keep<T>; 2]>;

/// A value that a rule asked to keep, or none in the place of one that it did not ask for. As long as it is
/// kept, nobody changes its storage in place.
pub(crate) struct Keep<T: Float>(Option<Tensor<T>>);

impl<T: Float> Keep<T> {
    pub(crate) const NONE: Self = Keep(None);

    #[inline]
    pub(crate) fn of(value: &Tensor<T>, holder: &Holder) -> Self {
        value.storage().held_by(holder);
        Keep(Some(value.marked()))
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<&Tensor<T>> {
        self.0.as_ref()
    }
}

impl<T: Float> Clone for Keep<T> {
    fn clone(&self) -> Self {
        Keep(self.get().map(Tensor::marked))
    }
}

impl<T: Float> Drop for Keep<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            value.drop_marked();
        }
    }
}
