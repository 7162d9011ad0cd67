//! Windows whose state is carried on, for truncated backpropagation through time.

use wengert_core::__private::{filled, or_refused, reserve, vec_of};
use wengert_core::{Element, Error, Result, Tensor};

use crate::dataset::{Dataset, check_index};
use crate::fingerprint::{Fingerprint, in_order};
use crate::random::order;

/// Windows of K steps over documents (L_i, ..) that lie one behind the other in N lanes, for training that
/// carries each lane's state from window to window (Keras' `stateful`).
///
/// A document begins with a window, in the lane that is free first, and its last window is filled up with
/// zeros. A sample is a [`TruncatedWindow`], a batch already: a [`DataLoader`](crate::DataLoader) takes it
/// with [`Single`](crate::Single). Documents of the same lengths lie in the same places, so that targets are
/// other windows, zipped.
///
/// ```
/// use wengert_core::Tensor;
/// use wengert_data::{Dataset, TruncatedWindows};
/// let documents = vec![Tensor::from([1i64, 2, 3]), Tensor::from([4i64, 5]), Tensor::from([6i64])];
/// let windows = TruncatedWindows::builder(documents).lanes(2).steps(2).build()?;
/// let (first, second) = (windows.get(0)?, windows.get(1)?);
/// assert_eq!(first.data, Tensor::from([[1i64, 4], [2, 5]]));
/// assert_eq!(second.data, Tensor::from([[3i64, 6], [0, 0]]));
/// assert_eq!((first.resets, second.resets), (Tensor::from([true, true]), Tensor::from([false, true])));
/// assert_eq!(second.lengths, [1, 1]);
/// # Ok::<(), wengert_core::Error>(())
/// ```
#[doc(alias = "stateful")]
#[doc(alias = "batchify")]
#[derive(Clone, Debug)]
pub struct TruncatedWindows<T: Element> {
    documents: Vec<Tensor<T>>,
    steps: usize,
    /// The document and its part that each lane has in each window.
    lanes: Vec<Vec<(usize, usize)>>,
}

/// A window of each lane, from [`TruncatedWindows`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TruncatedWindow<T: Element> {
    /// The steps, (K, N, ..), zeros where a lane has none.
    pub data: Tensor<T>,
    /// How many steps of each lane are such.
    pub lengths: Vec<usize>,
    /// Whether a lane begins a document with this window, (N): its state is to start anew.
    pub resets: Tensor<bool>,
    /// Whether a document ends with this window, at the window's last step, (K, N):
    /// [`Truncated::window`](wengert_nn::Truncated::window) takes that.
    pub ends: Tensor<bool>,
}

/// The settings of [`TruncatedWindows`], from [`TruncatedWindows::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct TruncatedWindowsBuilder<T: Element> {
    documents: Vec<Tensor<T>>,
    lanes: usize,
    steps: usize,
    seed: Option<u64>,
}

impl<T: Element> TruncatedWindowsBuilder<T> {
    /// How many documents are gone through at once, the batch N; default 1.
    pub fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = lanes;
        self
    }

    /// How many steps a window has, K; default 1.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Has the documents in an order that a seed decides.
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The windows.
    ///
    /// # Errors
    /// If there are no lanes, steps or documents, one has no steps or another width than the first, or there
    /// is no memory for the places of so many windows.
    pub fn build(self) -> Result<TruncatedWindows<T>> {
        let TruncatedWindowsBuilder { documents, lanes: count, steps, seed } = self;
        for (argument, value) in [("lanes", count), ("steps", steps)] {
            if value == 0 {
                return Err(Error::argument(NAME, argument, "at least 1", 0));
            }
        }
        check(&documents)?;
        let lanes = or_refused(NAME, || {
            let mut lanes = filled(Vec::new(), count);
            for document in order(documents.len(), seed) {
                // The first of those that are free first.
                let lane = lanes.iter_mut().min_by_key(|lane| lane.len()).expect("at least one");
                let parts = documents[document].shape()[0].div_ceil(steps);
                reserve(lane, parts);
                lane.extend((0..parts).map(|part| (document, part)));
            }
            Ok(lanes)
        })?;
        Ok(TruncatedWindows { documents, steps, lanes })
    }
}

const NAME: &str = "TruncatedWindows";

fn check<T: Element>(documents: &[Tensor<T>]) -> Result<()> {
    let Some(first) = documents.first() else {
        return Err(Error::shape(NAME, "at least 1 document", 0));
    };
    let width = first.shape().get(1..);
    let fits = |x: &Tensor<T>| x.rank() > 0 && x.shape()[0] > 0 && x.shape().get(1..) == width;
    match documents.iter().position(|document| !fits(document)) {
        None => Ok(()),
        Some(place) => {
            let expected = format!(
                "documents of at least 1 step and of one width, the first of shape {:?}",
                first.shape()
            );
            Err(Error::shape(NAME, expected, format!("{:?} for document {place}", documents[place].shape())))
        }
    }
}

impl<T: Element> TruncatedWindows<T> {
    /// Settings of windows over documents (L_i, ..).
    pub fn builder(documents: Vec<Tensor<T>>) -> TruncatedWindowsBuilder<T> {
        TruncatedWindowsBuilder { documents, lanes: 1, steps: 1, seed: None }
    }

    /// One long series (T, ..) as so many documents of the same length, one for each lane; what is left over
    /// at the end is left out.
    ///
    /// # Errors
    /// If the series has no axis, or fewer steps than there are lanes, or there is no memory for so many.
    ///
    /// ```
    /// use wengert_core::Tensor;
    /// use wengert_data::TruncatedWindows;
    /// let pieces = TruncatedWindows::pieces(&Tensor::from([1i64, 2, 3, 4, 5]), 2)?;
    /// assert_eq!(pieces, [Tensor::from([1i64, 2]), Tensor::from([3i64, 4])]);
    /// # Ok::<(), wengert_core::Error>(())
    /// ```
    pub fn pieces(series: &Tensor<T>, lanes: usize) -> Result<Vec<Tensor<T>>> {
        let steps = series.shape().first().copied().unwrap_or(0);
        if lanes == 0 || steps < lanes {
            let expected = format!("in 1..={steps}, the steps of the series");
            return Err(Error::argument(NAME, "lanes", expected, lanes));
        }
        let length = steps / lanes;
        or_refused(NAME, || {
            let mut pieces = vec_of(lanes);
            for lane in 0..lanes {
                pieces.push(series.narrow(0, lane * length, length)?);
            }
            Ok(pieces)
        })
    }
}

impl<T: Element> Dataset for TruncatedWindows<T> {
    type Item = TruncatedWindow<T>;

    fn len(&self) -> usize {
        self.lanes.iter().map(Vec::len).max().unwrap_or(0)
    }

    fn get(&self, index: usize) -> Result<TruncatedWindow<T>> {
        check_index(NAME, index, self.len())?;
        or_refused(NAME, || self.window(index))
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::new("truncated").with(&self.documents).with(&self.steps).with(&self.lanes)
    }
}

impl<T: Element> TruncatedWindows<T> {
    /// The window of that number, which there is.
    fn window(&self, index: usize) -> Result<TruncatedWindow<T>> {
        let (steps, lanes) = (self.steps, self.lanes.len());
        let width = &self.documents[0].shape()[1..];
        let row: usize = width.iter().product();
        let places = steps.saturating_mul(lanes);
        let mut data = filled(T::ZERO, places.saturating_mul(row));
        let (mut lengths, mut resets, mut ends) =
            (filled(0, lanes), filled(false, lanes), filled(false, places));
        for (n, lane) in self.lanes.iter().enumerate() {
            let Some(&(document, part)) = lane.get(index) else { continue };
            let (document, start) = (&self.documents[document], part * steps);
            let left = document.shape()[0] - start;
            lengths[n] = left.min(steps);
            resets[n] = part == 0;
            ends[(steps - 1) * lanes + n] = left <= steps;
            let piece = document.narrow(0, start, lengths[n])?.contiguous();
            let piece = in_order(&piece);
            for t in 0..lengths[n] {
                data[(t * lanes + n) * row..][..row].copy_from_slice(&piece[t * row..][..row]);
            }
        }
        Ok(TruncatedWindow {
            data: Tensor::from_vec(data, [&[steps, lanes], width].concat())?,
            lengths,
            resets: resets.into(),
            ends: Tensor::from_vec(ends, [steps, lanes])?,
        })
    }
}
