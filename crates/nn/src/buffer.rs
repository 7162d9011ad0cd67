//! Values that a module saves and does not train.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use wengert_core::{AnyTensor, Error, Float, Result, Tensor};

use crate::module::{Cast, Memo};

/// A value of a module that is saved and loaded with its parameters and that nothing trains
/// (`torch.nn.Module.register_buffer`), as a running mean or a count.
///
/// A field of this type stands among the modules of [`module!`](crate::module!). A clone is the same buffer,
/// as with a parameter; [`Module::deep_clone`](crate::Module::deep_clone) and
/// [`Module::evaluating`](crate::Module::evaluating) copy it. Floats have the module's element type and
/// follow a [`Cast`]; whole numbers stay.
///
/// ```
/// use wengert_core::{Parameter, Tensor};
/// use wengert_nn::{module, Buffer, Module, Persist};
/// #[derive(Clone)]
/// struct Centred { weight: Parameter, centre: Buffer }
/// module!(Centred { weight, centre });
///
/// let ones = Tensor::<f32>::ones([2]);
/// let model = Centred { weight: Parameter::new(ones.clone()), centre: Buffer::new(ones) };
/// assert_eq!(model.state_dict().names().collect::<Vec<_>>(), ["centre", "weight"]);
/// assert_eq!(model.parameters().len(), 1);
/// model.centre.set(Tensor::from([0.5f32, 2.0]))?;
/// assert_eq!(model.centre.tensor().to_vec(), [0.5, 2.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "register_buffer")]
#[derive(Clone)]
pub struct Buffer<T: Float = f32> {
    shared: Arc<Mutex<AnyTensor>>,
    element: PhantomData<T>,
}

impl<T: Float> Buffer<T> {
    /// A buffer with this initial value; floats become the module's.
    pub fn new(value: impl Into<AnyTensor>) -> Self {
        Buffer { shared: Arc::new(Mutex::new(cast::<T>(&value.into()))), element: PhantomData }
    }

    /// The value.
    pub fn value(&self) -> AnyTensor {
        self.with(|value| value.clone())
    }

    /// The value as numbers of the module's element type.
    pub fn tensor(&self) -> Tensor<T> {
        self.with(|value| value.cast())
    }

    /// Replaces the value by one of the same shape, for whoever shares the buffer.
    ///
    /// # Errors
    /// If the shape differs, or one of them is of floats and the other is not.
    pub fn set(&self, value: impl Into<AnyTensor>) -> Result<()> {
        let value = value.into();
        self.accepts(&value).map_err(|(expected, got)| Error::shape("Buffer::set", expected, got))?;
        self.with(|own| *own = cast::<T>(&value));
        Ok(())
    }

    /// An identity of the buffer: equal for clones, different for all others that live.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.shared) as usize
    }

    /// A buffer of its own with a copy of the value.
    #[must_use]
    pub fn copy<U: Float>(&self) -> Buffer<U> {
        Buffer::new(self.value())
    }

    /// Whether a value could be set; what was expected and what is there, if not.
    pub(crate) fn accepts(&self, value: &AnyTensor) -> std::result::Result<(), (String, String)> {
        let own = self.value();
        let (same_shape, same_kind) =
            (own.shape() == value.shape(), own.kind() == value.kind() || is_float(&own) && is_float(value));
        let described = |any: &AnyTensor| match (same_kind, is_float(any)) {
            (true, _) => format!("{:?}", any.shape()),
            (false, true) => format!("{:?} of f32 or f64", any.shape()),
            (false, false) => format!("{:?} of {}", any.shape(), any.kind()),
        };
        if same_shape && same_kind { Ok(()) } else { Err((described(&own), described(value))) }
    }

    fn with<R>(&self, f: impl FnOnce(&mut AnyTensor) -> R) -> R {
        f(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_float(value: &AnyTensor) -> bool {
    matches!(value, AnyTensor::F32(_) | AnyTensor::F64(_))
}

/// A copy with floats of type `T`; all else is as it is.
fn cast<T: Float>(value: &AnyTensor) -> AnyTensor {
    match value {
        AnyTensor::F32(_) | AnyTensor::F64(_) => AnyTensor::from(value.cast::<T>()),
        other => other.clone(),
    }
}

impl<T: Float> Cast for Buffer<T> {
    type To<U: Float> = Buffer<U>;

    fn cast_with<U: Float>(&self, memo: &mut Memo<U>) -> Buffer<U> {
        memo.copy_buffer(self)
    }
}

impl<T: Float> fmt::Debug for Buffer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Buffer").field(&self.value()).finish()
    }
}
