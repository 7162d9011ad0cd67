//! A run over a dataset whose process is killed in the middle of epochs ends with the same bits as one that
//! is left alone.

use std::path::Path;

use wengert_core::{Generator, Result, Tensor, Variable, manual_seed};
use wengert_data::{DataLoader, Dataset, Map, Scaler, TensorDataset, Vocabulary, Windows, Zip, random_split};
use wengert_nn::{Linear, Lstm, Module, cross_entropy, module};
use wengert_optim::schedule::{CosineAnnealingLr, Schedule, WarmUp};
use wengert_optim::{Adam, AdamOptions, Averaged, Lbfgs, LbfgsOptions, Optimizer};
use wengert_train::*;

use crate::killed;

const EPOCHS: u64 = 4;
const WINDOW: usize = 6;

struct Model {
    lstm: Lstm,
    head: Linear,
}
module!(Model { lstm, head });

/// A window with its class.
type Sample = (Tensor<f32>, Tensor<i64>);
type Data = Map<
    wengert_data::Subset<Zip<Windows<f32>, TensorDataset<Tensor<i64>>>>,
    fn(((Tensor<f32>, Tensor<f32>), Tensor<i64>)) -> Result<Sample>,
>;

struct Run {
    model: Model,
    adam: Adam,
    lbfgs: Lbfgs,
    moving: Averaged,
    even: Averaged,
    schedule: WarmUp,
    loader: DataLoader<Data>,
    scaler: Scaler,
    words: Vocabulary,
    confusion: ConfusionMatrix,
    loss: Mean,
    log: CsvLog,
    step: usize,
}

/// A walk of two columns, and for each step what the first column did.
fn walk() -> (Tensor<f32>, String) {
    let mut generator = Generator::from_seed(12);
    let (mut place, mut rows, mut words) = ([5.0, -40.0], Vec::new(), Vec::new());
    for _ in 0..100 {
        let moves = [generator.normal(), 10.0 * generator.normal()];
        place = [place[0] + moves[0], place[1] + moves[1]];
        rows.extend(place.map(|x| x as f32));
        words.push(if moves[0].abs() < 0.4 {
            "stays"
        } else if moves[0] > 0.0 {
            "rises"
        } else {
            "falls"
        });
    }
    (Tensor::from_vec(rows, [100, 2]).unwrap(), words.join(" "))
}

/// A window with noise of the sample's own, and the class of the step behind it.
fn with_noise(((window, _), class): ((Tensor<f32>, Tensor<f32>), Tensor<i64>)) -> Result<Sample> {
    let noise = Tensor::<f32>::randn(window.shape());
    Ok((window.zip(&noise, |x, noise| x + 0.05 * noise)?, class))
}

fn data(scaler: &Scaler, words: &Vocabulary) -> Result<Data> {
    let (walk, text) = walk();
    let windows = Windows::builder(scaler.transform(&walk)?, WINDOW).build()?;
    let classes = words.encode(&text)?.narrow(0, WINDOW, windows.len())?;
    let all = windows.zip(TensorDataset::new(classes)?)?;
    let [train, _] = random_split(all, [0.8, 0.2], 3)?;
    let with_noise: fn(_) -> _ = with_noise;
    Ok(train.map(with_noise))
}

impl Run {
    fn new(folder: &Path) -> Result<Self> {
        manual_seed(3);
        let (walk, text) = walk();
        let (scaler, words) = (Scaler::standard(&walk)?, Vocabulary::words(&text)?);
        let model = Model { lstm: Lstm::builder(2, 4).build()?, head: Linear::new(4, words.len())? };
        let [weights, biases] = [true, false].map(|of_weights| {
            let all = model.lstm.named_parameters().into_iter();
            let chosen = all.filter(|(name, _)| name.starts_with("weight") == of_weights);
            chosen.map(|(_, parameter)| parameter).collect::<Vec<_>>()
        });
        let mut adam = Adam::new(weights, 0.02)?;
        adam.add_group(biases, AdamOptions::default().lr(0.05))?;
        let options = LbfgsOptions::default().lr(0.1).max_iter(2).history_size(3);
        let loader = DataLoader::builder(data(&scaler, &words)?).batch_size(8).shuffle(7).prefetch(2);
        Ok(Run {
            adam,
            lbfgs: Lbfgs::with(model.head.parameters(), options)?,
            moving: Averaged::ema(model.parameters(), 0.9)?,
            even: Averaged::swa(model.parameters()),
            schedule: WarmUp::new(5, CosineAnnealingLr::new(0.02, 40)?)?,
            loader: loader.build()?,
            confusion: ConfusionMatrix::new(words.len())?,
            loss: Mean::new(),
            log: CsvLog::open(folder.join("log.csv"))?,
            step: 0,
            model,
            scaler,
            words,
        })
    }

    fn kept(&mut self) -> Kept<'_> {
        Kept::new()
            .module("model", &self.model)
            .optimizer("adam", &mut self.adam)
            .part("lbfgs", &mut self.lbfgs)
            .part("moving", &mut self.moving)
            .part("even", &mut self.even)
            .schedule("schedule", &mut self.schedule)
            .part("loader", &mut self.loader)
            .part("scaler", &mut self.scaler)
            .part("words", &mut self.words)
            .part("confusion", &mut self.confusion)
            .part("loss", &mut self.loss)
            .part("log", &mut self.log)
            .count("step", &mut self.step)
    }

    /// Both optimizers on a batch: the head's goes by several evaluations, the layer's by one gradient.
    fn train_step(&mut self, (x, classes): &Sample) -> Result<f64> {
        let x = x.transpose(0, 1)?;
        let Run { model, lbfgs, .. } = self;
        let scores = || -> Result<Variable> {
            let (out, _) = model.lstm.forward(&x, None)?;
            model.head.forward(&out.select(0, WINDOW - 1))
        };
        let loss = lbfgs.step(|| cross_entropy(&scores()?, classes))?;
        model.parameters().iter().for_each(|parameter| parameter.zero_grad());
        let after = scores()?;
        cross_entropy(&after, classes)?.backward()?;
        self.adam.set_base_lr(self.schedule.lr(self.step as u64))?;
        self.adam.step()?;
        self.moving.update()?;
        self.even.update()?;
        self.confusion.update(&after.value(), classes, All)?;
        self.loss.add(loss, classes.numel() as f64)?;
        Ok(loss)
    }

    fn end_epoch(&mut self) -> Result<()> {
        let figures = [("loss", self.loss.value()), ("accuracy", self.confusion.value())];
        self.log.row(self.loader.epoch(), &figures)?;
        self.loss.reset();
        self.confusion.reset();
        Ok(())
    }

    fn run(&mut self, folder: &Path) -> Result<()> {
        let checkpoints = Checkpoints::new(folder.join("checkpoints"))?.keep_last(2)?;
        checkpoints.resume(&mut self.kept())?;
        while self.loader.epoch() < EPOCHS {
            for batch in &self.loader {
                let loss = self.train_step(&batch?)?;
                self.step += 1;
                if self.loader.batch() == 0 {
                    self.end_epoch()?;
                }
                if self.step.is_multiple_of(4) {
                    checkpoints.save(self.step as u64, loss, &self.kept())?;
                }
                killed::step_done(self.step);
            }
        }
        checkpoints.save(self.step as u64 + 1, 0.0, &self.kept())?;
        Ok(())
    }
}

/// Trains on from where it is; no test unless the one below starts it.
#[test]
fn child() {
    let Some(folder) = killed::folder() else { return };
    Run::new(folder.as_ref()).unwrap().run(folder.as_ref()).unwrap();
}

#[test]
fn a_run_over_a_dataset_that_is_killed_in_its_epochs_ends_with_the_same_bits() {
    // Ten batches an epoch: a checkpoint every four steps is in the middle of most.
    killed::check("resumed_data::child", 4, 12);
}

#[test]
fn a_run_that_is_dropped_and_goes_on_within_the_process_ends_with_the_same_bits() {
    let [whole, parts] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let end = |folder: &Path, stops: &[usize]| -> Result<Vec<u8>> {
        let mut run = Run::new(folder)?;
        for stop in stops {
            // More is prepared ahead than is taken.
            for batch in run.loader.iter().take(*stop) {
                run.train_step(&batch?)?;
                run.step += 1;
            }
            let bytes = run.kept().to_map()?.to_bytes()?;
            run = Run::new(folder)?;
            manual_seed(99);
            run.kept().restore(&wengert_core::TensorMap::from_bytes(&bytes)?)?;
        }
        while run.loader.epoch() == 0 {
            for batch in &run.loader {
                run.train_step(&batch?)?;
                run.step += 1;
            }
        }
        run.kept().to_map()?.to_bytes()
    };
    assert!(end(whole.path(), &[]).unwrap() == end(parts.path(), &[3, 1, 4]).unwrap());
}
