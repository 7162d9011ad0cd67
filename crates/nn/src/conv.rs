//! Convolution over time.

use std::fmt;

use wengert_core::__private::or_refused;
use wengert_core::{Error, Float, Parameter, Result, Tensor, Variable, cat};

use crate::line::answered;
use crate::module;
use crate::sequential::{Forward, forward};
use crate::watch::Watch;

/// How a [`Conv1d`] fills its input up with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConvPadding {
    /// Zeros on both sides, so many on each.
    Both(usize),
    /// Zeros that make the output as long as the input, the odd one behind (`padding='same'`); only with a
    /// stride of 1.
    Same,
    /// `dilation (kernel_size - 1)` zeros in front: output t depends on inputs up to t alone (a causal
    /// convolution; van den Oord et al. 2016, arXiv 1609.03499).
    Causal,
}

impl From<usize> for ConvPadding {
    fn from(both: usize) -> Self {
        ConvPadding::Both(both)
    }
}

/// The sum over channels and taps of `weight` times the input at distances of `dilation`, at every
/// `stride`-th place (`torch.nn.Conv1d`): input (N, C_in, L) or (C_in, L), output (N, C_out, L') or
/// (C_out, L') with `L' = (L + padding - dilation (kernel_size - 1) - 1) / stride + 1`, rounded down, where
/// padding counts both sides.
///
/// Parameters: `weight` (C_out, C_in / groups, kernel_size) and `bias` (C_out), both from U(-b, b) with
/// `b = 1 / sqrt(C_in / groups kernel_size)`.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_nn::{Conv1d, ConvPadding};
/// let conv = Conv1d::new(4, 8, 3)?;
/// assert_eq!(conv.forward(&Tensor::ones([2, 4, 10]))?.shape(), &[2, 8, 8]);
/// let causal = Conv1d::builder(4, 8, 3).padding(ConvPadding::Causal).dilation(2).build()?;
/// assert_eq!(causal.forward(&Tensor::ones([2, 4, 10]))?.shape(), &[2, 8, 10]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "Conv1D")]
#[derive(Clone, Debug)]
pub struct Conv1d<T: Float = f32> {
    /// The weight (C_out, C_in / groups, kernel_size).
    pub weight: Parameter<T>,
    /// The bias (C_out), if there is one.
    pub bias: Option<Parameter<T>>,
    arguments: Conv1dBuilder,
}

module!(Conv1d<T> { weight, bias } keep { arguments } settings to_string);

/// The arguments of a [`Conv1d`], which [`Conv1dBuilder::build`] makes.
#[derive(Clone, Debug)]
#[must_use]
pub struct Conv1dBuilder {
    in_channels: usize,
    out_channels: usize,
    kernel_size: usize,
    stride: usize,
    padding: ConvPadding,
    dilation: usize,
    groups: usize,
    bias: bool,
}

impl Conv1d {
    /// A convolution of `kernel_size` taps from `in_channels` to `out_channels`, with bias, without padding.
    ///
    /// # Errors
    /// If there are no channels or no taps, or there is no memory for so many weights.
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: usize) -> Result<Self> {
        Conv1d::builder(in_channels, out_channels, kernel_size).build()
    }

    /// The arguments of a convolution, to be set one by one.
    ///
    /// ```
    /// use wengert_nn::Conv1d;
    /// let conv = Conv1d::builder(4, 8, 3).stride(2).padding(1).groups(2).bias(false).build()?;
    /// let printed = "Conv1d(4, 8, kernel_size=(3,), stride=(2,), padding=(1,), groups=2, bias=False)";
    /// assert_eq!(conv.to_string(), printed);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn builder(in_channels: usize, out_channels: usize, kernel_size: usize) -> Conv1dBuilder {
        Conv1dBuilder {
            in_channels,
            out_channels,
            kernel_size,
            stride: 1,
            padding: ConvPadding::Both(0),
            dilation: 1,
            groups: 1,
            bias: true,
        }
    }
}

impl Conv1dBuilder {
    /// Sets the distance of the places at which there is an output; default 1.
    pub fn stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    /// Sets the zeros around the input: a number for both sides, or a [`ConvPadding`]; default 0.
    pub fn padding(mut self, padding: impl Into<ConvPadding>) -> Self {
        self.padding = padding.into();
        self
    }

    /// Sets the distance of the taps; default 1.
    pub fn dilation(mut self, dilation: usize) -> Self {
        self.dilation = dilation;
        self
    }

    /// Sets into how many groups the channels fall, each of which sees itself alone; default 1.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Sets whether there is a bias; default true.
    pub fn bias(mut self, on: bool) -> Self {
        self.bias = on;
        self
    }

    /// The convolution.
    ///
    /// # Errors
    /// If a size is zero, `groups` does not divide the channels, padding is [`ConvPadding::Same`] with a
    /// stride other than 1, or there is no memory for so many weights.
    pub fn build(self) -> Result<Conv1d> {
        self.check()?;
        let taps = self.in_channels / self.groups;
        let bound = 1.0 / (taps as f64 * self.kernel_size as f64).sqrt();
        let initial = |shape: &[usize]| Parameter::new(Tensor::uniform(shape, -bound, bound));
        or_refused("Conv1d", || {
            Ok(Conv1d {
                weight: initial(&[self.out_channels, taps, self.kernel_size]),
                bias: self.bias.then(|| initial(&[self.out_channels])),
                arguments: self,
            })
        })
    }

    fn check(&self) -> Result<()> {
        let sizes = [
            ("in_channels", self.in_channels),
            ("out_channels", self.out_channels),
            ("kernel_size", self.kernel_size),
            ("stride", self.stride),
            ("dilation", self.dilation),
            ("groups", self.groups),
        ];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(Error::argument("Conv1d", name, "at least 1", 0));
        }
        for (name, channels) in &sizes[..2] {
            if !channels.is_multiple_of(self.groups) {
                let expected = format!("a multiple of groups {}", self.groups);
                return Err(Error::argument("Conv1d", name, expected, channels));
            }
        }
        if self.padding == ConvPadding::Same && self.stride != 1 {
            return Err(Error::argument("Conv1d", "stride", "1 where padding is same", self.stride));
        }
        Ok(())
    }

    /// The steps from the first tap to the last.
    fn reach(&self) -> usize {
        self.dilation.saturating_mul(self.kernel_size - 1)
    }

    /// The zeros in front and behind.
    fn zeros(&self) -> [usize; 2] {
        match self.padding {
            ConvPadding::Both(zeros) => [zeros, zeros],
            ConvPadding::Same => [self.reach() / 2, self.reach() - self.reach() / 2],
            ConvPadding::Causal => [self.reach(), 0],
        }
    }
}

impl<T: Float> Conv1d<T> {
    /// The steps of the output for an input (.., C_in, L).
    fn steps(&self, x: &Variable<T>) -> Result<usize> {
        let Conv1dBuilder { in_channels, stride, .. } = self.arguments;
        let shape = x.shape();
        if !matches!(shape.len(), 2 | 3) || shape[shape.len() - 2] != in_channels {
            let expected = format!("an input of shape (N, {in_channels}, L) or ({in_channels}, L)");
            return Err(Error::shape("Conv1d", expected, format!("{shape:?}")));
        }
        let length = shape[shape.len() - 1].saturating_add(self.arguments.zeros().iter().sum());
        match length.checked_sub(self.arguments.reach() + 1) {
            Some(rest) => Ok(rest / stride + 1),
            None => {
                let reach = self.arguments.reach() + 1;
                let expected = format!("an input of at least {reach} steps, padding included");
                Err(Error::shape("Conv1d", expected, format!("{length} from {shape:?}")))
            }
        }
    }

    /// A batch (N, C_in, L) to (N, C_out, steps): for each tap the steps that it sees, side by side, and one
    /// product of these rows with the weight.
    #[track_caller]
    fn batch(&self, x: &Variable<T>, steps: usize) -> Variable<T> {
        let Conv1dBuilder { kernel_size, stride, dilation, groups, .. } = self.arguments;
        let [front, behind] = self.arguments.zeros().map(|zeros| zeros as isize);
        let mut rows = x.transpose(1, 2);
        if front + behind > 0 {
            rows = rows.pad(&[0, 0, front, behind], 0.0);
        }
        let mut taps = Vec::with_capacity(kernel_size);
        for start in (0..kernel_size).map(|tap| tap * dilation) {
            taps.push(rows.slice(1, start, start + (steps - 1) * stride + 1, stride));
        }
        let y = if groups == 1 { self.ungrouped(&taps) } else { self.grouped(&taps, steps) };
        y.transpose(1, 2)
    }

    /// Rows of all taps times the weight: (N, steps, C_out).
    #[track_caller]
    fn ungrouped(&self, taps: &[Variable<T>]) -> Variable<T> {
        let weight =
            self.weight.permute(&[0, 2, 1]).reshape([self.weight.shape()[0], taps_width(&self.weight)]);
        let rows = if let [only] = taps { only.clone() } else { cat(taps, -1) };
        rows.linear(&weight, self.bias.as_deref())
    }

    /// For each group the rows of all its taps times its part of the weight: (N, steps, C_out).
    #[track_caller]
    fn grouped(&self, taps: &[Variable<T>], steps: usize) -> Variable<T> {
        let Conv1dBuilder { in_channels, out_channels, kernel_size, groups, .. } = self.arguments;
        let (samples, width) = (taps[0].shape()[0], kernel_size * (in_channels / groups));
        // (N, steps, taps, groups, channels) to (groups, N steps, taps channels).
        let rows = cat(taps, -1).reshape([samples, steps, kernel_size, groups, in_channels / groups]);
        let rows = rows.permute(&[3, 0, 1, 2, 4]).reshape([groups, samples * steps, width]);
        let weight = self.weight.permute(&[2, 1, 0]).reshape([
            kernel_size,
            in_channels / groups,
            groups,
            out_channels / groups,
        ]);
        let weight = weight.permute(&[2, 0, 1, 3]).reshape([groups, width, out_channels / groups]);
        let y = rows.matmul(&weight).permute(&[1, 0, 2]).reshape([samples, steps, out_channels]);
        match &self.bias {
            Some(bias) => y + &**bias,
            None => y,
        }
    }
}

/// The weights of one output.
fn taps_width<T: Float>(weight: &Variable<T>) -> usize {
    weight.shape()[1..].iter().product()
}

forward!(Conv1d<T>);

impl<T: Float> Forward for Conv1d<T> {
    #[track_caller]
    fn forward(&self, x: &Variable<T>) -> Result<Variable<T>> {
        let steps = self.steps(x)?;
        let convolved = || {
            Ok(match x.rank() {
                3 => self.batch(x, steps),
                _ => self.batch(&x.unsqueeze(0), steps).squeeze(0),
            })
        };
        Watch::of(self).output(answered("Conv1d", convolved)?)
    }
}

impl<T: Float> fmt::Display for Conv1d<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let a = &self.arguments;
        write!(f, "Conv1d({}, {}, kernel_size=({},)", a.in_channels, a.out_channels, a.kernel_size)?;
        write!(f, ", stride=({},)", a.stride)?;
        match a.padding {
            ConvPadding::Both(0) => {}
            ConvPadding::Both(zeros) => write!(f, ", padding=({zeros},)")?,
            ConvPadding::Same => f.write_str(", padding=same")?,
            ConvPadding::Causal => f.write_str(", padding=causal")?,
        }
        if a.dilation != 1 {
            write!(f, ", dilation=({},)", a.dilation)?;
        }
        if a.groups != 1 {
            write!(f, ", groups={}", a.groups)?;
        }
        f.write_str(if self.bias.is_some() { ")" } else { ", bias=False)" })
    }
}
