//! Making tensors.

use wengert_kernel::memory::buffer::AlignedBuffer;

use super::Tensor;
use crate::base::dims::{Dims, OfTensor};
use wengert_kernel::number::Arithmetic;

use super::Element;
use crate::base::error::{Error, Result, expect};
use crate::random::{Generator, with_generator};
use crate::tensor::storage::{Storage, Upkeep};

impl<T: Element> Tensor<T> {
    /// A tensor of `shape` from its elements in row-major order; the vector's memory is taken over.
    ///
    /// # Errors
    /// If the number of elements is not the product of the extents, or that does not fit an `isize`.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from_vec(vec![1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3])?;
    /// assert_eq!(x.to_string(), "tensor([[1., 2., 3.],\n        [4., 5., 6.]])");
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "tensor")]
    #[doc(alias = "array")]
    pub fn from_vec(elements: Vec<T>, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = Dims::from(shape.as_ref());
        let shape = shape.sized("from_vec")?;
        if elements.len() != shape.count() {
            let expected = format!("{} elements for shape {shape:?}", shape.count());
            return Err(Error::shape("from_vec", expected, elements.len()));
        }
        Ok(Tensor::from_parts(Storage::new(AlignedBuffer::from_vec(elements), Upkeep::new()), &shape))
    }

    /// A tensor of `shape` with the elements that `f` gives for their indices in row-major order.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x = Tensor::from_fn([2, 2], |i| i as f32);
    /// assert_eq!(x, Tensor::from([[0.0f32, 1.0], [2.0, 3.0]]));
    /// ```
    ///
    /// # Panics
    /// If the product of the extents does not fit an `isize`, or there is no memory for as many elements:
    /// as everything here that does not return a [`Result`].
    #[track_caller]
    pub fn from_fn(shape: impl AsRef<[usize]>, f: impl FnMut(usize) -> T) -> Self {
        expect(Tensor::numbered("from_fn", shape, f))
    }

    /// [`Tensor::from_fn`] for `operation`.
    pub(crate) fn numbered(
        operation: &'static str,
        shape: impl AsRef<[usize]>,
        mut f: impl FnMut(usize) -> T,
    ) -> Result<Self> {
        let write = |out: &mut [T]| out.iter_mut().enumerate().for_each(|(i, x)| *x = f(i));
        Tensor::create(operation, shape.as_ref(), write)
    }

    fn filled(operation: &'static str, shape: impl AsRef<[usize]>, value: T) -> Result<Self> {
        Tensor::create(operation, shape.as_ref(), |out| out.fill(value))
    }

    /// A tensor without axes that holds one element.
    pub fn scalar(value: T) -> Self {
        Tensor::build(&[][..], |out| out[0] = value)
    }

    /// All elements `value` (`torch.full`).
    #[doc(alias = "fill")]
    #[track_caller]
    pub fn full(shape: impl AsRef<[usize]>, value: T) -> Self {
        expect(Tensor::filled("full", shape, value))
    }

    /// All elements 0 (`torch.zeros`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::<i64>::zeros([2]).to_vec(), vec![0, 0]);
    /// ```
    #[track_caller]
    pub fn zeros(shape: impl AsRef<[usize]>) -> Self {
        expect(Tensor::filled("zeros", shape, T::ZERO))
    }

    /// All elements 1 (`torch.ones`).
    #[track_caller]
    pub fn ones(shape: impl AsRef<[usize]>) -> Self {
        expect(Tensor::filled("ones", shape, T::ONE))
    }

    /// Zeros in the shape of this tensor, of its type (`torch.zeros_like`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([[1.5f64, 2.0]]).zeros_like(), Tensor::from([[0.0, 0.0]]));
    /// ```
    #[track_caller]
    pub fn zeros_like(&self) -> Self {
        expect(Tensor::filled("zeros_like", self.shape(), T::ZERO))
    }

    /// Ones in the shape of this tensor, of its type (`torch.ones_like`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([7i64, 8]).ones_like().to_vec(), [1, 1]);
    /// ```
    #[track_caller]
    pub fn ones_like(&self) -> Self {
        expect(Tensor::filled("ones_like", self.shape(), T::ONE))
    }

    /// Elements `value` in the shape of this tensor (`torch.full_like`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::from([7i64, 8]).full_like(-1).to_vec(), [-1, -1]);
    /// ```
    #[track_caller]
    pub fn full_like(&self, value: T) -> Self {
        expect(Tensor::filled("full_like", self.shape(), value))
    }

    /// The `n` by `n` identity matrix (`torch.eye`).
    #[doc(alias = "identity")]
    #[track_caller]
    pub fn eye(n: usize) -> Self {
        expect(Tensor::numbered("eye", [n, n], |i| if i / n == i % n { T::ONE } else { T::ZERO }))
    }

    /// `start, start + step, ...` as long as it is before `end` (`torch.arange`).
    ///
    /// # Errors
    /// If `step` is zero or leads away from `end`, or there is no memory for so many.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::<i64>::arange(1.0, 7.0, 2.0)?.to_vec(), vec![1, 3, 5]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn arange(start: f64, end: f64, step: f64) -> Result<Self> {
        let steps = ((end - start) / step).ceil();
        if !(steps.is_finite() && steps >= 0.0) {
            return Err(Error::argument(
                "arange",
                "step",
                format!("a step from {start} towards {end}"),
                step,
            ));
        }
        Tensor::numbered("arange", [steps as usize], |i| T::from_f64(start + i as f64 * step))
    }

    /// `steps` numbers from `start` to `end`, both included (`torch.linspace`).
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// assert_eq!(Tensor::<f64>::linspace(0.0, 1.0, 3).to_vec(), vec![0.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn linspace(start: f64, end: f64, steps: usize) -> Self {
        let step = if steps > 1 { (end - start) / (steps - 1) as f64 } else { 0.0 };
        // From the nearer end, so that both ends are exact.
        let at = |i: usize| {
            if i < steps - i { start + step * i as f64 } else { end - step * (steps - 1 - i) as f64 }
        };
        let value = |i| T::from_f64(if steps == 1 { start } else { at(i) });
        expect(Tensor::numbered("linspace", [steps], value))
    }
}

impl<T: Element + Arithmetic> Tensor<T> {
    /// What `draw` gives for each element, with this thread's generator.
    fn drawn(
        operation: &'static str,
        shape: impl AsRef<[usize]>,
        mut draw: impl FnMut(&mut Generator) -> T,
    ) -> Result<Self> {
        with_generator(|g| Tensor::numbered(operation, shape, |_| draw(g)))
    }

    /// Independent draws from U(0, 1), from this thread's generator (`torch.rand`).
    #[track_caller]
    pub fn rand(shape: impl AsRef<[usize]>) -> Self {
        expect(Tensor::drawn("rand", shape, |g| T::from_f64(g.uniform(0.0, 1.0))))
    }

    /// Independent draws from U(`low`, `high`), from this thread's generator.
    ///
    /// ```
    /// # use wengert_core::{manual_seed, Tensor};
    /// manual_seed(0);
    /// let x = Tensor::<f32>::uniform([100], -2.0, 3.0);
    /// assert!(x.to_vec().iter().all(|v| (-2.0..3.0).contains(v)));
    /// ```
    #[doc(alias = "rand_uniform")]
    #[track_caller]
    pub fn uniform(shape: impl AsRef<[usize]>, low: f64, high: f64) -> Self {
        expect(Tensor::drawn("uniform", shape, |g| T::from_f64(g.uniform(low, high))))
    }

    /// Independent draws from the standard normal distribution (`torch.randn`).
    ///
    /// Where nothing else says which numbers they are, as in `let x = Variable::new(Tensor::randn([2, 3]))`
    /// and then `&x * 2`, the type is named: `Tensor::<f32>::randn([2, 3])`. So it is with all that makes a
    /// tensor from a shape alone.
    ///
    /// ```
    /// # use wengert_core::{manual_seed, Tensor};
    /// manual_seed(7);
    /// let a = Tensor::<f32>::randn([2, 3]);
    /// manual_seed(7);
    /// assert_eq!(a, Tensor::randn([2, 3]));
    /// ```
    #[doc(alias = "normal")]
    #[track_caller]
    pub fn randn(shape: impl AsRef<[usize]>) -> Self {
        expect(Tensor::drawn("randn", shape, |g| T::from_f64(g.normal())))
    }
}

impl<T: Element> Tensor<T> {
    /// Independent draws that are 1 with probability `p`, else 0, or true and false, from this thread's
    /// generator (`torch.bernoulli`): the same draws for every type.
    ///
    /// # Errors
    /// If `p` is not a probability, or there is no memory for the draws.
    ///
    /// ```
    /// # use wengert_core::{manual_seed, Tensor};
    /// manual_seed(0);
    /// let mask = Tensor::<bool>::bernoulli([100], 0.5)?;
    /// manual_seed(0);
    /// let bits = Tensor::<i64>::bernoulli([100], 0.5)?;
    /// assert_eq!(mask, bits.eq(1));
    /// assert!(Tensor::<f32>::bernoulli([1], 1.5).is_err());
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn bernoulli(shape: impl AsRef<[usize]>, p: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::argument("bernoulli", "p", "in [0, 1]", p));
        }
        with_generator(|g| {
            let draw = |_| if g.bernoulli(p) { T::ONE } else { T::ZERO };
            Tensor::numbered("bernoulli", shape, draw)
        })
    }
}

impl Tensor<i64> {
    /// A row of zeros with a one at each index, along a new last axis (`torch.nn.functional.one_hot`).
    ///
    /// # Errors
    /// If an index is not in `0..classes`, or there is no memory for the rows.
    ///
    /// ```
    /// # use wengert_core::Tensor;
    /// let x: Tensor<f32> = Tensor::from([2i64, 0]).one_hot(3)?;
    /// assert_eq!(x, Tensor::from([[0.0f32, 0.0, 1.0], [1.0, 0.0, 0.0]]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "to_categorical")]
    pub fn one_hot<T: Element>(&self, classes: usize) -> Result<Tensor<T>> {
        let indices = checked_indices("one_hot", self, classes)?;
        let mut shape = self.dims().clone();
        shape.push(classes);
        Tensor::create("one_hot", shape, |out| {
            out.fill(T::ZERO);
            indices.iter().enumerate().for_each(|(row, class)| out[row * classes + class] = T::ONE);
        })
    }
}

/// Numbers inside some extent, in row-major order: the tensor that they were given in.
#[derive(Clone)]
pub(crate) struct Indices(Tensor<i64>);

impl Indices {
    pub(crate) fn tensor(&self) -> &Tensor<i64> {
        &self.0
    }

    pub(crate) fn len(&self) -> usize {
        self.0.numel()
    }

    #[inline]
    pub(crate) fn at(&self, n: usize) -> usize {
        self.0.in_order()[n] as usize
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).map(|n| self.at(n))
    }
}

/// The indices, each inside `0..extent`.
pub(crate) fn checked_indices(
    operation: &'static str,
    index: &Tensor<i64>,
    extent: usize,
) -> Result<Indices> {
    let index = if index.is_contiguous() { index.clone() } else { index.copied(operation)? };
    let inside = |i: &i64| usize::try_from(*i).is_ok_and(|i| i < extent);
    match index.in_order().iter().find(|i| !inside(i)) {
        None => Ok(Indices(index)),
        Some(outside) => Err(Error::argument(operation, "every index", format!("in 0..{extent}"), outside)),
    }
}
