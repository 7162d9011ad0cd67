//! Running sums and products along an axis, and the linear recurrence that both are made of.
//!
//! `y_t = a_t y_(t-1) + b_t` is differentiated by the same recurrence in the other direction: with `g` the
//! cotangent of `y`, that of `b` is `s_t = g_t + a_(t+1) s_(t+1)`, and that of `a` is `s_t y_(t-1)`.
//! Nothing is divided by, so zeros among the factors of a product are nothing special, at any order.

use smallvec::{SmallVec, smallvec};

use crate::base::dims::{axis_of, product};
use crate::base::error::expect;
use crate::ops::join::cat;
use crate::ops::registry::{Domain, Fitted, Listed, axis};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants};
use crate::tensor::Tensor;

/// Fills `out`, row-major of this shape, along `axis`: `next(last, i)` gives element `i` from the one
/// before it, `start` at first. What goes on from step to step is kept in f64, so that an `f32` is rounded
/// once and not once for each step before it.
fn scan<T: Float>(
    (shape, axis, reverse): (&[usize], usize, bool),
    start: f64,
    out: &mut [T],
    next: impl Fn(f64, usize) -> f64,
) {
    if shape.contains(&0) {
        return;
    }
    let (extent, inner) = (shape[axis], product(&shape[axis + 1..]));
    let mut running: SmallVec<[f64; 8]> = smallvec![start; inner];
    for block in 0..product(&shape[..axis]) {
        running.fill(start);
        for step in 0..extent {
            let t = if reverse { extent - 1 - step } else { step };
            let at = (block * extent + t) * inner;
            for (i, running) in running.iter_mut().enumerate() {
                *running = next(*running, at + i);
                out[at + i] = T::from_f64(*running);
            }
        }
    }
}

/// Sums of all elements up to each one.
struct CumSum {
    axis: usize,
    reverse: bool,
}

impl<T: Float> Operation<T> for CumSum {
    const NAME: &'static str = "CumSum";

    fn attributes(&self) -> Attributes {
        Attributes::none().int("dim", self.axis as u32).flag("reverse", self.reverse)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let x = inputs[0].contiguous();
        let source = x.in_order();
        let sums = Tensor::build(x.dims().clone(), |out| {
            scan((x.shape(), self.axis, self.reverse), 0.0, out, |last, i| last + source[i].to_f64());
        });
        [sums].into()
    }

    fn pullback(&self, _: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let back = CumSum { axis: self.axis, reverse: !self.reverse };
        gradients.add(0, back.apply1(&[cotangents.only()]));
    }
}

/// `y_t = a_t y_(t-1) + b_t`, from `start`.
struct LinearScan {
    axis: usize,
    reverse: bool,
    start: f64,
}

impl<T: Float> Operation<T> for LinearScan {
    const NAME: &'static str = "LinearScan";

    fn attributes(&self) -> Attributes {
        let attributes = Attributes::none().int("dim", self.axis as u32).flag("reverse", self.reverse);
        attributes.float("start", self.start)
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let (a, b) = (inputs[0].contiguous(), inputs[1].contiguous());
        let (factors, terms) = (a.in_order(), b.in_order());
        let values = Tensor::build(a.dims().clone(), |out| {
            scan((a.shape(), self.axis, self.reverse), self.start, out, |last, i| {
                factors[i].to_f64() * last + terms[i].to_f64()
            });
        });
        [values].into()
    }

    fn saves(&self, wants: Wants) -> Saves {
        let saves = if wants.input(0) { Saves::OUTPUTS } else { Saves::NOTHING };
        saves.and_input(0)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let after = shifted(&saved.input(0), self.axis, !self.reverse, 0.0);
        let back = LinearScan { axis: self.axis, reverse: !self.reverse, start: 0.0 };
        let sums = back.apply1(&[&after, cotangents.only()]);
        if gradients.wants(0) {
            gradients.add(0, &sums * shifted(&saved.output(0), self.axis, self.reverse, self.start));
        }
        gradients.add(1, sums);
    }
}

impl LinearScan {
    #[track_caller]
    fn checked<T: Float>(self, a: &Variable<T>, b: &Variable<T>) -> Variable<T> {
        let (own, other) = (a.shape(), b.shape());
        assert!(own == other, "linear_scan: expected terms of the factors' shape {own:?}, got {other:?}");
        self.apply1(&[a, b])
    }
}

/// Each step's neighbour: the next one if `next`, else the one before; `fill` where there is none.
fn shifted<T: Float>(x: &Variable<T>, axis: usize, next: bool, fill: f64) -> Variable<T> {
    let (dim, extent) = (axis as isize, x.shape()[axis]);
    if extent == 0 {
        return x.clone();
    }
    let mut end = x.shape().to_vec();
    end[axis] = 1;
    let end = Variable::from(Tensor::full(end, T::from_f64(fill)));
    let rest = x.narrow(dim, usize::from(next), extent - 1);
    if next { cat(&[&rest, &end], dim) } else { cat(&[&end, &rest], dim) }
}

impl<T: Float> Variable<T> {
    /// The sum of all elements up to each one along axis `dim` (`torch.cumsum`). It runs in f64, so that
    /// each sum of f32 is rounded once, however many elements it is of.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([1.0f32, 2.0, 3.0])).cumsum(0).to_vec(), vec![1.0, 3.0, 6.0]);
    /// ```
    #[doc(alias = "cumulative_sum")]
    #[track_caller]
    pub fn cumsum(&self, dim: isize) -> Variable<T> {
        let axis = expect(axis_of("cumsum", dim, self.rank()));
        CumSum { axis, reverse: false }.apply1(&[self])
    }

    /// The product of all elements up to each one along axis `dim` (`torch.cumprod`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([2.0f32, 0.0, 3.0])).requires_grad_(true);
    /// let y = x.cumprod(0);
    /// assert_eq!(y.to_vec(), vec![2.0, 0.0, 0.0]);
    /// y.sum().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), vec![1.0, 8.0, 0.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "cumulative_prod")]
    #[track_caller]
    pub fn cumprod(&self, dim: isize) -> Variable<T> {
        let axis = expect(axis_of("cumprod", dim, self.rank()));
        // What is added to a product that is -0 must leave it so.
        let zeros = Variable::from(Tensor::full(self.shape(), T::from_f64(-0.0)));
        LinearScan { axis, reverse: false, start: 1.0 }.apply1(&[self, &zeros])
    }

    /// The product of all elements (`torch.prod`).
    #[track_caller]
    pub fn prod(&self) -> Variable<T> {
        self.reshape([self.numel()]).prod_dim(0)
    }

    /// The product over axis `dim` (`torch.prod`). Its derivative in
    /// a factor is the product of all others, whatever is zero.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[2.0f32, 0.0, 3.0]])).requires_grad_(true);
    /// x.prod_dim(1).sum().backward()?;
    /// assert_eq!(x.grad().unwrap().to_vec(), vec![0.0, 6.0, 0.0]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "prod")]
    #[doc(alias = "reduce_prod")]
    #[track_caller]
    pub fn prod_dim(&self, dim: isize) -> Variable<T> {
        self.prod_dim_with(dim, false)
    }

    /// [`Variable::prod_dim`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn prod_keepdim(&self, dim: isize) -> Variable<T> {
        self.prod_dim_with(dim, true)
    }

    #[track_caller]
    pub(super) fn prod_dim_with(&self, dim: isize, keepdim: bool) -> Variable<T> {
        let axis = expect(axis_of("prod", dim, self.rank()));
        let product = match self.shape()[axis] {
            // One, with the history of the nothing that it is of.
            0 => self.sum_keepdim(&[dim]) + 1.0,
            extent => self.cumprod(dim).narrow(dim, extent - 1, 1),
        };
        if keepdim { product } else { product.squeeze(dim) }
    }

    /// The linear recurrence `y_t = a_t y_(t-1) + b_t` along axis `dim`, from `y_(-1) = 0`; `self` is `a`.
    /// It is what minimal recurrent units without a nonlinearity in the state are made of (Feng et al.
    /// 2024, arXiv 2410.01201).
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let a = Variable::new(Tensor::from([0.5f32, 0.5, 0.5]));
    /// let b = Variable::new(Tensor::from([4.0f32, 0.0, 1.0]));
    /// assert_eq!(a.linear_scan(&b, 0).to_vec(), vec![4.0, 2.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn linear_scan(&self, b: &Variable<T>, dim: isize) -> Variable<T> {
        let axis = expect(axis_of("linear_scan", dim, self.rank()));
        LinearScan { axis, reverse: false, start: 0.0 }.checked(self, b)
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    vec![
        L::new(
            "CumSum",
            &[Domain::Any],
            &|choose, shape| {
                let attributes = Attributes::none().int("dim", axis(choose, shape)? as i64);
                Fitted::one(shape, attributes.flag("reverse", choose(2) == 1))
            },
            &|attributes, v| {
                let axis = expect(axis_of("cumsum", attributes.get_int("dim"), v[0].rank()));
                vec![CumSum { axis, reverse: attributes.has_flag("reverse") }.apply1(v)]
            },
        ),
        L::new(
            "LinearScan",
            &[Domain::Any],
            &|choose, shape| {
                let attributes = Attributes::none().int("dim", axis(choose, shape)? as i64);
                let attributes =
                    attributes.flag("reverse", choose(2) == 1).float("start", [0.0, 1.0][choose(2)]);
                Some(Fitted::new(vec![shape.to_vec(); 2], attributes))
            },
            &|attributes, v| {
                let axis = expect(axis_of("linear_scan", attributes.get_int("dim"), v[0].rank()));
                let (reverse, start) = (attributes.has_flag("reverse"), attributes.get_float("start"));
                vec![LinearScan { axis, reverse, start }.checked(v[0], v[1])]
            },
        ),
    ]
}
