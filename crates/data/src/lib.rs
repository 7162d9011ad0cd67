//! Datasets, batches, windows, scalers and readers: plain pieces for a training loop written by hand.
//!
//! A [`Dataset`] is what can be indexed; [`DataLoader`] makes batches of it, epoch by epoch, and knows where
//! it is: its position is saved and resumed from bit for bit. Everything drawn comes from a seed and a place,
//! never from when or on which thread it is drawn.
//!
//! ```
//! use wengert_core::{Tensor, Variable};
//! use wengert_data::{DataLoader, Dataset, Scaler, Windows, time_split};
//! let series = Tensor::<f32>::randn([200, 3]);
//! let scaler = Scaler::standard(&series.narrow(0, 0, 150)?)?; // fitted on the part to train on
//! let windows = Windows::builder(scaler.transform(&series)?, 24).horizon(6).build()?;
//! let [train, valid] = time_split(windows, [0.75, 0.25], 29)?; // no window of one reaches into the other
//! let loader = DataLoader::builder(train).batch_size(16).shuffle(0).prefetch(2).build()?;
//! for batch in &loader {
//!     let (x, y) = batch?; // (16, 24, 3) and (16, 6, 3)
//!     let _input = Variable::new(x.transpose(0, 1)?); // (24, 16, 3), as recurrent layers take it
//!     assert_eq!(y.shape()[1..], [6, 3]);
//! }
//! assert_eq!(valid.iter().len(), 35);
//! # Ok::<(), wengert_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod adapters;
mod builder;
mod collate;
#[cfg(feature = "csv")]
mod csv;
mod dataset;
mod fingerprint;
mod fold;
mod labels;
mod loader;
mod memory;
mod missing;
#[cfg(feature = "npz")]
mod npy;
#[cfg(feature = "npz")]
mod npz;
mod packed;
mod padded;
mod plan;
mod position;
mod prefetch;
mod random;
mod scaler;
mod split;
mod stack;
mod state;
mod truncated;
mod vocabulary;
mod windows;

#[cfg(feature = "csv")]
pub use crate::csv::{Csv, CsvOptions};
pub use adapters::{Map, Subset, Zip};
pub use builder::DataLoaderBuilder;
pub use collate::{Collate, Single, Stacked};
pub use dataset::{Dataset, Items};
pub use fingerprint::{Content, Fingerprint};
pub use fold::{Folds, KFold};
pub use labels::class_labels;
pub use loader::{Batches, DataLoader};
pub use memory::{Rows, TensorDataset, VecDataset};
pub use missing::{ObservationOptions, Observations, observations};
#[cfg(feature = "npz")]
pub use npz::{Npz, load_npy};
pub use packed::{Packable, Packed, PackedTokens};
pub use padded::{Padded, PaddedBatch};
pub use prefetch::Prefetch;
pub use scaler::{Scalable, Scaler};
pub use split::{Parts, random_split, time_split};
pub use stack::Stackable;
pub use truncated::{TruncatedWindow, TruncatedWindows, TruncatedWindowsBuilder};
pub use vocabulary::{Tokens, Vocabulary, VocabularyBuilder};
pub use windows::{Windows, WindowsBuilder};

/// The README's example, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
