//! Activations that are put together from other operations: rare ones, which a kernel of their own would
//! make little faster.

use crate::base::error::{Error, expect};
use crate::tape::{Float, Variable};

impl<T: Float> Variable<T> {
    /// `min(max(x, 0), 6)`; the derivative at 0 and at 6 is 0 (`torch.nn.functional.relu6`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-1.0f32, 2.0, 7.0]));
    /// assert_eq!(x.relu6().to_vec(), vec![0.0, 2.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn relu6(&self) -> Variable<T> {
        self.hardtanh(0.0, 6.0)
    }

    /// `x` where it is positive, else `w x` with a learned slope `w`: one number, or one for each channel.
    /// The channels are axis 1, or axis 0 of a vector (`torch.nn.functional.prelu`; He et al. 2015). The
    /// derivative at 0 is `w`.
    ///
    /// # Panics
    /// If the weight is no vector, or has more than one element and not one for each channel.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([[-2.0f32, -2.0], [3.0, 3.0]]));
    /// let slopes = Variable::new(Tensor::from([0.25f32, 0.5]));
    /// assert_eq!(x.prelu(&slopes).to_vec(), vec![-0.5, -1.0, 3.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn prelu(&self, weight: &Variable<T>) -> Variable<T> {
        let axis = 1.min(self.rank().saturating_sub(1));
        let channels = self.shape().get(axis).copied().unwrap_or(1);
        if weight.rank() != 1 || (weight.numel() != 1 && weight.numel() != channels) {
            let expected = format!("a weight of shape [1] or [{channels}] for input {:?}", self.shape());
            expect::<()>(Err(Error::shape("prelu", expected, format!("{:?}", weight.shape()))));
        }
        let mut along = vec![1; self.rank()];
        if let Some(extent) = along.get_mut(axis) {
            *extent = weight.numel();
        }
        self.where_(&self.gt(0.0), &(self * weight.reshape(&along)))
    }

    /// `x` where it is positive, else `alpha (e^(x / alpha) - 1)`, whose slope is 1 at 0 for every `alpha`
    /// (`torch.nn.functional.celu`, whose default is 1; Barron 2017, arXiv 1704.07483).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-1000.0f32, 3.0]));
    /// assert_eq!(x.celu(0.5).to_vec(), vec![-0.5, 3.0]);
    /// ```
    #[track_caller]
    pub fn celu(&self, alpha: f64) -> Variable<T> {
        // What is positive does not pass through the division, which could leave the range.
        self.where_(&self.gt(0.0), &((self / alpha).elu(1.0) * alpha))
    }

    /// `x min(max(x + 3, 0), 6) / 6`, of which the limit at negative infinity is 0; the derivative is 0 at -3
    /// and 1 at 3 (`torch.nn.functional.hardswish`; Howard et al. 2019, arXiv 1905.02244).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-4.0f32, 3.0, 5.0]));
    /// assert_eq!(x.hardswish().to_vec(), vec![0.0, 3.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn hardswish(&self) -> Variable<T> {
        // Beyond the bounds no infinite number meets a 0.
        let inside = self.clamp(-3.0, 3.0);
        self.where_(&self.ge(3.0), &(&inside * inside.hardsigmoid()))
    }

    /// `x` where `|x|` is above `lambda`, else 0; the derivative at both bounds is 0
    /// (`torch.nn.functional.hardshrink`, whose default is 0.5).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-2.0f32, 0.5, 0.75]));
    /// assert_eq!(x.hardshrink(0.5).to_vec(), vec![-2.0, 0.0, 0.75]);
    /// ```
    #[track_caller]
    pub fn hardshrink(&self, lambda: f64) -> Variable<T> {
        let inside = self.peek().map(|x| x.to_f64().abs() <= lambda);
        self.masked_fill(&inside, 0.0)
    }

    /// `x` moved by `lambda` towards 0, and 0 where `|x|` is at most that; the derivative at both bounds is 0
    /// (`torch.nn.functional.softshrink`, whose default is 0.5).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([-2.0f32, 0.25, 0.75]));
    /// assert_eq!(x.softshrink(0.5).to_vec(), vec![-1.5, 0.0, 0.25]);
    /// ```
    #[track_caller]
    pub fn softshrink(&self, lambda: f64) -> Variable<T> {
        self - self.clamp(-lambda, lambda)
    }

    /// `x - tanh(x)` (`torch.nn.functional.tanhshrink`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// assert_eq!(Variable::new(Tensor::from([0.0f32, 50.0])).tanhshrink().to_vec(), vec![0.0, 49.0]);
    /// ```
    #[track_caller]
    pub fn tanhshrink(&self) -> Variable<T> {
        self - self.tanh()
    }

    /// `x` where it is above `threshold`, else `value`; the derivative at the threshold is 0
    /// (`torch.nn.functional.threshold`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.0f32, 0.5, 2.0]));
    /// assert_eq!(x.threshold(0.5, -1.0).to_vec(), vec![-1.0, -1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn threshold(&self, threshold: f64, value: f64) -> Variable<T> {
        self.masked_fill(&self.le(threshold), value)
    }

    /// `softmax(-x)` along axis `dim`: the smallest gets most (`torch.nn.functional.softmin`).
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([0.0f64, 0.0]));
    /// assert_eq!(x.softmin(0).to_vec(), vec![0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn softmin(&self, dim: isize) -> Variable<T> {
        (-self).softmax(dim)
    }

    /// `a sigmoid(b)` for the two halves `a` and `b` of axis `dim` (`torch.nn.functional.glu`, whose default
    /// is -1; Dauphin et al. 2016, arXiv 1612.08083).
    ///
    /// # Panics
    /// If the axis has an odd extent.
    ///
    /// ```
    /// # use wengert_core::{Tensor, Variable};
    /// let x = Variable::new(Tensor::from([2.0f32, 4.0, 0.0, 1000.0]));
    /// assert_eq!(x.glu(0).to_vec(), vec![1.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn glu(&self, dim: isize) -> Variable<T> {
        let [a, b] = self.parts(dim);
        a * b.sigmoid()
    }
}
