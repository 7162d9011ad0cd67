//! A region of a tensor, and its adjoint: the region placed among zeros.

use crate::element::Float;
use crate::operation::{Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tape::accumulate::embed;
use crate::tensor::{Region, Tensor};

/// A value at its region of a tensor that is zero elsewhere.
pub(crate) struct Embed {
    pub(crate) region: Region,
}

impl<T: Float> Operation<T> for Embed {
    const NAME: &'static str = "Embed";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [embed(&self.region, inputs[0])].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, Extract { region: self.region.clone() }.apply1(&[cotangents.only()]));
    }
}

/// The region of a value.
struct Extract {
    region: Region,
}

impl<T: Float> Operation<T> for Extract {
    const NAME: &'static str = "Extract";

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let base = inputs[0].contiguous();
        let Region { offset, shape, strides, .. } = &self.region;
        [base.with_layout(base.storage_offset() + offset, shape.clone(), strides.clone())].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add_region(0, || self.region.clone(), cotangents.only().clone());
    }
}
