//! Leaves: where values come from and gradients arrive.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::dims::Dims;
use crate::element::Float;
use crate::tensor::Tensor;
use crate::variable::{Peek, Variable};

/// A function of a gradient on its way; what it returns takes the gradient's place.
pub(crate) type Hook<T> = Arc<dyn Fn(&Variable<T>) -> Option<Variable<T>> + Send + Sync>;

/// Names a registered hook, to remove it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookId(u64);

/// Where a gradient arrives, and the hooks it passes before.
///
/// A slot is owned by handles, never by the graph: a gradient that was itself recorded refers to the
/// graph, and a graph that owned it would never be freed.
pub(crate) struct Slot<T: Float> {
    /// Whether the gradient stays here; else it only passes the hooks.
    retains: AtomicBool,
    grad: Mutex<Option<Variable<T>>>,
    hooks: Mutex<Vec<(HookId, Hook<T>)>>,
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    // What is behind these locks is replaced whole, so a panic elsewhere leaves it sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Float> Slot<T> {
    pub(crate) fn new() -> Self {
        Slot { retains: AtomicBool::new(false), grad: Mutex::new(None), hooks: Mutex::new(Vec::new()) }
    }

    pub(crate) fn retain(&self) {
        self.retains.store(true, Ordering::Relaxed);
    }

    pub(crate) fn retains(&self) -> bool {
        self.retains.load(Ordering::Relaxed)
    }

    pub(crate) fn grad(&self) -> Option<Variable<T>> {
        lock(&self.grad).clone()
    }

    pub(crate) fn set_grad(&self, grad: Option<Variable<T>>) {
        let old = std::mem::replace(&mut *lock(&self.grad), grad);
        // Dropped after the lock is gone: it may own a graph.
        drop(old);
    }

    pub(crate) fn take_grad(&self) -> Option<Variable<T>> {
        lock(&self.grad).take()
    }

    pub(crate) fn add_hook(&self, hook: Hook<T>) -> HookId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = HookId(NEXT.fetch_add(1, Ordering::Relaxed));
        lock(&self.hooks).push((id, hook));
        id
    }

    pub(crate) fn remove_hook(&self, id: HookId) -> bool {
        let mut hooks = lock(&self.hooks);
        let before = hooks.len();
        hooks.retain(|(known, _)| *known != id);
        hooks.len() < before
    }

    /// The gradient as the hooks, in order of registration, let it through.
    pub(crate) fn through_hooks(&self, grad: Variable<T>) -> Variable<T> {
        let hooks = lock(&self.hooks).clone();
        hooks.iter().fold(grad, |grad, (_, hook)| hook(&grad).unwrap_or(grad))
    }
}

/// A value that was not computed on the tape.
pub(crate) struct Leaf<T: Float> {
    value: Value<T>,
    shape: Dims,
    requires_grad: AtomicBool,
    pub(crate) slot: Slot<T>,
}

/// What a leaf holds. Only what changes is locked to be looked at: on a short operation a lock's two atomic updates count.
enum Value<T: Float> {
    Fixed(Tensor<T>),
    Parameter(RwLock<Tensor<T>>),
}

/// The right to look at a parameter's value.
pub(crate) type Held<'v, T> = Option<RwLockReadGuard<'v, Tensor<T>>>;

impl<T: Float> Leaf<T> {
    pub(crate) fn new(value: Tensor<T>, requires_grad: bool, is_parameter: bool) -> Arc<Self> {
        Arc::new(Leaf {
            shape: value.dims().clone(),
            value: if is_parameter { Value::Parameter(RwLock::new(value)) } else { Value::Fixed(value) },
            requires_grad: AtomicBool::new(requires_grad),
            slot: Slot::new(),
        })
    }

    pub(crate) fn shape(&self) -> &Dims {
        &self.shape
    }

    /// The value, which `held` keeps from being changed.
    #[inline(always)]
    pub(crate) fn look<'h, 'v: 'h>(&'v self, held: &'h mut Held<'v, T>) -> &'h Tensor<T> {
        match &self.value {
            Value::Fixed(value) => value,
            Value::Parameter(value) => held.insert(value.read().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    #[inline]
    pub(crate) fn peek(&self) -> Peek<'_, T> {
        match &self.value {
            Value::Fixed(value) => Peek::Plain(value),
            Value::Parameter(value) => Peek::Held(value.read().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// The value of a parameter, to change.
    pub(crate) fn value_mut(&self) -> Option<RwLockWriteGuard<'_, Tensor<T>>> {
        match &self.value {
            Value::Fixed(_) => None,
            Value::Parameter(value) => Some(value.write().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    pub(crate) fn requires_grad(&self) -> bool {
        self.requires_grad.load(Ordering::Relaxed)
    }

    pub(crate) fn set_requires_grad(&self, on: bool) {
        self.requires_grad.store(on, Ordering::Relaxed);
    }

    pub(crate) fn is_parameter(&self) -> bool {
        matches!(self.value, Value::Parameter(_))
    }
}
