//! The operations on variables, each with its rule beside it.
//!
//! A pointwise one is a formula (`elementwise.rs`, `activation.rs`, `arithmetic.rs`): a few lines of
//! [`pointwise!`](crate::pointwise!) and a method. Any other is an [`Operation`](crate::Operation): a
//! struct of its arguments, `forward` in tensors, `pullback` in variables, `attributes` that name the
//! arguments, and a method that checks them. Each file's `operations` says how its operations are built
//! from attributes and what inputs they fit: the registry ([`operations`](crate::operations)), from which
//! tests and tools take them. A new one is a new file here, or a few lines in the file of its kind.
//!
//! A pullback is linear in its cotangents, so operations come in pairs whose pullbacks are each other:
//! `sum` and `expand`, `narrow` and `Embed`, `index_select` and `index_add`, `gather` and `scatter_add`.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use self::registry::{Listed, Name, OperationEntry};
use crate::tape::Float;
#[cfg(feature = "registry")]
use crate::tape::float::once;

mod activation;
mod arithmetic;
mod compare;
mod cross_entropy;
mod dropout;
mod elementwise;
mod index;
mod join;
mod layer_norm;
mod linear;
mod matmul;
mod maximum;
mod rearrange;
pub(crate) mod region;
mod scan;
mod softmax;
mod split;
mod statistics;
mod sum;
mod view;

pub(crate) mod formula;
pub(crate) mod registry;

// What is put together from the others.
mod composed;
mod functions;
mod indexed;
mod integers;
mod masks;
mod numeric;
mod operands;
mod products;
mod scalar;
mod sort;
mod triangle;

#[cfg(feature = "registry")]
once! {
    /// All operations of this crate. What others declare, such as losses, is checked where it is.
    pub fn operations<T>() -> Vec<OperationEntry<T>> = of_all_files;
}

/// All operations of this crate. What others declare, such as losses, is checked where it is.
#[cfg(not(feature = "registry"))]
pub fn operations<T: Float>() -> Vec<OperationEntry<T>> {
    of_all_files()
}

/// The operation of that name; all are listed once for each type of numbers.
pub(crate) fn operation<T: Float>(name: &str) -> Option<&'static OperationEntry<T>> {
    type Table<T> = HashMap<&'static str, OperationEntry<T>>;
    static TABLES: [OnceLock<Box<dyn Any + Send + Sync>>; 2] = [const { OnceLock::new() }; 2];
    let table = || operations::<T>().into_iter().map(|entry| (entry.name(), entry)).collect::<Table<T>>();
    let of_type = &TABLES[usize::from(TypeId::of::<T>() == TypeId::of::<f64>())];
    let table = of_type.get_or_init(|| Box::new(table()));
    table.downcast_ref::<Table<T>>().expect("there are two types").get(name)
}

/// Whether there is an operation of this name.
pub(crate) fn is_registered(name: &str) -> bool {
    static NAMES: OnceLock<HashSet<&str>> = OnceLock::new();
    let names = || of_all_files::<f32, Name>().into_iter().map(|name| name.0).collect();
    NAMES.get_or_init(names).contains(name)
}

fn of_all_files<T: Float, L: Listed<T>>() -> Vec<L> {
    let of_files = [
        activation::operations(),
        arithmetic::operations(),
        compare::operations(),
        cross_entropy::operations(),
        dropout::operations(),
        elementwise::operations(),
        index::operations(),
        join::operations(),
        layer_norm::operations(),
        linear::operations(),
        matmul::operations(),
        maximum::operations(),
        rearrange::operations(),
        region::operations(),
        scan::operations(),
        softmax::operations(),
        split::operations(),
        statistics::operations(),
        sum::operations(),
        view::operations(),
    ];
    of_files.into_iter().flatten().collect()
}

pub use compare::Operand;
pub use elementwise::Exponent;
pub(crate) use join::borrowed;
pub(crate) use join::one_behind_the_other;
pub use join::{cat, stack};
pub use numeric::Numeric;
pub use scalar::Scalar;
