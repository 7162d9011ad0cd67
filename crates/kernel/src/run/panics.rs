//! Panics in users' code: what is done with those that cannot go on to the caller.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The payload that a panic carries.
pub type Payload = Box<dyn Any + Send>;

/// Ends a panic beside which another one goes on to the caller. To drop what it carries is users' code,
/// which may panic again; what such a drop carries is left, since it could go on like this.
pub fn discard(payload: Payload) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// A value that panics with itself when it is dropped, as often as its number says.
#[cfg(test)]
pub struct Grenade(pub usize);

#[cfg(test)]
impl Drop for Grenade {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Grenade(self.0 - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_whose_drop_panics_is_discarded_all_the_same() {
        (0..4).for_each(|times| discard(Box::new(Grenade(times))));
    }
}
