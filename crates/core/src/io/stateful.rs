//! What saves itself as tensors by name.

use super::TensorMap;
use crate::base::error::Result;

/// A value whose state is tensors by name: the protocol that pieces of a training run save and load by
/// (`torch.distributed.checkpoint.stateful.Stateful`).
///
/// ```
/// use wengert_core::{Result, Stateful, TensorMap};
/// struct Count(f64);
/// impl Stateful for Count {
///     fn state_dict(&self) -> TensorMap {
///         let mut map = TensorMap::new();
///         map.insert_number("count", self.0);
///         map
///     }
///     fn load_state_dict(&mut self, map: &TensorMap) -> Result<()> {
///         self.0 = map.number("count")?;
///         Ok(())
///     }
/// }
/// let mut later = Count(0.0);
/// later.load_state_dict(&Count(3.0).state_dict())?;
/// assert_eq!(later.0, 3.0);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub trait Stateful {
    /// The state by name.
    fn state_dict(&self) -> TensorMap;

    /// Takes over a state that [`Stateful::state_dict`] gave.
    ///
    /// # Errors
    /// Names that are missing or unexpected, values out of their range: whatever the implementation refuses.
    /// Then nothing has changed.
    fn load_state_dict(&mut self, map: &TensorMap) -> Result<()>;
}
