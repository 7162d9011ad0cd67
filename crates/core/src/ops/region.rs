//! Regions of a tensor, and the adjoint: regions placed among zeros.

use smallvec::{SmallVec, smallvec};

use crate::base::dims::Dims;
use crate::ops::registry::{Domain, Fitted, Listed};
use crate::tape::Float;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved};
use crate::tensor::{Region, Tensor, slice};

/// Values at their regions of a tensor that is zero elsewhere, or each added, in order, to its region of a
/// first input. Regions may overlap.
pub(crate) struct Embed {
    regions: SmallVec<[Region; 1]>,
    /// Whether there is that first input.
    onto: bool,
}

impl Embed {
    /// A value among zeros.
    pub(crate) fn one(region: Region) -> Self {
        Embed { regions: smallvec![region], onto: false }
    }

    /// At least one value; `onto` a value of the whole's shape, or zeros.
    pub(crate) fn all(regions: impl Iterator<Item = Region>, onto: bool) -> Self {
        Embed { regions: regions.collect(), onto }
    }
}

impl<T: Float> Operation<T> for Embed {
    const NAME: &'static str = "Embed";

    fn attributes(&self) -> Attributes {
        Region::attributes(&self.regions).flag("onto", self.onto)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let (first, others) = inputs.split_first().expect("at least one");
        let (mut sum, regions) = match &self.regions[..] {
            [region, regions @ ..] if !self.onto => (region.embed(first), regions),
            regions => (first.copy(), regions),
        };
        let whole = sum.fresh_mut();
        regions.iter().zip(others).for_each(|(region, part)| region.add(whole, part));
        [sum].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        // Made row-major once, not for each region.
        let whole = cotangents.only().contiguous();
        if self.onto {
            gradients.add(0, whole.clone());
        }
        for (region, i) in self.regions.iter().zip(usize::from(self.onto)..) {
            if gradients.wants(i) {
                gradients.add(i, Extract { region: region.clone() }.apply1(&[&whole]));
            }
        }
    }
}

/// The region of a value.
struct Extract {
    region: Region,
}

impl<T: Float> Operation<T> for Extract {
    const NAME: &'static str = "Extract";

    fn attributes(&self) -> Attributes {
        Region::attributes(std::slice::from_ref(&self.region))
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
    /// Regions of one base as data: of each its offset and rank, and of all the extents and strides.
    fn attributes(regions: &[Region]) -> Attributes {
        let list = |of: &dyn Fn(&Region) -> Vec<usize>| regions.iter().flat_map(of).collect::<Vec<_>>();
        let base = regions.first().map_or(&[][..], |region| &region.base);
        let attributes =
            Attributes::none().ints("base", base).dims("offset", &list(&|region| vec![region.offset]));
        let attributes = attributes.dims("rank", &list(&|region| vec![region.shape.len()]));
        let attributes = attributes.ints("size", &list(&|region| region.shape.to_vec()));
        attributes.ints("stride", &list(&|region| region.strides.to_vec()))
    }

    /// # Panics
    /// If one does not lie inside the base.
    #[track_caller]
    fn from_attributes(attributes: &Attributes) -> Vec<Self> {
        let list = |name| attributes.get_ints::<usize>(name);
        let (base, sizes, strides) = (Dims::from(&*list("base")), list("size"), list("stride"));
        let mut start = 0usize;
        let region = |(offset, rank): (usize, usize)| {
            let range = start..start.saturating_add(rank);
            start = range.end;
            let [Some(shape), Some(strides)] = [&sizes, &strides].map(|all| all.get(range.clone())) else {
                panic!("regions with extents and strides: got {attributes}")
            };
            let region = Region { base: base.clone(), offset, shape: shape.into(), strides: strides.into() };
            assert!(region.is_inside(), "a region inside {base:?}: got {attributes}");
            region
        };
        list("offset").into_iter().zip(list("rank")).map(region).collect()
    }

    fn is_inside(&self) -> bool {
        let steps = self.shape.iter().zip(self.strides.iter());
        let steps = steps.map(|(&extent, &step)| (extent.max(1) - 1).checked_mul(step));
        let last = steps.chain([Some(self.offset)]).try_fold(0usize, |sum, step| sum.checked_add(step?));
        let elements = self.base.iter().try_fold(1usize, |product, &extent| product.checked_mul(extent));
        self.shape.contains(&0) || matches!((last, elements), (Some(last), Some(all)) if last < all)
    }
}

/// Every other row of a tensor, from `start` on.
fn rows(base: &[usize], start: usize) -> Option<Region> {
    let region = Region::of(base, |axes| slice(axes, 0, start, usize::MAX, 2));
    region.ok().filter(|region| !region.shape.contains(&0))
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        L::new(
            "Embed",
            &[Domain::Any],
            &|choose, shape| {
                let mut base = shape.to_vec();
                *base.first_mut()? *= 2;
                let (odd, even) = (rows(&base, 1)?, rows(&base, 0)?);
                let (regions, onto) = match choose(3) {
                    0 => (vec![odd], false),
                    1 => (vec![odd.clone(), even, odd], false),
                    _ => (vec![odd.clone(), odd], true),
                };
                let mut shapes: Vec<Vec<usize>> =
                    regions.iter().map(|region| region.shape.to_vec()).collect();
                if onto {
                    shapes.insert(0, base);
                }
                Some(Fitted::new(shapes, Region::attributes(&regions).flag("onto", onto)))
            },
            &|attributes, v| {
                let (regions, onto) = (Region::from_attributes(attributes), attributes.has_flag("onto"));
                let base = regions.first().map(|region| region.base.to_vec());
                let expected = onto.then_some(base).into_iter().flatten();
                let expected: Vec<_> =
                    expected.chain(regions.iter().map(|region| region.shape.to_vec())).collect();
                let shapes: Vec<_> = v.iter().map(|v| v.shape().to_vec()).collect();
                assert_eq!(shapes, expected, "Embed: the shapes of the inputs");
                vec![Embed::all(regions.into_iter(), onto).apply1(v)]
            },
        ),
        L::new(
            "Extract",
            &[Domain::Any],
            &|_, shape| Fitted::one(shape, Region::attributes(&[rows(shape, 1)?])),
            &|attributes, v| {
                let region = Region::from_attributes(attributes).pop().expect("a region");
                assert_eq!(v[0].shape(), &*region.base, "Extract: the shape of the base");
                vec![Extract { region }.apply1(v)]
            },
        )
        .exact(),
    ]
}
