//! The language of a surname from its characters: batches of names of like length, packed; languages with
//! few names count more; which is taken for which, as a table and as a picture.
//!
//! ```text
//! cargo run --release --example names                  # 120 names of 6 languages
//! cargo run --release --example names -- --data DIR    # a file `Language.txt` for each, a name a line
//! ```
//!
//! `list.rs` has the names, `model.rs` the network. `docs/names_of_languages.md` has the figures for 18
//! languages.

mod list;
mod model;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use wengert::data::{
    DataLoader, Dataset, Padded, PaddedBatch, Stacked, Tokens, VecDataset, Vocabulary, random_split,
};
use wengert::nn::loss::CrossEntropyLoss;
use wengert::optim::schedule::{CosineAnnealingLr, Schedule, WarmUp};
use wengert::prelude::*;
use wengert::train::{All, ConfusionMatrix, HeatMapPlot, Mean, Metric, Progress, Recall};

use list::Names;
use model::Model;

/// Learns the languages of surnames.
#[derive(Parser, Clone, Debug)]
pub struct Options {
    /// A folder with a file `Language.txt` for each language; a small list if not given.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Times to go through the names.
    #[arg(long, default_value_t = 15)]
    pub epochs: u64,
    /// Names of a batch.
    #[arg(long, default_value_t = 32)]
    pub batch: usize,
    /// Units of the recurrent layer in each direction.
    #[arg(long, default_value_t = 96)]
    pub hidden: usize,
    /// The largest learning rate.
    #[arg(long, default_value_t = 4e-3)]
    pub learning_rate: f64,
    /// How far languages count alike: at 0 each name counts the same, at 1 each language does.
    #[arg(long, default_value_t = 0.5)]
    pub balance: f64,
    /// The seed of everything random.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Where the picture goes.
    #[arg(long, default_value = "target/names.svg")]
    pub output: PathBuf,
}

type Name = (String, i64);
type Encoded = VecDataset<(Tensor<i64>, i64)>;
type Loader = DataLoader<Encoded, (Padded, Stacked)>;

/// Names as numbers of their characters.
fn encoded(names: &[Name], letters: &Vocabulary) -> Result<Encoded> {
    let encode = |(name, language): &Name| Ok((letters.encode(name)?, *language));
    Ok(VecDataset::new(names.iter().map(encode).collect::<Result<_>>()?))
}

/// Batches of names of like length.
fn batches(names: Encoded, batch: usize) -> Result<Loader> {
    let lengths = names.samples().iter().map(|(name, _)| name.numel()).collect();
    let loader = DataLoader::builder(names).batch_size(batch).shuffle(0).bucket_by_length(lengths);
    loader.collate((Padded::default(), Stacked)).prefetch(2).build()
}

/// The weight of a language, by how many of all names are its own.
fn weights(counts: &[usize], balance: f64) -> Tensor {
    let weight = |count: usize| f64::from(count.max(1) as u32).powf(-balance);
    let weights = Tensor::<f64>::from_fn([counts.len()], |language| weight(counts[language]));
    (&weights / weights.mean()).cast()
}

/// Trains; gives the part of the held-out names whose language is found, and the mean of that part over
/// languages.
pub fn run(options: &Options) -> Result<[f64; 2]> {
    let names = match &options.data {
        Some(folder) => Names::read(folder)?,
        None => Names::built_in(),
    };
    manual_seed(options.seed);
    let [learned, held_out] = random_split(VecDataset::new(names.names.clone()), [0.8, 0.2], options.seed)?;
    let learned = learned.iter().collect::<Result<Vec<Name>>>()?;
    let held_out = held_out.iter().collect::<Result<Vec<Name>>>()?;
    let text: String = learned.iter().map(|(name, _)| name.as_str()).collect();
    let letters = Vocabulary::builder(Tokens::Characters).unknown("?").build(&text)?;
    let train = batches(encoded(&learned, &letters)?, options.batch)?;
    let held_out = batches(encoded(&held_out, &letters)?, 256)?;
    let (languages, start) = (names.languages.len(), Instant::now());
    println!(
        "{} names to learn, {} held out, {languages} languages, {} characters",
        train.dataset().len(),
        held_out.dataset().len(),
        letters.len()
    );

    let model = Model::new(letters.len(), 32, options.hidden, languages)?;
    let loss = CrossEntropyLoss::default().class_weight(&weights(&names.counts(&learned), options.balance));
    let mut adam = AdamW::new(model.parameters(), options.learning_rate)?;
    let steps = options.epochs * train.len() as u64;
    let warm_up = (steps / 20).max(1);
    let schedule = WarmUp::new(warm_up, CosineAnnealingLr::new(options.learning_rate, steps - warm_up)?)?;
    let (progress, mut step) = (Progress::new(), 0);
    for epoch in 1..=options.epochs {
        let mut mean = Mean::new();
        for batch in progress.over(&train) {
            let (names, languages) = batch?;
            let loss = loss.loss(&model.forward(&names)?, &languages)?;
            loss.backward()?;
            clip_grad_norm(&model.parameters(), 1.0)?;
            adam.set_lr(schedule.try_lr(step)?);
            adam.step()?;
            adam.zero_grad();
            mean.add(f64::from(loss.item()?), 1.0)?;
            progress.show(&mean);
            step += 1;
        }
        let found = evaluate(&model, &held_out, languages)?.0.value();
        progress.suspend(|| println!("epoch {epoch:2}: loss {:.3}, found {found:.3}", mean.value()));
    }
    progress.finish();
    let (confusion, recall) = evaluate(&model, &held_out, languages)?;
    print(&names.languages, &confusion, &recall);
    let seconds = start.elapsed().as_secs_f64();
    println!("{} epochs in {seconds:.0} s", options.epochs);
    let folder = options.output.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| Error::of_file(folder, error))?;
    picture(&names.languages, &confusion)?.save(&options.output)?;
    Ok([confusion.value(), recall.value()])
}

/// Which languages names are taken for.
fn evaluate(model: &Model, names: &Loader, languages: usize) -> Result<(ConfusionMatrix, Recall)> {
    let (mut confusion, mut recall) = (ConfusionMatrix::new(languages)?, Recall::new(languages)?);
    for batch in names {
        let (names, right): (PaddedBatch<i64>, Tensor<i64>) = batch?;
        let scores = no_grad(|| model.forward(&names))?.value();
        confusion.update(&scores, &right, All)?;
        recall.update(&scores, &right, All)?;
    }
    Ok((confusion, recall))
}

/// Prints the matrix, a row for each language, and which part of its names are found.
fn print(languages: &[String], confusion: &ConfusionMatrix, recall: &Recall) {
    let short = |language: &String| language.chars().take(4).collect::<String>();
    let heads: String = languages.iter().map(|language| format!("{:>5}", short(language))).collect();
    println!("{:11}{heads}  found", "");
    let rows = confusion.matrix().to_vec();
    let rows = rows.chunks(languages.len()).zip(recall.per_class());
    for (language, (row, found)) in languages.iter().zip(rows) {
        let row: String = row.iter().map(|count| format!("{count:5}")).collect();
        println!("{language:11}{row}  {:3.0} %", 100.0 * found);
    }
    let [all, mean] = [confusion.value(), recall.value()].map(|part| 100.0 * part);
    println!("of all names {all:.1} % are found, of a language's {mean:.1} % in the mean");
}

/// The matrix, each row as parts of the language's names.
fn picture(languages: &[String], confusion: &ConfusionMatrix) -> Result<HeatMapPlot> {
    let counts = confusion.matrix();
    let parts = &counts / counts.sum_keepdim(&[1]).clamp(1.0, f64::INFINITY);
    let map = HeatMapPlot::new("languages of surnames", &parts)?.rows(languages)?.columns(languages)?;
    Ok(map.axes("right", "taken for"))
}

#[allow(dead_code, reason = "the test runs the example as a module")]
fn main() -> Result<()> {
    run(&Options::parse()).map(|_| ())
}
