//! A region of a tensor, and its adjoint: the region placed among zeros.

use crate::dims::Dims;
use crate::element::Float;
use crate::operation::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::registry::{Domain, Fitted, OperationEntry};
use crate::tape::accumulate::embed;
use crate::tensor::{Region, Tensor};

/// A value at its region of a tensor that is zero elsewhere.
pub(crate) struct Embed {
    pub(crate) region: Region,
}

impl<T: Float> Operation<T> for Embed {
    const NAME: &'static str = "Embed";

    fn attributes(&self) -> Attributes {
        self.region.attributes()
    }

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

    fn attributes(&self) -> Attributes {
        self.region.attributes()
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let base = inputs[0].contiguous();
        let Region { offset, shape, strides, .. } = &self.region;
        [base.with_layout(base.storage_offset() + offset, shape.clone(), strides.clone())].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add_region(0, || self.region.clone(), cotangents.only().clone());
    }
}

impl Region {
    fn attributes(&self) -> Attributes {
        let attributes = Attributes::none().ints("base", &self.base).int("offset", self.offset as i64);
        attributes.ints("size", &self.shape).ints("stride", &self.strides)
    }

    /// # Panics
    /// If it does not lie inside its base.
    #[track_caller]
    fn from_attributes(attributes: &Attributes) -> Self {
        let list = |name| Dims::from(&*attributes.get_ints::<usize>(name));
        let (base, shape, strides) = (list("base"), list("size"), list("stride"));
        let offset: usize = attributes.get_int("offset");
        let steps = shape.iter().zip(strides.iter()).map(|(&extent, &step)| (extent.max(1) - 1).checked_mul(step));
        let last = steps.chain([Some(offset)]).try_fold(0usize, |sum, step| sum.checked_add(step?));
        let elements = base.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
        let inside = shape.contains(&0) || matches!((last, elements), (Some(last), Some(all)) if last < all);
        assert!(shape.len() == strides.len() && inside, "a region inside {base:?}: got {attributes}");
        Region { base, offset, shape, strides }
    }
}

pub(super) fn operations<T: Float>() -> Vec<OperationEntry<T>> {
    /// Every other row of a tensor, from the second on.
    fn rows(base: &[usize]) -> Option<Region> {
        let region = Region::of(base, |base| base.slice(0, 1, usize::MAX, 2));
        region.ok().filter(|region| !region.shape.contains(&0))
    }
    vec![
        OperationEntry::new(
            "Embed",
            &[Domain::Any],
            |_, shape| {
                let mut base = shape.to_vec();
                *base.first_mut()? *= 2;
                Fitted::one(shape, rows(&base)?.attributes())
            },
            |attributes, v| {
                let region = Region::from_attributes(attributes);
                assert_eq!(v[0].shape(), &*region.shape, "Embed: the shape of the region");
                vec![Embed { region }.apply1(v)]
            },
        )
        .exact(),
        OperationEntry::new(
            "Extract",
            &[Domain::Any],
            |_, shape| Fitted::one(shape, rows(shape)?.attributes()),
            |attributes, v| {
                let region = Region::from_attributes(attributes);
                assert_eq!(v[0].shape(), &*region.base, "Extract: the shape of the base");
                vec![Extract { region }.apply1(v)]
            },
        )
        .exact(),
    ]
}
