//! The training loop: truncated backpropagation with the state carried on.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use wengert::Generator;
use wengert::nn::{CellFactory, RecurrentBuilder};
use wengert::prelude::*;

use super::checkpoint::{self, Position};
use super::model::CharModel;
use super::text::{Corpus, Streams};
use super::{Options, plot};

/// How many characters a sample during training has.
const SAMPLE: usize = 200;

/// Trains a model over cells that `builder` makes; gives the validation loss.
pub fn run<F>(
    options: &Options,
    saved: Option<TensorMap>,
    stop: &AtomicBool,
    builder: RecurrentBuilder<F>,
) -> Result<f64>
where
    F: CellFactory<Cell: Cell<Element = f32>>,
{
    let corpus = Corpus::read(options.text.as_deref())?;
    let rnn = builder.num_layers(options.layers);
    let rnn = if options.layers > 1 { rnn.dropout(options.dropout) } else { rnn };
    let model = CharModel::new(corpus.alphabet.len(), options.embedding, rnn.build()?, options.dropout)?;
    let streams = Streams::new(&corpus.train, options.batch, options.sequence);
    let mut run = Run {
        optimizer: Adam::new(model.parameters(), options.learning_rate())?,
        state: model.zero_state(streams.batch()),
        position: Position::default(),
        model,
        corpus: &corpus,
        streams,
        options,
    };
    if let Some(saved) = &saved {
        (run.state, run.position) =
            checkpoint::restore(saved, &corpus.alphabet, &run.model, &mut run.optimizer, &run.state)?;
        run.optimizer.set_lr(options.learning_rate());
        if let Some(count) = options.sample {
            println!("{}", run.sample(count)?);
            return run.validate();
        }
    }
    run.train(stop)
}

/// All that changes while training, and what it is made from.
struct Run<'r, C: Cell<Element = f32>> {
    options: &'r Options,
    corpus: &'r Corpus,
    streams: Streams<'r>,
    model: CharModel<C>,
    optimizer: Adam,
    state: C::State,
    position: Position,
}

impl<C: Cell<Element = f32>> Run<'_, C> {
    fn train(&mut self, stop: &AtomicBool) -> Result<f64> {
        let windows = self.streams.windows();
        let total = self.options.total(windows);
        let every = (windows / 2).max(1);
        let deadline = Instant::now() + Duration::from_secs_f64(self.options.minutes * 60.0);
        self.announce(total);
        let bar = self.progress_bar(total);
        let mut interrupted = false;
        while self.position.step < total && Instant::now() < deadline && !interrupted {
            let loss = self.step()?;
            bar.set_position(self.position.step as u64);
            bar.set_message(self.message(loss, &bar));
            let look = self.position.step.is_multiple_of(every);
            if look {
                self.position.training.push((self.position.step as f64, self.position.stretch.take_mean()));
                let validation = self.validate()?;
                self.position.validation.push((self.position.step as f64, validation));
                self.show_sample(&bar)?;
            }
            if self.position.step.is_multiple_of(windows) {
                self.end_epoch(windows, &bar);
            }
            if look {
                self.save()?;
            }
            interrupted = stop.load(Ordering::Relaxed);
        }
        bar.finish_and_clear();
        self.finish(interrupted)
    }

    /// One window: forward, backward, clip, step; the state goes on without its history. Gives the loss.
    fn step(&mut self) -> Result<f64> {
        let (characters, next) = self.streams.window(self.position.step % self.streams.windows());
        let (scores, state) = self.model.forward(&characters, &self.state)?;
        let loss = cross_entropy(&scores, &next)?;
        loss.backward()?;
        clip_grad_norm(&self.optimizer.parameters(), self.options.clip)?;
        self.optimizer.step()?;
        self.optimizer.zero_grad();
        self.state = state.detach();
        self.position.step += 1;
        let loss = f64::from(loss.item()?);
        self.position.epoch.add(loss);
        self.position.stretch.add(loss);
        Ok(loss)
    }

    /// The mean loss over the held-out text, in nats per character.
    fn validate(&mut self) -> Result<f64> {
        self.model.eval();
        let streams = Streams::new(&self.corpus.validation, 64, 128);
        let loss = no_grad(|| -> Result<f64> {
            let (mut state, mut sum, mut count) = (self.model.zero_state(streams.batch()), 0.0, 0);
            for w in 0..streams.windows() {
                let (characters, next) = streams.window(w);
                let (scores, after) = self.model.forward(&characters, &state)?;
                sum += f64::from(cross_entropy(&scores, &next)?.item()?) * next.numel() as f64;
                count += next.numel();
                state = after;
            }
            Ok(sum / count as f64)
        });
        self.model.train();
        loss
    }

    fn sample(&mut self, count: usize) -> Result<String> {
        // A generator that depends on nothing but seed and step: writing must not change the training.
        let mut generator = Generator::from_seed(self.options.seed ^ (self.position.step as u64) << 20);
        let (prompt, temperature) = (&self.options.prompt, self.options.temperature);
        self.model.eval();
        let text = self.model.write(&self.corpus.alphabet, prompt, count, temperature, &mut generator);
        self.model.train();
        text
    }

    fn end_epoch(&mut self, windows: usize, bar: &ProgressBar) {
        let training = self.position.epoch.take_mean();
        let validation = self.position.validation.last().map_or(f64::NAN, |last| last.1);
        let epoch = self.position.step / windows;
        let line = format!("epoch {epoch}: training {training:.3}, validation {validation:.3} nats");
        bar.suspend(|| println!("{line}"));
        self.state = self.model.zero_state(self.streams.batch());
    }

    fn show_sample(&mut self, bar: &ProgressBar) -> Result<()> {
        if !self.options.quiet {
            let text = self.sample(SAMPLE)?;
            bar.suspend(|| println!("--- step {}\n{}\n---", self.position.step, text.trim()));
        }
        Ok(())
    }

    fn announce(&self, total: usize) {
        let name = self
            .options
            .text
            .as_ref()
            .map_or("its own sources".to_string(), |path| path.display().to_string());
        println!(
            "{name}: {} characters, {} different; {} parameters; {total} steps of {} x {}",
            self.corpus.train.len() + self.corpus.validation.len(),
            self.corpus.alphabet.len(),
            self.model.num_parameters(),
            self.streams.batch(),
            self.options.sequence,
        );
    }

    fn progress_bar(&self, total: usize) -> ProgressBar {
        if self.options.quiet {
            return ProgressBar::hidden();
        }
        let style = "{elapsed_precise} [{wide_bar}] {pos}/{len} {msg} eta {eta}";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total as u64).with_style(style);
        bar.set_position(self.position.step as u64);
        bar.reset_eta();
        bar
    }

    fn message(&self, loss: f64, bar: &ProgressBar) -> String {
        let speed = bar.per_sec() * (self.streams.batch() * self.options.sequence) as f64;
        let validation = match self.position.validation.last() {
            Some((_, loss)) => {
                format!(" validation {loss:.3} nats {:.3} bits", loss / std::f64::consts::LN_2)
            }
            None => String::new(),
        };
        format!("loss {loss:.3}{validation} {:.0}k chars/s", speed / 1e3)
    }

    /// Writes the checkpoint; says where.
    fn save(&self) -> Result<PathBuf> {
        let output = &self.options.output;
        fs::create_dir_all(output).map_err(|error| Error::of_file(output, error))?;
        let file = output.join("checkpoint.safetensors");
        let saved = checkpoint::save(
            self.options,
            &self.corpus.alphabet,
            &self.model,
            &self.optimizer,
            &self.state,
            &self.position,
        );
        saved.save(&file)?;
        Ok(file)
    }

    /// Saves, draws, and says how it went.
    fn finish(&mut self, interrupted: bool) -> Result<f64> {
        let (file, picture) = (self.save()?, self.options.output.join("loss.svg"));
        plot::draw(&picture, &self.position)?;
        if interrupted {
            println!(
                "interrupted; go on with: cargo run --release --example char_rnn -- --resume {}",
                file.display()
            );
        } else if let Some(count) = self.options.sample {
            println!("{}", self.sample(count)?);
        }
        println!("checkpoint {}, curve {}", file.display(), picture.display());
        let loss = self.validate()?;
        println!("validation {loss:.3} nats, {:.3} bits per character", loss / std::f64::consts::LN_2);
        Ok(loss)
    }
}
