//! A recorded tape as one HTML page that walks through it, line after line forward and event after event
//! backward, and recomputes it with other inputs; and a playground for programs. The pages run Wengert itself
//! as WebAssembly, ask no network for anything, and open from a file.
//!
//! ```
//! use wengert_core::{Tape, Tensor, Variable, record};
//! use wengert_page::Page;
//! let x = Variable::new(Tensor::from([1.0f64, 2.0])).requires_grad_(true);
//! let loss = record(|| x.square().sum());
//! let page = Page::of(&Tape::of(&loss))?.title("Two squares");
//! assert!(page.to_text().starts_with("<!doctype html>"));
//! page.to_html(std::env::temp_dir().join("two_squares.html"))?;
//! # Ok::<(), wengert_core::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod assemble;
mod blob;
mod escape;
mod playground;
mod walk;

pub use playground::{Playground, playground};
pub use walk::Page;

use std::path::Path;

use wengert_core::__private::replace_file;
use wengert_core::{Error, Result};

/// Puts a page in the place of the file at `path`, by way of one beside it.
fn write(path: &Path, text: &str) -> Result<()> {
    replace_file(path, text.as_bytes()).map_err(|error| Error::of_file(path, error))
}

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
