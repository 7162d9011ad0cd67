//! Kernels of formulas, run over tensors.
//!
//! Arrays are walked by loops: closures for `map` are not always compiled in place, and a short operation
//! is paid for by the call.
#![allow(clippy::needless_range_loop, reason = "arrays of operands are walked side by side")]

use wengert_kernel::formula::Job;
use wengert_kernel::memory::view::{Target, View};

use super::operation::Over;
use crate::base::dims::{self, Dims};
use crate::base::error::{Result, expect};
use crate::tape::{Cotangents, Float, Saved, Variable};
use crate::tensor::storage::Claim;
use crate::tensor::{Tensor, pool};

/// Whether all lie in row-major order and have the same extents.
#[inline(always)]
pub(super) fn lie_in_order<T: Float, const I: usize, const C: usize, const O: usize>(
    inputs: [&Tensor<T>; I],
    cotangents: [&Tensor<T>; C],
    claims: &[Option<Claim<T>>; O],
) -> bool {
    let first = inputs[0];
    let mut in_order = first.is_contiguous();
    for input in inputs.iter().skip(1) {
        in_order = in_order && input.lies_like(first);
    }
    for cotangent in cotangents {
        in_order = in_order && cotangent.lies_like(first);
    }
    for claim in claims.iter() {
        in_order = in_order && claim.as_ref().is_none_or(|claim| claim.lies_like(first.elements()));
    }
    in_order
}

/// Claims to new storages like that of `first`, for results that are wanted and have none.
#[inline(always)]
pub(super) fn make_alike<T: Float, const O: usize>(
    first: &Tensor<T>,
    wanted: [bool; O],
    claims: &mut [Option<Claim<T>>; O],
) {
    for o in 0..O {
        if wanted[o] && claims[o].is_none() {
            claims[o] = Some(Claim::New(first.storage_alike()));
        }
    }
}

/// Runs a kernel over sources that broadcast to one shape. It writes those results that are wanted: to
/// where the claims say, which are made where there is none.
///
/// # Panics
/// If they don't broadcast.
#[track_caller]
#[inline(always)]
pub(super) fn run<T: Float, const I: usize, const C: usize, const O: usize>(
    name: &'static str,
    inputs: [&Tensor<T>; I],
    cotangents: [&Tensor<T>; C],
    wanted: [bool; O],
    claims: &mut [Option<Claim<T>>; O],
    kernel: impl FnOnce(&Job<'_, T, I, C, O>),
) {
    if !lie_in_order(inputs, cotangents, claims) {
        return run_planned(name, inputs, cotangents, wanted, claims, kernel);
    }
    make_alike(inputs[0], wanted, claims);
    let (views, of_cotangents) = (views(inputs), views(cotangents));
    kernel(&Job::in_order(inputs[0].raw_len(), views, of_cotangents, targets(claims), None));
}

/// [`run`] over `len` elements in order, of which one result goes over a cotangent.
#[inline(always)]
pub(super) fn run_over<T: Float, const I: usize, const O: usize>(
    saved: &Saved<'_, T>,
    cotangents: &mut Cotangents<T>,
    claims: &mut [Option<Claim<T>>; I],
    over: Over,
    len: usize,
    kernel: impl FnOnce(&Job<'_, T, I, O, I>),
) {
    let (before, rest) = cotangents.values.split_at_mut(over.cotangent);
    let (this, behind) = rest.split_first_mut().expect("a cotangent");
    let in_out = this.as_mut().and_then(Variable::in_out).expect("nobody else holds it");
    // What no result depends on may stand where the cotangent does.
    let mut inputs = [None; I];
    for i in 0..I {
        inputs[i] = saved.tensor(i).map(Tensor::as_view);
    }
    let mut held = [const { None }; O];
    let mut sources = [None; O];
    for (k, held) in held.iter_mut().enumerate().filter(|(k, _)| *k != over.cotangent) {
        let value = if k < over.cotangent { &before[k] } else { &behind[k - over.cotangent - 1] };
        sources[k] = Some(value.as_ref().expect("all came").look(held).as_view());
    }
    kernel(&Job::in_order(len, inputs, sources, targets(claims), Some((over.result, in_out))));
}

/// [`run`] over operands of which some are broadcast, or don't lie in order.
#[track_caller]
fn run_planned<T: Float, const I: usize, const C: usize, const O: usize>(
    name: &'static str,
    inputs: [&Tensor<T>; I],
    cotangents: [&Tensor<T>; C],
    wanted: [bool; O],
    claims: &mut [Option<Claim<T>>; O],
    kernel: impl FnOnce(&Job<'_, T, I, C, O>),
) {
    let shape = expect(common_shape(name, inputs.iter().chain(&cotangents)));
    for o in 0..O {
        if wanted[o] && claims[o].is_none() {
            claims[o] = Some(Claim::New(pool::acquire(&shape)));
        }
    }
    Job::planned(
        &shape,
        inputs.map(Tensor::as_view),
        cotangents.map(Tensor::as_view),
        targets(claims),
        kernel,
    );
}

/// The elements of each.
#[inline(always)]
fn views<'t, T: Float, const N: usize>(tensors: [&'t Tensor<T>; N]) -> [Option<View<'t, T>>; N] {
    let mut views = [None; N];
    for i in 0..N {
        views[i] = Some(tensors[i].as_view());
    }
    views
}

/// Where the results go.
#[inline(always)]
fn targets<T: Float, const N: usize>(claims: &mut [Option<Claim<T>>; N]) -> [Option<Target<'_, T>>; N] {
    let mut targets = [const { None }; N];
    for (target, claim) in targets.iter_mut().zip(claims) {
        *target = claim.as_mut().map(Claim::target);
    }
    targets
}

/// The shape that all operands broadcast to.
fn common_shape<'t, T: Float>(
    name: &'static str,
    tensors: impl Iterator<Item = &'t &'t Tensor<T>>,
) -> Result<Dims> {
    let mut common = Dims::default();
    for (i, tensor) in tensors.enumerate() {
        if i == 0 {
            common.clone_from(tensor.dims());
        } else if common != *tensor.dims() {
            common = dims::broadcast(name, &common, tensor.shape())?;
        }
    }
    Ok(common)
}
