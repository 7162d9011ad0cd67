//! Leaves: where values come from and gradients arrive.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Float;
use super::changing::Changing;
use super::term::add_whole;
use super::variable::{Peek, Variable};
use crate::base::dims::Dims;
use crate::base::error::{Error, Result};
use crate::base::mode::{is_plain, is_recording};
use crate::tensor::Tensor;

/// A function of a gradient on its way; what it returns takes the gradient's place.
pub(crate) type Hook<T> = Arc<dyn Fn(&Variable<T>) -> Option<Variable<T>> + Send + Sync>;

/// A hook where it was registered.
struct Registered<T: Float> {
    location: &'static Location<'static>,
    hook: Hook<T>,
}

impl<T: Float> Clone for Registered<T> {
    fn clone(&self) -> Self {
        Registered { location: self.location, hook: Arc::clone(&self.hook) }
    }
}

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
    /// By the numbers of their ids, and so in the order of registration.
    hooks: Mutex<BTreeMap<u64, Registered<T>>>,
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    // What is behind these locks is replaced whole, so a panic elsewhere leaves it sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Float> Slot<T> {
    pub(crate) fn new() -> Self {
        Slot { retains: AtomicBool::new(false), grad: Mutex::new(None), hooks: Mutex::new(BTreeMap::new()) }
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

    /// Adds what a backward brings to what is there; in place where nobody else holds it.
    pub(crate) fn add_grad(&self, term: Variable<T>) {
        let recorded = is_recording();
        let term = if recorded || term.is_plain() { term } else { term.detach() };
        // The plain sweep writes over nothing.
        if recorded || is_plain() {
            return self.add_with_history(&term);
        }
        let mut grad = lock(&self.grad);
        match &*grad {
            None => *grad = Some(term.contiguous()),
            // No code but the library's own runs under the lock.
            Some(sum) if sum.is_plain() => add_whole(&mut grad, term),
            Some(_) => {
                drop(grad);
                self.add_with_history(&term);
            }
        }
    }

    /// [`Slot::add_grad`] where computing the sum may record, or wait for a parameter: outside of the lock,
    /// and once more if another sum is there by then.
    fn add_with_history(&self, term: &Variable<T>) {
        loop {
            let before = self.grad();
            let mut sum = before.clone();
            match &sum {
                None => sum = Some(term.contiguous()),
                Some(_) => add_whole(&mut sum, term.clone()),
            }
            let mut grad = lock(&self.grad);
            let is_as_before = match (&*grad, &before) {
                (None, None) => true,
                (Some(now), Some(before)) => now.is_same(before),
                _ => false,
            };
            if is_as_before {
                let old = std::mem::replace(&mut *grad, sum);
                drop(grad);
                return drop(old);
            }
        }
    }

    pub(crate) fn add_hook(&self, hook: Hook<T>, location: &'static Location<'static>) -> HookId {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = HookId(NEXT.fetch_add(1, Ordering::Relaxed));
        lock(&self.hooks).insert(id.0, Registered { location, hook });
        id
    }

    pub(crate) fn remove_hook(&self, id: HookId) -> bool {
        let removed = lock(&self.hooks).remove(&id.0);
        removed.is_some()
    }

    /// The gradient as the hooks, in order of registration, let it through.
    ///
    /// # Errors
    /// If one returns another shape than it was given.
    pub(crate) fn through_hooks(&self, mut grad: Variable<T>) -> Result<Variable<T>> {
        let hooks = lock(&self.hooks).clone();
        for Registered { location, hook } in hooks.into_values() {
            let Some(changed) = hook(&grad) else { continue };
            if changed.shape() != grad.shape() {
                let [expected, got] = [&grad, &changed].map(|grad| format!("{:?}", grad.shape()));
                return Err(Error::Hook { location, expected, got });
            }
            grad = changed;
        }
        Ok(grad)
    }
}

/// A value that was not computed on the tape.
pub(crate) struct Leaf<T: Float> {
    value: Value<T>,
    shape: Dims,
    requires_grad: AtomicBool,
    /// What it is called, for messages.
    name: Mutex<Option<Arc<str>>>,
    pub(crate) slot: Slot<T>,
}

/// What a leaf holds. Only of what changes a handle is taken to look at it: on a short operation the atomic
/// updates of that count.
enum Value<T: Float> {
    Fixed(Tensor<T>),
    Parameter(Changing<T>),
}

/// A place for the handle to a parameter's value.
pub(crate) type Held<T> = Option<Tensor<T>>;

impl<T: Float> Leaf<T> {
    pub(crate) fn new(value: Tensor<T>, requires_grad: bool, is_parameter: bool) -> Arc<Self> {
        Arc::new(Leaf {
            shape: value.dims().clone(),
            value: if is_parameter { Value::Parameter(Changing::new(value)) } else { Value::Fixed(value) },
            requires_grad: AtomicBool::new(requires_grad),
            name: Mutex::new(None),
            slot: Slot::new(),
        })
    }

    pub(crate) fn shape(&self) -> &Dims {
        &self.shape
    }

    /// Gives it a name. One that it has stays, unless the new one says where that is found: a layer on its
    /// own calls a weight by less than the model that has the layer.
    pub(crate) fn call(&self, name: &Arc<str>) {
        let mut known = self.name.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| name.len() > known.len() && name.contains(&**known)) {
            *known = Some(Arc::clone(name));
        }
    }

    /// What it is called.
    pub(crate) fn name(&self) -> Option<Arc<str>> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The value, to which `held` has a handle if it may change.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn look<'h>(&'h self, held: &'h mut Held<T>) -> &'h Tensor<T> {
        match &self.value {
            Value::Fixed(value) => value,
            Value::Parameter(value) => held.insert(value.get()),
        }
    }

    #[inline]
    #[track_caller]
    pub(crate) fn peek(&self) -> Peek<'_, T> {
        match &self.value {
            Value::Fixed(value) => Peek::Plain(value),
            Value::Parameter(value) => Peek::Held(value.get()),
        }
    }

    /// The value of a parameter, to change.
    pub(crate) fn changing(&self) -> Option<&Changing<T>> {
        match &self.value {
            Value::Fixed(_) => None,
            Value::Parameter(value) => Some(value),
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
