//! The page in which one writes programs.

use std::path::Path;

use serde_json::json;
use wengert_core::Result;

use crate::assemble::{self, Kind};
use crate::blob;

/// A page with a field for a program: it is run on each change, a mistake is marked where it is, the walk
/// through its tape stands beside it, and its gradients are checked against differences.
///
/// The program is kept in the address, behind `#`, so that it can be shared.
///
/// ```
/// let page = wengert_page::playground().title("Try it").to_text();
/// assert!(page.starts_with("<!doctype html>") && page.contains("<title>Try it</title>"));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Playground {
    title: String,
    program: String,
}

/// A playground that opens with the first of its examples.
///
/// ```
/// wengert_page::playground().to_html(std::env::temp_dir().join("playground.html"))?;
/// # Ok::<(), wengert_core::Error>(())
/// ```
pub fn playground() -> Playground {
    Playground { title: "Playground".to_string(), program: String::new() }
}

impl Playground {
    /// Sets the title, which is any text.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the program that the page opens with, unless its address brings one.
    pub fn program(mut self, text: impl Into<String>) -> Self {
        self.program = text.into();
        self
    }

    /// The page as text.
    pub fn to_text(&self) -> String {
        let data = json!({ "title": self.title, "program": self.program, "engine": blob::text() });
        assemble::page(Kind::Playground, &self.title, &data.to_string())
    }

    /// Writes the page to a file, beside it and then renamed.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn to_html(&self, path: impl AsRef<Path>) -> Result<()> {
        crate::write(path.as_ref(), &self.to_text())
    }
}
