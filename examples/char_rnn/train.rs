//! The training loop: truncated backpropagation with the state carried on.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use wengert::Generator;
use wengert::data::Dataset;
use wengert::nn::{CellFactory, RecurrentBuilder};
use wengert::prelude::*;
use wengert::train::{Curve, CurvePlot, Kept, Mean, Metric, Progress, Stop};

use super::Options;
use super::model::CharModel;
use super::text::{Corpus, Streams, streams, streams_of};

/// How many characters a sample during training has.
const SAMPLE: usize = 200;

/// Trains a model over cells that `builder` makes; gives the validation loss.
pub fn run<F>(
    options: &Options,
    saved: Option<TensorMap>,
    stop: &Stop,
    builder: RecurrentBuilder<F>,
) -> Result<f64>
where
    F: CellFactory<Cell: Cell<Element = f32>>,
{
    let corpus = Corpus::read(options.text.as_deref())?;
    let rnn = builder.num_layers(options.layers);
    let rnn = if options.layers > 1 { rnn.dropout(options.dropout) } else { rnn };
    let model = CharModel::new(corpus.alphabet.len(), options.embedding, rnn.build()?, options.dropout)?;
    let batch = streams_of(&corpus.train, options.batch);
    let mut run = Run {
        optimizer: Adam::new(model.parameters(), options.learning_rate())?,
        state: model.zero_state(batch),
        done: 0,
        epoch: Mean::new(),
        stretch: Mean::new(),
        training: Curve::new("training"),
        validation: Curve::new("validation"),
        model,
        streams: streams(&corpus.train, batch, options.sequence)?,
        batch,
        corpus: &corpus,
        options: options.clone(),
    };
    if let Some(saved) = &saved {
        run.kept().restore(saved)?;
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
    options: Options,
    corpus: &'r Corpus,
    streams: Streams,
    /// How many streams there are.
    batch: usize,
    model: CharModel<C>,
    optimizer: Adam,
    state: C::State,
    /// Steps done, over all epochs.
    done: usize,
    /// Losses of the current epoch.
    epoch: Mean,
    /// The losses since the last validation.
    stretch: Mean,
    /// A mean for each stretch between two validations.
    training: Curve,
    validation: Curve,
}

impl<C: Cell<Element = f32>> Run<'_, C> {
    fn train(&mut self, stop: &Stop) -> Result<f64> {
        let windows = self.streams.len();
        let total = self.options.total(windows);
        let every = (windows / 2).max(1);
        let deadline = Instant::now() + Duration::from_secs_f64(self.options.minutes * 60.0);
        let in_time = Stop::new().when(move || Instant::now() >= deadline);
        self.announce(total);
        let progress = if self.options.quiet { Progress::hidden() } else { Progress::new() };
        progress.skip(self.done as u64);
        for _ in progress.over(in_time.over(self.done..total)) {
            let loss = self.step()?;
            progress.show(self.message(loss, &progress));
            let look = self.done.is_multiple_of(every);
            if look {
                self.look(&progress)?;
            }
            if self.done.is_multiple_of(windows) {
                self.end_epoch(windows, &progress);
            }
            if look {
                self.save()?;
            }
            if stop.is_requested() {
                break;
            }
        }
        progress.finish();
        self.finish(stop.is_requested())
    }

    /// All that is saved and loaded.
    fn kept(&mut self) -> Kept<'_> {
        Kept::new()
            .module("model", &self.model)
            .optimizer("optimizer", &mut self.optimizer)
            .state("state", &mut self.state)
            .count("step", &mut self.done)
            .part("epoch", &mut self.epoch)
            .part("stretch", &mut self.stretch)
            .part("training", &mut self.training)
            .part("validation", &mut self.validation)
            .part("option", &mut self.options)
            .same("alphabet", self.corpus.alphabet.tokens().concat())
            .same("text", &self.corpus.fingerprint)
    }

    /// One window: forward, backward, clip, step; the state goes on without its history. Gives the loss.
    fn step(&mut self) -> Result<f64> {
        let (characters, next) = self.streams.get(self.done % self.streams.len())?;
        let (scores, state) = self.model.forward(&characters, &self.state)?;
        let loss = cross_entropy(&scores, &next)?;
        loss.backward()?;
        clip_grad_norm(&self.optimizer.parameters(), self.options.clip)?;
        self.optimizer.step()?;
        self.optimizer.zero_grad();
        self.state = state.detach();
        self.done += 1;
        let loss = f64::from(loss.item()?);
        self.epoch.add(loss, 1.0)?;
        self.stretch.add(loss, 1.0)?;
        Ok(loss)
    }

    /// Both losses of the last stretch, and a sample.
    fn look(&mut self, progress: &Progress) -> Result<()> {
        let step = self.done as u64;
        self.training.push(step, self.stretch.value());
        self.stretch.reset();
        let validation = self.validate()?;
        self.validation.push(step, validation);
        self.show_sample(progress)
    }

    /// The mean loss over the held-out text, in nats per character.
    fn validate(&mut self) -> Result<f64> {
        self.model.eval();
        let text = &self.corpus.validation;
        let batch = streams_of(text, 64);
        let loss = no_grad(|| -> Result<f64> {
            let (mut state, mut mean) = (self.model.zero_state(batch), Mean::new());
            for window in streams(text, batch, 128)?.iter() {
                let (characters, next) = window?;
                let (scores, after) = self.model.forward(&characters, &state)?;
                mean.add(f64::from(cross_entropy(&scores, &next)?.item()?), next.numel() as f64)?;
                state = after;
            }
            Ok(mean.value())
        });
        self.model.train();
        loss
    }

    fn sample(&mut self, count: usize) -> Result<String> {
        // A generator that depends on nothing but seed and step: writing must not change the training.
        let mut generator = Generator::from_seed(self.options.seed ^ (self.done as u64) << 20);
        let (prompt, temperature) = (&self.options.prompt, self.options.temperature);
        self.model.eval();
        let text = self.model.write(&self.corpus.alphabet, prompt, count, temperature, &mut generator);
        self.model.train();
        text
    }

    fn end_epoch(&mut self, windows: usize, progress: &Progress) {
        let training = self.epoch.value();
        self.epoch.reset();
        let validation = self.validation.last().unwrap_or(f64::NAN);
        let epoch = self.done / windows;
        let line = format!("epoch {epoch}: training {training:.3}, validation {validation:.3} nats");
        progress.suspend(|| println!("{line}"));
        self.state = self.model.zero_state(self.batch);
    }

    fn show_sample(&mut self, progress: &Progress) -> Result<()> {
        if !self.options.quiet {
            let text = self.sample(SAMPLE)?;
            progress.suspend(|| println!("--- step {}\n{}\n---", self.done, text.trim()));
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
            self.corpus.train.numel() + self.corpus.validation.numel(),
            self.corpus.alphabet.len(),
            self.model.num_parameters(),
            self.batch,
            self.options.sequence,
        );
    }

    fn message(&self, loss: f64, progress: &Progress) -> String {
        let speed = progress.per_second() * (self.batch * self.options.sequence) as f64;
        let validation = match self.validation.last() {
            Some(loss) => {
                format!(" validation {loss:.3} nats {:.3} bits", loss / std::f64::consts::LN_2)
            }
            None => String::new(),
        };
        format!("loss {loss:.3}{validation} {:.0}k chars/s", speed / 1e3)
    }

    /// Writes the checkpoint; says where.
    fn save(&mut self) -> Result<PathBuf> {
        let output = &self.options.output;
        fs::create_dir_all(output).map_err(|error| Error::of_file(output, error))?;
        let file = output.join("checkpoint.safetensors");
        self.kept().save(&file)?;
        Ok(file)
    }

    /// Saves, draws, and says how it went.
    fn finish(&mut self, interrupted: bool) -> Result<f64> {
        let (file, picture) = (self.save()?, self.options.output.join("loss.svg"));
        let plot = CurvePlot::new("loss").curve(&self.training).curve(&self.validation);
        plot.x_label("steps").y_label("nats per character").save(&picture)?;
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
