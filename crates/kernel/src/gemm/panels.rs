//! Products with B in micro-panels: some vectors of columns side by side, one row below the other, so that
//! the innermost loop reads B straight through, and [tiles](super::tile) of C that fill the registers. The
//! loops and their sizes are named in [`sizes`](super::sizes).
//!
//! A large product packs B block by block. A product of few rows with a weight that comes again and again
//! uses a pack of the whole weight ([`pack`]): it pays for itself in a few steps.

use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};
use std::ops::{Add, Range};

use super::Gemm;
use super::ahead::Ahead;
use super::blocks::{gather, pack_block, pack_whole};
use super::product::{Extents, Product};
use super::sizes::{MC, MR, even_parts, kc, nc};
use super::tile::of_extents;
use super::vector::Vector;
use crate::memory::dims::checked_count;
use crate::run::level::Level;

/// The pieces in which the next strip of A is copied, at most.
const PIECES: usize = 4;

/// [`Product::macro_kernel`] of a block in micro-panels, which is compiled once for a kind of registers:
/// tiles take long to compile.
type MacroKernel<T> = unsafe fn(&Product<T>, *const T, Range<usize>, &mut Ahead<T>, *const T);

/// The columns of a pack: whole vectors.
pub(super) fn width(n: usize, lanes: usize) -> usize {
    n.next_multiple_of(lanes)
}

/// Where a panel of a block of k rows and n columns begins.
fn panel_start<V: Vector>(k: usize, n: usize, panel: usize) -> usize {
    let (first, _) = even_parts(n.div_ceil(V::LANES), V::NR).nth(panel).expect("a panel of this block");
    k * first * V::LANES
}

/// # Safety
/// Of every function: the product is as [`Product`] says, the rows of C and of the start are contiguous,
/// the machine has V's instructions; a pack is one of this product's B, or of the given matrix's size.
impl<T: Copy + Default + Add<Output = T>> Product<T> {
    /// Loops 4 and 3 for these panels of C, with a pack of all of B.
    #[inline(always)]
    unsafe fn with_pack<V: Vector<Item = T>>(
        &self,
        pack: *const T,
        panels: Range<usize>,
        macro_kernel: MacroKernel<T>,
    ) {
        let Extents { m, k, n } = self.extents;
        for (pc, depth) in even_parts(k, kc::<T>()) {
            for ic in even_parts(m, MC) {
                // SAFETY: the part of the pack is that of the part of the product.
                unsafe {
                    let part = self.part(ic, (pc, depth), (0, n));
                    let last = pc + depth == k && ic.0 + ic.1 == m;
                    let mut ahead = if last { Ahead::announced(depth / V::STEPS) } else { Ahead::nothing() };
                    let block = pack.add(pc * width(n, V::LANES));
                    let first = panel_start::<V>(depth, n, panels.start);
                    let then = if pc + depth == k { pack } else { block.add(depth * width(n, V::LANES)) };
                    macro_kernel(&part, block, panels.clone(), &mut ahead, then.wrapping_add(first));
                }
            }
        }
    }

    /// Loops 5 to 3: B is packed block by block into `scratch`, and A's strips behind it where their rows
    /// are not contiguous.
    #[inline(always)]
    unsafe fn packing<V: Vector<Item = T>>(&self, scratch: *mut T, macro_kernel: MacroKernel<T>) {
        let Extents { m, k, n } = self.extents;
        for jc in even_parts(n, nc::<T>()) {
            for pc in even_parts(k, kc::<T>()) {
                // SAFETY: the parts lie inside; `scratch` has room for the blocks.
                unsafe {
                    let block = self.part((0, m), pc, jc);
                    pack_block::<V>(block.extents, block.b, scratch, 0..usize::MAX);
                    if self.a.2 == 1 {
                        for ic in even_parts(m, MC) {
                            let strip = block.part(ic, (0, pc.1), (0, jc.1));
                            macro_kernel(&strip, scratch, 0..usize::MAX, &mut Ahead::nothing(), scratch);
                        }
                    } else {
                        let room = scratch.add(pc.1 * width(jc.1, V::LANES));
                        block.gathering::<V>(scratch, room, macro_kernel);
                    }
                }
            }
        }
    }

    /// With B packed in one block, strip by strip of A, which are copied to `room` in turn.
    ///
    /// The next strip comes piece by piece between panels: rows that lie a power of two apart share places
    /// in the caches, which would not hold a whole strip of them.
    #[inline(always)]
    unsafe fn gathering<V: Vector<Item = T>>(
        &self,
        pack: *const T,
        room: *mut T,
        macro_kernel: MacroKernel<T>,
    ) {
        let Extents { m, k, n } = self.extents;
        let all = n.div_ceil(V::LANES).div_ceil(V::NR);
        let pieces = all.min(PIECES);
        // SAFETY: the parts lie inside, and `room` has some for two strips.
        unsafe {
            let (mut here, mut there) = (room, room.add(k * m.min(MC)));
            let mut strips = even_parts(m, MC).map(|ic| self.part(ic, (0, k), (0, n))).peekable();
            if let Some(first) = strips.peek() {
                gather::<V>((first.extents.m, k), first.a, here);
            }
            while let Some(mut strip) = strips.next() {
                strip.a = (here.cast_const(), 1, strip.extents.m as isize);
                for piece in 0..pieces {
                    let share = |total: usize| piece * total / pieces..(piece + 1) * total / pieces;
                    let (panels, columns) = (share(all), share(k));
                    let then = pack.add(panel_start::<V>(k, n, panels.end % all));
                    let coming = strips.peek().map(|next| {
                        let (start, down, across) = next.a;
                        (next.extents.m, (start.offset(columns.start as isize * across), down, across))
                    });
                    // A tile fetches so few lines that the fewer the columns of a piece, the denser it can go
                    // over them.
                    let mut ahead = coming.map_or(Ahead::nothing(), |(height, a)| {
                        Ahead::columns((a.0, a.2), height, V::STEPS.div_ceil(pieces))
                    });
                    macro_kernel(&strip, pack, panels, &mut ahead, then);
                    if let Some((height, a)) = coming {
                        gather::<V>((height, columns.len()), a, there.add(columns.start * height));
                    }
                }
                std::mem::swap(&mut here, &mut there);
            }
        }
    }

    /// How much [`Product::packing`] writes to.
    fn scratch(&self, lanes: usize) -> usize {
        let Extents { m, k, n } = self.extents;
        k.min(kc::<T>()) * (width(n.min(nc::<T>()), lanes) + 2 * m.min(MC))
    }

    /// B where it lies, whose rows are contiguous.
    #[inline(always)]
    unsafe fn in_place<V: Vector<Item = T>>(&self) {
        let Extents { m, k, n } = self.extents;
        for pc in even_parts(k, kc::<T>()) {
            // SAFETY: the part lies inside.
            unsafe {
                let part = self.part((0, m), pc, (0, n));
                part.macro_kernel::<V, false>(
                    part.b.0,
                    0..usize::MAX,
                    &mut Ahead::nothing(),
                    std::ptr::null(),
                );
            }
        }
    }

    /// Loops 2 and 1: these panels of C, with B as micro-panels of one block if its rows are PADDED; after
    /// the last of them comes the one at `then`.
    #[inline(always)]
    unsafe fn macro_kernel<V: Vector<Item = T>, const PADDED: bool>(
        &self,
        b: *const T,
        panels: Range<usize>,
        ahead: &mut Ahead<T>,
        then: *const T,
    ) {
        let Extents { m, k, n } = self.extents;
        let along = self.a.2 == 1;
        let mut all = even_parts(n.div_ceil(V::LANES), V::NR).take(panels.end).skip(panels.start).peekable();
        let tiles = m.div_ceil(MR);
        while let Some((first, side)) = all.next() {
            let next = all.peek().map_or(then, |(next, _)| b.wrapping_add(k * next * V::LANES));
            let (jr, end) = (first * V::LANES, n.min((first + side) * V::LANES));
            // SAFETY: between one and all lanes are left for the last register; the tiles lie inside C.
            unsafe {
                let left = end - jr - (side - 1) * V::LANES;
                let (last, half) = (V::mask(left), 2 * left <= V::LANES);
                let rows = b.add(if PADDED { k * jr } else { jr });
                for (t, (ir, height)) in even_parts(m, MR).enumerate() {
                    let ahead = ahead.next(self.a.0);
                    let next = next.wrapping_add(t * (k * side * V::LANES / tiles));
                    of_extents!(
                        height,
                        side,
                        along,
                        half,
                        self.micro_kernel::<PADDED>((ir, jr), rows, last, ahead, next)
                    );
                }
            }
        }
    }
}

/// The loops above with one kind of registers, compiled with its instructions.
macro_rules! compiled {
    (
        $type:ty, $vector:ty, $features:literal,
        $in_place:ident, $macro_kernel:ident, $packing:ident, $with_pack:ident, $pack:ident
    ) => {
        /// # Safety
        /// Of every function: as for the loop that it compiles.
        impl Product<$type> {
            #[target_feature(enable = $features)]
            unsafe fn $in_place(&self) {
                // SAFETY: the caller's promise.
                unsafe { self.in_place::<$vector>() }
            }

            #[target_feature(enable = $features)]
            unsafe fn $macro_kernel(
                &self,
                b: *const $type,
                panels: Range<usize>,
                ahead: &mut Ahead<$type>,
                then: *const $type,
            ) {
                // SAFETY: the caller's promise.
                unsafe { self.macro_kernel::<$vector, true>(b, panels, ahead, then) }
            }

            #[target_feature(enable = $features)]
            unsafe fn $packing(&self, scratch: *mut $type) {
                // SAFETY: the caller's promise.
                unsafe { self.packing::<$vector>(scratch, Self::$macro_kernel) }
            }

            #[target_feature(enable = $features)]
            unsafe fn $with_pack(&self, pack: *const $type, panels: Range<usize>) {
                // SAFETY: the caller's promise.
                unsafe { self.with_pack::<$vector>(pack, panels, Self::$macro_kernel) }
            }

            #[target_feature(enable = $features)]
            unsafe fn $pack(
                extents: Extents,
                b: (*const $type, isize, isize),
                to: *mut $type,
                panels: Range<usize>,
            ) {
                // SAFETY: the caller's promise.
                unsafe { pack_whole::<$vector>(extents, b, to, panels) }
            }
        }
    };
}

macro_rules! versions {
    ($type:ty, $avx2:ty, $avx512:ty) => {
        compiled!(
            $type,
            $avx2,
            "avx2,fma",
            in_place_avx2,
            macro_kernel_avx2,
            packing_avx2,
            with_pack_avx2,
            pack_avx2
        );
        compiled!(
            $type,
            $avx512,
            "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma",
            in_place_avx512,
            macro_kernel_avx512,
            packing_avx512,
            with_pack_avx512,
            pack_avx512
        );

        /// # Safety
        /// Of every function: as for the loop that it compiles.
        impl Product<$type> {
            /// The product at a level above the portable one, without packing.
            pub(super) unsafe fn along_b(&self, level: Level) {
                // SAFETY: the caller's promise; the machine has the level's instructions.
                unsafe { if level == Level::Avx512 { self.in_place_avx512() } else { self.in_place_avx2() } }
            }

            /// The product at a level above the portable one, packing as it goes.
            pub(super) unsafe fn through_panels(&self, level: Level) {
                let lanes = Self::lanes(level);
                <$type>::with_scratch(self.scratch(lanes), |scratch| {
                    // SAFETY: the caller's promise; the machine has the level's instructions.
                    unsafe {
                        if level == Level::Avx512 {
                            self.packing_avx512(scratch)
                        } else {
                            self.packing_avx2(scratch)
                        }
                    }
                });
            }

            /// These panels of the product at a level above the portable one, with what [`Product::pack`]
            /// wrote for B.
            pub(super) unsafe fn with_packed(&self, level: Level, pack: *const $type, panels: Range<usize>) {
                // SAFETY: the caller's promise; the machine has the level's instructions.
                unsafe {
                    if level == Level::Avx512 {
                        self.with_pack_avx512(pack, panels)
                    } else {
                        self.with_pack_avx2(pack, panels)
                    }
                }
            }

            /// Writes these panels of [`Product::pack_len`] elements.
            pub(super) unsafe fn pack(
                level: Level,
                extents: Extents,
                b: (*const $type, isize, isize),
                to: *mut $type,
                panels: Range<usize>,
            ) {
                // SAFETY: the caller's promise; the machine has the level's instructions.
                unsafe {
                    if level == Level::Avx512 {
                        Self::pack_avx512(extents, b, to, panels)
                    } else {
                        Self::pack_avx2(extents, b, to, panels)
                    }
                }
            }

            /// The elements of a pack of B, k x n, if they are as many as a tensor has at most.
            pub(super) fn pack_len(level: Level, k: usize, n: usize) -> Option<usize> {
                checked_count(&[k, n.checked_next_multiple_of(Self::lanes(level))?])
            }

            /// How many panels C's n columns make.
            pub(super) fn panels(level: Level, n: usize) -> usize {
                let wide = if level == Level::Avx512 { <$avx512>::NR } else { <$avx2>::NR };
                n.div_ceil(Self::lanes(level)).div_ceil(wide)
            }

            fn lanes(level: Level) -> usize {
                if level == Level::Avx512 { <$avx512>::LANES } else { <$avx2>::LANES }
            }
        }
    };
}

versions!(f32, __m256, __m512);
versions!(f64, __m256d, __m512d);
