//! Windows over a long series.

use wengert_core::{Element, Error, Result, Tensor};

use crate::dataset::{Dataset, check_index};
use crate::fingerprint::Fingerprint;

/// Windows of a series (T, ..) with what is to be forecast: a sample is the window (W, ..) and the `horizon`
/// steps behind it, (H, ..), or, [shifted](WindowsBuilder::shift), the same window some steps later. Both are
/// views of the series. (`keras.utils.timeseries_dataset_from_array`, `Tensor.unfold`.)
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Dataset, Windows};
/// let series = Tensor::<f32>::arange(0.0, 8.0, 1.0)?;
/// let windows = Windows::builder(series.clone(), 3).stride(2).horizon(2).build()?;
/// let (x, y) = windows.get(1)?;
/// assert_eq!((windows.len(), x.to_vec(), y.to_vec()), (2, vec![2.0, 3.0, 4.0], vec![5.0, 6.0]));
/// let error = Windows::builder(series, 8).build().unwrap_err().to_string();
/// let expected = "Windows: expected a series of at least 9 steps, the window 8 and the horizon 1, got 8";
/// assert_eq!(error, expected);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "TimeseriesGenerator")]
#[doc(alias = "timeseries_dataset_from_array")]
#[doc(alias = "unfold")]
#[doc(alias = "sliding_window_view")]
#[derive(Clone, Debug)]
pub struct Windows<T: Element> {
    settings: WindowsBuilder<T>,
    count: usize,
}

/// The settings of [`Windows`], from [`Windows::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct WindowsBuilder<T: Element> {
    series: Tensor<T>,
    window: usize,
    stride: usize,
    target: Target,
}

#[derive(Clone, Copy, Debug)]
enum Target {
    Behind(usize),
    Shifted(usize),
}

impl Target {
    /// The first step of the target of a window that starts at 0, and how many there are.
    fn steps(self, window: usize) -> (usize, usize) {
        match self {
            Target::Behind(horizon) => (window, horizon),
            Target::Shifted(by) => (by, window),
        }
    }
}

impl<T: Element> Windows<T> {
    /// Settings of windows of so many steps of a series (T, ..).
    pub fn builder(series: Tensor<T>, window: usize) -> WindowsBuilder<T> {
        WindowsBuilder { series, window, stride: 1, target: Target::Behind(1) }
    }

    /// The first step of a window.
    pub fn start(&self, index: usize) -> usize {
        index * self.settings.stride
    }
}

impl<T: Element> WindowsBuilder<T> {
    /// How many steps a window begins behind the one before; default 1.
    pub fn stride(mut self, steps: usize) -> Self {
        self.stride = steps;
        self
    }

    /// How many steps behind the window are its target; default 1.
    pub fn horizon(mut self, steps: usize) -> Self {
        self.target = Target::Behind(steps);
        self
    }

    /// Has the window so many steps later as the target, as for a model that says each next token.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::{Dataset, Windows};
    /// let text = Tensor::from([5i64, 6, 7, 8, 9]);
    /// let (x, y) = Windows::builder(text, 3).shift(1).build()?.get(0)?;
    /// assert_eq!((x.to_vec(), y.to_vec()), (vec![5, 6, 7], vec![6, 7, 8]));
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn shift(mut self, steps: usize) -> Self {
        self.target = Target::Shifted(steps);
        self
    }

    /// The windows, of which the last ends with the series or less than a stride before.
    ///
    /// # Errors
    /// If the series has no axis, the window or the stride has no step, or a window with its target is longer
    /// than the series.
    pub fn build(self) -> Result<Windows<T>> {
        const NAME: &str = "Windows";
        let Some(&steps) = self.series.shape().first() else {
            return Err(Error::shape(NAME, "a series of at least 1 axis", "a scalar"));
        };
        for (argument, value) in [("window", self.window), ("stride", self.stride)] {
            if value == 0 {
                return Err(Error::argument(NAME, argument, "at least 1 step", 0));
            }
        }
        let (start, length) = self.target.steps(self.window);
        let span = self.window.max(start.saturating_add(length));
        match steps.checked_sub(span) {
            Some(left) => Ok(Windows { count: left / self.stride + 1, settings: self }),
            None => {
                let target = match self.target {
                    Target::Behind(horizon) => format!("the horizon {horizon}"),
                    Target::Shifted(by) => format!("the shift {by}"),
                };
                let expected =
                    format!("a series of at least {span} steps, the window {} and {target}", self.window);
                Err(Error::shape(NAME, expected, steps))
            }
        }
    }
}

impl<T: Element> Dataset for Windows<T> {
    type Item = (Tensor<T>, Tensor<T>);

    fn len(&self) -> usize {
        self.count
    }

    fn get(&self, index: usize) -> Result<Self::Item> {
        check_index("Windows", index, self.count)?;
        let WindowsBuilder { series, window, target, .. } = &self.settings;
        let (first, length) = target.steps(*window);
        let start = self.start(index);
        Ok((series.narrow(0, start, *window)?, series.narrow(0, start + first, length)?))
    }

    fn fingerprint(&self) -> Fingerprint {
        let WindowsBuilder { series, window, stride, target } = &self.settings;
        let (first, length) = target.steps(*window);
        Fingerprint::new("windows").with(series).with(&(*window, *stride)).with(&(first, length))
    }
}
