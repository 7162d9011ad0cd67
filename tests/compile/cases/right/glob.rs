//! All names at once, beside the standard library's own.

use wengert::*;

fn main() -> Result<()> {
    core::mem::drop(Tensor::from([1.0f32]));
    Ok(())
}
