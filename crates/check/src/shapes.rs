//! Shapes.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use crate::draw::{Draw, Drawable, Drawn, draws};

/// An axis's extent: a number, or a range to draw it from.
pub trait Extent {
    /// Draws the extent.
    fn extent(&self, draw: &mut Draw) -> usize;
}

impl Extent for usize {
    fn extent(&self, _: &mut Draw) -> usize {
        *self
    }
}

impl Extent for Range<usize> {
    fn extent(&self, draw: &mut Draw) -> usize {
        Drawable::draw(self, draw)
    }
}

impl Extent for RangeInclusive<usize> {
    fn extent(&self, draw: &mut Draw) -> usize {
        Drawable::draw(self, draw)
    }
}

/// A shape, known or to be drawn: extents in an array, a slice, a list or a tuple, `(1..4, 3)`; or a
/// strategy for shapes.
pub trait Shape {
    /// Draws the shape.
    fn shape(&self, draw: &mut Draw) -> Vec<usize>;
}

impl<E: Extent, const N: usize> Shape for [E; N] {
    fn shape(&self, draw: &mut Draw) -> Vec<usize> {
        self.iter().map(|extent| extent.extent(draw)).collect()
    }
}

impl Shape for Vec<usize> {
    fn shape(&self, _: &mut Draw) -> Vec<usize> {
        self.clone()
    }
}

impl Shape for [usize] {
    fn shape(&self, _: &mut Draw) -> Vec<usize> {
        self.to_vec()
    }
}

impl<S: Shape + ?Sized> Shape for &S {
    fn shape(&self, draw: &mut Draw) -> Vec<usize> {
        S::shape(self, draw)
    }
}

impl<F: Fn(&mut Draw) -> Vec<usize>> Shape for Drawn<F> {
    fn shape(&self, draw: &mut Draw) -> Vec<usize> {
        Drawable::draw(self, draw)
    }
}

macro_rules! tuple {
    ($($extent:ident $index:tt),+) => {
        impl<$($extent: Extent),+> Shape for ($($extent,)+) {
            fn shape(&self, draw: &mut Draw) -> Vec<usize> {
                vec![$(self.$index.extent(draw)),+]
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);

/// More elements than this have only axes of extent 1 added.
const MANY_ELEMENTS: usize = 40;

/// Shapes of a rank in `ranks` with every extent in `extents`, of at most some hundred elements. They
/// shrink to fewer and shorter axes.
///
/// ```
/// use wengert_check::{proptest::prelude::*, shapes};
/// proptest!(|(shape in shapes(1..=3, 0..=4))| prop_assert!((1..=3).contains(&shape.len())));
/// ```
pub fn shapes(
    ranks: RangeInclusive<usize>,
    extents: RangeInclusive<usize>,
) -> Drawn<impl Fn(&mut Draw) -> Vec<usize> + Clone> {
    draws(move |draw| {
        let rank = draw.draw(ranks.clone());
        let mut count = 1;
        (0..rank)
            .map(|_| {
                let most = if count > MANY_ELEMENTS { 1.max(*extents.start()) } else { *extents.end() };
                let extent = draw.draw(*extents.start()..=most);
                count *= extent.max(1);
                extent
            })
            .collect()
    })
}

/// Shapes that a shape can be the broadcast of: axes missing in front, axes of extent 1.
pub fn broadcasts_to(shape: &[usize]) -> Drawn<impl Fn(&mut Draw) -> Vec<usize> + Clone> {
    let shape = shape.to_vec();
    draws(move |draw| {
        let missing = if draw.coin() { draw.below(shape.len() + 1) } else { 0 };
        shape[missing..].iter().map(|&extent| if draw.below(3) == 2 { 1 } else { extent }).collect()
    })
}

/// `N` shapes that broadcast with each other: a pair, a triple.
///
/// ```
/// use wengert_check::{broadcast_shapes, proptest::prelude::*};
/// use wengert_core::{Tensor, Variable};
/// proptest!(|([a, b] in broadcast_shapes::<2>())| {
///     let zeros = |shape: &[usize]| Variable::new(Tensor::<f64>::zeros(shape));
///     let _ = zeros(&a) + zeros(&b);
/// });
/// ```
pub fn broadcast_shapes<const N: usize>() -> Drawn<impl Fn(&mut Draw) -> [Vec<usize>; N] + Clone> {
    draws(|draw| {
        let all = draw.draw(shapes(0..=3, 0..=4));
        std::array::from_fn(|_| draw.draw(broadcasts_to(&all)))
    })
}

/// A shape that is drawn later.
#[derive(Clone)]
pub(crate) struct AnyShape(pub std::rc::Rc<dyn Shape>);

impl fmt::Debug for AnyShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shape")
    }
}
