//! Extents as functions are given them: axes that are named, shapes that broadcast.

pub(crate) use wengert_kernel::memory::dims::{Dims, checked_count, product};

use crate::base::error::{Error, Result};

/// Extents as those of a tensor.
pub(crate) trait OfTensor {
    /// These extents as those of a tensor that `operation` makes.
    ///
    /// # Errors
    /// If there would be more elements than a tensor has.
    fn sized(self, operation: &'static str) -> Result<Dims>;
}

impl OfTensor for Dims {
    #[inline]
    fn sized(self, operation: &'static str) -> Result<Dims> {
        if checked_count(&self).is_some() { Ok(self) } else { Err(too_many(operation, &self)) }
    }
}

/// What a function says of extents whose product is more than a tensor has.
#[cold]
pub(crate) fn too_many(operation: &'static str, extents: &[usize]) -> Error {
    Error::Extents { operation, shape: format!("{extents:?}") }
}

/// The axis that `axis` names in a tensor of `rank` axes: negative ones count from the end.
pub(crate) fn axis_of(operation: &'static str, axis: isize, rank: usize) -> Result<usize> {
    let resolved = if axis < 0 { axis + rank as isize } else { axis };
    if (0..rank as isize).contains(&resolved) {
        return Ok(resolved as usize);
    }
    Err(Error::argument(operation, "dim", format!("in [-{rank}, {rank}) for a tensor of rank {rank}"), axis))
}

/// The axes that `dims` names, sorted, each at most once; an empty list names all.
pub(crate) fn axes_of(operation: &'static str, dims: &[isize], rank: usize) -> Result<Dims> {
    if dims.is_empty() {
        return Ok((0..rank).collect());
    }
    let mut axes: Vec<usize> = dims.iter().map(|&d| axis_of(operation, d, rank)).collect::<Result<_>>()?;
    axes.sort_unstable();
    if axes.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::argument(operation, "dim", "free of repetitions", format!("{dims:?}")));
    }
    Ok(axes.into_iter().collect())
}

/// The shape that two shapes broadcast to: aligned at the last axis, an extent of 1 stretches.
pub(crate) fn broadcast(operation: &'static str, a: &[usize], b: &[usize]) -> Result<Dims> {
    if a == b {
        return Ok(Dims::from(a));
    }
    let rank = a.len().max(b.len());
    let at = |s: &[usize], i: usize| if i + s.len() < rank { 1 } else { s[i + s.len() - rank] };
    let common: Result<Dims> = (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(Error::shape(operation, format!("shapes that broadcast with {a:?}"), format!("{b:?}"))),
        })
        .collect();
    common?.sized(operation)
}

#[cfg(test)]
mod tests {
    use wengert_kernel::memory::dims::MOST_ELEMENTS;

    use super::*;

    #[test]
    fn broadcasting_aligns_at_the_last_axis() {
        assert_eq!(&*broadcast("add", &[3, 1, 2], &[4, 1]).unwrap(), &[3, 4, 2]);
        assert_eq!(&*broadcast("add", &[], &[2]).unwrap(), &[2]);
        assert_eq!(&*broadcast("add", &[0], &[1]).unwrap(), &[0]);
        assert_eq!(
            broadcast("add", &[3], &[2]).unwrap_err().to_string(),
            "add: expected shapes that broadcast with [3], got [2]"
        );
    }

    #[test]
    fn extents_of_too_many_elements_are_an_error() {
        let half = 1 << 32;
        for extents in [
            &[half, half][..],
            &[MOST_ELEMENTS, 2],
            &[usize::MAX],
            &[usize::MAX, usize::MAX],
            &[half, half, 1],
        ] {
            assert!(Dims::from(extents).sized("zeros").is_err());
        }
        assert_eq!(
            broadcast("add", &[half, 1], &[half]).unwrap_err().to_string(),
            "add: expected extents whose product is at most 9223372036854775807, got [4294967296, 4294967296]"
        );
    }

    #[test]
    fn negative_axes_count_from_the_end() {
        assert_eq!(axis_of("sum", -1, 3).unwrap(), 2);
        assert!(axis_of("sum", 3, 3).is_err());
        assert!(axes_of("sum", &[0, -2], 2).is_err());
    }
}
