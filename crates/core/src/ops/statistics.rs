//! Variance, standard deviation and vector norms over axes.

use wengert_kernel::rows::reduce::{Square, Squares};
use wengert_kernel::run::divide::dispatch_shared;

use crate::base::dims::{Dims, axes_of, product};
use crate::base::error::expect;
use crate::base::mode::no_grad;
use crate::ops::formula::Pointwise;
use crate::ops::registry::{Domain, Fitted, Listed, axes, formula};
use crate::tape::Float;
use crate::tape::Variable;
use crate::tape::{Attributes, Cotangents, Gradients, Operation, Outputs, Saved, Saves, Wants};
use crate::tensor::Tensor;

/// The formulas, named as they appear on the tape.
mod formula {
    use crate::pointwise;

    // The derivative of the 2-norm; 0 where the norm is 0.
    pointwise! { pub struct NormSlope; fn eval(x, norm) -> 1 { [R::select(norm.eq(0.0), 0.0, x / norm)] } }
    // sign(x) |x|^(p-1) norm^(1-p), the derivative of any other norm.
    pointwise! {
        pub struct NormSlopeOf { p }
        fn eval(x, norm) -> 1 {
            [{
                let sign = R::select(x.lt(0.0), -1.0, 1.0);
                let slope = sign * x.abs().pow(p - 1.0) * norm.pow(1.0 - p);
                R::select(x.eq(0.0) | norm.eq(0.0), 0.0, slope)
            }]
        }
    }
}

/// What a statistic is taken over; the axes stay with extent 1.
#[derive(Clone)]
struct Over {
    dims: Vec<isize>,
    count: usize,
}

impl Over {
    #[track_caller]
    fn of(operation: &'static str, shape: &[usize], dims: &[isize]) -> Self {
        let axes = expect(axes_of(operation, dims, shape.len()));
        let count = product(&axes.iter().map(|&axis| shape[axis]).collect::<Dims>());
        Over { dims: axes.iter().map(|&axis| axis as isize).collect(), count }
    }

    fn axes(&self) -> Vec<usize> {
        self.dims.iter().map(|&axis| axis as usize).collect()
    }

    /// The sum; of a scalar, itself.
    fn sum<T: Float>(&self, x: &Variable<T>) -> Variable<T> {
        if self.dims.is_empty() { x.clone() } else { x.sum_keepdim(&self.dims) }
    }

    /// A statistic of the elements that belong together: with the axes last they are a row.
    fn squares<T: Float>(&self, x: &Tensor<T>, square: Square) -> Tensor<T> {
        let over = |axis: &isize| self.dims.contains(axis);
        let (gone, kept): (Vec<isize>, Vec<isize>) = (0..x.rank() as isize).partition(over);
        let to: Dims =
            (0..x.rank()).map(|axis| if over(&(axis as isize)) { 1 } else { x.shape()[axis] }).collect();
        let rows = expect(x.permute(&[kept, gone].concat())).contiguous();
        let (source, width) = (rows.in_order(), self.count);
        Tensor::build(to, |out| dispatch_shared(Squares { square, source, out, width }))
    }

    /// The mean.
    fn mean<T: Float>(&self, x: &Variable<T>) -> Variable<T> {
        self.sum(x) / self.count as f64
    }

    /// What is left of `x` when its mean is taken away. A mean is rounded as numbers of its size are, and
    /// beside nearly equal elements that is much; taking away the mean of what is left leaves nothing of it
    /// (Chan, Golub, LeVeque 1983). Where that is no finite number there was nothing to be had.
    fn centred<T: Float>(&self, x: &Variable<T>) -> Variable<T> {
        let once = x - self.mean(x);
        let rest = self.mean(&once);
        let infinite = rest.peek().map(|rest| !rest.to_f64().is_finite());
        let spoils = infinite.contiguous().in_order().contains(&true);
        once - if spoils { rest.masked_fill(&infinite, 0.0) } else { rest }
    }
}

/// `sum (x - mean)^2 / max(0, n - correction)`.
struct Var {
    over: Over,
    correction: usize,
}

impl Var {
    fn attributes(&self) -> Attributes {
        Attributes::none().dims("dim", &self.over.axes()).int("correction", self.correction as u32)
    }

    fn divisor(&self) -> f64 {
        self.over.count.saturating_sub(self.correction) as f64
    }

    /// The cotangent of `x`, from that of the variance.
    fn back<T: Float>(&self, x: &Variable<T>, cotangent: &Variable<T>) -> Variable<T> {
        self.over.centred(x) * (cotangent * 2.0 / self.divisor())
    }
}

impl<T: Float> Operation<T> for Var {
    const NAME: &'static str = "Var";

    fn attributes(&self) -> Attributes {
        self.attributes()
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [self.over.squares(inputs[0], Square::Variance(self.divisor()))].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::INPUTS
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        gradients.add(0, self.back(&saved.input(0), cotangents.only()));
    }
}

/// The square root of the variance; where it is 0, so is the derivative.
struct Std {
    var: Var,
}

impl<T: Float> Operation<T> for Std {
    const NAME: &'static str = "Std";

    fn attributes(&self) -> Attributes {
        self.var.attributes()
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        [self.var.over.squares(inputs[0], Square::Deviation(self.var.divisor()))].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS.and_input(0)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let half = formula::NormSlope.apply1([&(cotangents.only() * 0.5), &saved.output(0)]);
        gradients.add(0, self.var.back(&saved.input(0), &half));
    }
}

/// `(sum |x|^p)^(1/p)`.
struct Norm {
    over: Over,
    p: f64,
}

impl<T: Float> Operation<T> for Norm {
    const NAME: &'static str = "Norm";

    fn attributes(&self) -> Attributes {
        Attributes::none().float("ord", self.p).dims("dim", &self.over.axes())
    }

    fn forward(&self, inputs: &[&Tensor<T>]) -> Outputs<Tensor<T>> {
        let x = Variable::from(inputs[0].clone());
        let norm = no_grad(|| match self.p {
            2.0 => Variable::from(self.over.squares(inputs[0], Square::Norm)),
            0.0 => {
                self.over.sum(&Variable::from(inputs[0].map(|x| if x == T::ZERO { x.abs() } else { T::ONE })))
            }
            1.0 => self.over.sum(&x.abs()),
            p => self.over.sum(&x.abs().pow_scalar(p)).pow_scalar(1.0 / p),
        });
        [norm.value()].into()
    }

    fn saves(&self, _: Wants) -> Saves {
        Saves::OUTPUTS.and_input(0)
    }

    fn pullback(&self, saved: &Saved<'_, T>, cotangents: &Cotangents<T>, gradients: &mut Gradients<'_, T>) {
        let (x, norm) = (saved.input(0), saved.output(0));
        // A count is flat.
        if self.p == 0.0 {
            return gradients.add(0, Variable::from(Tensor::zeros(x.shape())));
        }
        let [slope] = match self.p {
            2.0 => formula::NormSlope.apply([&x, &norm]),
            p => formula::NormSlopeOf { p }.apply([&x, &norm]),
        };
        gradients.add(0, slope * cotangents.only());
    }
}

impl<T: Float> Variable<T> {
    /// The variance over axes `dims`, all if there are none: the sum of squared distances from the mean
    /// over `n - correction` (`torch.var`, whose default correction is 1). The axes stay with extent 1
    /// if `keepdim`.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[1.0f32, 3.0], [2.0, 2.0]]));
    /// assert_eq!(x.var_dim(&[1], 1).to_vec(), vec![2.0, 0.0]);
    /// assert_eq!(x.var_keepdim(&[1], 0).shape(), &[2, 1]);
    /// ```
    #[doc(alias = "var")]
    #[track_caller]
    pub fn var_dim(&self, dims: &[isize], correction: usize) -> Variable<T> {
        self.var_dim_with(dims, correction, false)
    }

    /// [`Variable::var_dim`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn var_keepdim(&self, dims: &[isize], correction: usize) -> Variable<T> {
        self.var_dim_with(dims, correction, true)
    }

    #[track_caller]
    pub(super) fn var_dim_with(&self, dims: &[isize], correction: usize, keepdim: bool) -> Variable<T> {
        let over = Over::of("var", self.shape(), dims);
        self.without_axes(dims, keepdim, Var { over, correction }.apply1(&[self]))
    }

    /// The standard deviation, the square root of [`Variable::var_dim`] (`torch.std`). Its derivative is 0
    /// where it is 0.
    #[doc(alias = "std")]
    #[track_caller]
    pub fn std_dim(&self, dims: &[isize], correction: usize) -> Variable<T> {
        self.std_dim_with(dims, correction, false)
    }

    /// [`Variable::std_dim`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn std_keepdim(&self, dims: &[isize], correction: usize) -> Variable<T> {
        self.std_dim_with(dims, correction, true)
    }

    #[track_caller]
    pub(super) fn std_dim_with(&self, dims: &[isize], correction: usize, keepdim: bool) -> Variable<T> {
        let over = Over::of("std", self.shape(), dims);
        self.without_axes(dims, keepdim, Std { var: Var { over, correction } }.apply1(&[self]))
    }

    /// The p-norm `(sum |x|^p)^(1/p)` over axes `dims`, all if there are none (`torch.linalg.vector_norm`):
    /// the largest size for an infinite `p` (0 of no elements), the smallest for a negative infinite one,
    /// the number of elements that are not 0 for 0. Its derivative is 0
    /// where it is 0, and that of a count everywhere.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([3.0f32, -4.0])).requires_grad_(true);
    /// let y = x.norm(2.0, &[]);
    /// y.backward()?;
    /// assert_eq!((y.item()?, x.grad().unwrap().to_vec()), (5.0, vec![0.6, -0.8]));
    /// assert_eq!(x.norm(1.0, &[]).item()? + x.norm(f64::INFINITY, &[]).item()?, 11.0);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    #[doc(alias = "vector_norm")]
    #[doc(alias = "linalg_norm")]
    #[track_caller]
    pub fn norm(&self, p: f64, dims: &[isize]) -> Variable<T> {
        self.norm_with(p, dims, false)
    }

    /// [`Variable::norm`], of which what is reduced stays with extent 1 (`keepdim=True`).
    #[track_caller]
    pub fn norm_keepdim(&self, p: f64, dims: &[isize]) -> Variable<T> {
        self.norm_with(p, dims, true)
    }

    #[track_caller]
    pub(super) fn norm_with(&self, p: f64, dims: &[isize], keepdim: bool) -> Variable<T> {
        let over = Over::of("norm", self.shape(), dims);
        match p {
            // No element is larger than 0.
            f64::INFINITY if over.count == 0 => self.sum_dim_with(dims, keepdim),
            f64::INFINITY => self.abs().amax_with(dims, keepdim),
            f64::NEG_INFINITY => self.abs().amin_with(dims, keepdim),
            p => self.without_axes(dims, keepdim, Norm { over, p }.apply1(&[self])),
        }
    }

    /// `kept` without the axes of this variable that were kept with extent 1.
    #[track_caller]
    fn without_axes(&self, dims: &[isize], keepdim: bool, kept: Variable<T>) -> Variable<T> {
        if keepdim {
            return kept;
        }
        let axes = expect(axes_of("reduction", dims, self.rank()));
        let left = (0..self.rank()).filter(|axis| !axes.contains(axis)).map(|axis| self.shape()[axis]);
        kept.reshape(left.collect::<Vec<_>>())
    }
}

pub(super) fn operations<T: Float, L: Listed<T>>() -> Vec<L> {
    macro_rules! deviation {
        ($name:literal $method:ident) => {
            L::new(
                $name,
                &[Domain::Distinct],
                &|choose, shape| {
                    let axes = axes(choose, shape);
                    let over = |axis: &usize| axes.is_empty() || axes.contains(axis);
                    let count: usize = (0..shape.len()).filter(over).map(|axis| shape[axis]).product();
                    // The deviation of a single number has no derivative.
                    let correction = choose(2);
                    let attributes =
                        Attributes::none().dims("dim", &axes).int("correction", correction as i64);
                    (count > 1).then(|| Fitted::new(vec![shape.to_vec()], attributes))
                },
                &|attributes, v| {
                    let correction = attributes.get_int("correction");
                    vec![v[0].$method(&attributes.get_ints("dim"), correction)]
                },
            )
        };
    }
    vec![
        deviation!("Var" var_keepdim),
        deviation!("Std" std_keepdim),
        L::new(
            "Norm",
            &[Domain::NonZero],
            &|choose, shape| {
                let order = [2.0, 1.0, 3.0, 0.0][choose(4)];
                Fitted::one(shape, Attributes::none().float("ord", order).dims("dim", &axes(choose, shape)))
            },
            &|attributes, v| {
                vec![v[0].norm_keepdim(attributes.get_float("ord"), &attributes.get_ints("dim"))]
            },
        ),
        formula!(formula NormSlope [Any Positive]),
        formula!(formula NormSlopeOf { p: [3.0, 1.5] } [NonZero Positive]),
    ]
}
