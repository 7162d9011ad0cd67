//! Does again what PyTorch did, and compares.
//!
//! ```text
//! cargo run --release -p parity -- PATH...
//! ```
//!
//! Each PATH is a case or a folder of cases: `.safetensors` files that hold inputs, PyTorch's results and
//! gradients, and say in their metadata what to run. A case that fails prints a line; the last line counts.
//! `case.rs` reads and compares; a kind of cases is a file that runs them.

mod case;
mod layer;
mod loss;
mod op;
mod optimizer;
mod recurrent;
mod schedule;
mod special;
mod special_op;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use case::{Case, Failure};
use clap::Parser;

/// Runs cases that PyTorch was the judge of.
#[derive(Parser)]
struct Arguments {
    /// Cases, or folders of cases.
    #[arg(required_unless_present = "special")]
    paths: Vec<PathBuf>,
    /// A folder of tables of special numbers.
    #[arg(long, conflicts_with = "paths")]
    special: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(folder) = arguments.special {
        return special_numbers(&folder);
    }
    let files: Vec<PathBuf> = arguments.paths.iter().flat_map(|path| files(path)).collect();
    let failed = files.iter().filter(|file| !passes(file)).count();
    println!("{} passed, {failed} failed, 0 skipped", files.len() - failed);
    if failed == 0 && !files.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Compares the tables of a folder; a line for each difference that is not accepted.
fn special_numbers(folder: &Path) -> ExitCode {
    let outcome = special::compare(folder).and_then(|counts| Ok((counts, special::unexplained(folder)?)));
    match outcome {
        Ok(((compared, differing), None)) => {
            println!("{compared} compared, {differing} differ and are not listed, or are listed and do not");
            if differing == 0 && compared > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Ok((_, Some(reason))) => {
            println!("README.md: no reason **{reason}**");
            ExitCode::FAILURE
        }
        Err(failure) => {
            println!("{}: {failure}", folder.display());
            ExitCode::FAILURE
        }
    }
}

/// The cases of a folder, in order of their names; anything else is taken for a case.
fn files(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_path_buf()] };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "safetensors"));
    files.sort();
    files
}

fn passes(file: &Path) -> bool {
    let outcome = Case::load(file).and_then(|case| run(&case));
    if let Err(failure) = &outcome {
        println!("{}: {failure}", file.display());
    }
    outcome.is_ok()
}

fn run(case: &Case) -> Result<(), Failure> {
    match (case.text("kind")?, case.text("dtype").unwrap_or("f64")) {
        ("op", "f64") => op::run::<f64>(case),
        ("op", "f32") => op::run::<f32>(case),
        ("recurrent", "f64") => recurrent::layer::<f64>(case),
        ("recurrent", "f32") => recurrent::layer::<f32>(case),
        ("cell", "f64") => recurrent::cell::<f64>(case),
        ("cell", "f32") => recurrent::cell::<f32>(case),
        ("layer", "f64") => layer::run::<f64>(case),
        ("layer", "f32") => layer::run::<f32>(case),
        ("loss", "f64") => loss::run::<f64>(case),
        ("loss", "f32") => loss::run::<f32>(case),
        ("optimizer", "f64") => optimizer::run::<f64>(case),
        ("optimizer", "f32") => optimizer::run::<f32>(case),
        ("closure", "f64") => optimizer::run_closure::<f64>(case),
        ("schedule", _) => schedule::run(case),
        (kind, dtype) => Err(Failure::Unsupported(format!("kind {kind} of {dtype}"))),
    }
}
