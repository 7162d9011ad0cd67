//! Cross-entropy of rows of logits and their classes.

use wengert_kernel::rows::cross_entropy::{self, IGNORED};
use wengert_kernel::run::divide::dispatch_shared;

use crate::base::error::{Error, Result};
use crate::base::refusal::or_refused;
use crate::ops::registry::{Domain, Fitted, Listed, indices};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::record::record1;
use crate::tape::rule::Rule;
use crate::tape::{Attributes, Cotangents, Gradients, Saved, Saves, Wants};
use crate::tensor::Tensor;
use crate::tensor::memory;

/// `-ln softmax(x)[target]` of each row of the last axis.
struct CrossEntropy<T: Float> {
    /// A class for each row, or [`IGNORED`].
    targets: Tensor<i64>,
    /// What the fused pullback takes the softmax from.
    statistics: Tensor<T>,
}

/// The losses, and the statistics of the rows.
fn losses<T: Float>(x: &Tensor<T>, targets: &Tensor<i64>) -> (Tensor<T>, Tensor<T>) {
    let x = x.contiguous();
    let (&width, leading) = x.shape().split_last().expect("an axis of classes");
    let mut statistics = Tensor::unspecified(&[2 * targets.numel()][..]);
    let out = Tensor::build(leading, |out| {
        let (source, targets, statistics) = (x.in_order(), classes(targets), statistics.fresh_mut());
        dispatch_shared(cross_entropy::CrossEntropy { source, targets, out, statistics, width });
    });
    (out, statistics)
}

/// The class of each row.
fn classes(targets: &Tensor<i64>) -> &[i64] {
    targets.as_slice().expect("just made, in row-major order")
}

impl<T: Float> CrossEntropy<T> {
    /// The cotangent of the logits.
    fn of_logits(&self, x: &Variable<T>, g: &Variable<T>) -> Variable<T> {
        let mut column = g.shape().to_vec();
        column.push(1);
        let targets = classes(&self.targets);
        let index = Tensor::from_fn(&column, |r| targets[r].max(0));
        let g = g.reshape(&*column);
        let of = |x: &Variable<T>| (x.softmax(-1) * &g).scatter_add(-1, &index, &-&g);
        if !targets.contains(&IGNORED) {
            return of(x);
        }
        // Filled before too, for a row that holds NaN would spoil what is differentiated of it.
        let ignored = Tensor::from_fn(&column, |r| targets[r] == IGNORED);
        of(&x.masked_fill(&ignored, 0.0)).masked_fill(&ignored, 0.0)
    }

    /// [`CrossEntropy::of_logits`] in one pass over them.
    fn of_logits_at_once(&self, x: &Tensor<T>, g: &Tensor<T>) -> Tensor<T> {
        let (x, g, targets) = (x.contiguous(), g.contiguous(), classes(&self.targets));
        let width = x.shape().last().copied().expect("an axis of classes");
        Tensor::build(x.dims().clone(), |out| {
            let (source, statistics, cotangent) = (x.in_order(), self.statistics.in_order(), g.in_order());
            dispatch_shared(cross_entropy::CrossEntropyBack {
                source,
                targets,
                statistics,
                cotangent,
                out,
                width,
            });
        })
    }
}

impl<T: Float> Rule<T> for CrossEntropy<T> {
    fn name(&self) -> &'static &'static str {
        &"CrossEntropy"
    }

    fn attributes(&self) -> Attributes {
        Attributes::none().indices("target", &self.targets)
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, self.of_logits(&saved.input(0), cotangents.only()));
    }

    fn fused(&self, saved: &Saved<'_, T>, cotangents: &mut Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        if gradients.wants(0) {
            gradients.add_value(0, self.of_logits_at_once(saved.expect_input(0), &cotangents.only().peek()));
        }
    }
}

impl<T: Float> Variable<T> {
    /// `-ln softmax(x)[target]` of each row of the last axis; 0, whatever is in the row, where the target
    /// is `ignored` (`torch.nn.functional.cross_entropy` with `reduction="none"`). The softmax is not
    /// kept: the pullback takes it from the logits in its one pass over them.
    ///
    /// # Errors
    /// If the targets' shape is not this one's without the last axis, there are no classes, or a target is
    /// no class.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let logits = Variable::new(Tensor::from([[0.0f64, 0.0], [1000.0, 0.0], [5.0, 3.0]]));
    /// let losses = logits.cross_entropy(&Tensor::from([0i64, 1, -1]), -1)?;
    /// assert_eq!(losses.to_vec(), vec![2f64.ln(), 1000.0, 0.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "sparse_softmax_cross_entropy")]
    #[track_caller]
    pub fn cross_entropy(&self, targets: &Tensor<i64>, ignored: i64) -> Result<Variable<T>> {
        let targets = checked_targets(self.shape(), targets, ignored)?;
        memory::room_for::<T>("cross_entropy", self.shape())?;
        let x = self.peek();
        let (out, statistics) = or_refused("cross_entropy", || Ok(losses(&x, &targets)))?;
        Ok(record1(CrossEntropy { targets, statistics }, &[self], &[&x], out))
    }
}

/// The class of each row of logits of this shape, or [`IGNORED`].
fn checked_targets(logits: &[usize], targets: &Tensor<i64>, ignored: i64) -> Result<Tensor<i64>> {
    let Some((&classes, leading)) = logits.split_last() else {
        return Err(Error::shape("cross_entropy", "logits (N, C)", "a scalar"));
    };
    if leading != targets.shape() {
        let expected = format!("targets of shape {leading:?} for logits {logits:?}");
        return Err(Error::shape("cross_entropy", expected, format!("{:?}", targets.shape())));
    }
    if classes == 0 {
        let expected = "logits with at least one class";
        return Err(Error::shape("cross_entropy", expected, format!("{logits:?}")));
    }
    let targets = or_refused("cross_entropy", || Ok(targets.contiguous()))?;
    let targets = targets.as_slice().expect("contiguous");
    let is_class = |target: i64| usize::try_from(target).is_ok_and(|class| class < classes);
    if let Some(&target) = targets.iter().find(|&&target| target != ignored && !is_class(target)) {
        let expected = format!("in 0..{classes}, or {ignored} to be ignored");
        return Err(Error::argument("cross_entropy", "every target", expected, target));
    }
    Tensor::numbered("cross_entropy", leading, |r| if targets[r] == ignored { IGNORED } else { targets[r] })
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![L::new(
        "CrossEntropy",
        &[Domain::Any],
        &|choose, shape| {
            let (&classes, leading) = shape.split_last().filter(|(classes, _)| **classes > 0)?;
            let targets = indices(choose, leading, classes + 1);
            let targets = targets.map(|class| if class == classes as i64 { IGNORED } else { class });
            Fitted::one(shape, Attributes::none().indices("target", &targets))
        },
        &|attributes, v| {
            vec![crate::base::error::expect(v[0].cross_entropy(attributes.get_indices("target"), IGNORED))]
        },
    )]
}
