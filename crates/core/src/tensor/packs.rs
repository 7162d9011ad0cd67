//! Matrices laid out for products, kept beside the values that they are of.
//!
//! A weight enters a product at every step of a sequence, and its values change only between sequences. At
//! the second use of a matrix its pack is made, and all later products with few rows use it, forward and
//! backward, until the values change. The storage holds the packs: a view finds them too, and they go when
//! it goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use wengert_kernel::gemm::{pack, pack_len};

use wengert_kernel::number::Arithmetic;

use super::Element;
use crate::tensor::{Matrix, Tensor};

/// Rows beyond which a product packs by itself, at no cost that counts.
const MOST_PACKED_ROWS: usize = 512;
/// Elements below which a pack is not worth looking for.
const LEAST_ELEMENTS: usize = 256;
/// How many packs a storage has at most.
const MOST_PACKS: usize = 16;
/// Elements of packs that a storage keeps in any case. Beyond them a pack goes that the last products did
/// without: that of a large weight for the way forth, when the way back has begun.
const MOST_PACKED_ELEMENTS: usize = 6 << 20;
/// How many products a pack that is to go was not used by.
const MOST_UNUSED: u64 = 8;
/// Packs that stay with values: those of a weight forward and backward, and of its parts.
const MOST_FIXED: usize = 4;

/// The packs of one storage.
pub(crate) struct Packs<T: Element> {
    /// The last four matrices that a product asked for, a fingerprint each.
    seen: AtomicU64,
    kept: OnceLock<Box<Mutex<Shelf<T>>>>,
    /// The packs of values that stay.
    fixed: OnceLock<Box<Fixed<T>>>,
}

/// What is kept of a matrix for a product.
pub(crate) enum Packed<'m, T: Element> {
    /// Nothing ever: what the product does is its own affair.
    Never,
    /// Nothing yet: the product must be what it will be with a pack, or its bits would depend on what
    /// happened before.
    NotYet,
    /// Its pack.
    Pack(Tensor<T>),
    /// Its pack, which stays as long as the values.
    Fixed(&'m Tensor<T>),
}

/// How a matrix lies in its storage: offset, extents, strides.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place([usize; 5]);

struct Pack<T: Element> {
    place: Place,
    version: u64,
    packed: Tensor<T>,
    /// Which product used it last.
    used: u64,
}

/// The packs that are kept, and how many products asked for one.
struct Shelf<T: Element> {
    packs: Vec<Pack<T>>,
    asked: u64,
}

impl<T: Element> Default for Shelf<T> {
    fn default() -> Self {
        Shelf { packs: Vec::new(), asked: 0 }
    }
}

impl<T: Element> Shelf<T> {
    /// Has a pack used once more.
    fn use_pack(&mut self, at: usize) -> Tensor<T> {
        self.packs[at].used = self.asked;
        let packed = self.packs[at].packed.clone();
        if self.packs.len() > 1 && self.elements() > MOST_PACKED_ELEMENTS {
            let asked = self.asked;
            self.packs.retain(|pack| asked - pack.used < MOST_UNUSED);
        }
        packed
    }

    fn elements(&self) -> usize {
        self.packs.iter().map(|pack| pack.packed.numel()).sum()
    }
}

impl<T: Element> Packs<T> {
    pub(crate) const fn none() -> Self {
        Packs { seen: AtomicU64::new(0), kept: OnceLock::new(), fixed: OnceLock::new() }
    }

    /// Keeps packs from now on as long as the values stay, for whoever reads without a lock.
    pub(crate) fn fix(&self) {
        self.fixed.get_or_init(|| Box::new(Fixed { packs: [const { OnceLock::new() }; MOST_FIXED] }));
    }

    /// Lets go of packs that were to stay with the values.
    #[inline]
    pub(crate) fn loosen(&mut self) {
        if self.fixed.get().is_some() {
            self.fixed.take();
        }
    }

    /// Forgets all of them.
    #[inline]
    pub(crate) fn clear(&mut self) {
        *self.seen.get_mut() = 0;
        if self.kept.get().is_some() {
            self.kept.take();
        }
        self.loosen();
    }

    /// Forgets what was asked for; the packs have been cleared before.
    #[inline]
    pub(crate) fn forget(&mut self) {
        debug_assert!(self.is_empty());
        *self.seen.get_mut() = 0;
    }

    /// Whether there is none.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.get().is_none() && self.fixed.get().is_none()
    }

    /// Whether a matrix has been asked for lately; from now on it has.
    fn was_seen(&self, place: Place, version: u64) -> bool {
        let mix = |hash: u64, x: u64| (hash ^ x).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        let hash = place.0.iter().fold(mix(1, version), |hash, &x| mix(hash, x as u64));
        let print = (hash & 0xFFFF) | 1;
        let seen = self.seen.load(Ordering::Relaxed);
        if (0..4).any(|i| seen >> (16 * i) & 0xFFFF == print) {
            return true;
        }
        self.seen.store(seen << 16 | print, Ordering::Relaxed);
        false
    }
}

impl Place {
    #[inline]
    fn of<T: Element>(matrix: Matrix<'_, T>) -> Self {
        let ([rows, columns], [down, across]) = (matrix.extents, matrix.strides);
        Place([matrix.tensor.storage_offset(), rows, columns, down, across])
    }
}

/// Says that the values of a tensor stay, so that several threads read them with what products keep of them
/// without a lock. Whoever changes them all the same ends that.
pub fn fix_packs<T: Element>(tensor: &Tensor<T>) {
    tensor.storage().packs().fix();
}

/// The pack of a matrix that `rows` rows are multiplied by.
pub(crate) fn pack_of<'m, T: Element + Arithmetic>(rows: usize, matrix: Matrix<'m, T>) -> Packed<'m, T> {
    let [k, n] = matrix.extents;
    match pack_len::<T>(k, n) {
        Some(len) if rows <= MOST_PACKED_ROWS && k.saturating_mul(n) >= LEAST_ELEMENTS => {
            if let Some(fixed) = matrix.tensor.storage().packs().fixed.get() {
                return fixed.find(matrix, len);
            }
            find(matrix, len).map_or(Packed::NotYet, Packed::Pack)
        }
        _ => Packed::Never,
    }
}

/// Packs of values that stay, found without a lock and without a handle being counted: several threads read
/// them at once. They are those of the first places that ask; others are on the shelf.
struct Fixed<T: Element> {
    packs: [OnceLock<(Place, Tensor<T>)>; MOST_FIXED],
}

impl<T: Element + Arithmetic> Fixed<T> {
    fn find<'m>(&'m self, matrix: Matrix<'m, T>, len: usize) -> Packed<'m, T> {
        let place = Place::of(matrix);
        for pack in &self.packs {
            // Where several threads ask first, each makes one, and the first that is done stays.
            match pack.get() {
                Some((known, pack)) if *known == place => return Packed::Fixed(pack),
                Some(_) => continue,
                None => match packed(matrix, len) {
                    Some(made) => {
                        let (known, pack) = pack.get_or_init(|| (place, made));
                        if *known == place {
                            return Packed::Fixed(pack);
                        }
                    }
                    None => return Packed::NotYet,
                },
            }
        }
        find(matrix, len).map_or(Packed::NotYet, Packed::Pack)
    }
}

/// The pack that is there, or is to be from now on.
fn find<T: Element + Arithmetic>(matrix: Matrix<'_, T>, len: usize) -> Option<Tensor<T>> {
    let (place, version) = (Place::of(matrix), matrix.tensor.version());
    let packs = matrix.tensor.storage().packs();
    if packs.is_empty() && !packs.was_seen(place, version) {
        return None;
    }
    let mut shelf = packs.kept.get_or_init(Default::default).lock().unwrap_or_else(PoisonError::into_inner);
    shelf.asked += 1;
    let outdated = match shelf.packs.iter().position(|pack| pack.place == place) {
        Some(at) if shelf.packs[at].version == version => return Some(shelf.use_pack(at)),
        Some(at) => Some(at),
        None if shelf.packs.len() < MOST_PACKS && packs.was_seen(place, version) => None,
        None => return None,
    };
    if let Some(at) = outdated {
        // First, so that its memory is used again.
        shelf.packs.swap_remove(at);
    }
    // Where there is no memory for it, the product does without.
    let (packed, used) = (packed(matrix, len)?, shelf.asked);
    shelf.packs.push(Pack { place, version, packed: packed.clone(), used });
    Some(packed)
}

fn packed<T: Element + Arithmetic>(matrix: Matrix<'_, T>, len: usize) -> Option<Tensor<T>> {
    Tensor::create("pack", &[len][..], |out| pack(matrix.at(0), out)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight() -> Tensor {
        Tensor::from_fn([20, 30], |i| (i * i % 23) as f32)
    }

    fn pack(matrix: &Tensor) -> Option<Tensor> {
        if let Packed::Pack(pack) = pack_of(3, Matrix::of(matrix)) { Some(pack) } else { None }
    }

    fn has_packs() -> bool {
        pack_len::<f32>(1, 1).is_some()
    }

    #[test]
    fn a_pack_is_made_at_the_second_use_and_kept() {
        let weight = weight();
        assert!(pack(&weight).is_none());
        let second = pack(&weight);
        assert_eq!(second.is_some(), has_packs());
        if let Some(second) = second {
            assert!(pack(&weight.clone()).unwrap().shares_storage(&second));
        }
    }

    #[test]
    fn both_orientations_are_kept_and_views_find_them() {
        if has_packs() {
            let weight = weight();
            let both = || (pack(&weight), pack(&weight.t()));
            assert!(both().0.is_none());
            let ((a, b), (c, d)) = (both(), both());
            assert!(a.unwrap().shares_storage(&c.unwrap()) && b.unwrap().shares_storage(&d.unwrap()));
        }
    }

    #[test]
    fn other_values_have_other_packs() {
        if has_packs() {
            let mut weight = weight();
            let old = (0..3).find_map(|_| pack(&weight)).unwrap();
            weight.data_mut().unwrap().fill(2.0);
            let new = pack(&weight).unwrap();
            assert!(!new.shares_storage(&old));
            assert_eq!(new.to_vec()[0], 2.0);
        }
    }

    #[test]
    fn of_large_packs_only_those_stay_that_are_used() {
        if has_packs() {
            let large = Tensor::<f32>::zeros([2048, 2048]);
            let there = |matrix: &Tensor| {
                let shelf = matrix.storage().packs().kept.get().unwrap().lock().unwrap();
                shelf.packs.iter().any(|pack| pack.place == Place::of(Matrix::of(matrix)))
            };
            // Used in turn, both stay.
            (0..20).for_each(|_| drop((pack(&large), pack(&large.t()))));
            assert!(there(&large) && there(&large.t()));
            (0..20).for_each(|_| drop(pack(&large.t())));
            assert!(!there(&large) && there(&large.t()));
        }
    }

    #[test]
    fn many_rows_and_small_matrices_do_without() {
        let (weight, small) = (weight(), Tensor::<f32>::ones([3, 3]));
        for _ in 0..3 {
            assert!(matches!(pack_of(1000, Matrix::of(&weight)), Packed::Never));
            assert!(matches!(pack_of(3, Matrix::of(&small)), Packed::Never));
        }
    }

    #[test]
    fn a_recycled_storage_has_no_packs() {
        let weight = weight();
        (0..3).for_each(|_| drop(pack(&weight)));
        drop(weight);
        let next = Tensor::<f32>::zeros([20, 30]);
        assert!(pack(&next).is_none());
    }
}
