//! Functions that several operations make up, some of them others where there are no elements.

use wengert_core::{Attribute, Attributes, Float, Variable};

/// Their names.
pub(super) const COMPOSED: [&str; 4] = ["prod_dim", "prod_keepdim", "cumprod", "softmin"];

/// The function of this name, along the axis that the attributes say.
pub(super) fn compute<T: Float>(name: &str, attributes: &Attributes, x: &Variable<T>) -> Variable<T> {
    let Some(&Attribute::Int(dim)) = attributes.get("dim") else { panic!("{name}: along which axis") };
    let dim = dim as isize;
    match name {
        "prod_dim" => x.prod_dim(dim),
        "prod_keepdim" => x.prod_keepdim(dim),
        "cumprod" => x.cumprod(dim),
        "softmin" => x.softmin(dim),
        _ => panic!("an operation of the registry or one of {COMPOSED:?}, not {name}"),
    }
}
