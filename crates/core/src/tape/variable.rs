//! Variables: values that remember how they were computed.

use std::ops::Deref;
use std::sync::Arc;

use wengert_kernel::memory::view::InOut;

use super::Float;
use super::leaf::{Held, Leaf, Slot};
use super::node::Edge;
use crate::base::dims::Dims;
use crate::base::error::Result;
use crate::tensor::Tensor;

/// A tensor on the tape: PyTorch's `Variable`.
///
/// A cheap handle, `Send + Sync`; clones are the same variable. What is computed from variables that
/// require a gradient is recorded, and [`Variable::backward`] goes back through the record.
///
/// ```
/// use wengert_core::{Tensor, Variable};
/// let x = Variable::new(Tensor::from([1.0f32, 2.0])).requires_grad_(true);
/// let loss = (&x * &x).sum();
/// loss.backward()?;
/// assert_eq!(x.grad().unwrap().to_vec(), vec![2.0, 4.0]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub struct Variable<T: Float = f32> {
    pub(super) repr: Repr<T>,
}

pub(super) enum Repr<T: Float> {
    /// Made by the user: all clones see its value and gradient.
    Leaf(Arc<Leaf<T>>),
    /// The output of an operation.
    Computed { value: Tensor<T>, edge: Option<Edge<T>>, slot: Option<Arc<Slot<T>>> },
}

impl<T: Float> Clone for Variable<T> {
    #[inline]
    fn clone(&self) -> Self {
        let repr = match &self.repr {
            Repr::Leaf(leaf) => Repr::Leaf(Arc::clone(leaf)),
            Repr::Computed { value, edge, slot } => {
                Repr::Computed { value: value.clone(), edge: edge.clone(), slot: slot.clone() }
            }
        };
        Variable { repr }
    }
}

impl<T: Float> From<Tensor<T>> for Variable<T> {
    /// The tensor as a constant.
    #[inline]
    fn from(value: Tensor<T>) -> Self {
        Variable::computed(value, None)
    }
}

/// A variable's value, borrowed for a moment.
pub(crate) enum Peek<'v, T: Float> {
    Plain(&'v Tensor<T>),
    /// A handle to a parameter's, which may get another value meanwhile.
    Held(Tensor<T>),
}

/// [`Variable::look`] at each of at least one.
#[inline(always)]
#[track_caller]
pub(crate) fn look_at<'h, T: Float, const N: usize>(
    variables: [&'h Variable<T>; N],
    held: &'h mut [Held<T>; N],
) -> [&'h Tensor<T>; N] {
    let (first, held) = held.split_first_mut().expect("at least one");
    let mut tensors = [variables[0].look(first); N];
    for (i, held) in held.iter_mut().enumerate() {
        tensors[i + 1] = variables[i + 1].look(held);
    }
    tensors
}

impl<T: Float> Deref for Peek<'_, T> {
    type Target = Tensor<T>;
    #[inline]
    fn deref(&self) -> &Tensor<T> {
        match self {
            Peek::Plain(value) => value,
            Peek::Held(value) => value,
        }
    }
}

impl<T: Float> Variable<T> {
    /// A leaf that holds `value` and requires no gradient yet.
    pub fn new(value: Tensor<T>) -> Self {
        Variable::from_leaf(Leaf::new(value, false, false))
    }

    pub(crate) fn from_leaf(leaf: Arc<Leaf<T>>) -> Self {
        Variable { repr: Repr::Leaf(leaf) }
    }

    /// An operation's output, or a constant.
    #[inline]
    pub(crate) fn computed(value: Tensor<T>, edge: Option<Edge<T>>) -> Self {
        Variable { repr: Repr::Computed { value, edge, slot: None } }
    }

    /// Says where a value just computed came from.
    #[inline]
    pub(crate) fn set_history(&mut self, history: Option<Edge<T>>) {
        if let Repr::Computed { edge, .. } = &mut self.repr {
            *edge = history;
        }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn peek(&self) -> Peek<'_, T> {
        match &self.repr {
            Repr::Leaf(leaf) => leaf.peek(),
            Repr::Computed { value, .. } => Peek::Plain(value),
        }
    }

    /// The value, to which `held` has a handle if it is a parameter's: [`Variable::peek`] for several at
    /// once.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn look<'h>(&'h self, held: &'h mut Held<T>) -> &'h Tensor<T> {
        match &self.repr {
            Repr::Leaf(leaf) => leaf.look(held),
            Repr::Computed { value, .. } => value,
        }
    }

    /// Where a cotangent of this variable goes; none where no gradient is wanted.
    #[inline]
    pub(crate) fn edge(&self) -> Option<Edge<T>> {
        match &self.repr {
            Repr::Leaf(leaf) => leaf.requires_grad().then(|| Edge::Leaf(Arc::downgrade(leaf))),
            Repr::Computed { edge, .. } => edge.clone(),
        }
    }

    pub(crate) fn leaf(&self) -> Option<&Arc<Leaf<T>>> {
        match &self.repr {
            Repr::Leaf(leaf) => Some(leaf),
            Repr::Computed { .. } => None,
        }
    }

    /// Equal for handles to the same variable, different for others that live.
    pub(crate) fn identity(&self) -> usize {
        match &self.repr {
            Repr::Leaf(leaf) => Arc::as_ptr(leaf) as usize,
            Repr::Computed { edge: Some(edge), .. } => edge.key(),
            Repr::Computed { value, .. } => value.storage().address(),
        }
    }

    /// The elements, if this is the only handle to them and they lie in row-major order.
    pub(crate) fn exclusive_mut(&mut self) -> Option<&mut [T]> {
        match &mut self.repr {
            Repr::Computed { value, edge: None, .. } => value.exclusive_mut(),
            _ => None,
        }
    }

    /// Whether it is a value without history, and no leaf.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&self.repr, Repr::Computed { edge: None, .. })
    }

    /// The value of such a one.
    #[inline]
    pub(crate) fn plain(&self) -> Option<&Tensor<T>> {
        match &self.repr {
            Repr::Computed { value, edge: None, .. } => Some(value),
            _ => None,
        }
    }

    /// Its elements, for a kernel that writes over what it reads, if such a variable is the only handle.
    #[inline]
    pub(crate) fn in_out(&mut self) -> Option<InOut<'_, T>> {
        match &mut self.repr {
            Repr::Computed { value, edge: None, .. } => value.in_out(),
            _ => None,
        }
    }

    /// Whether such a variable is the only handle to its elements, which are all there are in their
    /// storage.
    #[inline]
    pub(crate) fn is_sole(&self) -> bool {
        matches!(&self.repr, Repr::Computed { value, edge: None, .. } if value.is_sole())
    }

    /// The value: a handle to the same storage, without history.
    #[inline]
    #[track_caller]
    pub fn value(&self) -> Tensor<T> {
        match self.peek() {
            Peek::Plain(value) => value.clone(),
            Peek::Held(value) => value,
        }
    }

    /// The extents of the axes.
    #[doc(alias = "size")]
    #[inline]
    pub fn shape(&self) -> &[usize] {
        match &self.repr {
            Repr::Leaf(leaf) => leaf.shape(),
            Repr::Computed { value, .. } => value.shape(),
        }
    }

    #[inline]
    pub(crate) fn dims(&self) -> &Dims {
        match &self.repr {
            Repr::Leaf(leaf) => leaf.shape(),
            Repr::Computed { value, .. } => value.dims(),
        }
    }

    /// The number of axes.
    #[doc(alias = "ndim")]
    #[doc(alias = "dim")]
    pub fn rank(&self) -> usize {
        self.shape().len()
    }

    /// The number of elements.
    #[doc(alias = "size")]
    pub fn numel(&self) -> usize {
        self.dims().count()
    }

    /// The only element (`torch.Tensor.item`).
    ///
    /// # Errors
    /// If there is not exactly one.
    pub fn item(&self) -> Result<T> {
        self.peek().item()
    }

    /// The elements in row-major order.
    pub fn to_vec(&self) -> Vec<T> {
        self.peek().to_vec()
    }

    /// Whether a gradient flows to or through this variable.
    #[inline]
    pub fn requires_grad(&self) -> bool {
        match &self.repr {
            Repr::Leaf(leaf) => leaf.requires_grad(),
            Repr::Computed { edge, .. } => edge.is_some(),
        }
    }

    /// Whether the variable was not computed by a recorded operation.
    pub fn is_leaf(&self) -> bool {
        !matches!(&self.repr, Repr::Computed { edge: Some(_), .. })
    }

    /// Sets whether a leaf requires a gradient; all its clones see it.
    ///
    /// # Panics
    /// If the variable was computed by a recorded operation and `on` is false: [`Variable::detach`] it.
    ///
    /// ```
    /// use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([1.0f32])).requires_grad_(true);
    /// assert_eq!(x.to_string(), "tensor([1.], requires_grad=True)");
    /// ```
    #[doc(alias = "requires_grad")]
    #[track_caller]
    #[must_use]
    pub fn requires_grad_(self, on: bool) -> Self {
        match &self.repr {
            Repr::Leaf(leaf) => leaf.set_requires_grad(on),
            Repr::Computed { edge: Some(_), .. } => {
                assert!(on, "requires_grad_: only a leaf can stop requiring a gradient; detach this one");
            }
            Repr::Computed { value, .. } => return Variable::from_leaf(Leaf::new(value.clone(), on, false)),
        }
        self
    }

    /// The value without history (`torch.Tensor.detach`); it shares storage and requires no gradient.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([3.0f32])).requires_grad_(true);
    /// let y = (&x * 2.0).detach();
    /// assert!(!y.requires_grad() && y.grad_fn().is_none());
    /// ```
    #[doc(alias = "stop_gradient")]
    #[must_use]
    pub fn detach(&self) -> Self {
        Variable::from(self.value())
    }

    /// The value in another element type, without history: one graph has one element type.
    #[doc(alias = "astype")]
    #[doc(alias = "double")]
    #[doc(alias = "half")]
    pub fn cast<U: Float>(&self) -> Variable<U> {
        Variable::from(self.peek().cast())
    }

    /// The name of the recorded operation that computed the variable, as in `grad_fn=<MatMul>`.
    #[doc(alias = "creator")]
    pub fn grad_fn(&self) -> Option<&'static str> {
        match &self.repr {
            Repr::Computed { edge: Some(Edge::Node(node, _)), .. } => Some(node.name()),
            _ => None,
        }
    }

    /// Whether two handles are the same variable: the same leaf, the same output of one operation, or the
    /// same elements of one storage that nothing recorded.
    pub fn is_same(&self, other: &Variable<T>) -> bool {
        match (&self.repr, &other.repr) {
            (Repr::Leaf(a), Repr::Leaf(b)) => Arc::ptr_eq(a, b),
            (
                Repr::Computed { edge: Some(Edge::Node(a, i)), .. },
                Repr::Computed { edge: Some(Edge::Node(b, j)), .. },
            ) => a.address() == b.address() && i == j,
            (Repr::Computed { value: a, edge: None, .. }, Repr::Computed { value: b, edge: None, .. }) => {
                let same = a.storage_offset() == b.storage_offset() && a.shape() == b.shape();
                a.shares_storage(b) && same && a.strides() == b.strides()
            }
            _ => false,
        }
    }
}
