//! What a dataset holds, as one number.

use std::fmt;

use wengert_core::{AnyTensor, Element, Tensor};

/// A hash of what a dataset holds, the same on every platform and in every version, by which a saved position
/// knows the data that it belongs to. It is not cryptographic.
///
/// ```
/// use wengert_data::Fingerprint;
/// let of = |numbers: &[u64]| numbers.iter().fold(Fingerprint::new("numbers"), |f, &n| f.number(n));
/// assert_eq!(of(&[1, 2]), of(&[1, 2]));
/// assert_ne!(of(&[1, 2]), of(&[2, 1]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of nothing, for data of some kind.
    pub fn new(kind: &str) -> Self {
        Fingerprint(0xcbf2_9ce4_8422_2325).text(kind)
    }

    /// Adds a number.
    pub fn number(self, value: u64) -> Self {
        // The product carries each bit upwards, the shift brings what is above down again.
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Fingerprint(mixed ^ (mixed >> 32))
    }

    /// Adds a text, with its length.
    pub fn text(self, text: &str) -> Self {
        let word = |chunk: &[u8]| chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        text.as_bytes().chunks(8).map(word).fold(self.number(text.len() as u64), Fingerprint::number)
    }

    /// Adds whatever can be added.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::Fingerprint;
    /// let of = |x: f32| Fingerprint::new("pair").with(&(Tensor::from([1.0, x]), "label"));
    /// assert_ne!(of(0.5), of(0.25));
    /// ```
    pub fn with(self, content: &(impl Content + ?Sized)) -> Self {
        content.add_to(self)
    }

    /// The number.
    pub fn value(self) -> u64 {
        self.0
    }
}

/// Prints 16 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A value that a [`Fingerprint`] can take in: numbers, texts, tensors, and tuples, vectors and options of
/// such.
///
/// ```
/// use wengert_data::{Content, Dataset, Fingerprint, VecDataset};
/// #[derive(Clone)]
/// struct Sample { id: usize, text: String }
/// impl Content for Sample {
///     fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
///         fingerprint.with(&self.id).with(&self.text)
///     }
/// }
/// let of = |text: &str| VecDataset::new(vec![Sample { id: 0, text: text.into() }]);
/// assert_ne!(of("a").fingerprint(), of("b").fingerprint());
/// ```
pub trait Content {
    /// The fingerprint with this value added.
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint;
}

macro_rules! content {
    ($($type:ty, $value:ident => $number:expr;)*) => {$(
        impl Content for $type {
            fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
                let $value = *self;
                fingerprint.number($number)
            }
        }
    )*};
}

content! {
    f32, x => u64::from(x.to_bits());
    f64, x => x.to_bits();
    i32, x => x as u64;
    i64, x => x as u64;
    u8, x => u64::from(x);
    u32, x => u64::from(x);
    u64, x => x;
    usize, x => x as u64;
    bool, x => u64::from(x);
    char, x => u64::from(u32::from(x));
}

impl Content for str {
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
        fingerprint.text(self)
    }
}

impl Content for String {
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
        fingerprint.text(self)
    }
}

impl<C: Content + ?Sized> Content for &C {
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
        (**self).add_to(fingerprint)
    }
}

impl<C: Content> Content for [C] {
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
        self.iter().fold(fingerprint.number(self.len() as u64), |f, item| item.add_to(f))
    }
}

impl<C: Content> Content for Vec<C> {
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
        self.as_slice().add_to(fingerprint)
    }
}

impl<C: Content> Content for Option<C> {
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
        self.as_slice().add_to(fingerprint)
    }
}

/// Adds the element type, the shape, and the bits of every element.
impl<T: Element> Content for Tensor<T> {
    fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
        let fingerprint = fingerprint.text(T::NAME).with(self.shape());
        match AnyTensor::from(self.contiguous()) {
            AnyTensor::F32(x) => fingerprint.with(in_order(&x)),
            AnyTensor::F64(x) => fingerprint.with(in_order(&x)),
            AnyTensor::I64(x) => fingerprint.with(in_order(&x)),
            AnyTensor::Bool(x) => fingerprint.with(in_order(&x)),
            _ => unreachable!("there are no other elements"),
        }
    }
}

/// The elements of a contiguous tensor.
pub(crate) fn in_order<T: Element>(x: &Tensor<T>) -> &[T] {
    x.as_slice().expect("contiguous")
}

macro_rules! tuples {
    ($(($($name:ident $place:tt),*))*) => {$(
        impl<$($name: Content),*> Content for ($($name,)*) {
            fn add_to(&self, fingerprint: Fingerprint) -> Fingerprint {
                fingerprint$(.with(&self.$place))*
            }
        }
    )*};
}

tuples! { (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }
