//! How the cost of a forward and backward pass grows: measures one pass, or draws what was measured. And
//! how time grows with a number of things: inputs, parameters, steps ..
//!
//! `python benches/growth.py` runs this program and its PyTorch counterpart for all sizes, and has the plot
//! drawn. `cargo run --release -p wengert-bench --bin growth -- counts` prints the table of numbers of
//! things.

mod counts;
mod kinds;
mod pass;
mod plot;

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints time and memory of a pass as a JSON object.
    Measure(pass::Sizes),
    /// Draws the JSON objects of a file, one a line, each with who measured it and the size that varies.
    Draw {
        /// The file with the objects.
        data: PathBuf,
        /// Where the plot goes (SVG).
        plot: PathBuf,
        /// What stands above it.
        title: String,
    },
    /// Prints how the time of many small programs grows with their scopes, inputs, parameters, steps ..
    Counts(counts::Counts),
}

fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().command {
        Command::Measure(sizes) => println!("{}", sizes.measure()?),
        Command::Counts(counts) => counts.print()?,
        Command::Draw { data, plot, title } => plot::draw(&plot::read(&data)?, &title, &plot)?,
    }
    Ok(())
}
